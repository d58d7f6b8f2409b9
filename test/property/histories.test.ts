/**
 * Random histories of two people, three objects and two topics, with a process that dies or loses an answer anywhere.
 * The judge watches the brokers at every write; afterwards the world is left alone and has to come to rest as wanted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../functions/core/outcome.ts';
import type { Ports } from '../../functions/core/reconciler.ts';
import { reconcile } from '../../functions/core/reconciler.ts';
import { outOfSync } from '../../functions/core/resync.ts';
import { type Key, keyOf } from '../../functions/core/topic.ts';
import { installation } from '../support/build.ts';
import { foreignKey, Judge } from '../support/judge.ts';
import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { fakeEvents } from '../support/kube/fake-events.ts';
import { fakeResources } from '../support/kube/fake-resources.ts';
import type { StoredObject } from '../support/kube/objects.ts';
import { type Death, Mortal } from '../support/mortal.ts';

const objects: readonly (Key & { topicName: string })[] = [
  { namespace: 'a', name: 'one', topicName: 'red' },
  { namespace: 'a', name: 'two', topicName: 'blue' },
  { namespace: 'b', name: 'three', topicName: 'red' },
];
const topicNames = ['red', 'blue'];
const never = new AbortController().signal;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

type Spec = { numPartitions?: number; config: Record<string, string>; deletionPolicy: string; mode: string };
type Step =
  | { do: 'apply'; object: number; spec: Spec }
  | { do: 'delete' | 'check'; object: number }
  | { do: 'pass'; object: number; death: Death | undefined }
  | { do: 'tick' }
  | { do: 'produce' | 'removeTopic' | 'addTopic' | 'growTopic'; topic: number }
  | { do: 'configure'; topic: number; key: string; value: string };

const specs: fc.Arbitrary<Spec> = fc.record(
  {
    numPartitions: fc.integer({ min: 1, max: 4 }),
    config: fc
      .dictionary(fc.constantFrom('retention.ms', 'segment.ms', 'cleanup.policy'), fc.constant(''), { maxKeys: 3 })
      .chain((keys) =>
        fc.record(
          Object.fromEntries(
            Object.keys(keys).map((key) => [
              key,
              key === 'cleanup.policy'
                ? fc.constantFrom('delete', 'compact')
                : fc.constantFrom('60000', '3600000', '86400000'),
            ]),
          ) as Record<string, fc.Arbitrary<string>>,
        ),
      ),
    deletionPolicy: fc.constantFrom('Retain', 'Delete'),
    mode: fc.oneof(
      { weight: 8, arbitrary: fc.constant('Enforce') },
      { weight: 1, arbitrary: fc.constant('Observe') },
      { weight: 1, arbitrary: fc.constant('Paused') },
    ),
  },
  { requiredKeys: ['config', 'deletionPolicy', 'mode'] },
);
const object = fc.nat(objects.length - 1);
const topic = fc.nat(topicNames.length - 1);
const deaths: fc.Arbitrary<Death | undefined> = fc.option(
  fc.record({ call: fc.nat(7), at: fc.constantFrom<Death['at']>('before', 'after', 'lost') }),
  { nil: undefined },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('apply' as const), object, spec: specs }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), object, death: deaths }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'check' as const), object }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('produce' as const, 'removeTopic' as const, 'addTopic' as const, 'growTopic' as const),
      topic,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      topic,
      key: fc.constantFrom('retention.ms', 'segment.ms', foreignKey),
      value: fc.constantFrom('60000', '7200000'),
    }),
  },
);

class History {
  readonly topics = new FakeTopics();
  readonly resources = fakeResources({ now: () => this.#time() });
  readonly events = fakeEvents();
  readonly judge = new Judge(this.resources.objects, this.topics);
  #seconds = 0;
  #requests = 0;

  #time(): Date {
    return new Date(Date.UTC(2026, 0, 1) + 1000 * this.#seconds++);
  }

  #ports(mortal: Mortal): Ports {
    return {
      topics: mortal.port(this.judge.watched(), lostTopics) as unknown as Ports['topics'],
      resources: mortal.port(this.resources as Ports['resources'], lostResource),
      events: this.events,
      installation: installation({ clusterId: this.topics.clusterId }),
      now: () => this.#time(),
      pause: async () => {},
      log: silent,
    };
  }

  async step(step: Step): Promise<void> {
    const named = 'object' in step ? objects[step.object] : undefined;
    const name = 'topic' in step ? (topicNames[step.topic] ?? '') : '';
    switch (step.do) {
      case 'apply':
        if (named) this.#apply(named, step.spec);
        break;
      case 'delete':
        if (named) this.resources.objects.delete(named);
        break;
      case 'check':
        if (named) this.resources.objects.annotate(named, 'reconcileRequestedAt', String(this.#requests++));
        break;
      case 'pass':
        if (named) await this.pass([named], step.death);
        break;
      case 'tick':
        await this.tick();
        break;
      case 'produce':
        if (this.topics.topics.has(name)) this.topics.produce(name);
        break;
      case 'removeTopic':
        this.topics.topics.delete(name);
        break;
      case 'addTopic':
        if (!this.topics.topics.has(name)) this.topics.add(name, { numPartitions: 2 });
        break;
      case 'growTopic': {
        const live = this.topics.topics.get(name);
        if (live) live.numPartitions++;
        break;
      }
      case 'configure':
        this.topics.topics.get(name)?.overrides.set(step.key, step.value);
        break;
    }
  }

  #apply({ topicName, ...metadata }: (typeof objects)[number], spec: Spec): void {
    // What is on its way out cannot be applied anew; people see it and wait.
    if (this.resources.objects.get(metadata)?.metadata.deletionTimestamp !== undefined) return;
    this.resources.objects.apply({ metadata, spec: { ...spec, topicName } });
  }

  async pass(keys: readonly Key[], death?: Death): Promise<boolean> {
    const mortal = new Mortal(death);
    const items = keys.map((key) => ({ key, group: undefined, lastReceive: false, trigger: 'change', id: '' }));
    const settled = await mortal.run(() => reconcile(items, this.#ports(mortal), never));
    return settled !== 'died' && [...settled.values()].every(({ redeliver }) => !redeliver);
  }

  /** A message until it is done. */
  async redeliver(key: Key): Promise<void> {
    for (let receives = 1; receives < 6; receives++) if (await this.pass([key])) return;
  }

  /** A resync: what it names is worked on, one topic at a time as the queue would have it. */
  async tick(): Promise<number> {
    const ports = this.#ports(new Mortal());
    const { items } = await this.resources.page(500, undefined, never);
    const named = await outOfSync(items, ports, never);
    for (const { key } of named) await this.redeliver(key);
    return named.length;
  }

  /** Nobody does anything any more: messages are redelivered, ticks come, until nothing is left to do. */
  async settle(): Promise<void> {
    for (const key of this.#keys()) await this.redeliver(key);
    for (let ticks = 0; ticks < 6; ticks++) if ((await this.tick()) === 0) return;
    assert.fail('the world does not come to rest');
  }

  #keys(): Key[] {
    return this.resources.objects.all().map(({ metadata: { namespace, name } }) => ({ namespace, name }));
  }

  async assertAtRest(): Promise<void> {
    assert.deepEqual(this.judge.violations, []);
    const before = JSON.stringify([
      this.resources.objects.all(),
      [...this.topics.topics].map(([name, t]) => [name, t, [...t.overrides]]),
    ]);
    for (const key of this.#keys()) await this.redeliver(key);
    const after = JSON.stringify([
      this.resources.objects.all(),
      [...this.topics.topics].map(([name, t]) => [name, t, [...t.overrides]]),
    ]);
    assert.equal(after, before, 'one more pass changes something');
    for (const stored of this.resources.objects.all()) this.#assertTrue(stored);
    this.#assertOneOwner();
  }

  #assertTrue(stored: StoredObject): void {
    const key = keyOf(stored.metadata);
    const status = stored.status as
      | { conditions: { type: string; status: string; reason: string; observedGeneration: number }[]; topicId?: string }
      | undefined;
    const ready = status?.conditions.find(({ type }) => type === 'Ready');
    assert.ok(ready, `${key} has no Ready condition`);
    const waits = ready.status !== 'True';
    if (stored.metadata.deletionTimestamp !== undefined)
      assert.ok(
        ['ApprovalRequired', 'Paused'].includes(ready.reason),
        `${key} stays although it was deleted: ${ready.reason}`,
      );
    assert.equal(ready.observedGeneration, stored.metadata.generation, `${key} speaks of an old generation`);
    if (waits) assert.ok(blocked.has(ready.reason), `${key} waits for nobody: ${ready.reason}`);
    else this.#assertMatches(stored, key, status?.topicId);
  }

  /** Ready=True: what the brokers have is what the object says, compared here and not by the product. */
  #assertMatches({ spec }: StoredObject, key: string, topicId: string | undefined): void {
    const { topicName, numPartitions, config, mode } = spec as Spec & { topicName: string };
    const live = this.topics.topics.get(topicName);
    assert.ok(live, `${key} is Ready without a topic`);
    if (mode === 'Enforce') assert.equal(topicId, live.id, `${key} is Ready and bound to another topic`);
    if (numPartitions !== undefined)
      assert.equal(live.numPartitions, numPartitions, `${key} is Ready with other partitions`);
    for (const [name, value] of Object.entries(config))
      assert.equal(live.overrides.get(name), value, `${key} is Ready with another ${name}`);
  }

  #assertOneOwner(): void {
    for (const { id } of this.topics.topics.values()) {
      const bound = this.resources.objects.all().filter(({ status }) => status?.topicId === id);
      assert.ok(bound.length <= 1, `${bound.length} objects are bound to one topic`);
    }
  }
}

const blocked = new Set([
  'ApprovalRequired',
  'TopicMissing',
  'IdentityChanged',
  'DriftDetected',
  'Paused',
  'PartitionsCannotShrink',
  'ResourceConflict',
]);
const noAnswer = () => new Failure('BrokerUnavailable', 'no answer', { retryable: true, unanswered: true });

/** A lost answer of the brokers: every item of the call is a failure. */
function lostTopics(_method: string, [items]: readonly unknown[]): unknown {
  const names = items instanceof Map ? [...items.keys()] : (items as readonly unknown[]);
  return new Map(
    names.map((item) => [
      typeof item === 'object' && item !== null ? (item as { topicName: string }).topicName : item,
      noAnswer(),
    ]),
  );
}

function lostResource(method: string, [keys]: readonly unknown[]): unknown {
  if (method === 'read') return new Map((keys as readonly Key[]).map((key) => [keyOf(key), noAnswer()]));
  throw noAnswer();
}

const runs = Number(process.env.HISTORIES ?? 3_000);

test(`${runs} random histories lose nothing, come to rest, and say so truly`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 25 }), async (history) => {
      const world = new History();
      for (const step of history) await world.step(step);
      await world.settle();
      await world.assertAtRest();
    }),
    { numRuns: runs },
  );
});
