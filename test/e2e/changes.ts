import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function changes(world: World): void {
  const { a, broker, queues } = world;

  test('K021: more partitions are added to the same topic', async () => {
    await a.apply('k021', { numPartitions: 3 });
    const { status } = await a.ready('k021');
    await a.apply('k021', { numPartitions: 6 });
    const grown = await a.ready('k021');
    const { partitions, id } = await broker.shape('k021');
    assert.deepEqual([partitions, id, grown.status?.numPartitions], [6, status?.topicId, 6]);
  });

  test('K022: a compacted topic with records does not grow unasked, an empty one does', async () => {
    const config = { 'cleanup.policy': 'compact' };
    await a.apply('k022-full', { numPartitions: 1, config });
    await a.apply('k022-empty', { numPartitions: 1, config });
    await Promise.all([a.ready('k022-full'), a.ready('k022-empty')]);
    await broker.produce('k022-full', 3);
    const edited = { numPartitions: 2, config: { ...config, 'segment.ms': 3600000 } };
    await a.apply('k022-full', edited);
    await a.apply('k022-empty', edited);
    await a.says('k022-full', 'ApprovalRequired');
    await a.ready('k022-empty');
    const [full, empty] = [await broker.shape('k022-full'), await broker.shape('k022-empty')];
    assert.deepEqual([full.partitions, full.overrides['segment.ms']], [1, '3600000']);
    assert.deepEqual([empty.partitions, empty.overrides['segment.ms']], [2, '3600000']);
  });

  test('K023: a shrink is refused, the config beside it is applied; the old count makes it Ready again', async () => {
    await a.apply('k023', { numPartitions: 3 });
    const { status } = await a.ready('k023');
    await a.apply('k023', { numPartitions: 2, config: { 'segment.ms': 3600000 } });
    const object = await a.says('k023', 'PartitionsCannotShrink');
    assert.equal(conditionOf(object, 'Stalled')?.status, 'True');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /\b3\b.*\b2\b/);
    const { partitions, overrides } = await broker.shape('k023');
    assert.deepEqual([partitions, overrides], [3, { 'segment.ms': '3600000' }]);
    await isSettled(world, a, 'k023');
    await a.apply('k023', { numPartitions: 3, config: { 'segment.ms': 3600000 } });
    const again = await a.ready('k023');
    assert.equal(again.status?.topicId, status?.topicId);
  });

  test('K024: a shrink never makes the topic anew, whatever is tried', async () => {
    await a.apply('k024', { numPartitions: 3 });
    const { status } = await a.ready('k024');
    await leavesAlone(world, ['k024'], async () => {
      for (const mode of ['Enforce', 'Plan', 'Observe', 'Paused', 'Enforce']) {
        await a.apply('k024', { numPartitions: 1, mode }, { 'cache.example.com/approve': 'yes' });
        await a.holds('k024', ({ metadata, status }) => status?.observedGeneration === metadata.generation);
        await queues.tick();
      }
    });
    await a.says('k024', 'PartitionsCannotShrink');
    assert.deepEqual([await broker.id('k024'), (await broker.shape('k024')).partitions], [status?.topicId, 3]);
  });

  test('K028: a growth too large for one request is not sent, and the limit is named', async () => {
    await a.apply('k028', { numPartitions: 1 });
    await a.ready('k028');
    await leavesAlone(world, ['k028'], async () => {
      await a.apply('k028', { numPartitions: 10_002 });
      const object = await a.says('k028', 'InvalidSpec');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /10000/);
      await queues.tick();
    });
    assert.equal((await broker.shape('k028')).partitions, 1);
  });

  const firstCounts = [
    { numPartitions: 1, says: 'PartitionsCannotShrink', partitions: 2, writes: 0 },
    { numPartitions: 2, says: 'Synced', partitions: 2, writes: 0 },
    { numPartitions: 3, says: 'Synced', partitions: 3, writes: 1 },
  ];
  for (const { numPartitions, says, partitions, writes } of firstCounts)
    test(`K029: ${numPartitions} partitions for an object that had no count, of a topic with 2, is ${says}`, async () => {
      const name = `k029-${numPartitions}`;
      await broker.create(name, 2);
      await a.apply(name, {});
      await a.ready(name);
      await queues.drained();
      const before = world.kafkaWrites([name], []);
      await a.apply(name, { numPartitions });
      await a.says(name, says);
      assert.equal(world.kafkaWrites([name], []) - before, writes);
      assert.equal((await broker.shape(name)).partitions, partitions);
    });

  test('K025: partitions that somebody added are reported once, and drift of config beside them is corrected', async () => {
    await a.apply('k025', { numPartitions: 2, config: { 'segment.ms': 3600000 } });
    await a.ready('k025');
    await broker.grow('k025', 4);
    await broker.setConfig('k025', { 'segment.ms': '60000' });
    await queues.tick();
    await a.says('k025', 'PartitionsCannotShrink');
    const { partitions, overrides } = await broker.shape('k025');
    assert.deepEqual([partitions, overrides], [4, { 'segment.ms': '3600000' }]);
    await isSettled(world, a, 'k025');
  });

  test('K109, K121: shorter retention waits where there are records; what is harmless beside it is done', async () => {
    await a.apply('k109', { numPartitions: 1, config: { 'retention.ms': 86400000 } });
    await a.ready('k109');
    await broker.produce('k109', 5);
    await a.apply('k109', { numPartitions: 1, config: { 'retention.ms': 1000, 'segment.ms': 3600000 } });
    const object = await a.says('k109', 'ApprovalRequired');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /retention\.ms from 86400000 to 1000/);
    const { overrides, offsets } = await broker.shape('k109');
    assert.deepEqual(overrides, { 'retention.ms': '86400000', 'segment.ms': '3600000' });
    assert.deepEqual(offsets, ['0: 0-5']);
    await isSettled(world, a, 'k109');
  });

  test('K110: shorter retention of an empty topic is no loss', async () => {
    await a.apply('k110', { numPartitions: 2, config: { 'retention.ms': 86400000 } });
    await a.ready('k110');
    await a.apply('k110', { numPartitions: 2, config: { 'retention.ms': 3600000 } });
    await a.ready('k110');
    assert.deepEqual((await broker.shape('k110')).overrides, { 'retention.ms': '3600000' });
  });

  test('K111: another cleanup policy waits where there are records', async () => {
    await a.apply('k111', { numPartitions: 1 });
    await a.ready('k111');
    await broker.produce('k111', 1);
    await a.apply('k111', { numPartitions: 1, config: { 'cleanup.policy': 'compact' } });
    await a.says('k111', 'ApprovalRequired');
    assert.deepEqual((await broker.shape('k111')).overrides, {});
  });
}
