/** A Kafka cluster that can deny the product single rights, lose and gain a broker, and forbid deletion. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { obtain } from '../../../infra/local/artifacts.ts';
import { javaArgs } from '../../../infra/local/java.ts';
import { kafkaJars, liveBrokers } from '../../../infra/local/kafka.ts';
import { Part } from '../../../infra/local/part.ts';
import { freePorts } from '../../../infra/local/ports.ts';
import { run, signalGroup } from '../../../infra/local/process.ts';
import type { KafkaForTests } from './world.ts';

/** The product comes from another address of this machine, by which rules can tell it from everybody else. */
export const productHost = '127.0.0.2';

export type StrictKafka = KafkaForTests & {
  /** Another broker joins, or comes back. */
  addBroker(): Promise<void>;
  removeBroker(): Promise<void>;
  /** @param perSecond topics, partitions and deletions that the product may ask for; null: as many as it likes */
  limitMutations(perSecond: number | null): Promise<void>;
  /** Starts the first broker anew with other settings. */
  restart(settings: Readonly<Record<string, string>>): Promise<void>;
};

export async function strictKafka(dir: string): Promise<StrictKafka> {
  const [controller = 0, ...ports] = await freePorts(4);
  const gate = await startGate();
  const common = {
    dir,
    jars: await obtain(kafkaJars, () => {}),
    clusterId: randomBytes(16).toString('base64url'),
    controller,
  };
  const [inner = 0, door = 0, second = 0] = ports;
  gate.leadTo(door);
  const first = await makeNode({ ...common, id: 1, inner, door, advertised: gate.port });
  await first.part.start();
  const others = `127.0.0.1:${inner}`;
  let other: Node | undefined;
  return {
    product: `127.0.0.1:${gate.port}`,
    others,
    clusterId: common.clusterId,
    data: join(dir, 'node-1', 'data'),
    addBroker: async () => {
      other ??= await makeNode({ ...common, id: 2, inner: second, ...(await doors()) });
      await other.part.start();
    },
    removeBroker: async () => other?.part.kill(),
    limitMutations: (perSecond) => limitMutations(common.jars, others, perSecond),
    restart: async (settings) => {
      await first.part.kill();
      first.configure(settings);
      await first.part.start();
    },
    stop: async () => {
      await Promise.all([first.part.kill(), other?.part.kill()]);
      gate.close();
    },
  };
}

/** By the product's client id. @see KIP-599 */
async function limitMutations(jars: string, address: string, perSecond: number | null): Promise<void> {
  const quota = 'controller_mutation_rate';
  const change = perSecond === null ? ['--delete-config', quota] : ['--add-config', `${quota}=${perSecond}`];
  const whom = ['--entity-type', 'clients', '--entity-name', 'topicsmith'];
  const tool = [...javaArgs(jars, 128), 'kafka.admin.ConfigCommand', '--bootstrap-server', address, '--alter'];
  await run('java', [...tool, ...change, ...whom], {});
}

async function doors() {
  const [door = 0] = await freePorts(1);
  return { door, advertised: door };
}

type NodeOptions = {
  readonly dir: string;
  readonly jars: string;
  readonly clusterId: string;
  readonly id: number;
  readonly controller: number;
  /** ports: for everybody, for the product, and the one that the product is told */
  readonly inner: number;
  readonly door: number;
  readonly advertised: number;
};
type Node = { readonly part: Part; configure(settings: Readonly<Record<string, string>>): void };

async function makeNode(options: NodeOptions): Promise<Node> {
  const { dir, jars, clusterId, id, inner } = options;
  const home = join(dir, `node-${id}`);
  const file = join(home, 'server.properties');
  mkdirSync(home, { recursive: true });
  const configure = (settings: Readonly<Record<string, string>>) =>
    writeFileSync(file, properties(options, home, settings));
  configure({});
  const tool = [...javaArgs(jars, 128), 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', file];
  await run('java', tool, {});
  const part = new Part(
    {
      name: `kafka-${id}`,
      command: 'java',
      args: [...javaArgs(jars, 384), 'kafka.Kafka', file],
      log: join(dir, `kafka-${id}.log`),
      ready: async () => (await liveBrokers(`127.0.0.1:${inner}`)) >= id,
      graceMs: 0,
    },
    { dir, onSpawn: (_, { pid }) => process.once('exit', () => signalGroup(pid, 'SIGKILL')) },
  );
  return { part, configure };
}

/** @see https://kafka.apache.org/documentation/#brokerconfigs */
function properties({ id, inner, door, advertised, controller }: NodeOptions, home: string, settings: object): string {
  const place = '127.0.0.1';
  const lines = {
    'process.roles': id === 1 ? 'broker,controller' : 'broker',
    'node.id': id,
    'controller.quorum.voters': `1@${place}:${controller}`,
    listeners: `INNER://${place}:${inner},DOOR://${place}:${door}${id === 1 ? `,CONTROLLER://${place}:${controller}` : ''}`,
    'advertised.listeners': `INNER://${place}:${inner},DOOR://${place}:${advertised}`,
    'listener.security.protocol.map': 'INNER:PLAINTEXT,DOOR:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INNER',
    'controller.listener.names': 'CONTROLLER',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': true,
    'log.dirs': join(home, 'data'),
    'auto.create.topics.enable': false,
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'log.cleaner.dedupe.buffer.size': 4 << 20, // taken from the heap at once: 128 MB by default
    'log.index.size.max.bytes': 1 << 20,
    'log.segment.delete.delay.ms': 1_000,
    ...settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Connections to this port go on to another one, and come from the product's address there. */
async function startGate() {
  let target = 0;
  const server = createServer((client) => {
    const broker = connect({ host: '127.0.0.1', port: target, localAddress: productHost });
    client.pipe(broker).pipe(client);
    for (const socket of [client, broker])
      socket.on('error', () => {}).on('close', () => [client, broker].map((end) => end.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port: number) => {
      target = port;
    },
    close: () => server.close(),
  };
}
