/** The Topics and Replication ports on a Kafka cluster. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type PerItem } from '../../core/outcome.ts';
import type { CreatedTopic, NewTopic, Replication, TopicList, Topics } from '../../core/ports.ts';
import { minInsyncRefusal } from '../../core/refusals.ts';
import type { ConfigEntry, LiveTopic, TopicId } from '../../core/topic.ts';
import { alterConfigs } from './alter-configs.ts';
import { done, inTurn, settle } from './answers.ts';
import { batches, weightOfTexts } from './batches.ts';
import { Cluster } from './cluster.ts';
import type { KafkaConfig } from './config.ts';
import { type Answered, failureOrThrow, unmentioned } from './failure.ts';
import { limit, unlimit } from './limits.ts';
import { list, observe } from './look.ts';
import { records } from './offsets.ts';
import { move, replicas } from './replication.ts';
import { createPartitions, createTopics, deleteTopics, metadata } from './requests.ts';
import { sourceOfNumber, typeOfKey } from './topic-configs.ts';
import { isTopicId, type ValueOf } from './wire.ts';

/** Adds to the ports what only a connected adapter has. */
export type KafkaTopics = Topics &
  Replication &
  TopicList & {
    /** The id of the cluster behind the broker addresses. @throws Failure */
    clusterId(signal: AbortSignal): Promise<string>;
    /** Closes all connections; what is under way fails. */
    close(): Promise<void>;
  };

/**
 * Topics of the cluster that `config` names. Connects with the first request and stays connected; lost connections are
 * replaced.
 *
 * @param onRequest called for each request to a broker, but for those that open a connection
 */
export function connectTopics(config: KafkaConfig, onRequest = () => {}): KafkaTopics {
  const cluster = new Cluster(config, onRequest);
  return {
    observe: (queries, signal) => observe(cluster, queries, signal),
    list: (signal) => list(cluster, signal),
    records: (names, signal) => records(cluster, names, signal),
    create: (topics, signal) => create(cluster, topics, signal),
    addPartitions: (totals, signal) => addPartitions(cluster, totals, signal),
    alterConfigs: (changes, signal) => alterConfigs(cluster, changes, signal),
    delete: (ids, signal) => deleteByIds(cluster, ids, signal),
    replicas: (names, signal) => replicas(cluster, names, signal),
    move: (moves, signal) => move(cluster, moves, signal),
    limit: (names, bytesPerSecond, signal) => limit(cluster, names, bytesPerSecond, signal),
    unlimit: (names, bytesPerSecond, signal) => unlimit(cluster, names, bytesPerSecond, signal),
    clusterId: (signal) => cluster.clusterId(signal),
    close: async () => cluster.close(),
  };
}

/** More partitions than clusters give by default. Guessed too low, the request is refused and each topic sent alone. */
const guessedPartitions = 50;

/** Numbers too large for their field would spoil the whole request; cut to the largest, the broker refuses the item. */
const int16 = (value: number): number => Math.min(value, 32_767);
const int32 = (value: number): number => Math.min(value, 2_147_483_647);

async function create(cluster: Cluster, topics: readonly NewTopic[], signal: AbortSignal) {
  const refused = await tryOut(cluster, topics.filter(isDoubtful), signal);
  const wanted = topics.filter(({ topicName }) => !refused.has(topicName));
  return new Map([...refused, ...(await createAll(cluster, wanted, signal))]);
}

/** Whether the number of replicas that the brokers pick may be too small: they would create the topic all the same. */
const isDoubtful = ({ replicationFactor, config }: NewTopic): boolean =>
  replicationFactor === undefined && Number(config.get('min.insync.replicas') ?? 1) > 1;

/** Asks the brokers what they would do. @returns those that cannot be created as they are, or could not be asked about */
async function tryOut(
  cluster: Cluster,
  topics: readonly NewTopic[],
  signal: AbortSignal,
): Promise<Map<string, Failure>> {
  const tried = await createAll(cluster, topics, signal, true);
  return new Map(
    topics.flatMap(({ topicName, config }): [string, Failure][] => {
      const answer = tried.get(topicName) ?? unmentioned('create');
      if (answer instanceof Failure) return [[topicName, answer]];
      const refusal = minInsyncRefusal({ config }, answer.live?.replicationFactor);
      return refusal === undefined
        ? []
        : [[topicName, new Failure(refusal.reason, refusal.message, { retryable: false })]];
    }),
  );
}

function createAll(cluster: Cluster, topics: readonly NewTopic[], signal: AbortSignal, validateOnly = false) {
  const distinct = new Map(topics.map((topic) => [topic.topicName, topic])).values();
  const weigh = ({ numPartitions = guessedPartitions, config }: NewTopic) =>
    1 + numPartitions + config.size + weightOfTexts([...config].flat());
  // the broker compares new names with those that exist, not with each other
  const rivalry = ({ topicName }: NewTopic) => topicName.replaceAll('.', '_');
  return inTurn(batches(distinct, weigh, rivalry), nameOf, 'create', (batch) =>
    createBatch(cluster, batch, signal, validateOnly),
  );
}

const nameOf = ({ topicName }: NewTopic): string => topicName;

async function createBatch(cluster: Cluster, batch: readonly NewTopic[], signal: AbortSignal, validateOnly: boolean) {
  const topics = batch.map(({ topicName, numPartitions = -1, replicationFactor = -1, config }) => ({
    name: topicName,
    partitions: int32(numPartitions),
    replicationFactor: int16(replicationFactor),
    assignments: [],
    configs: [...config].map(([name, value]) => ({ name, value })),
  }));
  const request = { topics, timeoutMs: cluster.answerWithinMs, validateOnly };
  const { answer, clusterId } = await cluster.write(createTopics, request, signal);
  if (batch.length > 1 && answer.topics.length > 0 && answer.topics.every(isTooLarge))
    return createEach(cluster, batch, signal, validateOnly);
  return settle('create', answer.throttleMs, answer.topics, byName, (topic): CreatedTopic => {
    return { id: topic.id, clusterId, live: liveOf(topic) };
  });
}

/** With the request as a whole refused as too large, one absurd topic must not take its neighbours down. */
function createEach(cluster: Cluster, batch: readonly NewTopic[], signal: AbortSignal, validateOnly: boolean) {
  const single = batch.map((topic) => [topic]);
  return inTurn(
    single,
    nameOf,
    'create',
    (alone): Promise<Map<string, CreatedTopic | Failure>> => createBatch(cluster, alone, signal, validateOnly),
  );
}

const policyViolation = 44;
const isTooLarge = ({ code, message }: Answered): boolean =>
  code === policyViolation && /excessively large/i.test(message ?? '');

const byName = ({ name }: { readonly name: string }): string => name;

type CreatedAnswer = ValueOf<typeof createTopics.response>['topics'][number];

/** The settings are withheld from somebody who may create but not describe: the counts are -1 then. */
function liveOf({ partitions, replicationFactor, configs }: CreatedAnswer): LiveTopic | undefined {
  if (partitions < 0 || replicationFactor < 0 || configs === null) return undefined;
  const config = new Map(configs.map((entry) => [entry.name, toEntry(entry)]));
  return { numPartitions: partitions, replicationFactor, config };
}

function toEntry(entry: NonNullable<CreatedAnswer['configs']>[number]): ConfigEntry {
  const { name, value, readOnly, sensitive } = entry;
  const source = sourceOfNumber(entry.source);
  return { value, source, inherited: source === 'topic' ? null : value, type: typeOfKey(name), readOnly, sensitive };
}

function addPartitions(cluster: Cluster, totals: ReadonlyMap<string, number>, signal: AbortSignal) {
  const weigh = ([, total]: [string, number]) => 1 + total;
  return inTurn(batches(totals, weigh), key, 'growth', async (batch) => {
    const topics = batch.map(([name, total]) => ({ name, total: int32(total), assignments: null }));
    const request = { topics, timeoutMs: cluster.answerWithinMs, validateOnly: false };
    const { answer } = await cluster.write(createPartitions, request, signal);
    return settle('growth', answer.throttleMs, answer.topics, byName, done);
  });
}

const key = <K>([key]: readonly [K, unknown]): K => key;

async function deleteByIds(
  cluster: Cluster,
  ids: readonly TopicId[],
  signal: AbortSignal,
): Promise<PerItem<TopicId, 'done'>> {
  const [valid, invalid] = [ids.filter(isTopicId), ids.filter((id) => !isTopicId(id))];
  const outcomes = await inTurn(
    batches(new Set(valid), () => 1),
    (id) => id,
    'delete',
    async (batch) => {
      const topics = batch.map((id) => ({ name: null, id }));
      const { answer } = await cluster.write(deleteTopics, { topics, timeoutMs: cluster.answerWithinMs }, signal);
      const settled = settle('delete', answer.throttleMs, answer.topics, ({ id }) => id, done);
      return untilGone(cluster, await withoutAbsent(cluster, settled, signal), signal);
    },
  );
  return new Map([...outcomes, ...invalid.map((id) => [id, noTopicId(id)] as const)]);
}

const noTopicId = (id: string): Failure =>
  new Failure('InternalError', `"${id}" is not a topic id`, { retryable: false });

/** Where deletion is switched off the broker says so of any id, also of one that is gone: those need another look. */
async function withoutAbsent(cluster: Cluster, outcomes: Map<TopicId, 'done' | Failure>, signal: AbortSignal) {
  const kept = [...outcomes].filter(
    ([, outcome]) => outcome instanceof Failure && outcome.reason === 'DeletionDisabled',
  );
  if (kept.length === 0) return outcomes;
  const topics = kept.map(([id]) => ({ id, name: null }));
  const request = { topics, autoCreate: false, includeTopicOperations: false };
  const answer = await cluster.read(metadata, request, signal).catch(failureOrThrow);
  for (const [id] of kept) {
    // "unknown" may also mean "not allowed to see": only a look by name can tell, so it is no success yet
    if (answer instanceof Failure) outcomes.set(id, answer);
    else if (!answer.topics.some((topic) => topic.id === id && topic.code === 0)) outcomes.set(id, seemsGone());
  }
  return outcomes;
}

const gonePauses = [0, 20, 50, 100, 200, 400] as const;

/**
 * The controller has deleted, the broker that answers looks may not know yet. Whoever looks next under the same name
 * must not meet a topic that is no more, so the deletion counts once a look no longer shows it (reliability.md A10).
 */
async function untilGone(cluster: Cluster, outcomes: Map<TopicId, 'done' | Failure>, signal: AbortSignal) {
  let shown = [...outcomes].filter(([, outcome]) => outcome === 'done').map(([id]) => id);
  for (const pause of gonePauses) {
    if (shown.length === 0 || signal.aborted) break;
    await sleep(pause);
    const topics = shown.map((id) => ({ id, name: null }));
    const request = { topics, autoCreate: false, includeTopicOperations: false };
    const answer = await cluster.read(metadata, request, signal).catch(failureOrThrow);
    if (answer instanceof Failure) continue;
    shown = shown.filter((id) => answer.topics.some((topic) => topic.id === id && topic.code === 0));
  }
  for (const id of shown) outcomes.set(id, stillShown());
  return outcomes;
}

const stillShown = (): Failure =>
  new Failure('ObservationOutdated', 'the topic is deleted, but the brokers still show it', { retryable: true });

const seemsGone = (): Failure => new Failure('ObservationOutdated', 'the topic seems to be gone', { retryable: true });
