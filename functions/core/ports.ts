/**
 * What the core asks of the world. Each contract here is proved by one suite in `test/contract/`, run against the
 * in-memory world and against the real component.
 */
import type { DeadMessage } from './dead-letter.ts';
import type { PerItem } from './outcome.ts';
import type { Request, Tick } from './request.ts';
import type { TopicResource, TopicStatus } from './resource.ts';
import type { EventReason, Key, LiveTopic, ObservedTopic, Records, Replicas, TopicId } from './topic.ts';

/** A KafkaTopic that wants a topic, as the listing sees it: enough to decide who may bind (reliability.md 1.2). */
export type Claimant = {
  readonly key: Key;
  readonly uid: string;
  /** `metadata.creationTimestamp` as it stands: compared as text, never with a clock */
  readonly createdAt: string;
  readonly deleting: boolean;
  /** `Observe` objects never claim */
  readonly observeOnly: boolean;
  readonly boundTo: { readonly topicId: TopicId; readonly clusterId: string } | undefined;
};

/** KafkaTopic objects at the API server. */
export interface Resources {
  /**
   * Reads each object live (linearisable GET).
   *
   * @returns one entry per key (by `keyOf`): the object, `'gone'` for 404 (also of the namespace), else a Failure
   */
  read(keys: readonly Key[], signal: AbortSignal): Promise<PerItem<string, TopicResource | 'gone'>>;

  /**
   * Everybody who wants that topic, in all watched namespaces: one list by the selectable field `spec.topicName`, one by
   * `metadata.name` keeping objects without `spec.topicName`. Fresh and complete, or it throws (LG1-LG3): more than
   * 5,000 is a Failure too.
   *
   * @throws Failure
   */
  claimants(topicName: string, signal: AbortSignal): Promise<readonly Claimant[]>;

  /**
   * One page of all KafkaTopics in the watched namespaces.
   *
   * @param token the previous page's `continue`; absent for the first page
   * @returns the objects and, if there is more, the next token
   * @throws Failure `ObservationOutdated` when the token cannot be continued: start again without
   */
  page(
    limit: number,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<{ items: readonly TopicResource[]; continue?: string }>;

  /**
   * Where to go on when the namespace that `token` is in cannot be listed.
   *
   * @returns the token of the first page behind it; undefined when nothing is behind it
   * @throws Failure as {@link page}, for a token that cannot be continued
   */
  pageBehind(token: string | undefined): string | undefined;

  /**
   * Adds or removes our finalizer and touches no other. Conditional on the object as it was read: fails with a retryable
   * `ObservationOutdated` if it has changed since. An object that is gone counts as done when removing.
   *
   * @returns the object as it is now (its resourceVersion is needed for the status write), `'gone'` if that ended it
   * @throws Failure
   */
  setFinalizer(resource: TopicResource, present: boolean, signal: AbortSignal): Promise<TopicResource | 'gone'>;

  /**
   * Writes our status by server-side apply, conditional on `resourceVersion`. On a conflict it reads again: another uid
   * or a newer `observedGeneration` wins and nothing is written; else it writes on the newer resourceVersion (a few
   * tries, then a retryable Failure). An object that is gone is no error.
   *
   * @throws Failure
   */
  writeStatus(resource: TopicResource, status: TopicStatus, signal: AbortSignal): Promise<void>;

  /**
   * Writes our status on exactly the object as it was read: what is done next rests on it. An object that has changed
   * since, or is gone, is a retryable `ObservationOutdated`, and nothing is written.
   *
   * @returns the object as it is now
   * @throws Failure
   */
  storeStatus(resource: TopicResource, status: TopicStatus, signal: AbortSignal): Promise<TopicResource>;
}

/** What to look at. `configs`: the keys wanted, or `'all'` (as `configMode: Exact` needs, at about 1 kB per topic). */
export type TopicQuery = { readonly topicName: string; readonly configs: readonly string[] | 'all' };

/** Counts that are absent take the broker's defaults. `config` holds what to override, as plain text. */
export type NewTopic = {
  readonly topicName: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly config: ReadonlyMap<string, string>;
};

/** `live` is absent when the broker created the topic but withheld its settings (CREATE right only). */
export type CreatedTopic = { readonly id: TopicId; readonly clusterId: string; readonly live: LiveTopic | undefined };

/** `value: null` removes the override. */
export type ConfigChange = { readonly key: string; readonly value: string | null };

/**
 * Topics at the brokers. Items share requests; each keeps its own outcome. Maps have exactly one entry per item asked
 * for; a method never rejects because of one bad item, and an empty list sends nothing. Once `signal` is aborted no
 * further request is sent; items not sent yet are retryable Failures that are not `unanswered`.
 */
export interface Topics {
  /**
   * Looks at topics by name: existence, id, counts, configs. `records` is always `'unknown'` here.
   * Several queries may name one topic: it is looked at once, for the keys of all.
   * `replicationFactor` counts replicas minus those a running reassignment removes; `'mixed'` when partitions differ.
   * Not authorised is a terminal Failure, never `exists: false`.
   */
  observe(queries: readonly TopicQuery[], signal: AbortSignal): Promise<PerItem<string, ObservedTopic>>;

  /** Whether topics hold records: any partition's latest offset above its earliest. Unreadable is `'unknown'`. */
  records(topicNames: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Records>>;

  /**
   * Creates topics. With `replicationFactor` left to the brokers, one that picks fewer than `min.insync.replicas` is a
   * terminal `InvalidSpec`, and nothing is created. A name that exists already is a retryable `ObservationOutdated` (look again, then decide).
   * Batches are cut below the broker's limit of 10,000 records a request (1 + partitions + configs each); two names that
   * collide in `.` and `_` never share a request.
   */
  create(topics: readonly NewTopic[], signal: AbortSignal): Promise<PerItem<string, CreatedTopic>>;

  /** Grows topics to `total` partitions. Not an increase any more: retryable `ObservationOutdated`. */
  addPartitions(totals: ReadonlyMap<string, number>, signal: AbortSignal): Promise<PerItem<string, 'done'>>;

  /** Sets and removes single overrides (IncrementalAlterConfigs), atomic per topic; other keys are not touched. */
  alterConfigs(
    changes: ReadonlyMap<string, readonly ConfigChange[]>,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'done'>>;

  /**
   * Deletes topics by id, never by name (KIP-516, DeleteTopics v6). `'done'` also when the id is already gone.
   * Deletion switched off at the broker is a terminal `DeletionDisabled`.
   */
  delete(ids: readonly TopicId[], signal: AbortSignal): Promise<PerItem<TopicId, 'done'>>;
}

/** A topic by name. `internal`: the brokers count it as their own. */
export type ListedTopic = { readonly name: string; readonly internal: boolean };

/** What topics there are: for people who take stock. A pass never asks, it knows its names. */
export interface TopicList {
  /**
   * All topics of the cluster that we may describe, by name; the brokers keep quiet about others.
   *
   * @throws Failure when no broker answers
   */
  list(signal: AbortSignal): Promise<readonly ListedTopic[]>;
}

/** Replicas of topics, and moving them (KIP-455). The same promises as for `Topics`. */
export interface Replication {
  /**
   * Where the replicas are, what moves, and which brokers are up. Not allowed to list moves (Describe on the cluster) is
   * a terminal Failure `NotAuthorized`, never "nothing moves".
   */
  replicas(topicNames: readonly string[], signal: AbortSignal): Promise<PerItem<string, Replicas>>;

  /**
   * Starts moves, replaces running ones (cancelling them first where Kafka would mix the two up), and cancels those of partitions whose entry is `null`; to cancel what has ended
   * counts as done. All brokers copy at the same time. A topic's outcome is its first partition that failed.
   */
  move(
    moves: ReadonlyMap<string, ReadonlyMap<number, readonly number[] | null>>,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'done'>>;

  /**
   * Limits what the brokers spend on copying these topics: sets `leader.replication.throttled.replicas` and `follower.…`
   * of each topic to `*`, then `leader.replication.throttled.rate` and `follower.…` of every broker that has none.
   *
   * @param bytesPerSecond for each broker, each way
   * @returns `left` for a topic whose lists somebody else has set already: they stay as they are
   */
  limit(
    topicNames: readonly string[],
    bytesPerSecond: number,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'limited' | 'left'>>;

  /**
   * Takes away what `limit` has set: lists that are `*`, also of a topic that is gone; and, when nothing moves in the
   * cluster but these topics, the brokers' rates that equal `bytesPerSecond`. Safe to repeat.
   */
  unlimit(topicNames: readonly string[], bytesPerSecond: number, signal: AbortSignal): Promise<PerItem<string, 'done'>>;
}

/** Something that happened to an object, for whoever runs `kubectl describe` or `kubectl events`. */
export type TopicEvent = {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  /** one line, for people */
  readonly note: string;
  /** equal for the same occurrence, however often it is told: a second one changes nothing */
  readonly occurrence: string;
};

/** Events of objects (`events.k8s.io/v1`). */
export interface Events {
  /** Tells each once. Best effort: never rejects, and what the API server refuses is logged. */
  publish(resource: TopicResource, events: readonly TopicEvent[], signal: AbortSignal): Promise<void>;
}

/** A request and the topic it is about (message group), with a deduplication id that is unique per event. */
export type Envelope = {
  readonly request: Request;
  readonly topicName: string;
  readonly deduplicationId: string;
  /** of the object, as whoever asks has seen it; for logs */
  readonly generation?: number;
};

/** The reconcile queue. */
export interface Requests {
  /** Sends in batches of ten. @returns one entry per deduplicationId: `'sent'` or a retryable Failure */
  send(envelopes: readonly Envelope[], signal: AbortSignal): Promise<PerItem<string, 'sent'>>;
}

/** The tick queue. */
export interface Ticks {
  /** @throws Failure retryable, when the queue could not be reached */
  send(tick: Tick, signal: AbortSignal): Promise<void>;
}

/** What came of a move of all messages. `problem`: why it ended early. `moved`: approximate. */
export type Moved = { readonly moved: number; readonly problem?: string };

/**
 * A dead-letter queue. While a message is hidden, so are all others of its group. Outcomes are by message id, one for
 * each message that was given; what they say of one message holds for that receive of it.
 */
export interface DeadLetters {
  /** Approximate. @throws Failure retryable */
  depth(signal: AbortSignal): Promise<{ readonly waiting: number; readonly inFlight: number }>;
  /**
   * Up to `max` (1 to 10) messages, in the order of their groups, hidden from everybody for so long.
   *
   * @returns empty after a wait of a second in which there was nothing to be had
   * @throws Failure retryable
   */
  receive(max: number, hiddenSeconds: number, signal: AbortSignal): Promise<readonly DeadMessage[]>;
  /** Hides them for so many seconds from now; 0 shows them at once. */
  hide(messages: readonly DeadMessage[], seconds: number, signal: AbortSignal): Promise<PerItem<string, 'done'>>;
  /** Sends body and group as they are to the queue they came from, as new messages; they also stay where they are. */
  sendBack(messages: readonly DeadMessage[], signal: AbortSignal): Promise<PerItem<string, 'sent'>>;
  remove(messages: readonly DeadMessage[], signal: AbortSignal): Promise<PerItem<string, 'done'>>;
  /**
   * Has the server itself move everything, what comes in meanwhile too, at most so many messages a second (1 to 500). One
   * that does not know how may say that it is done and have moved nothing.
   *
   * @param tell called now and then with the count so far, and when it is stopped by the signal
   * @throws Failure when it would not begin, or was stopped by the signal
   */
  moveAll(
    perSecond: number,
    tell: (moved: number) => void,
    pause: (ms: number, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Moved>;
}

/** Structured logs: one line per call. `fields` are texts, numbers, booleans, errors, and lists of them: no other objects. */
export type Logger = Record<
  'debug' | 'info' | 'warn' | 'error',
  (event: string, fields?: Readonly<Record<string, unknown>>) => void
>;
