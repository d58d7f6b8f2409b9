/** Reading topics: what the brokers say now. */
import { Failure, type PerItem } from '../../core/outcome.ts';
import type { ListedTopic, TopicQuery } from '../../core/ports.ts';
import { slices } from '../../core/slices.ts';
import type { Broker, ConfigEntry, LiveTopic, ObservedTopic, TopicId } from '../../core/topic.ts';
import { topicsPerLook } from './batches.ts';
import type { Cluster } from './cluster.ts';
import { failureOrThrow, judge, unmentioned } from './failure.ts';
import { describeConfigs, listPartitionReassignments, metadata, topicResource } from './requests.ts';
import { sourceOfNumber, typeOfNumber } from './topic-configs.ts';
import { noId, type ValueOf } from './wire.ts';

type Partition = ValueOf<typeof metadata.response>['topics'][number]['partitions'][number];
export type Found = { readonly id: TopicId; readonly partitions: readonly Partition[] };
/** A broker that is up. `address`: `host:port`. */
export type LiveBroker = Broker & { readonly address: string };
type Look = {
  readonly clusterId: string;
  readonly brokers: ReadonlyMap<number, LiveBroker>;
  readonly topics: PerItem<string, Found | 'absent'>;
};
type Keys = readonly string[] | 'all';

/** `Topics.observe`: Metadata, then DescribeConfigs for what exists, 500 topics a request. */
export async function observe(
  cluster: Cluster,
  queries: readonly TopicQuery[],
  signal: AbortSignal,
): Promise<PerItem<string, ObservedTopic>> {
  const parts = slices([...keysByTopic(queries)], topicsPerLook);
  const observed = await Promise.all(parts.map((part) => observePart(cluster, new Map(part), signal)));
  return new Map(observed.flatMap((part) => [...part]));
}

/** Several may ask for one topic: it is looked at once, for the keys of all. */
function keysByTopic(queries: readonly TopicQuery[]): Map<string, Keys> {
  const wanted = new Map<string, Keys>();
  for (const { topicName, configs } of queries) {
    const before = wanted.get(topicName) ?? [];
    wanted.set(topicName, before === 'all' || configs === 'all' ? 'all' : [...new Set([...before, ...configs])]);
  }
  return wanted;
}

async function observePart(
  cluster: Cluster,
  wanted: ReadonlyMap<string, Keys>,
  signal: AbortSignal,
): Promise<PerItem<string, ObservedTopic>> {
  try {
    const look = await lookUp(cluster, [...wanted.keys()], signal);
    const found = foundAmong(look.topics);
    const [configs, factors] = await Promise.all([
      describe(cluster, new Map([...wanted].filter(([name]) => found.has(name))), signal),
      replicationFactors(cluster, found, signal),
    ]);
    return new Map(
      [...look.topics].map(([name, topic]) => [
        name,
        compose(look.clusterId, topic, configs.get(name), factors.get(name)),
      ]),
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return new Map([...wanted.keys()].map((name) => [name, error]));
  }
}

/** Those that exist. */
export function foundAmong(topics: Look['topics']): ReadonlyMap<string, Found> {
  const exists = (entry: readonly [string, Found | 'absent' | Failure]): entry is [string, Found] =>
    entry[1] !== 'absent' && !(entry[1] instanceof Failure);
  return new Map([...topics].filter(exists));
}

function compose(
  clusterId: string,
  topic: Found | 'absent' | Failure,
  config: LiveTopic['config'] | Failure = new Map(),
  replicationFactor: LiveTopic['replicationFactor'] | Failure = 'mixed',
): ObservedTopic | Failure {
  if (topic instanceof Failure) return topic;
  if (topic === 'absent') return { clusterId, exists: false };
  if (config instanceof Failure) return config;
  if (replicationFactor instanceof Failure) return replicationFactor;
  const numPartitions = topic.partitions.length;
  return { clusterId, exists: true, id: topic.id, records: 'unknown', numPartitions, replicationFactor, config };
}

/**
 * Where topics are. A topic exists also when some of its partitions have no leader.
 *
 * @throws Failure when there was no answer at all
 */
export async function lookUp(cluster: Cluster, names: readonly string[], signal: AbortSignal): Promise<Look> {
  const request = {
    topics: names.map((name) => ({ id: noId, name })),
    autoCreate: false,
    includeTopicOperations: false,
  };
  const answer = await cluster.read(metadata, request, signal);
  const topics = new Map<string, Found | 'absent' | Failure>(names.map((name) => [name, unmentioned('look')]));
  for (const { name, code, id, partitions } of answer.topics) {
    if (name === null || !topics.has(name)) continue;
    const verdict = judge('look', { code, name });
    topics.set(name, verdict === 'ok' ? { id, partitions } : verdict);
  }
  if (answer.clusterId === null) throw unmentioned('look');
  const brokers = new Map(answer.brokers.map((broker) => [broker.id, liveBroker(broker)]));
  return { clusterId: answer.clusterId, brokers, topics };
}

/** `TopicList.list`: one Metadata request for the whole cluster. @throws Failure when there was no answer */
export async function list(cluster: Cluster, signal: AbortSignal): Promise<readonly ListedTopic[]> {
  const request = { topics: null, autoCreate: false, includeTopicOperations: false };
  const answer = await cluster.read(metadata, request, signal);
  const listed = answer.topics.flatMap(({ name, internal }) => (name === null ? [] : [{ name, internal }]));
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const liveBroker = ({
  id,
  host,
  port,
  rack,
}: ValueOf<typeof metadata.response>['brokers'][number]): LiveBroker => ({
  id,
  rack: rack ?? undefined,
  address: addressOf(host, port),
});

const addressOf = (host: string, port: number) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** Overrides and inherited values by topic. Topics for which no key is wanted are not asked about: to Kafka an empty list means all keys. */
export async function describe(
  cluster: Cluster,
  wanted: ReadonlyMap<string, Keys>,
  signal: AbortSignal,
): Promise<PerItem<string, LiveTopic['config']>> {
  const asked = [...wanted].filter(([, keys]) => keys.length > 0);
  if (asked.length === 0) return new Map();
  const resources = asked.map(([name, keys]) => ({ type: topicResource, name, keys: keys === 'all' ? null : keys }));
  const request = { resources, includeSynonyms: true, includeDocumentation: false };
  const answer = await cluster.read(describeConfigs, request, signal);
  const configs = new Map<string, LiveTopic['config'] | Failure>(asked.map(([name]) => [name, unmentioned('configs')]));
  for (const { name, code, message, configs: entries } of answer.resources) {
    const verdict = judge('configs', { code, message, name });
    // a topic deleted since the first look has the code 3, which is retryable here
    configs.set(
      name,
      verdict instanceof Failure ? verdict : new Map(entries.map((entry) => [entry.name, toEntry(entry)])),
    );
  }
  return configs;
}

type DescribedConfig = ValueOf<typeof describeConfigs.response>['resources'][number]['configs'][number];

function toEntry({ value, source: number, synonyms, type, readOnly, sensitive }: DescribedConfig): ConfigEntry {
  const source = sourceOfNumber(number);
  // most specific first; Kafka 4.1 lists none behind an override of retention.ms, segment.ms and a few others
  const behind = synonyms.find((synonym) => sourceOfNumber(synonym.source) !== 'topic')?.value ?? null;
  return {
    value,
    source,
    inherited: source === 'topic' ? behind : value,
    type: typeOfNumber(type),
    readOnly,
    sensitive,
  };
}

/**
 * Replicas per partition, without those that a running reassignment is about to remove.
 *
 * While a partition moves, its replicas are the old and the new ones together, and at least one of them is not in sync:
 * the controller ends the move as soon as all are. So the listing of moves is asked for only where replicas are missing
 * from the in-sync set, which in a healthy cluster is nowhere.
 */
async function replicationFactors(
  cluster: Cluster,
  found: ReadonlyMap<string, Found>,
  signal: AbortSignal,
): Promise<PerItem<string, LiveTopic['replicationFactor']>> {
  const doubtful = new Map([...found].filter(([, { partitions }]) => partitions.some(isOutOfSync)));
  const leaving: Leaving | Failure = doubtful.size === 0 ? new Map() : await leavingReplicas(cluster, doubtful, signal);
  const factorOf = (name: string, { partitions }: Found): number | 'mixed' | Failure => {
    if (leaving instanceof Failure && doubtful.has(name)) return leaving;
    const inTopic = leaving instanceof Failure ? undefined : leaving.get(name);
    return common(partitions.map(({ index, replicas }) => replicas.length - (inTopic?.get(index) ?? 0)));
  };
  return new Map([...found].map(([name, topic]) => [name, factorOf(name, topic)]));
}

/** How many replicas of which partition of which topic a running reassignment removes. */
type Leaving = ReadonlyMap<string, ReadonlyMap<number, number>>;

async function leavingReplicas(
  cluster: Cluster,
  topics: ReadonlyMap<string, Found>,
  signal: AbortSignal,
): Promise<Leaving | Failure> {
  const asked = [...topics].map(([name, { partitions }]) => ({
    name,
    partitions: partitions.map(({ index }) => index),
  }));
  const request = { timeoutMs: cluster.answerWithinMs, topics: asked };
  const answer = await cluster.read(listPartitionReassignments, request, signal).catch(failureOrThrow);
  if (answer instanceof Failure) return answer;
  const verdict = judge('reassignments', answer);
  // nobody may be kept from managing configs because a broker is down and the moves are not ours to see
  if (verdict instanceof Failure && verdict.reason !== 'NotAuthorized') return verdict;
  return new Map(
    answer.topics.map(({ name, partitions }) => [name, new Map(partitions.map((p) => [p.index, p.removing.length]))]),
  );
}

const isOutOfSync = ({ replicas, isr }: Partition): boolean => isr.length < replicas.length;

const common = (counts: readonly number[]): number | 'mixed' => {
  const [first = 0] = counts;
  return counts.every((count) => count === first) ? first : 'mixed';
};
