import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { heldUp, meanwhile } from '../../support/e2e/faults.ts';
import { conditionOf, type KafkaTopic } from '../../support/e2e/kubectl.ts';
import { apiKeys } from '../../support/kafka/proxy.ts';

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

  const config = { 'segment.ms': 3600000 };
  const kinds = [
    { kind: 'a creation', apiKey: apiKeys.createTopics, edit: undefined },
    { kind: 'a config change', apiKey: apiKeys.incrementalAlterConfigs, edit: { numPartitions: 1, config } },
    { kind: 'a growth', apiKey: apiKeys.createPartitions, edit: { numPartitions: 3 } },
    { kind: 'a deletion', apiKey: apiKeys.deleteTopics, edit: 'delete' },
  ] as const;
  for (const [index, { kind, apiKey, edit }] of kinds.entries())
    test(`K155: two workers on one topic, one of them late with ${kind}: one effect, and nothing left to do`, async () => {
      const name = `k155-${index}`;
      const [late, quick] = [world.worker(), world.worker()];
      await user.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      if (edit !== undefined) await late.deliver([name]);
      if (edit === 'delete') await user.delete(name);
      else if (edit !== undefined) await user.apply(name, { ...edit, deletionPolicy: 'Delete' });
      const topic = edit === 'delete' ? Buffer.from(await broker.id(name), 'base64url') : name;
      const request = heldUp({ apiKey, topic });
      const { back, shape } = await meanwhile(kafka, request.hooks, async () => {
        const delivered = late.deliver([name]);
        await request.arrived;
        assert.deepEqual(await quick.deliver([name]), []);
        const shape = edit === 'delete' ? undefined : await broker.shape(name);
        request.letThrough();
        return { back: await delivered, shape };
      });
      if (back.length > 0) assert.deepEqual(await late.deliver([name]), []);
      if (shape === undefined) {
        assert.equal(await user.get(name), undefined);
        await broker.vanished(name);
        return;
      }
      assert.deepEqual(await broker.shape(name), shape);
      assert.deepEqual([await reasonOf(name), (await user.get(name))?.status?.topicId], ['Synced', shape.id]);
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
