/**
 * Topics in memory, with a broker's semantics: the simulated world of the core's tests. Codes become Failures by the
 * adapter's own table; everything else is written anew, so that the world can judge what the product does.
 */
import { createHash } from 'node:crypto';
import { type Answered, judge, outOfTime } from '../../../functions/adapters/kafka/failure.ts';
import { Failure, type PerItem } from '../../../functions/core/outcome.ts';
import type { ConfigChange, CreatedTopic, NewTopic, TopicQuery, Topics } from '../../../functions/core/ports.ts';
import type { ConfigEntry, LiveTopic, ObservedTopic, Records, TopicId } from '../../../functions/core/topic.ts';
import { definitions, stored } from './broker-configs.ts';

export type FakeTopic = {
  readonly id: TopicId;
  numPartitions: number;
  replicationFactor: number | 'mixed';
  /** overrides on the topic, as stored */
  readonly overrides: Map<string, string>;
  recordCount: number;
};

/** One call of the port: the names or ids it is about. */
export type Call = { readonly method: keyof Topics; readonly items: readonly string[] };

/**
 * What goes wrong with a call.
 *
 * `before`: it is not carried out. `after`: it is, and the answer is lost. `late`: it is not yet, see `releaseLate`.
 * A Failure becomes the outcome of every item; any other error is thrown, as if the process died there.
 * `items`: those fail, the others are carried out.
 */
export type Fault =
  | { readonly at: 'before' | 'after' | 'late'; readonly error: Error }
  | { readonly items: ReadonlyMap<string, Failure> };

type Options = { readonly seed?: string; readonly brokers?: number };
type Defaults = { numPartitions: number; replicationFactor: number };

export class FakeTopics implements Topics {
  readonly topics = new Map<string, FakeTopic>();
  readonly clusterId: string;
  /** registered brokers: the largest replication factor */
  brokers: number;
  defaults: Defaults = { numPartitions: 1, replicationFactor: 1 };
  /** configs set at the brokers, by topic config key */
  readonly brokerConfigs = new Map<string, string>([['min.insync.replicas', '1']]);
  deletionEnabled = true;
  /** nothing about these is allowed, not even to know that they exist */
  readonly denied = new Set<string>();
  /** topics that exist but have a partition without a leader */
  readonly leaderless = new Set<string>();
  /** asked before every call */
  fault: ((call: Call) => Fault | undefined) | undefined;
  /** all calls so far, those with nothing to do left out */
  readonly calls: Call[] = [];
  readonly #seed: string;
  #created = 0;
  #late: (() => void)[] = [];

  constructor({ seed = 'topics', brokers = 1 }: Options = {}) {
    this.#seed = seed;
    this.brokers = brokers;
    this.clusterId = this.#newId('cluster');
  }

  // By hand: what other people do to the topics.

  /** Creates a topic, or re-creates it with a new id. */
  add(
    name: string,
    { config = {}, ...fields }: Partial<Omit<FakeTopic, 'id' | 'overrides'>> & { config?: Record<string, string> } = {},
  ) {
    const topic: FakeTopic = {
      id: this.#newId('topic'),
      ...this.defaults,
      recordCount: 0,
      overrides: new Map(),
      ...fields,
    };
    for (const [key, value] of Object.entries(config)) topic.overrides.set(key, stored(key, value));
    this.topics.set(name, topic);
    return topic;
  }

  produce(name: string, count = 1): void {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new Error(`there is no topic ${name}`);
    topic.recordCount += count;
  }

  /** Carries out what was held back with a `late` fault, in order. */
  releaseLate(): void {
    for (const effect of this.#late.splice(0)) effect();
  }

  // The port.

  async observe(queries: readonly TopicQuery[], signal: AbortSignal): Promise<PerItem<string, ObservedTopic>> {
    const wanted = new Map<string, Set<string>>();
    for (const { topicName, configs } of queries) {
      const keys = configs === 'all' ? definitions.keys() : configs;
      wanted.set(topicName, new Set([...(wanted.get(topicName) ?? []), ...keys]));
    }
    return this.#call('observe', wanted.keys(), signal, (name) =>
      this.#observeOne(name, wanted.get(name) ?? new Set()),
    );
  }

  async records(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Records>> {
    const outcomes = await this.#call('records', names, signal, (name): Records => {
      const topic = this.topics.get(name);
      if (topic === undefined || this.denied.has(name)) return 'unknown';
      if (topic.recordCount > 0) return 'some';
      return this.leaderless.has(name) ? 'unknown' : 'none';
    });
    return new Map([...outcomes].map(([name, found]) => [name, found instanceof Failure ? 'unknown' : found]));
  }

  async create(topics: readonly NewTopic[], signal: AbortSignal): Promise<PerItem<string, CreatedTopic>> {
    const wanted = new Map(topics.map((topic) => [topic.topicName, topic]));
    return this.#call('create', wanted.keys(), signal, (name) => this.#createOne(wanted.get(name) as NewTopic));
  }

  async addPartitions(totals: ReadonlyMap<string, number>, signal: AbortSignal): Promise<PerItem<string, 'done'>> {
    return this.#call('addPartitions', totals.keys(), signal, (name) => this.#grow(name, totals.get(name) as number));
  }

  async alterConfigs(
    changes: ReadonlyMap<string, readonly ConfigChange[]>,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'done'>> {
    return this.#call('alterConfigs', changes.keys(), signal, (name) => this.#alter(name, changes.get(name) ?? []));
  }

  async delete(ids: readonly TopicId[], signal: AbortSignal): Promise<PerItem<TopicId, 'done'>> {
    return this.#call('delete', ids, signal, (id) => this.#deleteOne(id));
  }

  async #call<K extends string, T>(
    method: keyof Topics,
    items: Iterable<K>,
    signal: AbortSignal,
    effect: (item: K) => T | Failure,
  ): Promise<Map<K, T | Failure>> {
    const distinct = [...new Set(items)];
    const all = (outcome: (item: K) => T | Failure) => new Map(distinct.map((item) => [item, outcome(item)]));
    if (distinct.length === 0) return new Map();
    if (signal.aborted) return all(() => outOfTime(false));
    const call: Call = { method, items: distinct };
    this.calls.push(call);
    const fault = this.fault?.(call);
    if (fault === undefined) return all(effect);
    if ('items' in fault) return all((item) => fault.items.get(item) ?? effect(item));
    if (fault.at === 'after') all(effect);
    if (fault.at === 'late') this.#late.push(() => void all(effect));
    const { error } = fault;
    if (error instanceof Failure) return all(() => error);
    throw error;
  }

  #observeOne(name: string, keys: ReadonlySet<string>): ObservedTopic | Failure {
    if (this.denied.has(name)) return failed('look', { code: 29 });
    if (nameComplaint(name)) return failed('look', { code: 17 });
    const topic = this.topics.get(name);
    if (topic === undefined) return { clusterId: this.clusterId, exists: false };
    const { id } = topic;
    return { clusterId: this.clusterId, exists: true, id, records: 'unknown', ...this.#live(topic, keys) };
  }

  #live({ numPartitions, replicationFactor, overrides }: FakeTopic, keys: Iterable<string>): LiveTopic {
    const known = [...keys].filter((key) => definitions.has(key));
    return {
      numPartitions,
      replicationFactor,
      config: new Map(known.map((key) => [key, this.#entry(key, overrides)])),
    };
  }

  #entry(key: string, overrides: ReadonlyMap<string, string>): ConfigEntry {
    const definition = definitions.get(key);
    if (definition === undefined) throw new Error(`there is no config ${key}`);
    const atBroker = this.brokerConfigs.get(key);
    const under = atBroker ?? definition.default;
    const override = overrides.get(key);
    const common = { type: definition.type, readOnly: false, sensitive: false };
    if (override !== undefined)
      return { value: override, source: 'topic', inherited: definition.hasSynonym ? under : null, ...common };
    return { value: under, source: atBroker === undefined ? 'default' : 'broker', inherited: under, ...common };
  }

  #createOne({ topicName, numPartitions, replicationFactor, config }: NewTopic): CreatedTopic | Failure {
    const counts = {
      numPartitions: numPartitions ?? this.defaults.numPartitions,
      replicationFactor: replicationFactor ?? this.defaults.replicationFactor,
    };
    const complaint = this.#creationComplaint(topicName, counts, config.size);
    if (complaint) return failed('create', complaint);
    const overrides = storedAll(config);
    if (overrides instanceof Failure) return overrides;
    const topic: FakeTopic = { id: this.#newId('topic'), ...counts, overrides, recordCount: 0 };
    this.topics.set(topicName, topic);
    const live = this.#live(topic, definitions.keys());
    // the answer to a creation has sources but not what lies under an override
    const shown = [...live.config].map(([key, entry]): [string, ConfigEntry] =>
      entry.source === 'topic' ? [key, { ...entry, inherited: null }] : [key, entry],
    );
    return { id: topic.id, clusterId: this.clusterId, live: { ...live, config: new Map(shown) } };
  }

  #creationComplaint(name: string, counts: Defaults, configs: number): Answered | undefined {
    if (this.denied.has(name)) return { code: 29 };
    const illegal = nameComplaint(name);
    if (illegal) return { code: 17, message: illegal };
    if (this.topics.has(name)) return { code: 36, message: `Topic '${name}' already exists.` };
    const rival = [...this.topics.keys()].find((other) => collisionKey(other) === collisionKey(name));
    if (rival !== undefined) return { code: 17, message: `Topic '${name}' collides with existing topic: ${rival}` };
    if (counts.numPartitions < 1) return { code: 37, message: 'Number of partitions was set to an invalid value.' };
    if (1 + counts.numPartitions + configs > 10_000)
      return { code: 44, message: 'Unable to perform excessively large batch operation.' };
    if (counts.replicationFactor < 1 || counts.replicationFactor > this.brokers)
      return { code: 38, message: `only ${this.brokers} broker(s) are registered.` };
    return undefined;
  }

  #grow(name: string, total: number): 'done' | Failure {
    if (this.denied.has(name)) return failed('growth', { code: 29 });
    const topic = this.topics.get(name);
    if (topic === undefined) return failed('growth', { code: 3 });
    const before = topic.numPartitions;
    if (total === before) return failed('growth', { code: 37, message: `Topic already has ${before} partition(s).` });
    if (total < before) return failed('growth', { code: 37, message: `${total} would not be an increase.` });
    topic.numPartitions = total;
    // the controller cuts such a growth into pieces and then reports an error all the same
    return total - before > 10_000 ? failed('growth', { code: -1 }) : 'done';
  }

  #alter(name: string, changes: readonly ConfigChange[]): 'done' | Failure {
    if (changes.length === 0) return 'done';
    if (this.denied.has(name)) return failed('alter', { code: 29 });
    if (new Set(changes.map(({ key }) => key)).size < changes.length) return failed('alter', { code: 42 });
    const sets = changes.flatMap(({ key, value }): [string, string][] => (value === null ? [] : [[key, value]]));
    const values = storedAll(sets);
    if (values instanceof Failure) return values;
    const topic = this.topics.get(name);
    if (topic === undefined) return failed('alter', { code: 3 });
    for (const { key } of changes) topic.overrides.delete(key);
    for (const [key, value] of values) topic.overrides.set(key, value);
    return 'done';
  }

  #deleteOne(id: TopicId): 'done' | Failure {
    const [name] = [...this.topics].find(([, topic]) => topic.id === id) ?? [];
    if (name !== undefined && this.denied.has(name)) return failed('delete', { code: 29 });
    if (!this.deletionEnabled) return failed('delete', { code: name === undefined ? 3 : 73 });
    if (name !== undefined) this.topics.delete(name);
    return 'done';
  }

  #newId(kind: string): TopicId {
    const digest = createHash('sha256')
      .update(`${this.#seed} ${kind} ${this.#created++}`)
      .digest();
    return digest.subarray(0, 16).toString('base64url') as TopicId;
  }
}

function failed(operation: Parameters<typeof judge>[0], answered: Answered): Failure {
  const verdict = judge(operation, answered);
  if (verdict instanceof Failure) return verdict;
  throw new Error(`code ${answered.code} is no failure of ${operation}`);
}

function storedAll(config: Iterable<readonly [string, string]>): Map<string, string> | Failure {
  try {
    return new Map([...config].map(([key, value]) => [key, stored(key, value)]));
  } catch (error) {
    return failed('alter', { code: 40, message: (error as Error).message });
  }
}

const collisionKey = (name: string): string => name.replaceAll('.', '_');

function nameComplaint(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed';
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`;
  if (name.length > 249) return 'Topic name is invalid: the length is longer than the max allowed length 249';
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return `Topic name is invalid: '${name}' contains illegal characters`;
  return undefined;
}
