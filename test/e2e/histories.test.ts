/** A few random histories on the whole system, judged by clients that know nothing of it (the many are in `test/property/`). */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Spec, type Step, stories } from '../property/steps.ts';
import { type KafkaTopic, type Kubectl, Refused } from '../support/e2e/kubectl.ts';
import { keepsStatus, leavesAlone } from '../support/e2e/quiet.ts';
import { startWorld, type World } from '../support/e2e/world.ts';

const world = await startWorld();
after(() => world.stop());

const seed = Number(process.env.SEED ?? 20_260_101);
const finalizer = 'cache.example.com/topic';
const approve = 'cache.example.com/approve';

type Named = { readonly user: Kubectl; readonly name: string };

class RealHistory {
  readonly #world: World;
  readonly #objects: readonly Named[];
  readonly #topics: readonly string[];
  /** ids of topics that somebody may delete: people did, or an object with `Delete` that spoke for it was deleted */
  readonly #mayGo = new Set<string>();
  /** id → topic */
  readonly #seen = new Map<string, string>();

  constructor(running: World, nth: number) {
    this.#world = running;
    const { a, b } = running;
    this.#objects = [a, a, b].map((user, at) => ({ user, name: `history-${nth}-${at}` }));
    this.#topics = [0, 1].map((at) => `history-${nth}-topic-${at}`);
  }

  async happen(step: Step): Promise<void> {
    if ('object' in step) await this.#edit(this.#objects[step.object] as Named, step).catch(unlessRefused);
    else if ('topic' in step) await this.#touch(this.#topics[step.topic] as string, step);
    else if (step.do === 'tick') await this.#world.queues.tick();
    await this.#look();
  }

  async #edit({ user, name }: Named, step: Extract<Step, { object: number }>): Promise<void> {
    const object = await user.get(name);
    if (step.do === 'apply') {
      const topicName = object?.spec.topicName ?? this.#topics[step.topic];
      await user.apply(name, { ...oneBroker(step.spec), topicName });
    }
    if (object === undefined) return;
    if (step.do === 'edit') await user.patch(name, { spec: oneBroker(step.patch) });
    const hash = object.status?.plan?.hash;
    if (step.do === 'approve' && hash !== undefined)
      await user.patch(name, { metadata: { annotations: { [approve]: hash } } });
    if (step.do === 'delete') await user.delete(name);
  }

  async #touch(topic: string, step: Extract<Step, { topic: number }>): Promise<void> {
    const { broker, queues } = this.#world;
    // by hand in a quiet moment: kafkajs does not like topics that come and go while it looks
    await queues.drained();
    const isThere = await broker.exists(topic);
    if (step.do === 'addTopic' && !isThere) await broker.create(topic, 2);
    if (!isThere) return;
    if (step.do === 'produce') await broker.produce(topic, 3);
    if (step.do === 'growTopic') await broker.grow(topic, (await broker.shape(topic)).partitions + 1);
    if (step.do === 'removeTopic') {
      this.#mayGo.add(await broker.id(topic));
      await broker.delete(topic);
    }
  }

  /** Takes note of topics, and of who may delete them. */
  async #look(): Promise<void> {
    for (const { metadata, spec, status } of await this.objects()) {
      if (status?.topicId === undefined || status.topicName === undefined) continue;
      this.#seen.set(status.topicId, status.topicName);
      const goes = metadata.deletionTimestamp !== undefined || metadata.finalizers?.includes(finalizer);
      if (goes && spec.deletionPolicy === 'Delete') this.#mayGo.add(status.topicId);
    }
  }

  async objects(): Promise<readonly KafkaTopic[]> {
    const found = await Promise.all(this.#objects.map(({ user, name }) => user.get(name)));
    return found.filter((object) => object !== undefined);
  }

  /** Ticks until nothing is left to do. */
  async settle(): Promise<void> {
    const { queues, a, b } = this.#world;
    for (let ticks = 0; ticks < 3; ticks++) await queues.tick();
    await leavesAlone(this.#world, this.#topics, async () => {
      for (const user of [a, b]) await keepsStatus(this.#world, user, ...this.#namesOf(user));
    });
  }

  #namesOf = (user: Kubectl): string[] => this.#objects.filter((one) => one.user === user).map(({ name }) => name);

  async judge(): Promise<void> {
    const { broker } = this.#world;
    for (const [id, topic] of this.#seen)
      if (!this.#mayGo.has(id)) assert.equal(await broker.id(topic), id, `${topic} is not what it was`);
    const bound = (await this.objects()).flatMap(({ status }) => status?.topicId ?? []);
    assert.equal(new Set(bound).size, bound.length, 'two objects are bound to one topic');
    for (const object of await this.objects()) await this.#isTrue(object);
  }

  /** Ready=True says that live is as wanted; anything else says whom it waits for. */
  async #isTrue({ metadata, spec, status }: KafkaTopic): Promise<void> {
    const ready = status?.conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.observedGeneration, metadata.generation, metadata.name);
    if (ready?.status !== 'True')
      return assert.ok(waits.has(ready?.reason ?? ''), `${metadata.name}: ${ready?.reason}`);
    const { topicName = '', numPartitions, config } = spec as Spec & { topicName: string };
    const live = await this.#world.broker.shape(topicName);
    if (numPartitions !== undefined) assert.equal(live.partitions, numPartitions, metadata.name);
    for (const [key, value] of Object.entries(config ?? {})) assert.equal(live.overrides[key], value, metadata.name);
    if (spec.mode === 'Observe') return;
    assert.equal(status?.topicId, live.id, metadata.name);
    assert.equal(metadata.finalizers?.includes(finalizer) ?? false, spec.deletionPolicy === 'Delete', metadata.name);
  }
}

const waits = new Set([
  'ApprovalRequired',
  'TopicMissing',
  'IdentityChanged',
  'DriftDetected',
  'Paused',
  'PartitionsCannotShrink',
  'ResourceConflict',
]);

/** The system of this file has one broker. */
function oneBroker<T extends { readonly replicationFactor?: number }>(spec: T): Omit<T, 'replicationFactor'> {
  const { replicationFactor: _, ...rest } = spec;
  return rest;
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof Refused)) throw error;
}

describe('random histories on the whole system', () => {
  for (const [nth, { steps }] of fc.sample(stories(30), { numRuns: 5, seed }).entries())
    test(`history ${nth} of seed ${seed} loses nothing, comes to rest, and says so truly`, async () => {
      const history = new RealHistory(world, nth);
      for (const step of steps) await history.happen(step);
      await history.settle();
      await history.judge();
      assert.deepEqual(world.violations, []);
    });
});
