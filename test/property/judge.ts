/**
 * Watches the simulated brokers and objects while somebody works on them, and says what must never happen. It knows the
 * rules of the world (reliability.md 1, O2, O3, O14; conformance.md 2.4, 2.8-2.12) and nothing of how the product decides.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ConfigChange, NewTopic, Replication, Resources, Topics } from '../../functions/core/ports.ts';
import type { Reassignment, TopicResource, TopicStatus } from '../../functions/core/resource.ts';
import { type Key, keyOf } from '../../functions/core/topic.ts';
import { isMoving } from '../support/kafka/fake-placement.ts';
import type { FakeTopic, FakeTopics } from '../support/kafka/fake-topics.ts';
import type { Objects, StoredObject } from '../support/kube/objects.ts';
import { Approvals } from './approvals.ts';
import {
  compacts,
  effective,
  isHeld,
  isOlder,
  isOut,
  isSelected,
  loses,
  mismatches,
  physicalName,
  readyOf,
  specOf,
  statusOf,
  throttleKeys,
} from './facts.ts';

/** A key that no spec of a history lists: set by hand, and nobody else's business. */
export const foreignKey = 'max.message.bytes';

/** Why an object may not do something to a topic; undefined when it may. */
type Objection = string | undefined;
/** What is judged before a method of a port is carried out. */
type Rules<T> = { readonly [M in keyof T]?: T[M] extends (...args: infer A) => unknown ? (...args: A) => void : never };
type Moves = ReadonlyMap<number, readonly number[] | null>;

export class Judge {
  readonly violations: string[] = [];
  readonly approvals = new Approvals();
  readonly #objects: Objects;
  readonly #topics: FakeTopics;
  readonly #cutsWait: boolean;
  /** objects of the running pass */
  #actors: readonly Key[] = [];
  /** topic id → uid of the object that it was created for, in the running pass and in all */
  readonly #created = new Map<string, { uid: string; generation: number; inThisPass: boolean }>();
  /** uid → config keys that its spec has listed */
  readonly #listed = new Map<string, Set<string>>();
  /** ids of topics that were compacted when the running pass began: config and partitions of one edit have no order */
  #compacted: ReadonlySet<string> = new Set();
  /** uid and topic id → config keys that the object said are its own */
  readonly #owned = new Map<string, Set<string>>();
  /** topic id and partition → targets that were stored for it */
  readonly #stored = new Map<string, Set<string>>();
  /** topic id → replication factor of the move that was stored for it and has not ended */
  readonly #begun = new Map<string, number>();
  /** New partitions copy the replicas of a move that somebody else has under way; only a later look shows that. */
  #grewInAMove = false;
  /** brokers that keep their rates: down when a limit was taken away, or somebody else was moving replicas */
  readonly keptRates = new Set<number>();
  /** what people did to topics themselves, by id */
  readonly touched = new Set<string>();

  /** @param rules whether fewer replicas need approval in this installation */
  constructor(objects: Objects, topics: FakeTopics, rules: { readonly cutsWait: boolean }) {
    this.#cutsWait = rules.cutsWait;
    this.#objects = objects;
    this.#topics = topics;
  }

  /** A pass over these begins. */
  begin(actors: readonly Key[]): void {
    this.#actors = actors;
    this.#compacted = new Set([...this.#topics.topics.values()].filter(compacts).map(({ id }) => id));
    for (const made of this.#created.values()) made.inThisPass = false;
    this.#grewInAMove = false;
    this.watch();
  }

  /** Takes note of what objects say now. To be called after everything that happens. */
  watch(): void {
    const bound = new Map<string, string>();
    for (const object of this.#objects.all()) {
      const live = this.#live(object);
      this.approvals.watch(object, live?.id);
      const listed = this.#listed.get(object.metadata.uid) ?? new Set();
      for (const key of Object.keys(specOf(object).config)) listed.add(key);
      this.#listed.set(object.metadata.uid, listed);
      const { topicId, reassignment, config } = statusOf(object);
      if (topicId === undefined) continue;
      this.#own(object, topicId, Object.keys(config ?? {}));
      this.#store(topicId, reassignment);
      if (bound.has(topicId))
        this.#violate(`${bound.get(topicId)} and ${keyOf(object.metadata)} are bound to one topic`);
      bound.set(topicId, keyOf(object.metadata));
    }
  }

  /** Every write of the product to the brokers goes through this view; what people do by hand does not. */
  brokers(): Topics & Replication {
    return this.#watched(this.#topics as Topics & Replication, {
      create: (topics: readonly NewTopic[]) => {
        for (const topic of topics)
          this.#ask(topic.topicName, 'created', (object, live) => (live ? undefined : this.#mayCreate(object, topic)));
      },
      alterConfigs: (changes: ReadonlyMap<string, readonly ConfigChange[]>) => {
        for (const [name, edits] of changes)
          for (const edit of edits)
            this.#ask(name, `given another ${edit.key}`, (object, topic) => this.#mayAlter(object, topic, edit));
      },
      addPartitions: (totals: ReadonlyMap<string, number>) => {
        for (const [name, total] of totals)
          this.#ask(name, 'grown', (object, topic) => this.#mayGrow(object, topic, total));
      },
      delete: (ids: readonly string[]) => {
        for (const id of ids) {
          const [name] = [...this.#topics.topics].find(([, topic]) => topic.id === id) ?? [];
          if (name !== undefined) this.#ask(name, 'deleted', (object, topic) => this.#mayDelete(object, topic));
        }
      },
      move: (moves: ReadonlyMap<string, Moves>) => {
        for (const [name, targets] of moves)
          this.#ask(name, 'moved', (object, topic) => this.#mayMove(object, topic, targets));
      },
      limit: (names: readonly string[], rate: number) => {
        for (const name of names) this.#ask(name, 'limited', (object) => mayLimit(object, rate));
      },
      unlimit: (names) => {
        const foreign = [...this.#topics.topics].some(
          ([name, topic]) => !names.includes(name) && this.#isMovedByOthers(topic),
        );
        for (const [id, { up }] of this.#topics.cluster) if (!up || foreign) this.keptRates.add(id);
      },
    });
  }

  /** Every write of the product to objects goes through this view. */
  objects(resources: Resources): Resources {
    return this.#watched(resources, {
      setFinalizer: ({ key }: TopicResource, present: boolean) =>
        this.#askObject(key, present ? 'held' : 'let go', (object) =>
          present ? this.#mayHold(object) : this.#mayLetGo(object),
        ),
      writeStatus: ({ key, uid }: TopicResource, status: TopicStatus) =>
        this.#askObject(key, 'said', (object) =>
          object.metadata.uid === uid ? this.#maySay(object, status) : undefined,
        ),
      storeStatus: ({ key, uid }: TopicResource, status: TopicStatus) =>
        this.#askObject(key, 'said', (object) =>
          object.metadata.uid === uid ? this.#maySay(object, status) : undefined,
        ),
    });
  }

  #watched<T extends object>(port: T, rules: Rules<T>): T {
    return new Proxy(port, {
      get: (target, method) => {
        const member = Reflect.get(target, method, target);
        const rule = rules[method as keyof T] as ((...args: unknown[]) => void) | undefined;
        if (typeof member !== 'function') return member;
        if (rule === undefined) return member.bind(target);
        return async (...args: unknown[]) => {
          rule(...args);
          const before = new Map([...this.#topics.topics].map(([name, topic]) => [name, topic.numPartitions]));
          const ids = new Set([...this.#topics.topics.values()].map(({ id }) => id));
          const answer = await member.apply(target, args);
          this.#noteCreated(ids);
          for (const [name, topic] of this.#topics.topics)
            if (topic.numPartitions < (before.get(name) ?? 0)) this.#violate(`${name} lost partitions`);
          this.watch();
          return answer;
        };
      },
    });
  }

  #violate(what: string): void {
    this.violations.push(what);
  }

  /** Something happens to a topic: one of the objects of this pass must be allowed to. */
  #ask(name: string, what: string, objection: (object: StoredObject, topic: FakeTopic | undefined) => Objection): void {
    const objections = this.#actors
      .map((key) => this.#objects.get(key))
      .filter((object) => object !== undefined && physicalName(object) === name)
      .map((object) => objection(object as StoredObject, this.#topics.topics.get(name)));
    if (!objections.includes(undefined))
      this.#violate(`topic ${name} is ${what}: ${[...new Set(objections)].join(', ') || 'nobody asks for it'}`);
  }

  #askObject(key: Key, what: string, objection: (object: StoredObject) => Objection): void {
    const object = this.#objects.get(key);
    const why = object && objection(object);
    if (why !== undefined) this.#violate(`${keyOf(key)} is ${what}: ${why}`);
  }

  #live(object: StoredObject): FakeTopic | undefined {
    return this.#topics.topics.get(physicalName(object));
  }

  #claimants(object: StoredObject): StoredObject[] {
    return this.#objects.all().filter((other) => other !== object && physicalName(other) === physicalName(object));
  }

  #noteCreated(before: ReadonlySet<string>): void {
    for (const [name, { id }] of this.#topics.topics) {
      if (before.has(id)) continue;
      const asked = this.#actors.map((key) => this.#objects.get(key)).find((one) => one && physicalName(one) === name);
      if (asked === undefined) continue;
      const { uid, generation } = asked.metadata;
      this.#created.set(id, { uid, generation, inThisPass: true });
    }
  }

  #own(object: StoredObject, topicId: string, owned: readonly string[]): void {
    const ignored = specOf(object).ignoredConfigs ?? [];
    const place = `${object.metadata.uid} ${topicId}`;
    const keys = this.#owned.get(place) ?? new Set();
    for (const key of owned) keys.add(key);
    for (const key of ignored) keys.delete(key);
    this.#owned.set(place, keys);
  }

  /** Somebody else has set a key: whether it stays is no longer ours to say. */
  disown(topicId: string, key: string): void {
    for (const [place, keys] of this.#owned) if (place.endsWith(` ${topicId}`)) keys.delete(key);
  }

  #store(topicId: string, reassignment: Reassignment | undefined): void {
    for (const [partition, brokers] of Object.entries(reassignment?.assignment ?? {})) {
      const place = `${topicId} ${partition}`;
      this.#stored.set(place, (this.#stored.get(place) ?? new Set()).add(asSet(brokers)));
    }
  }

  /** Who writes to a topic is bound to it, selected, staying, and means to. */
  #owns(object: StoredObject, topic: FakeTopic): Objection {
    const { mode } = specOf(object);
    if (statusOf(object).topicId !== topic.id) return 'the object is not bound to it';
    if (!isSelected(object)) return 'the object is not selected';
    if (isOut(object)) return 'the object is on its way out';
    return mode === 'Enforce' || mode === 'Plan' ? undefined : `the mode is ${mode}`;
  }

  #mayCreate(object: StoredObject, { topicName, ...wanted }: NewTopic): Objection {
    const { mode, deletionPolicy, numPartitions, replicationFactor, config } = specOf(object);
    const { topicId } = statusOf(object);
    if (!isSelected(object) || isOut(object)) return 'the object is not selected, or on its way out';
    if (mode !== 'Enforce' && mode !== 'Plan') return `the mode is ${mode}`;
    if ((topicId !== undefined || mode === 'Plan') && !this.#approved(object, { type: 'CreateTopic' }))
      return 'that was not approved';
    if (deletionPolicy === 'Delete' && !isHeld(object)) return 'the finalizer is not stored';
    const asked = [wanted.numPartitions, wanted.replicationFactor, Object.fromEntries(wanted.config)];
    return JSON.stringify(asked) === JSON.stringify([numPartitions, replicationFactor, config])
      ? undefined
      : `${topicName} is not what the spec says`;
  }

  #mayAlter(object: StoredObject, topic: FakeTopic | undefined, { key, value }: ConfigChange): Objection {
    if (topic === undefined) return undefined;
    const { config, configMode, ignoredConfigs = [], mode } = specOf(object);
    const ours = key in config || configMode === 'Exact' || this.#listed.get(object.metadata.uid)?.has(key);
    if (!ours || ignoredConfigs.includes(key) || throttleKeys.includes(key)) return 'the key is somebody else’s';
    if ((config[key] ?? null) !== value) return 'the spec says another value';
    const wanted = { field: key, from: effective(topic, key), ...(value !== null && { to: value }) };
    if ((mode === 'Plan' || loses(topic, key, value)) && !this.#approved(object, wanted))
      return 'that was not approved';
    return this.#owns(object, topic);
  }

  #mayGrow(object: StoredObject, topic: FakeTopic | undefined, total: number): Objection {
    if (topic === undefined) return undefined;
    if (total !== specOf(object).numPartitions) return 'the spec says another number';
    this.#grewInAMove ||= topic.placements.some(isMoving);
    const risky = topic.recordCount > 0 && this.#compacted.has(topic.id);
    const wanted = { type: 'AddPartitions', from: String(topic.numPartitions), to: String(total) };
    if ((risky || specOf(object).mode === 'Plan') && !this.#approved(object, wanted)) return 'that was not approved';
    return this.#owns(object, topic);
  }

  #mayDelete(object: StoredObject, topic: FakeTopic | undefined): Objection {
    if (topic === undefined) return undefined;
    const { deletionPolicy, mode } = specOf(object);
    const { topicId, origin } = statusOf(object);
    if (topicId !== topic.id || !isOut(object)) return 'no deleted object is bound to it';
    if (!isSelected(object)) return 'the object is not selected';
    if (deletionPolicy !== 'Delete' || (mode !== 'Enforce' && mode !== 'Plan')) return 'the spec keeps it';
    if (this.#heirs(object).length > 0) return 'an heir wants it';
    const risky = mode === 'Plan' || (origin !== 'Created' && topic.recordCount > 0);
    const wanted = { type: 'DeleteTopic', to: topic.id };
    return risky && !this.#approved(object, wanted) ? 'that was not approved' : undefined;
  }

  #heirs(object: StoredObject): StoredObject[] {
    return this.#claimants(object).filter((other) => !isOut(other) && specOf(other).mode !== 'Observe');
  }

  #mayMove(object: StoredObject, topic: FakeTopic | undefined, targets: Moves): Objection {
    if (topic === undefined) return undefined;
    const { reassignment } = statusOf(object);
    const { assignment } = reassignment ?? { assignment: {} as Reassignment['assignment'] };
    if (reassignment === undefined || this.#begun.get(topic.id) !== reassignment.replicationFactor)
      return 'that move was not stored for this topic';
    for (const [partition, target] of targets)
      if (assignment[partition] === undefined || (target !== null && assignment[partition] !== target.join(',')))
        return 'that move is not stored';
    if (this.#isMovedByOthers(topic)) return 'somebody else is moving it';
    return this.#owns(object, topic);
  }

  #isMovedByOthers({ id, placements }: FakeTopic): boolean {
    return placements.some((placement, partition) => {
      const aim = placement.replicas.filter((broker) => !placement.removing.includes(broker));
      return isMoving(placement) && !this.#stored.get(`${id} ${partition}`)?.has(asSet(aim.join(',')));
    });
  }

  #mayHold(object: StoredObject): Objection {
    const { mode } = specOf(object);
    if (!isSelected(object)) return 'it is not selected';
    if (isOut(object)) return 'it is on its way out';
    if (mode !== 'Enforce' && mode !== 'Plan') return `the mode is ${mode}`;
    if (mode === 'Enforce') return undefined;
    // it touches no topic, so it does not matter which one is there
    const allowed = ['AddFinalizer', 'MoveReplicas'].some((type) => this.approvals.allow(object, 'any', { type }));
    return allowed ? undefined : 'that was not approved';
  }

  #mayLetGo(object: StoredObject): Objection {
    const live = this.#live(object);
    const { topicId, reassignment } = statusOf(object);
    const limits = live !== undefined && throttleKeys.some((key) => live.overrides.has(key));
    if (limits && live.id === topicId && reassignment?.bytesPerSecond !== undefined) return 'its limit is still there';
    const { deletionPolicy, mode } = specOf(object);
    const deletes = isOut(object) && deletionPolicy === 'Delete' && (mode === 'Enforce' || mode === 'Plan');
    if (!isSelected(object) || !deletes || live === undefined) return undefined;
    const isOurs = topicId === live.id || (topicId === undefined && this.#wasMadeFor(object, live));
    return isOurs && this.#heirs(object).length === 0 ? 'its topic is still there' : undefined;
  }

  /** Created for this very spec by a pass that died before it could say so, and nobody has come between. */
  #wasMadeFor(object: StoredObject, { id }: FakeTopic): boolean {
    const { uid, generation = Number.NaN } = this.#created.get(id) ?? {};
    // a deletion moves the generation on
    const sameSpec = uid === object.metadata.uid && generation + 1 === object.metadata.generation;
    return sameSpec && !this.touched.has(id) && this.#claimants(object).length === 0;
  }

  #maySay(object: StoredObject, status: TopicStatus): Objection {
    if (!isSelected(object)) return 'it is not selected';
    if (readyOf(status)?.reason === 'TopicMissing' && this.#live(object)?.id === status.topicId)
      return 'missing its topic, which is there';
    return (
      this.#mayBind(object, status) ??
      this.#mayBegin(object, status) ??
      (saysReadyAnew(object, status) && !this.#grewInAMove ? this.isReady(object, status) : undefined)
    );
  }

  /** Ready=True at this moment: the brokers have what the object says. */
  isReady(object: StoredObject, status: Partial<TopicStatus>): Objection {
    const live = this.#live(object);
    const { mode, deletionPolicy } = specOf(object);
    const [difference] = mismatches(object, live);
    if (difference !== undefined) return `Ready, and ${difference}`;
    if (readyOf(status)?.observedGeneration !== object.metadata.generation) return 'Ready of an old generation';
    if (status.plan !== undefined) return 'Ready, and something waits';
    // who observes ends nothing that was begun before
    if (mode === 'Observe') return undefined;
    if (status.reassignment !== undefined) return 'Ready, and something moves';
    if (mode === 'Paused') return 'Ready, and nobody looks';
    if (live === undefined || status.topicId !== live.id) return 'Ready, and bound to another topic';
    const owned = [...(this.#owned.get(`${object.metadata.uid} ${live.id}`) ?? [])];
    if (owned.some((key) => !(key in specOf(object).config) && live.overrides.has(key)))
      return 'Ready, and a key that is no longer listed is still set';
    return isHeld(object) === (deletionPolicy === 'Delete')
      ? undefined
      : 'Ready, and the finalizer is not as it has to be';
  }

  #mayBind(object: StoredObject, { topicId }: TopicStatus): Objection {
    const before = statusOf(object).topicId;
    if (before === topicId) return undefined;
    if (topicId === undefined) return 'it forgets its topic';
    const made = this.#created.get(topicId);
    // the creation itself was judged when it happened
    if (made?.inThisPass && made.uid === object.metadata.uid) return undefined;
    const live = this.#live(object);
    if (live?.id !== topicId) return 'it is bound to a topic that is not there';
    const { mode } = specOf(object);
    if (mode !== 'Enforce' && mode !== 'Plan') return `it is bound in mode ${mode}`;
    const approved = this.approvals.allow(object, live.id, { type: 'BindTopic', to: topicId });
    if (before !== undefined) return approved ? undefined : 'its identity changes without approval';
    const winner = this.#claimants(object).find((other) => outranks(other, object, topicId));
    if (winner !== undefined) return `the topic belongs to ${keyOf(winner.metadata)}`;
    const asIs = mode === 'Enforce' && mismatches(object, live).length === 0;
    return asIs || approved ? undefined : 'it takes over a topic that differs, without approval';
  }

  /** A move is judged when it is stored for the topic that is there: from then on it is only carried out. */
  #mayBegin(object: StoredObject, { topicId, reassignment }: TopicStatus): Objection {
    const live = this.#live(object);
    if (reassignment === undefined) this.#begun.delete(topicId ?? '');
    if (reassignment === undefined || live === undefined) return undefined;
    if (live.id !== topicId || live.id !== statusOf(object).topicId) return undefined;
    if (this.#begun.get(topicId) === reassignment.replicationFactor) return undefined;
    this.#begun.set(topicId, reassignment.replicationFactor);
    const fewer = Object.entries(reassignment.assignment).some(([partition, brokers]) => {
      const { replicas = [], adding = [] } = live.placements[Number(partition)] ?? {};
      return brokers.split(',').length < replicas.filter((id) => !adding.includes(id)).length;
    });
    const wanted = { type: 'MoveReplicas', to: String(reassignment.replicationFactor) };
    if (((fewer && this.#cutsWait) || specOf(object).mode === 'Plan') && !this.#approved(object, wanted))
      return 'its move was not approved';
    return this.#owns(object, live);
  }

  #approved(object: StoredObject, wanted: Parameters<Approvals['allow']>[2]): boolean {
    return this.approvals.allow(object, this.#live(object)?.id, wanted);
  }
}

const asSet = (brokers: string): string => brokers.split(',').sort().join(',');

/** A write in the middle of a pass repeats what stands there. */
const saysReadyAnew = (object: StoredObject, status: TopicStatus): boolean =>
  readyOf(status)?.status === 'True' && !isDeepStrictEqual(readyOf(statusOf(object)), readyOf(status));

/** Nobody is bound to the topic: who comes first? Those whose own topic was replaced, then the older one. */
function outranks(other: StoredObject, object: StoredObject, liveId: string): boolean {
  const boundTo = statusOf(other).topicId;
  if (boundTo === liveId) return true;
  return specOf(other).mode !== 'Observe' && (boundTo !== undefined || isOlder(other, object));
}

function mayLimit(object: StoredObject, rate: number): Objection {
  if (statusOf(object).reassignment?.bytesPerSecond !== rate) return 'no limited move is stored';
  return isHeld(object) ? undefined : 'the finalizer that takes it away again is not stored';
}
