/**
 * A real broker that speaks TLS only and asks for a login: SASL PLAIN and SCRAM, user `me`, password `right` by default; tokens of
 * IAM; on a port of its own certificates.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtain } from '../../../infra/local/artifacts.ts';
import { kafkaJars, liveBrokers } from '../../../infra/local/kafka.ts';
import { Part } from '../../../infra/local/part.ts';
import { freePorts } from '../../../infra/local/ports.ts';
import { run, signalGroup } from '../../../infra/local/process.ts';

export type SecureBroker = {
  /** for clients; the certificate is valid for this host only */
  readonly address: string;
  readonly port: number;
  readonly clusterId: string;
  /** PEM of the authority behind the broker's certificate */
  readonly caFile: string;
  /** for clients that show a certificate, in place of a login */
  readonly certified: string;
  /** Changes the password for SCRAM. */
  setPassword(password: string): Promise<void>;
  readonly stop: () => Promise<void>;
};

export type SecureOptions = {
  /** of the user: letters and digits */
  readonly password?: string;
  /** more lines of its properties */
  readonly settings?: readonly string[];
  /** PEM: certificates that it trusts; default: its own */
  readonly trusted?: string;
  /** who judges tokens of IAM, as a URL */
  readonly judge?: string;
};

const storePassword = 'for-the-test';

export async function startSecureBroker(options: SecureOptions = {}): Promise<SecureBroker> {
  const { password = 'right' } = options;
  const dir = mkdtempSync(join(tmpdir(), 'kafka-secure-'));
  const jars = await obtain(kafkaJars, () => {});
  const [secure = 0, certified = 0, inner = 0, controller = 0] = await freePorts(4);
  const caFile = makeCertificate(dir);
  writeFileSync(join(dir, 'trusted.pem'), options.trusted ?? readFileSync(caFile));
  const config = join(dir, 'server.properties');
  writeFileSync(
    config,
    [properties(dir, { secure, certified, inner, controller }, password), ...(options.settings ?? [])].join('\n'),
  );
  const classes = ['-cp', `${jars}/*:${dir}`, '-XX:TieredStopAtLevel=1'];
  await run('javac', ['-cp', `${jars}/*`, '-d', dir, join(import.meta.dirname, 'IamTokens.java')], {});
  const user = `SCRAM-SHA-512=[name=me,password=${password}]`;
  const clusterId = randomBytes(16).toString('base64url');
  const format = ['format', `--cluster-id=${clusterId}`, '-c', config, '--add-scram', user];
  await run('java', [...classes, 'kafka.tools.StorageTool', ...format], {});
  const part = new Part(
    {
      name: 'kafka',
      command: 'java',
      args: [...classes, '-Xmx256m', `-Diam.judge=${options.judge ?? ''}`, 'kafka.Kafka', config],
      log: join(dir, 'kafka.log'),
      ready: async () => (await liveBrokers(`127.0.0.1:${inner}`)) === 1,
      graceMs: 0,
    },
    { dir, onSpawn: (_, { pid }) => process.once('exit', () => signalGroup(pid, 'SIGKILL')) },
  );
  await part.start();
  return {
    address: `127.0.0.1:${secure}`,
    port: secure,
    clusterId,
    certified: `127.0.0.1:${certified}`,
    caFile,
    setPassword: async (password) => {
      const whom = ['--entity-type', 'users', '--entity-name', 'me'];
      const change = ['--alter', '--add-config', `SCRAM-SHA-512=[password=${password}]`];
      const tool = ['kafka.admin.ConfigCommand', '--bootstrap-server', `127.0.0.1:${inner}`];
      await run('java', [...classes, ...tool, ...change, ...whom], {});
    },
    stop: async () => {
      await part.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function makeCertificate(dir: string): string {
  const store = ['-keystore', join(dir, 'broker.p12'), '-storepass', storePassword, '-alias', 'broker'];
  const keytool = (...args: string[]) => execFileSync('keytool', [...args, ...store], { stdio: 'ignore' });
  keytool('-genkeypair', '-keyalg', 'EC', '-storetype', 'PKCS12', '-dname', 'CN=broker', '-ext', 'SAN=ip:127.0.0.1');
  const caFile = join(dir, 'ca.pem');
  keytool('-exportcert', '-rfc', '-file', caFile);
  return caFile;
}

/** Brokers talk among themselves on a plain listener; clients are told of the secure one only. */
type Ports = Readonly<Record<'secure' | 'certified' | 'inner' | 'controller', number>>;

function properties(dir: string, { secure, certified, inner, controller }: Ports, password: string): string {
  const login = 'org.apache.kafka.common.security';
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=SECURE://127.0.0.1:${secure},CERTIFIED://127.0.0.1:${certified},INNER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}
listener.security.protocol.map=SECURE:SASL_SSL,CERTIFIED:SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.secure.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_me="${password}";
listener.name.secure.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config=${login}.oauthbearer.OAuthBearerLoginModule required;
listener.name.secure.oauthbearer.sasl.server.callback.handler.class=IamTokens
listener.name.secure.oauthbearer.connections.max.reauth.ms=900000
listener.name.certified.ssl.client.auth=required
listener.name.certified.ssl.truststore.type=PEM
listener.name.certified.ssl.truststore.location=${join(dir, 'trusted.pem')}
ssl.keystore.location=${join(dir, 'broker.p12')}
ssl.keystore.type=PKCS12
ssl.keystore.password=${storePassword}
log.dirs=${join(dir, 'data')}
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
`;
}
