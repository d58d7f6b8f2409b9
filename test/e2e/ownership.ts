import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function ownership(world: World): void {
  const { a, b, broker, queues } = world;

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

  test('K092: of two objects that are made at the same moment one has the topic', async () => {
    const spec = { topicName: 'k092', numPartitions: 1 };
    await Promise.all([a.apply('k092-a', spec), b.apply('k092-b', spec)]);
    const settled = (user: typeof a, name: string) =>
      user.holds(name, (object) => ['Synced', 'ResourceConflict'].includes(conditionOf(object, 'Ready')?.reason ?? ''));
    const both = [await settled(a, 'k092-a'), await settled(b, 'k092-b')];
    const reasons = both.map((object) => conditionOf(object, 'Ready')?.reason);
    assert.deepEqual(reasons.toSorted(), ['ResourceConflict', 'Synced']);
    const id = await broker.id('k092');
    assert.deepEqual(
      both.map(({ status }) => status?.topicId).filter((bound) => bound !== undefined),
      [id],
    );
  });

  test('K095: a loser that goes, with Delete, leaves the topic where it is', async () => {
    await a.apply('k095', { numPartitions: 1 });
    await a.ready('k095');
    const before = await broker.shape('k095');
    await b.apply('k095', { numPartitions: 1, deletionPolicy: 'Delete' });
    await b.says('k095', 'ResourceConflict');
    await b.patch('k095', { metadata: { finalizers: ['cache.example.com/topic'] } });
    await b.delete('k095');
    await b.gone('k095');
    assert.deepEqual(await broker.shape('k095'), before);
    await isSettled(world, a, 'k095');
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
}
