/**
 * Watches the simulated brokers and objects while somebody works on them, and says what must never happen. It knows the
 * rules of the world (reliability.md 1, O2, O3, O14) and nothing of how the product decides.
 */
import { finalizer } from '../../functions/core/api.ts';
import type { ConfigChange } from '../../functions/core/ports.ts';
import type { FakeTopic, FakeTopics } from './kafka/fake-topics.ts';
import type { Objects, StoredObject } from './kube/objects.ts';

const physicalName = ({ metadata, spec }: StoredObject): string => String(spec.topicName ?? metadata.name);
const isOut = ({ metadata }: StoredObject): boolean => metadata.deletionTimestamp !== undefined;

export class Judge {
  readonly violations: string[] = [];
  readonly #objects: Objects;
  readonly #topics: FakeTopics;
  #before = new Map<string, { name: string; topic: FakeTopic }>();

  constructor(objects: Objects, topics: FakeTopics) {
    this.#objects = objects;
    this.#topics = topics;
  }

  /** Every write of the product goes through this view; what people do by hand does not. */
  watched(): FakeTopics {
    return new Proxy(this.#topics, {
      get: (target, method) => {
        const member = Reflect.get(target, method, target);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (method === 'create') this.#mayCreate(args[0] as readonly { topicName: string }[]);
          if (method === 'alterConfigs') this.#mayAlter(args[0] as ReadonlyMap<string, readonly ConfigChange[]>);
          if (method === 'addPartitions') this.#mayGrow([...(args[0] as ReadonlyMap<string, number>).keys()]);
          this.#remember();
          const answer = await member.apply(target, args);
          this.#compare(String(method));
          return answer;
        };
      },
    });
  }

  #claimants(topicName: string): StoredObject[] {
    return this.#objects.all().filter((object) => physicalName(object) === topicName);
  }

  #mayCreate(topics: readonly { topicName: string }[]): void {
    for (const { topicName } of topics) {
      const asking = this.#claimants(topicName).filter(
        (object) => object.spec.mode === 'Enforce' && !isOut(object) && object.status?.topicId === undefined,
      );
      if (asking.length === 0) this.violations.push(`${topicName} is created although nobody unbound asks for it`);
      const unheld = asking.every(
        ({ spec, metadata }) => spec.deletionPolicy === 'Delete' && !metadata.finalizers?.includes(finalizer),
      );
      if (asking.length > 0 && unheld) this.violations.push(`${topicName} is created before the finalizer is stored`);
    }
  }

  #mayAlter(changes: ReadonlyMap<string, readonly ConfigChange[]>): void {
    for (const [name, edits] of changes) {
      const topic = this.#topics.topics.get(name);
      if (topic === undefined) continue;
      this.#ownerOf(name, topic, 'is reconfigured');
      for (const { key } of edits) {
        if (key === foreignKey) this.violations.push(`${name}: the key of somebody else is changed`);
        if (topic.recordCount > 0 && key === 'cleanup.policy' && topic.overrides.has(key)) {
          const to = edits.find((edit) => edit.key === key)?.value ?? 'delete';
          if (to !== topic.overrides.get(key)) this.violations.push(`${name}: cleanup.policy changes under records`);
        }
        if (topic.recordCount > 0 && key === 'retention.ms')
          this.#mayRetain(
            name,
            topic,
            edits.find((edit) => edit.key === key),
          );
      }
    }
  }

  #mayRetain(name: string, topic: FakeTopic, edit: ConfigChange | undefined): void {
    const asNumber = (text: string | undefined | null) =>
      text === '-1' ? Number.POSITIVE_INFINITY : Number(text ?? 604_800_000);
    if (asNumber(edit?.value) < asNumber(topic.overrides.get('retention.ms')))
      this.violations.push(`${name}: retention is cut under records`);
  }

  #mayGrow(names: readonly string[]): void {
    for (const name of names) {
      const topic = this.#topics.topics.get(name);
      if (topic === undefined) continue;
      this.#ownerOf(name, topic, 'is grown');
      if (topic.recordCount > 0 && topic.overrides.get('cleanup.policy') === 'compact')
        this.violations.push(`${name}: a compacted topic with records is grown`);
    }
  }

  /** Whoever writes to a topic is bound to it, enforces, and stays. */
  #ownerOf(name: string, { id }: FakeTopic, what: string): void {
    const owners = this.#claimants(name).filter(
      ({ status, spec }) => status?.topicId === id && spec.mode === 'Enforce',
    );
    if (owners.length === 0) this.violations.push(`${name} ${what} although no enforcing object is bound to it`);
  }

  #remember(): void {
    this.#before = new Map([...this.#topics.topics].map(([name, topic]) => [topic.id, { name, topic: { ...topic } }]));
  }

  #compare(method: string): void {
    for (const [id, { name, topic }] of this.#before) {
      const now = this.#topics.topics.get(name);
      if (now?.id !== id) this.#mayDelete(method, name, topic);
      else if (now.numPartitions < topic.numPartitions) this.violations.push(`${name} lost partitions`);
    }
  }

  #mayDelete(method: string, name: string, { id, recordCount }: FakeTopic): void {
    const claimants = this.#claimants(name);
    const deleter = claimants.find(({ status }) => status?.topicId === id);
    const reason = (() => {
      if (method !== 'delete') return `by ${method}`;
      if (deleter === undefined || !isOut(deleter)) return 'although no deleted object is bound to it';
      if (deleter.spec.deletionPolicy !== 'Delete' || deleter.spec.mode !== 'Enforce')
        return 'against the policy or mode';
      if (deleter.status?.origin !== 'Created' && recordCount > 0) return 'with records that were there before';
      if (claimants.some((other) => other !== deleter && !isOut(other) && other.spec.mode !== 'Observe'))
        return 'although an heir wants it';
      return undefined;
    })();
    if (reason !== undefined) this.violations.push(`${name} is deleted ${reason}`);
  }
}

/** A key that no spec of a history lists: set by hand, and nobody else's business. */
export const foreignKey = 'max.message.bytes';
