import assert from 'node:assert/strict';
import type { Kubectl } from './kubectl.ts';
import type { World } from './world.ts';

/** Asserts that while something happens the product asks Kafka to change none of these topics. */
export async function leavesAlone(world: World, topics: readonly string[], during: () => Promise<void>): Promise<void> {
  const { broker, queues, kafkaWrites } = world;
  await queues.drained();
  const ids = await Promise.all(
    topics.map(async (topic) => ((await broker.exists(topic)) ? broker.id(topic) : undefined)),
  );
  const known = ids.filter((id) => id !== undefined);
  const before = kafkaWrites(topics, known);
  await during();
  assert.deepEqual(kafkaWrites(topics, known), before);
}

/** Asserts that while something happens the product asks Kafka nothing about these topics. */
export async function asksNothing({ kafka, queues }: World, topics: readonly string[], during: () => Promise<void>) {
  await queues.drained();
  const before = kafka.requests.length;
  await during();
  const asked = kafka.requests.slice(before).filter(({ body }) => topics.some((topic) => body.includes(topic)));
  assert.deepEqual(asked, []);
}

/** Asserts that a tick changes nothing: neither the objects nor their topics. */
export async function isSettled(world: World, user: Kubectl, ...names: string[]): Promise<void> {
  const objects = await Promise.all(names.map((name) => user.get(name)));
  const topics = objects.flatMap((object) => object?.status?.topicName ?? []);
  await leavesAlone(world, topics, () => keepsStatus(world, user, ...names));
}

/** Asserts that a tick writes to none of the objects. What the brokers refused before may be tried again. */
export async function keepsStatus({ queues }: World, user: Kubectl, ...names: string[]): Promise<void> {
  const versions = () => Promise.all(names.map(async (name) => (await user.get(name))?.metadata.resourceVersion));
  await queues.drained();
  const before = await versions();
  await queues.tick();
  assert.deepEqual(await versions(), before);
}
