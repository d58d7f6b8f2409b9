import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
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

  test('K046, K055, K056: Merge sets, changes and resets its own keys and no others', async () => {
    await broker.create('k046', 1, { 'max.message.bytes': '2000000' });
    await a.apply('k046', { numPartitions: 1 });
    await a.ready('k046');
    const overridesAfter = async (config: Record<string, unknown>) => {
      await a.apply('k046', { numPartitions: 1, config });
      await a.ready('k046');
      return (await broker.shape('k046')).overrides;
    };
    const foreign = { 'max.message.bytes': '2000000' };
    const set = await overridesAfter({ 'segment.ms': 3600000, 'segment.bytes': 2000000 });
    assert.deepEqual(set, { ...foreign, 'segment.ms': '3600000', 'segment.bytes': '2000000' });
    const changed = await overridesAfter({ 'segment.ms': 7200000, 'segment.bytes': 2000000 });
    assert.deepEqual(changed, { ...foreign, 'segment.ms': '7200000', 'segment.bytes': '2000000' });
    const reset = await overridesAfter({ 'segment.bytes': 2000000 });
    assert.deepEqual(reset, { ...foreign, 'segment.bytes': '2000000' });
    await isSettled(world, a, 'k046');
  });

  test('K057, K062: Exact resets what others have set, but never the throttles of a reassignment', async () => {
    await a.apply('k057', { numPartitions: 1, configMode: 'Exact', config: { 'segment.ms': 3600000 } });
    await a.ready('k057');
    const throttles = { 'leader.replication.throttled.replicas': '*' };
    await broker.setConfig('k057', { 'segment.ms': '3600000', 'max.message.bytes': '2000000', ...throttles });
    await queues.tick();
    await a.ready('k057');
    assert.deepEqual((await broker.shape('k057')).overrides, { 'segment.ms': '3600000', ...throttles });
    await isSettled(world, a, 'k057');
  });

  test('K050, K051: other spellings of a value are the same value', async () => {
    const config = {
      'cleanup.policy': 'compact, delete',
      'min.cleanable.dirty.ratio': '0.50',
      preallocate: 'TRUE',
      'retention.ms': ' 7200000 ',
      'segment.ms': '+007200000',
    };
    await a.apply('k050', { numPartitions: 1, config });
    await a.ready('k050');
    await isSettled(world, a, 'k050');
    await broker.setConfig('k050', { ...(await broker.shape('k050')).overrides, 'cleanup.policy': 'delete,compact' });
    await isSettled(world, a, 'k050');
  });

  test('K052, K168: a wrong key stops the configs of its edit and nothing else; mended, all is done', async () => {
    await a.apply('k052', { numPartitions: 1 });
    const before = await a.ready('k052');
    await a.apply('k052', { numPartitions: 2, config: { 'retention.mss': 1, 'segment.ms': 3600000 } });
    const object = await a.says('k052', 'InvalidConfig');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /retention\.mss/);
    assert.equal(conditionOf(object, 'Stalled')?.status, 'True');
    assert.equal((await broker.shape('k052')).partitions, 2);
    await isSettled(world, a, 'k052');
    await a.apply('k052', { numPartitions: 2, config: { 'segment.ms': 3600000 } });
    const after = await a.ready('k052');
    assert.deepEqual((await broker.shape('k052')).overrides, { 'segment.ms': '3600000' });
    assert.equal(after.status?.topicId, before.status?.topicId);
  });

  test('K059: a key that becomes ignored keeps its live value', async () => {
    await a.apply('k059', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await a.ready('k059');
    await a.apply('k059', { numPartitions: 1, ignoredConfigs: ['segment.ms'] });
    const { status } = await a.ready('k059');
    assert.equal(status?.config, undefined);
    await broker.setConfig('k059', { 'segment.ms': '60000' });
    await isSettled(world, a, 'k059');
    assert.deepEqual((await broker.shape('k059')).overrides, { 'segment.ms': '60000' });
  });

  test('K061: what somebody changed by hand is put back by the next tick', async () => {
    await a.apply('k061', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await a.ready('k061');
    await broker.setConfig('k061', { 'segment.ms': '60000' });
    await queues.tick();
    assert.deepEqual((await broker.shape('k061')).overrides, { 'segment.ms': '3600000' });
    await isSettled(world, a, 'k061');
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
