/**
 * Topics in memory, with a broker's semantics: the simulated world of the core's tests. Codes become Failures by the
 * adapter's own table; everything else is written anew, so that the world can judge what the product does.
 */
import { createHash } from 'node:crypto';
import { type Answered, judge, outOfTime } from '../../../functions/adapters/kafka/failure.ts';
import { Failure, type PerItem } from '../../../functions/core/outcome.ts';
import type {
  ConfigChange,
  CreatedTopic,
  ListedTopic,
  NewTopic,
  Replication,
  TopicList,
  TopicQuery,
  Topics,
} from '../../../functions/core/ports.ts';
import type {
  ConfigEntry,
  LiveTopic,
  ObservedTopic,
  Records,
  Replicas,
  TopicId,
} from '../../../functions/core/topic.ts';
import { definitions, stored } from './broker-configs.ts';
import { at, type FakeBroker, finished, isMoving, type Placement, place, redirect } from './fake-placement.ts';

export type FakeTopic = {
  readonly id: TopicId;
  /** set it to grow the topic by hand */
  numPartitions: number;
  /** without what running moves remove */
  readonly replicationFactor: number | 'mixed';
  /** by partition */
  readonly placements: Placement[];
  /** overrides on the topic, as stored */
  readonly overrides: Map<string, string>;
  recordCount: number;
};

type Method = keyof Topics | keyof Replication | keyof TopicList;

/** One call of the port: the names or ids it is about. */
export type Call = { readonly method: Method; readonly items: readonly string[] };

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

/** Rights on the cluster that can be missing. */
type ClusterRight = 'Describe' | 'Alter' | 'AlterConfigs';

type Options = { readonly seed?: string; readonly brokers?: number };
type Defaults = { numPartitions: number; replicationFactor: number };
type ByHand = {
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  /** brokers of each partition, in place of counts */
  readonly replicas?: readonly (readonly number[])[];
  readonly recordCount?: number;
  readonly config?: Readonly<Record<string, string>>;
};

export class FakeTopics implements Topics, Replication, TopicList {
  readonly topics = new Map<string, FakeTopic>();
  readonly clusterId: string;
  /** registered brokers by id, 1 and up; all are up and name no rack, unless a test says otherwise */
  readonly cluster = new Map<number, FakeBroker>();
  defaults: Defaults = { numPartitions: 1, replicationFactor: 1 };
  /** configs set for all brokers, by topic config key; replication rates too */
  readonly brokerConfigs = new Map<string, string>([['min.insync.replicas', '1']]);
  deletionEnabled = true;
  /** nothing about these is allowed, not even to know that they exist */
  readonly denied = new Set<string>();
  readonly deniedOnCluster = new Set<ClusterRight>();
  /** Moves go on until `finishMoves`. Without it a move ends once a call of `replicas` has shown it. */
  holdMoves = false;
  /** topics that the brokers count as their own */
  readonly internal = new Set<string>();
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

  /** How many brokers are registered: the largest replication factor. */
  get brokers(): number {
    return this.cluster.size;
  }

  set brokers(count: number) {
    for (let id = 1; id <= count; id++)
      if (!this.cluster.has(id)) this.cluster.set(id, { rack: undefined, up: true, configs: new Map() });
    for (const id of this.cluster.keys()) if (id > count) this.cluster.delete(id);
  }

  // By hand: what other people do to the topics.

  /** Creates a topic, or re-creates it with a new id. */
  add(name: string, { config = {}, replicas, recordCount = 0, ...counts }: ByHand = {}): FakeTopic {
    const topic = this.#newTopic({ ...this.defaults, ...counts }, Object.entries(config));
    if (replicas !== undefined) topic.placements.splice(0, Number.POSITIVE_INFINITY, ...replicas.map(at));
    topic.recordCount = recordCount;
    this.topics.set(name, topic);
    return topic;
  }

  /** Somebody else moves a partition. */
  moveByHand(name: string, partition: number, target: readonly number[] | null): void {
    const refused = this.#movePartition(name, partition, target);
    if (refused !== undefined && refused.code !== 0) throw new Error(refused.message ?? `code ${refused.code}`);
  }

  /** Ends all moves, but for those to a broker that is down. */
  finishMoves(): void {
    for (const name of this.topics.keys()) this.#finish(name);
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

  async list(signal: AbortSignal): Promise<readonly ListedTopic[]> {
    const names = [...this.topics.keys()].filter((name) => !this.denied.has(name)).sort();
    const listed = await this.#call('list', names, signal, (name) => ({ name, internal: this.internal.has(name) }));
    return [...listed.values()].map((entry) => {
      if (entry instanceof Failure) throw entry;
      return entry;
    });
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

  async replicas(names: readonly string[], signal: AbortSignal): Promise<PerItem<string, Replicas>> {
    return this.#call('replicas', names, signal, (name) => {
      const shown = this.#replicasOf(name);
      if (!this.holdMoves) this.#finish(name);
      return shown;
    });
  }

  async move(
    moves: ReadonlyMap<string, ReadonlyMap<number, readonly number[] | null>>,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'done'>> {
    return this.#call('move', moves.keys(), signal, (name) => this.#move(name, moves.get(name) ?? new Map()));
  }

  async limit(
    names: readonly string[],
    bytesPerSecond: number,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'limited' | 'left'>> {
    return this.#call('limit', names, signal, (name) => this.#limit(name, String(bytesPerSecond)));
  }

  async unlimit(
    names: readonly string[],
    bytesPerSecond: number,
    signal: AbortSignal,
  ): Promise<PerItem<string, 'done'>> {
    return this.#call('unlimit', names, signal, (name) => this.#unlimit(name, new Set(names), String(bytesPerSecond)));
  }

  async #call<K extends string, T>(
    method: Method,
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
    const minInsync = Number(config.get('min.insync.replicas') ?? 1);
    if (replicationFactor === undefined && minInsync > counts.replicationFactor)
      return new Failure('InvalidSpec', 'more in-sync replicas than replicas', { retryable: false });
    const overrides = storedAll(config);
    if (overrides instanceof Failure) return overrides;
    const topic = this.#newTopic(counts, overrides);
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

  #replicasOf(name: string): Replicas | Failure {
    if (this.deniedOnCluster.has('Describe')) return failed('reassignments', { code: 31 });
    if (this.denied.has(name)) return failed('look', { code: 29 });
    const topic = this.topics.get(name);
    if (topic === undefined) return failed('reassignments', { code: 3 });
    const up = [...this.cluster].filter(([, broker]) => broker.up);
    const leaderOf = ({ replicas, adding }: Placement) =>
      replicas.find((id) => this.cluster.get(id)?.up && !adding.includes(id));
    return {
      brokers: up.map(([id, { rack }]) => ({ id, rack })),
      partitions: topic.placements.map((placement, partition) => ({
        partition,
        leader: leaderOf(placement),
        ...placement,
      })),
    };
  }

  #move(name: string, moves: ReadonlyMap<number, readonly number[] | null>): 'done' | Failure {
    if (this.deniedOnCluster.has('Alter')) return failed('move', { code: 31 });
    const answers = [...moves].map(([partition, target]) => this.#movePartition(name, partition, target));
    const refused = answers.find((answer) => judge('move', answer) instanceof Failure);
    return refused === undefined ? 'done' : failed('move', refused);
  }

  #movePartition(name: string, partition: number, target: readonly number[] | null): Answered {
    const topic = this.topics.get(name);
    const placement = topic?.placements[partition];
    if (topic === undefined || placement === undefined) return { code: 3 };
    const answer = redirect(this.cluster, placement, target);
    if ('code' in answer) return answer;
    topic.placements[partition] = answer;
    return { code: 0 };
  }

  #finish(name: string): void {
    const placements = this.topics.get(name)?.placements ?? [];
    for (const [index, placement] of placements.entries()) placements[index] = finished(this.cluster, placement);
  }

  #limit(name: string, rate: string): 'limited' | 'left' | Failure {
    const topic = this.topics.get(name);
    if (this.denied.has(name)) return failed('alter', { code: 29 });
    if (topic === undefined) return failed('configs', { code: 3 });
    if (limitedLists.some((key) => (topic.overrides.get(key) ?? '*') !== '*')) return 'left';
    for (const key of limitedLists) topic.overrides.set(key, '*');
    if (this.deniedOnCluster.has('AlterConfigs')) return failed('limit', { code: 31 });
    for (const { up, configs } of this.cluster.values())
      for (const key of limitedRates)
        if (up && !configs.has(key) && !this.brokerConfigs.has(key)) configs.set(key, rate);
    return 'limited';
  }

  #unlimit(name: string, ours: ReadonlySet<string>, rate: string): 'done' | Failure {
    if (this.denied.has(name)) return failed('alter', { code: 29 });
    const { overrides } = this.topics.get(name) ?? {};
    for (const key of limitedLists) if (overrides?.get(key) === '*') overrides.delete(key);
    if (this.deniedOnCluster.has('Describe')) return failed('reassignments', { code: 31 });
    const moving = [...this.topics].filter(([, { placements }]) => placements.some(isMoving)).map(([other]) => other);
    if (moving.some((other) => !ours.has(other))) return 'done';
    if (this.deniedOnCluster.has('AlterConfigs')) return failed('limit', { code: 31 });
    for (const { up, configs } of this.cluster.values())
      for (const key of limitedRates) if (up && configs.get(key) === rate) configs.delete(key);
    return 'done';
  }

  #newTopic({ numPartitions, replicationFactor }: Defaults, overrides: Iterable<readonly [string, string]>): FakeTopic {
    const { cluster } = this;
    const placements: Placement[] = [];
    const topic: FakeTopic = {
      id: this.#newId('topic'),
      placements,
      overrides: new Map([...overrides].map(([key, value]) => [key, stored(key, value)])),
      recordCount: 0,
      get numPartitions() {
        return placements.length;
      },
      set numPartitions(total) {
        // as many copies as the first one has at the moment, those of a running move among them
        const copies = placements[0]?.replicas.length ?? replicationFactor;
        while (placements.length < total) placements.push(place(cluster, placements.length, copies));
        placements.length = total;
      },
      get replicationFactor() {
        const counts = new Set(placements.map(({ replicas, removing }) => replicas.length - removing.length));
        const [first = 0] = counts;
        return counts.size > 1 ? 'mixed' : first;
      },
    };
    topic.numPartitions = numPartitions;
    return topic;
  }

  #newId(kind: string): TopicId {
    const digest = createHash('sha256')
      .update(`${this.#seed} ${kind} ${this.#created++}`)
      .digest();
    return digest.subarray(0, 16).toString('base64url') as TopicId;
  }
}

const limitedLists = ['leader', 'follower'].map((side) => `${side}.replication.throttled.replicas`);
const limitedRates = ['leader', 'follower'].map((side) => `${side}.replication.throttled.rate`);

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
