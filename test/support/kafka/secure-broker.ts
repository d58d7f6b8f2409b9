/** A real broker that speaks TLS only and asks for a login: SASL PLAIN and SCRAM, user `me`. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtain } from '../../../infra/local/artifacts.ts';
import { kafkaJars, liveBrokers } from '../../../infra/local/kafka.ts';
import { Part } from '../../../infra/local/part.ts';
import { freePorts } from '../../../infra/local/ports.ts';

export type SecureBroker = {
  /** for clients; the certificate is valid for this host only */
  readonly address: string;
  readonly port: number;
  readonly clusterId: string;
  /** PEM of the authority behind the broker's certificate */
  readonly caFile: string;
  readonly stop: () => Promise<void>;
};

const storePassword = 'for-the-test';

/** @param password of the user: letters and digits */
export async function startSecureBroker(password = 'right'): Promise<SecureBroker> {
  const dir = mkdtempSync(join(tmpdir(), 'kafka-secure-'));
  const jars = await obtain(kafkaJars, () => {});
  const [port = 0, inner = 0, controller = 0] = await freePorts(3);
  const caFile = makeCertificate(dir);
  const config = join(dir, 'server.properties');
  writeFileSync(config, properties(dir, [port, inner, controller], password));
  const classes = ['-cp', `${jars}/*`, '-XX:TieredStopAtLevel=1'];
  const user = `SCRAM-SHA-512=[name=me,password=${password}]`;
  const clusterId = randomBytes(16).toString('base64url');
  execFileSync('java', [
    ...classes,
    'kafka.tools.StorageTool',
    'format',
    `--cluster-id=${clusterId}`,
    '-c',
    config,
    '--add-scram',
    user,
  ]);
  const part = new Part(
    {
      name: 'kafka',
      command: 'java',
      args: [...classes, '-Xmx256m', 'kafka.Kafka', config],
      log: join(dir, 'kafka.log'),
      ready: async () => (await liveBrokers(`127.0.0.1:${inner}`)) === 1,
      graceMs: 0,
    },
    { dir },
  );
  await part.start();
  const stop = async () => {
    await part.kill();
    rmSync(dir, { recursive: true, force: true });
  };
  return { address: `127.0.0.1:${port}`, port, clusterId, caFile, stop };
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
function properties(dir: string, [port, inner, controller]: readonly number[], password: string): string {
  const login = 'org.apache.kafka.common.security';
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=SECURE://127.0.0.1:${port},INNER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}
listener.security.protocol.map=SECURE:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_me="${password}";
listener.name.secure.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;
ssl.keystore.location=${join(dir, 'broker.p12')}
ssl.keystore.type=PKCS12
ssl.keystore.password=${storePassword}
log.dirs=${join(dir, 'data')}
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
`;
}
