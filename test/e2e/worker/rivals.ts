import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { conditionOf, type KafkaTopic } from '../../support/e2e/kubectl.ts';

const pairs = 100;

export function rivals(world: CrashWorld): void {
  const { user, broker, kafka } = world;

  const reasonOf = async (name: string) => conditionOf(await user.get(name), 'Ready')?.reason;

  test('K094: the newer of two, looked at first after a cold start, writes nothing', async () => {
    await broker.create('k094', 1);
    const { metadata } = await user.apply('k094-older', { topicName: 'k094', numPartitions: 1 });
    while (Math.floor(Date.now() / 1000) <= Date.parse(metadata.creationTimestamp) / 1000) await setImmediate();
    await user.apply('k094', { numPartitions: 5 });
    const before = await broker.shape('k094');
    const worker = world.worker();
    assert.deepEqual(await worker.deliver(['k094']), []);
    assert.equal(await reasonOf('k094'), 'ResourceConflict');
    assert.deepEqual(await broker.shape('k094'), before);
    await worker.deliver([{ name: 'k094-older', topic: 'k094' }]);
    assert.equal(await reasonOf('k094-older'), 'Synced');
  });

  test('K091: a hundred times two objects were made in the same second: whichever comes first, the lower uid has it', async () => {
    const topics = Array.from({ length: pairs }, (_, index) => `k091-${index}`);
    await broker.createAll(topics);
    const worker = world.worker();
    for (const [at, topicName] of topics.entries()) {
      const objects = await inOneSecond(() =>
        Promise.all(['x', 'y'].map((end) => user.apply(`${topicName}-${end}`, { topicName, numPartitions: 1 }))),
      );
      const [winner, loser] = objects.toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1));
      const order = at % 2 === 0 ? [winner, loser] : [loser, winner];
      for (const object of order) await worker.deliver([{ name: object?.metadata.name ?? '', topic: topicName }]);
      const reasons = await Promise.all([winner, loser].map((object) => reasonOf(object?.metadata.name ?? '')));
      assert.deepEqual(reasons, ['Synced', 'ResourceConflict']);
    }
    assert.deepEqual(kafka.violations, []);
  });

  /** Objects of two seconds are deleted and made again. */
  async function inOneSecond(make: () => Promise<readonly KafkaTopic[]>): Promise<readonly KafkaTopic[]> {
    for (;;) {
      const made = await make();
      if (new Set(made.map(({ metadata }) => metadata.creationTimestamp)).size === 1) return made;
      for (const { metadata } of made) await user.delete(metadata.name);
    }
  }
}
