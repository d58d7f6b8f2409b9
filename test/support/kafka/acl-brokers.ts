/** Two brokers that speak TLS only, ask for a login by SCRAM (the password is `right`), and allow what ACLs allow. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtain } from '../../../infra/local/artifacts.ts';
import { javaArgs } from '../../../infra/local/java.ts';
import { kafkaJars, liveBrokers } from '../../../infra/local/kafka.ts';
import { Part, startAll } from '../../../infra/local/part.ts';
import { freePorts } from '../../../infra/local/ports.ts';
import { run, signalGroup } from '../../../infra/local/process.ts';

export type AclBrokers = {
  /** of the first broker, for clients; the certificate is valid for this host only */
  readonly address: string;
  readonly port: number;
  /** of the first broker without TLS or login, for brokers and for the test, who may do everything */
  readonly inner: string;
  /** PEM of the authority behind the brokers' certificate */
  readonly caFile: string;
  /** `log.dirs` of the first broker */
  readonly data: string;
  /** What the brokers have decided about clients who are logged in since this was asked last, as their authorizer logs it. */
  decisions(): readonly Decision[];
  readonly stop: () => Promise<void>;
};

/** `resource`: such as `Topic:LITERAL:orders`. */
export type Decision = {
  readonly user: string;
  readonly allowed: boolean;
  readonly operation: string;
  readonly resource: string;
  readonly request: string;
};

const storePassword = 'for-the-test';

type Node = { readonly id: number; readonly port: number; readonly inner: number; readonly home: string };

/** @param users who may log in, and nothing more yet */
export async function startAclBrokers(users: readonly string[]): Promise<AclBrokers> {
  const dir = mkdtempSync(join(tmpdir(), 'kafka-acls-'));
  const jars = await obtain(kafkaJars, () => {});
  const [controller = 0, ...ports] = await freePorts(5);
  const caFile = await makeCertificate(dir);
  const nodes = [0, 1].map((at): Node => {
    const home = join(dir, `node-${at + 1}`);
    return { id: at + 1, port: ports[2 * at] ?? 0, inner: ports[2 * at + 1] ?? 0, home };
  });
  const clusterId = randomBytes(16).toString('base64url');
  for (const node of nodes) {
    mkdirSync(node.home);
    writeFileSync(configFile(node), properties(dir, node, controller));
    const scram = node.id === 1 ? users.flatMap((name) => ['--add-scram', scramOf(name)]) : [];
    const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', configFile(node)];
    await run('java', [...javaArgs(jars, 128), ...format, ...scram], {});
  }
  const parts = nodes.map((node) => brokerPart(dir, jars, node, nodes));
  await startAll(parts);
  const [first] = nodes as [Node];
  const logs = parts.map(({ log }) => newLines(log));
  return {
    address: `127.0.0.1:${first.port}`,
    port: first.port,
    inner: `127.0.0.1:${first.inner}`,
    caFile,
    data: join(first.home, 'data'),
    decisions: () => logs.flatMap((lines) => decisionsIn(lines())),
    stop: async () => {
      await Promise.all(parts.map((part) => part.kill()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const configFile = ({ home }: Node): string => join(home, 'server.properties');
const scramOf = (name: string): string => `SCRAM-SHA-512=[name=${name},password=right]`;

function brokerPart(dir: string, jars: string, node: Node, nodes: readonly Node[]): Part {
  const logging = ['defaultLogLevel=warn', 'log.kafka.authorizer.logger=debug'];
  const flags = logging.map((setting) => `-Dorg.slf4j.simpleLogger.${setting}`);
  return new Part(
    {
      name: `kafka-${node.id}`,
      command: 'java',
      args: [...javaArgs(jars, 256), ...flags, 'kafka.Kafka', configFile(node)],
      log: join(dir, `kafka-${node.id}.log`),
      ready: async () => (await liveBrokers(`127.0.0.1:${node.inner}`)) === nodes.length,
      graceMs: 0,
    },
    { dir, onSpawn: (_, { pid }) => process.once('exit', () => signalGroup(pid, 'SIGKILL')) },
  );
}

/** @returns what gives the whole lines that a file got since the last call */
function newLines(file: string): () => string {
  let from = 0;
  return () => {
    const all = readFileSync(file);
    const lines = all.subarray(from, all.lastIndexOf('\n') + 1);
    from += lines.length;
    return lines.toString();
  };
}

const decision =
  /Principal = User:(?!ANONYMOUS)(\S+) is (Allowed|Denied) operation = (\S+) from host = \S+ on resource = (\S+) for request = (\S+)/g;

const decisionsIn = (log: string): Decision[] =>
  [...log.matchAll(decision)].map(([, user = '', verdict, operation = '', resource = '', request = '']) => ({
    user,
    allowed: verdict === 'Allowed',
    operation,
    resource,
    request,
  }));

async function makeCertificate(dir: string): Promise<string> {
  const store = ['-keystore', join(dir, 'broker.p12'), '-storepass', storePassword, '-alias', 'broker'];
  const keytool = (...args: string[]) => run('keytool', [...args, ...store], {});
  await keytool(
    '-genkeypair',
    '-keyalg',
    'EC',
    '-storetype',
    'PKCS12',
    '-dname',
    'CN=broker',
    '-ext',
    'SAN=ip:127.0.0.1',
  );
  const caFile = join(dir, 'ca.pem');
  await keytool('-exportcert', '-rfc', '-file', caFile);
  return caFile;
}

/** Brokers talk among themselves on a plain listener; clients are told of the secure one only. */
function properties(dir: string, { id, port, inner, home }: Node, controller: number): string {
  const isFirst = id === 1;
  return `
process.roles=${isFirst ? 'broker,controller' : 'broker'}
node.id=${id}
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=SECURE://127.0.0.1:${port},INNER://127.0.0.1:${inner}${isFirst ? `,CONTROLLER://127.0.0.1:${controller}` : ''}
listener.security.protocol.map=SECURE:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.location=${join(dir, 'broker.p12')}
ssl.keystore.type=PKCS12
ssl.keystore.password=${storePassword}
log.dirs=${join(home, 'data')}
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.segment.delete.delay.ms=1000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`;
}
