/** The whole system, brought up for one test file, and everything to use and to judge it from outside. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessId, signalGroup } from '../../../infra/local/process.ts';
import { type PartName, type System, startSystem } from '../../../infra/local/system.ts';
import { apiKeys, type KafkaProxy, startKafkaProxy } from '../kafka/proxy.ts';
import { type ApiCall, callsIn } from './audit.ts';
import { Broker } from './broker.ts';
import { Kubectl } from './kubectl.ts';
import { Queues } from './queues.ts';

export type World = {
  /** tenants, each in a namespace that is theirs alone */
  readonly a: Kubectl;
  readonly b: Kubectl;
  /** may do everything, in the namespace of `a` */
  readonly admin: Kubectl;
  readonly broker: Broker;
  readonly queues: Queues;
  readonly clusterId: string;
  /** addresses for everybody but the product */
  readonly brokers: string;
  /** what passes between the product and Kafka */
  readonly kafka: KafkaProxy;
  /** how many requests the product has sent to Kafka that may change one of these topics, named or by one of these ids */
  kafkaWrites(topics: readonly string[], ids: readonly string[]): number;
  /** requests to Kafka that the product must never send */
  readonly violations: readonly string[];
  /** Requests of the product to the API server, in order. */
  apiCalls(): Promise<readonly ApiCall[]>;
  /** Those about one object: lists for its topic and Events, too. @returns `verb` or `verb subresource` */
  requests(namespace: string, name: string): Promise<readonly string[]>;
  /** Between these two the product finds nobody at the broker's address who talks to it. */
  readonly outage: { begin(): void; end(): void };
  readonly runner: Startable;
  readonly forwarder: Startable;
  /** Has the API server forget all versions but the present ones. */
  compact(): Promise<void>;
  /** all but Kafka, and where its files are */
  readonly system: System;
  readonly dir: string;
  /** what a part of the product has logged so far */
  log(part: 'runner' | 'forwarder'): string;
  stop(): Promise<void>;
};

type Startable = { start(): Promise<void>; stop(): Promise<void> };

const writingKeys: ReadonlySet<number> = new Set([
  apiKeys.createTopics,
  apiKeys.deleteTopics,
  apiKeys.legacyAlterConfigs,
  apiKeys.createPartitions,
  apiKeys.incrementalAlterConfigs,
  apiKeys.alterPartitionReassignments,
]);

/** Directories of systems that are brought up for tests. */
export function scratchDirectory(): string {
  const parent = process.env.TOPICSMITH_TEST_DIR || tmpdir();
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'topicsmith-e2e-'));
}

/** Parts of a system in a directory; none of their processes outlives this one. */
export async function startParts(
  dir: string,
  parts: readonly PartName[],
  env: NodeJS.ProcessEnv = {},
  brokers: 1 | 3 = 1,
): Promise<System> {
  const spawned: ProcessId[] = [];
  process.once('exit', () => {
    for (const { pid } of spawned) signalGroup(pid, 'SIGKILL');
  });
  mkdirSync(dir, { recursive: true });
  return startSystem({
    dir,
    parts,
    brokers,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    onSpawn: (_, id) => spawned.push(id),
  });
}

/** A Kafka cluster for a world. `data`: `log.dirs` of its first broker. */
export type KafkaForTests = {
  /** for the product, and for everybody else */
  readonly product: string;
  readonly others: string;
  readonly clusterId: string;
  readonly data: string;
  stop(): Promise<void>;
};

async function usualKafka(dir: string): Promise<KafkaForTests> {
  const system = await startParts(dir, ['kafka']);
  const { KAFKA_BROKERS = '', KAFKA_CLUSTER_ID = '' } = system.exports;
  const data = join(dir, 'data', 'kafka-1', 'data');
  return {
    product: KAFKA_BROKERS,
    others: KAFKA_BROKERS,
    clusterId: KAFKA_CLUSTER_ID,
    data,
    stop: () => system.stop(),
  };
}

/**
 * Brings everything up, with a proxy between the functions and Kafka that counts.
 *
 * @param startKafka makes a cluster in a directory; default: one broker as `npm start` has it
 * @param more of the environment of forwarder and functions
 */
export async function startWorld(startKafka = usualKafka, more: NodeJS.ProcessEnv = {}): Promise<World> {
  const dir = scratchDirectory();
  const restDir = join(dir, 'rest');
  const kafka = await startKafka(join(dir, 'kafka'));
  const proxy = await startKafkaProxy(kafka.product);
  const env = { ...more, KAFKA_BROKERS: proxy.address, KAFKA_CLUSTER_ID: kafka.clusterId };
  const rest = await startParts(restDir, ['apiserver', 'elasticmq', 'forwarder', 'runner'], env);
  const broker = new Broker(kafka.others, kafka.data);
  await broker.connect();
  const users = await tenants(rest);
  await users.a.canApply();
  const queues = new Queues(rest.exports);
  const { auditLog = '' } = rest.apiServer ?? {};
  await queues.drained(); // the forwarder's first tick
  return {
    ...users,
    broker,
    queues,
    clusterId: kafka.clusterId,
    brokers: kafka.others,
    kafkaWrites: (topics, ids) => {
      const marks = [...topics.map((topic) => Buffer.from(topic)), ...ids.map((id) => Buffer.from(id, 'base64url'))];
      const writes = proxy.requests.filter(({ apiKey }) => writingKeys.has(apiKey));
      return writes.filter(({ body }) => marks.some((mark) => body.includes(mark))).length;
    },
    kafka: proxy,
    violations: proxy.violations,
    apiCalls: () => callsIn(auditLog),
    requests: async (namespace, name) => {
      const isNamed = (of: string) => of === name || of.startsWith(`${name}.`);
      const about = (call: ApiCall) => isNamed(call.name) && (call.namespace ?? namespace) === namespace;
      return (await callsIn(auditLog)).filter(about).map(({ what }) => what);
    },
    outage: outageAt(proxy),
    system: rest,
    dir: restDir,
    runner: partOf(rest, 'runner'),
    forwarder: partOf(rest, 'forwarder'),
    compact: async () => rest.apiServer?.compact(),
    log: (part) => readFileSync(join(restDir, 'logs', `${part}.log`), 'utf8'),
    stop: () => stop(dir, [rest, kafka], proxy, [...Object.values(users), queues, broker]),
  };
}

async function stop(
  dir: string,
  systems: readonly { stop(): Promise<void> }[],
  proxy: KafkaProxy,
  clients: readonly { close(): unknown }[],
): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
  for (const system of systems) await system.stop();
  await proxy.close();
  rmSync(dir, { recursive: true, force: true });
}

function outageAt(proxy: KafkaProxy): World['outage'] {
  const hangUp = () => {
    proxy.cutAll();
    return 'drop' as const;
  };
  return {
    begin: () => {
      proxy.hooks.onRequest = hangUp;
      proxy.cutAll();
    },
    end: () => {
      delete proxy.hooks.onRequest;
    },
  };
}

function partOf({ parts }: System, name: PartName): Startable {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`the system has no ${name}`);
  return part;
}

/** Two namespaces and a role in each, as an administrator hands them out. */
async function tenants({ apiServer }: System): Promise<Pick<World, 'a' | 'b' | 'admin'>> {
  if (apiServer === undefined) throw new Error('the system has no API server');
  const admin = new Kubectl(apiServer.kubeconfigs.admin, 'of-tenant-a');
  const user = async (name: 'tenant-a' | 'tenant-b'): Promise<Kubectl> => {
    const namespace = `of-${name}`;
    await admin.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    await admin.call('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      body: {
        metadata: { name: 'topics' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'topicsmith-tenant' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
      },
    });
    return new Kubectl(apiServer.kubeconfigs[name], namespace);
  };
  const [a, b] = await Promise.all([user('tenant-a'), user('tenant-b')]);
  return { a, b, admin };
}
