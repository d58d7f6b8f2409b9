import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { conditionOf, type KafkaTopic } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function ownership(world: World): void {
  const { a, b, broker, queues, runner } = world;

  test('K090, K094: of two tenants who want one topic the first has it; what the other edits changes nothing', async () => {
    await a.apply('k090', { numPartitions: 2 });
    await a.ready('k090');
    await b.apply('other-name', { topicName: 'k090', numPartitions: 2 });
    const loser = await b.says('other-name', 'ResourceConflict');
    assert.match(conditionOf(loser, 'Ready')?.message ?? '', /of-tenant-a\/k090/);
    assert.equal(conditionOf(loser, 'Stalled')?.status, 'True');
    await leavesAlone(world, ['k090'], async () => {
      await b.apply('other-name', { topicName: 'k090', numPartitions: 8, config: { 'segment.ms': 60000 } });
      await b.says('other-name', 'ResourceConflict');
      await queues.tick();
    });
    await isSettled(world, b, 'other-name');
    const { partitions, overrides } = await broker.shape('k090');
    assert.deepEqual([partitions, overrides], [2, {}]);
  });

  const rivals = [
    { reason: 'in one namespace, by name and by topicName', name: 'k090-one', users: [a, a] },
    { reason: 'in two namespaces', name: 'k090-two', users: [a, b] },
  ] as const;
  for (const { reason, name, users } of rivals)
    test(`K090: of two objects for a topic that was there, ${reason}, the older one has it`, async () => {
      const [older, newer] = users;
      const id = await broker.create(name, 1);
      await queues.drained();
      await runner.stop();
      await older.apply(`${name}-older`, { topicName: name, numPartitions: 1 });
      const { metadata } = (await older.get(`${name}-older`)) as KafkaTopic;
      while (Math.floor(Date.now() / 1000) <= Date.parse(metadata.creationTimestamp) / 1000) await setImmediate();
      await newer.apply(name, { numPartitions: 1 });
      await runner.start();
      const winner = await older.ready(`${name}-older`);
      const loser = await newer.says(name, 'ResourceConflict');
      assert.equal(winner.status?.topicId, id);
      assert.match(conditionOf(loser, 'Ready')?.message ?? '', new RegExp(`of-tenant-a/${name}-older`));
    });

  test('K092: a hundred times two objects are made at the same moment: one has the topic, the other is told', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `k092-${index}`);
    await Promise.all(
      names.flatMap((name) => [a.apply(name, { numPartitions: 1 }), b.apply(name, { numPartitions: 1 })]),
    );
    for (const name of names) {
      const both = await Promise.all([a, b].map((user) => user.holds(name, isJudged)));
      const reasons = both.map((object) => conditionOf(object, 'Ready')?.reason);
      assert.deepEqual(reasons.toSorted(), ['ResourceConflict', 'Synced']);
      const bound = both.flatMap(({ status }) => status?.topicId ?? []);
      assert.deepEqual(bound, [await broker.id(name)]);
    }
  });

  for (const [index, finalizers] of [[], ['cache.example.com/topic']].entries())
    test(`K095: a loser with Delete and ${index} of our finalizers goes, and leaves the topic where it is`, async () => {
      const name = `k095-${index}`;
      await a.apply(name, { numPartitions: 1 });
      await a.ready(name);
      const before = await broker.shape(name);
      await b.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      await b.says(name, 'ResourceConflict');
      await b.patch(name, { metadata: { finalizers } });
      await b.delete(name);
      await b.gone(name);
      assert.deepEqual(await broker.shape(name), before);
      await isSettled(world, a, name);
    });

  test('K093: who is bound stays the owner beside an older object that was paused until now', async () => {
    await b.apply('k093', { numPartitions: 3, mode: 'Paused' });
    await b.says('k093', 'Paused');
    await a.apply('k093', { numPartitions: 1 });
    await a.ready('k093');
    await b.apply('k093', { numPartitions: 3, mode: 'Enforce' });
    await b.says('k093', 'ResourceConflict');
    await isSettled(world, a, 'k093');
    assert.equal((await broker.shape('k093')).partitions, 1);
  });

  test('K096: when the owner has gone, the next tick binds who waited', async () => {
    await a.apply('k096', { numPartitions: 1 });
    const { status } = await a.ready('k096');
    await b.apply('k096', { numPartitions: 1 });
    await b.says('k096', 'ResourceConflict');
    await a.delete('k096');
    await a.gone('k096');
    await queues.tick();
    const heir = await b.ready('k096');
    assert.deepEqual([heir.status?.topicId, heir.status?.origin], [status?.topicId, 'Adopted']);
  });

  test('K096: an heir whose spec differs waits for approval', async () => {
    await a.apply('k096-differs', { numPartitions: 1 });
    const { status } = await a.ready('k096-differs');
    await b.apply('k096-differs', { numPartitions: 4 });
    await b.says('k096-differs', 'ResourceConflict');
    await a.delete('k096-differs');
    await a.gone('k096-differs');
    await queues.tick();
    await b.says('k096-differs', 'ApprovalRequired');
    const { id, partitions } = await broker.shape('k096-differs');
    assert.deepEqual([id, partitions], [status?.topicId, 1]);
  });

  test('K097: an owner with Delete hands the topic to who waits for it', async () => {
    await a.apply('k097', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.ready('k097');
    await b.apply('k097', { numPartitions: 1 });
    await b.says('k097', 'ResourceConflict');
    await broker.produce('k097', 2);
    const before = await broker.shape('k097');
    await a.delete('k097');
    await a.gone('k097');
    await queues.tick();
    await b.ready('k097');
    assert.deepEqual(await broker.shape('k097'), before);
  });

  test('K098: an observer neither takes a topic nor keeps it from others', async () => {
    await broker.create('k098', 1);
    await b.apply('k098', { numPartitions: 1, mode: 'Observe' });
    await b.says('k098', 'Observed');
    await a.apply('k098', { numPartitions: 1 });
    await a.ready('k098');
    await isSettled(world, b, 'k098');
  });

  test('K098: an owner that is paused stays the owner', async () => {
    await a.apply('k098-paused', { numPartitions: 1 });
    await a.ready('k098-paused');
    await a.apply('k098-paused', { numPartitions: 1, mode: 'Paused' });
    await a.says('k098-paused', 'Paused');
    await b.apply('k098-paused', { numPartitions: 1 });
    await b.says('k098-paused', 'ResourceConflict');
    await isSettled(world, b, 'k098-paused');
  });
}

const isJudged = (object: KafkaTopic): boolean =>
  ['Synced', 'ResourceConflict'].includes(conditionOf(object, 'Ready')?.reason ?? '');
