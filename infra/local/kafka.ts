/** Kafka in KRaft mode: one node, or three, each broker and controller at once. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { endSoftly, jars, javaArgs } from './java.ts';
import { Part, type Place, startAll } from './part.ts';
import { freePorts } from './ports.ts';
import { run } from './process.ts';

/** Kafka, its broker and its tools. */
export const kafkaJars = jars(
  'kafka',
  join(import.meta.dirname, 'kafka', 'pom.xml'),
  async (jarDirectory, place, recording) => {
    const server = { ...place, brokers: 1, env: recording('server') } as const;
    const { brokers, parts } = await startKafka(server, jarDirectory);
    const create = ['--bootstrap-server', brokers, '--create', '--topic', 'rehearsal'];
    const tool = [...javaArgs(jarDirectory, 128), 'org.apache.kafka.tools.TopicCommand', ...create];
    try {
      await run('java', tool, { env: recording('tool'), signal: place.signal });
    } finally {
      await endSoftly(parts);
    }
  },
);

export type KafkaCluster = {
  readonly parts: readonly Part[];
  /** host:port, one for each broker, joined by commas */
  readonly brokers: string;
  readonly clusterId: string;
};

type Node = { readonly id: number; readonly port: number; readonly controllerPort: number; readonly dir: string };

/**
 * Starts a cluster with empty data and waits until all brokers serve.
 *
 * @param jarDirectory as `obtain(kafkaJars)` gives it
 */
export async function startKafka(place: Place & { brokers: 1 | 3 }, jarDirectory: string): Promise<KafkaCluster> {
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  const nodes = await layOut(place.dir, place.brokers);
  await Promise.all(nodes.map((node) => format(node, nodes, clusterId, jarDirectory, place)));
  const brokers = nodes.map((node) => `127.0.0.1:${node.port}`).join(',');
  const parts = nodes.map((node) => kafkaPart(node, nodes, brokers, jarDirectory, place));
  await startAll(parts);
  return { parts, brokers, clusterId };
}

/** @returns how many brokers are known and unfenced; 0 when none of the given ones answers */
export async function liveBrokers(brokers: string): Promise<number> {
  const admin = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch {
    return 0;
  } finally {
    await admin.disconnect();
  }
}

async function layOut(dir: string, count: number): Promise<Node[]> {
  const ports = await freePorts(2 * count);
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: ports[2 * index] ?? 0,
    controllerPort: ports[2 * index + 1] ?? 0,
    dir: join(dir, 'data', `kafka-${index + 1}`),
  }));
}

function format(node: Node, nodes: readonly Node[], clusterId: string, jarDirectory: string, { signal }: Place) {
  mkdirSync(node.dir, { recursive: true });
  writeFileSync(configFile(node), properties(node, nodes));
  // one word, since an id may begin with a hyphen
  const id = `--cluster-id=${clusterId}`;
  const args = [...javaArgs(jarDirectory, 128), 'kafka.tools.StorageTool', 'format', id, '-c'];
  return run('java', [...args, configFile(node)], { signal });
}

const configFile = (node: Node) => join(node.dir, 'server.properties');

function kafkaPart(node: Node, nodes: readonly Node[], brokers: string, jarDirectory: string, place: Place): Part {
  const name = nodes.length === 1 ? 'kafka' : `kafka-${node.id}`;
  const heap = nodes.length === 1 ? 512 : 384;
  return new Part(
    {
      name,
      command: 'java',
      args: [...javaArgs(jarDirectory, heap), ...logging, 'kafka.Kafka', configFile(node)],
      log: join(place.dir, 'logs', `${name}.log`),
      ready: async () => (await liveBrokers(brokers)) === nodes.length,
      graceMs: 0,
    },
    place,
  );
}

/** Warnings only, to stderr. */
const logging = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

/**
 * Broker settings: names are unclear only where a comment says why.
 *
 * @see https://kafka.apache.org/documentation/#brokerconfigs
 */
function properties(node: Node, nodes: readonly Node[]): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'broker.rack': `rack-${node.id}`,
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(node.dir, 'data'),
    'auto.create.topics.enable': false,
    'delete.topic.enable': true,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 3,
    'offsets.topic.replication.factor': nodes.length,
    'transaction.state.log.num.partitions': 3,
    'transaction.state.log.replication.factor': nodes.length,
    'transaction.state.log.min.isr': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 4 << 20, // taken from the heap at once: 128 MB by default
    'log.index.size.max.bytes': 1 << 20, // mapped per partition and index: 10 MB by default
    'log.segment.delete.delay.ms': 1_000, // deleted topics keep their files open as long: a minute by default
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
