/** What is asked of the system, and of the API server and the brokers alone: the same requests, object by object. */
import { type Api, apiVersion, json, mergePatch, topicPath } from './api.ts';
import type { DeletionPolicy } from './arguments.ts';
import type { Brokers, Expected } from './topics.ts';
import { isGone, isReady, type Wish } from './watcher.ts';

export const loadNames = ['create', 'grow', 'configure', 'delete'] as const;
export type LoadName = (typeof loadNames)[number];

export type Load = {
  readonly name: LoadName;
  /** asks for one object */
  readonly send: (api: Api, namespace: string, name: string) => Promise<unknown>;
  /** what a user waits for */
  readonly wish: Wish;
  /** does the same to the topics, without any object */
  readonly direct: (brokers: Brokers, topics: readonly string[]) => Promise<void>;
  /** @throws Error when the topics are not as asked for */
  readonly check: (brokers: Brokers, topics: readonly string[]) => Promise<void>;
  /** takes away what stays by design, so that it burdens nothing that is measured later */
  readonly clear: (brokers: Brokers, topics: readonly string[]) => Promise<void>;
};

export type Loads = Readonly<Record<LoadName, Load>>;

/** Requests of the load generator that are under way at the same time. */
export const parallel = 16;

const retention = 'retention.ms';
export const created: Expected = { numPartitions: 1, config: { [retention]: '3600000' } };
const grown: Expected = { ...created, numPartitions: 2 };
/** As somebody leaves it who changes it by hand: shorter, since the way back is then done without being asked about. */
export const drifted: Expected = { ...created, config: { [retention]: '1800000' } };
// longer, since shortening it is asked about first
const configured: Expected = { ...grown, config: { [retention]: '7200000' } };

const edit = (spec: unknown) => (api: Api, namespace: string, name: string) =>
  api.request('PATCH', topicPath(namespace, name), mergePatch({ spec }));

const nothing = async () => {};

/** In the order in which they make sense, each on what the one before has left. */
export const loadsFor = (deletionPolicy: DeletionPolicy): Loads => ({
  create: {
    name: 'create',
    send: (api, namespace, name) => api.request('POST', topicPath(namespace), json(manifest(name, deletionPolicy))),
    wish: isReady,
    direct: (brokers, topics) => brokers.create(topics, created),
    check: (brokers, topics) => brokers.check(topics, created),
    clear: nothing,
  },
  grow: {
    name: 'grow',
    send: edit({ numPartitions: grown.numPartitions }),
    wish: (event) => isReady(event) && event.object.status?.numPartitions === grown.numPartitions,
    direct: (brokers, topics) => brokers.grow(topics, grown.numPartitions),
    check: (brokers, topics) => brokers.check(topics, grown),
    clear: nothing,
  },
  configure: {
    name: 'configure',
    send: edit({ config: configured.config }),
    wish: (event) => isReady(event) && event.object.status?.config?.[retention] === configured.config[retention],
    direct: (brokers, topics) => brokers.configure(topics, configured.config),
    check: (brokers, topics) => brokers.check(topics, configured),
    clear: nothing,
  },
  delete: {
    name: 'delete',
    send: (api, namespace, name) => api.request('DELETE', topicPath(namespace, name)),
    wish: isGone,
    ...(deletionPolicy === 'Delete' ? topicsGo : topicsStay),
  },
});

const topicsGo = {
  direct: (brokers, topics) => brokers.delete(topics),
  check: (brokers, topics) => brokers.checkGone(topics),
  clear: nothing,
} satisfies Partial<Load>;

const topicsStay = {
  direct: nothing,
  check: (brokers, topics) => brokers.check(topics, configured),
  clear: async (brokers, topics) => {
    await brokers.delete(topics);
    await brokers.checkGone(topics);
  },
} satisfies Partial<Load>;

/** `Retain` saves the finalizer: a write at creation and one at deletion. */
const manifest = (name: string, deletionPolicy: DeletionPolicy) => ({
  apiVersion,
  kind: 'KafkaTopic',
  metadata: { name },
  spec: { ...created, replicationFactor: 1, deletionPolicy },
});

/** `prefix-00001` and so on: also the names of the topics. */
export const namesOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index + 1).padStart(5, '0')}`);

/** Works on all items, `parallel` at the same time, beginning with the first. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
