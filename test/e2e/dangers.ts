/** What can lose data, each kind by itself: it waits, the rest of the edit is done, and it is done once it is approved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigs } from '../../functions/adapters/kafka/requests.ts';
import { approve, held, linesOf, messageOf, recordsIn } from '../support/e2e/approval.ts';
import { answering, meanwhile } from '../support/e2e/faults.ts';
import type { KafkaTopic, Plan } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

const day = '86400000';
const hour = '3600000';
const infinite = '-1';
const week = '604800000';

export function dangers(world: World): void {
  const { a, broker, kafka, queues } = world;
  const { withRecords, writesDuring, overridesOf } = recordsIn(world);

  test('K015: after approval a topic that differs is bound first, and then gets exactly what was shown', async () => {
    const id = await broker.create('k015-approved', 1, { 'segment.ms': '60000', 'max.message.bytes': '2000000' });
    await broker.produce('k015-approved', 3);
    const spec = { numPartitions: 2, config: { 'segment.ms': hour, 'retention.ms': day } };
    await leavesAlone(world, ['k015-approved'], async () => {
      await a.apply('k015-approved', spec);
      const plan = await held(a, 'k015-approved');
      assert.deepEqual(linesOf(plan), [
        `BindTopic topicId ${id}`,
        `SetConfig retention.ms ${week} ${day}`,
        `SetConfig segment.ms 60000 ${hour}`,
        'AddPartitions numPartitions 1 2',
      ]);
      assert.equal(plan.destructive, true);
      assert.equal((await a.get('k015-approved'))?.status?.topicId, undefined);
      await queues.drained();
    });
    const boundBefore: boolean[] = [];
    const changing: readonly number[] = [apiKeys.createPartitions, apiKeys.incrementalAlterConfigs];
    const onRequest = async ({ apiKey, body }: { apiKey: number; body: Buffer }) => {
      if (changing.includes(apiKey) && body.includes('k015-approved'))
        boundBefore.push((await a.get('k015-approved'))?.status?.topicId === id);
      return 'forward' as const;
    };
    await meanwhile(kafka, { onRequest }, async () => {
      await approve(a, 'k015-approved');
      await a.ready('k015-approved');
    });
    assert.deepEqual(boundBefore, [true, true]);
    const { partitions, overrides } = await broker.shape('k015-approved');
    assert.equal(partitions, 2);
    assert.deepEqual(overrides, { 'max.message.bytes': '2000000', 'retention.ms': day, 'segment.ms': hour });
    const { status } = (await a.get('k015-approved')) as KafkaTopic;
    assert.deepEqual([status?.topicId, status?.origin, status?.plan], [id, 'Adopted', undefined]);
    await isSettled(world, a, 'k015-approved');
  });

  test('K017: the other differences of a topic with more partitions are offered, and done once they are approved', async () => {
    await broker.create('k017-offered', 4, { 'segment.ms': '60000' });
    await a.apply('k017-offered', { numPartitions: 2, config: { 'segment.ms': hour } });
    const object = await a.says('k017-offered', 'PartitionsCannotShrink');
    assert.match(messageOf(object), /\b4\b.*\b2\b/);
    const lines = linesOf(object.status?.plan as Plan);
    assert.deepEqual(lines.slice(1), [`SetConfig segment.ms 60000 ${hour}`]);
    assert.match(lines[0] ?? '', /^BindTopic /);
    await approve(a, 'k017-offered');
    await a.holds('k017-offered', ({ status }) => status?.topicId !== undefined && status.plan === undefined);
    await a.says('k017-offered', 'PartitionsCannotShrink');
    const { partitions, overrides } = await broker.shape('k017-offered');
    assert.deepEqual([partitions, overrides], [4, { 'segment.ms': hour }]);
    await isSettled(world, a, 'k017-offered');
  });

  test('K022: a compacted topic with records grows once it is approved', async () => {
    const config = { 'cleanup.policy': 'compact' };
    await withRecords('k022-held', { numPartitions: 1, config });
    await a.apply('k022-held', { numPartitions: 2, config: { ...config, 'segment.ms': hour } });
    assert.deepEqual(linesOf(await held(a, 'k022-held')), ['AddPartitions numPartitions 1 2']);
    const { partitions, overrides } = await broker.shape('k022-held');
    assert.deepEqual([partitions, overrides['segment.ms']], [1, hour]);
    await approve(a, 'k022-held');
    await a.ready('k022-held');
    assert.equal((await broker.shape('k022-held')).partitions, 2);
  });

  test('K022: a topic that is compacted by default of the brokers waits as well', async () => {
    await withRecords('k022-default', { numPartitions: 1 });
    await broker.setDefaults({ 'log.cleanup.policy': 'compact' });
    try {
      await a.apply('k022-default', { numPartitions: 2 });
      await held(a, 'k022-default');
      assert.equal((await broker.shape('k022-default')).partitions, 1);
    } finally {
      await broker.setDefaults({});
    }
    await queues.tick();
    await a.ready('k022-default');
    assert.equal((await broker.shape('k022-default')).partitions, 2);
  });

  test('K058: with Exact every foreign override is in the plan, and only those that lose records wait; back with Merge ours are still ours', async () => {
    const ours = { 'max.message.bytes': '2000000' };
    await withRecords('k058-plan', { numPartitions: 1, config: ours });
    const foreign = { 'retention.ms': '1209600000', 'segment.ms': '60000' };
    await broker.setConfig('k058-plan', { ...ours, ...foreign });
    await a.apply('k058-plan', { numPartitions: 1, config: ours, configMode: 'Exact', mode: 'Plan' });
    const [retention, segment] = ['retention.ms 1209600000', 'segment.ms 60000'].map(
      (key) => `ResetConfig ${key} inherited`,
    );
    assert.deepEqual(linesOf(await held(a, 'k058-plan')).toSorted(), [retention, segment]);
    await a.apply('k058-plan', { numPartitions: 1, config: ours, configMode: 'Exact' });
    assert.deepEqual(linesOf(await held(a, 'k058-plan')), [retention]);
    assert.deepEqual(await overridesOf('k058-plan'), { ...ours, 'retention.ms': '1209600000' });
    await a.apply('k058-plan', { numPartitions: 1, config: ours, configMode: 'Merge' });
    assert.equal((await a.ready('k058-plan')).status?.plan, undefined);
    await a.apply('k058-plan', { numPartitions: 1, configMode: 'Merge' });
    await a.ready('k058-plan');
    assert.deepEqual(await overridesOf('k058-plan'), { 'retention.ms': '1209600000' });
  });

  const cuts = [
    { how: 'by another value', key: 'retention.ms', from: week, to: hour },
    { how: 'from infinite', key: 'retention.bytes', from: infinite, to: '1000000' },
    { how: 'in bytes', key: 'retention.bytes', from: '2000000', to: '1000000' },
  ];
  for (const [at, { how, key, from, to }] of cuts.entries())
    test(`K109: retention that becomes shorter ${how} waits, with the effective value before and after`, async () => {
      const name = `k109-${at}`;
      await withRecords(name, { numPartitions: 1, ...(from === '2000000' && { config: { [key]: from } }) });
      const before = await overridesOf(name);
      await a.apply(name, { numPartitions: 1, config: { [key]: to } });
      assert.deepEqual(linesOf(await held(a, name)), [`SetConfig ${key} ${from} ${to}`]);
      assert.match(messageOf(await a.get(name)), new RegExp(`${key} from ${from} to ${to}`));
      assert.deepEqual(await overridesOf(name), before);
      await isSettled(world, a, name);
      await approve(a, name);
      await a.ready(name);
      assert.deepEqual(await overridesOf(name), { [key]: to });
    });

  // Kafka 4.1 tells what lies behind an override of retention.bytes, and not of retention.ms
  const resets = [
    { configMode: 'Merge', key: 'retention.bytes', from: '2000000', to: '1000000' },
    { configMode: 'Exact', key: 'retention.bytes', from: infinite, to: '1000000' },
    { configMode: 'Merge', key: 'retention.ms', from: infinite, to: 'inherited' },
    { configMode: 'Exact', key: 'retention.ms', from: '1209600000', to: 'inherited' },
  ];
  for (const { configMode, key, from, to } of resets)
    test(`K109: a reset of ${key} by ${configMode} that may shorten retention waits`, async () => {
      const name = `k109-${configMode}-${key}`.toLowerCase();
      const isOurs = configMode === 'Merge';
      await withRecords(name, { numPartitions: 1, ...(isOurs && { config: { [key]: from } }) });
      if (!isOurs) await broker.setConfig(name, { [key]: from });
      await broker.setDefaults({ 'log.retention.bytes': '1000000' });
      try {
        await a.apply(name, { numPartitions: 1, configMode });
        assert.deepEqual(linesOf(await held(a, name)), [`ResetConfig ${key} ${from} ${to}`]);
        assert.deepEqual(await overridesOf(name), { [key]: from });
        await isSettled(world, a, name);
        await approve(a, name);
        await a.ready(name);
        assert.deepEqual(await overridesOf(name), {});
      } finally {
        await broker.setDefaults({});
      }
    });

  test('K111: a cleanup policy changes in either direction after approval only; the same set is no change', async () => {
    await withRecords('k111-held', { numPartitions: 1 });
    for (const [from, to] of [
      ['delete', 'compact'],
      ['compact', 'compact,delete'],
      ['compact,delete', 'delete'],
    ]) {
      await a.apply('k111-held', { numPartitions: 1, config: { 'cleanup.policy': to } });
      assert.deepEqual(linesOf(await held(a, 'k111-held')), [`SetConfig cleanup.policy ${from} ${to}`]);
      assert.equal((await overridesOf('k111-held'))['cleanup.policy'] ?? 'delete', from);
      await approve(a, 'k111-held');
      await a.ready('k111-held');
      assert.equal((await overridesOf('k111-held'))['cleanup.policy'], to);
      if (to !== 'compact,delete') continue;
      await a.apply('k111-held', { numPartitions: 1, config: { 'cleanup.policy': ['delete', 'compact'] } });
      await leavesAlone(world, ['k111-held'], async () => void (await a.ready('k111-held')));
    }
  });

  test('K112: unclean elections wait to be switched on, and are switched off at once', async () => {
    const key = 'unclean.leader.election.enable';
    await withRecords('k112', { numPartitions: 1 });
    await a.apply('k112', { numPartitions: 1, config: { [key]: true } });
    assert.deepEqual(linesOf(await held(a, 'k112')), [`SetConfig ${key} false true`]);
    assert.deepEqual(await overridesOf('k112'), {});
    await approve(a, 'k112');
    await a.ready('k112');
    assert.deepEqual(await overridesOf('k112'), { [key]: 'true' });
    await a.apply('k112', { numPartitions: 1, config: { [key]: false } });
    await a.ready('k112');
    assert.deepEqual(await overridesOf('k112'), { [key]: 'false' });
  });

  test('K112: tiered storage waits to be switched off, and is switched on without asking', async () => {
    // this broker has none: that it is on stands in its changed answer, and what is sent to it is refused by the broker
    const key = 'remote.storage.enable';
    await withRecords('k112-tiered', { numPartitions: 1 });
    const showsTiered = answering(describeConfigs, 'k112-tiered', (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({
        ...resource,
        configs: resource.configs.map((entry) => (entry.name === key ? { ...entry, value: 'true' } : entry)),
      })),
    }));
    await meanwhile(kafka, showsTiered, () =>
      leavesAlone(world, ['k112-tiered'], async () => {
        await a.apply('k112-tiered', { numPartitions: 1, config: { [key]: false } });
        assert.deepEqual(linesOf(await held(a, 'k112-tiered')), [`SetConfig ${key} true false`]);
        await queues.drained();
      }),
    );
    const switchOn = async () => {
      await a.apply('k112-tiered', { numPartitions: 1, config: { [key]: true } });
      await a.says('k112-tiered', 'InvalidConfig');
    };
    assert.equal(await writesDuring('k112-tiered', switchOn), 1);
  });

  test('K113: fewer in-sync replicas are no danger where the installation does not list it', async () => {
    await withRecords('k113', { numPartitions: 1, config: { 'min.insync.replicas': 1 } });
    await broker.setConfig('k113', { 'min.insync.replicas': '2' });
    await queues.tick();
    await a.ready('k113');
    assert.deepEqual(await overridesOf('k113'), { 'min.insync.replicas': '1' });
  });

  test('K114: a topic that vanished is made anew after approval, and only once it was looked for twice', async () => {
    await a.apply('k114-approved', { numPartitions: 2, config: { 'segment.ms': hour } });
    const { status } = await a.ready('k114-approved');
    await queues.drained();
    await broker.delete('k114-approved');
    const before = kafka.requests.length;
    await queues.tick();
    const looks = kafka.requests
      .slice(before)
      .filter(({ apiKey, body }) => apiKey === apiKeys.metadata && body.includes('k114-approved'));
    assert.ok(looks.length >= 3, 'one look of the tick, two of the worker');
    const plan = await held(a, 'k114-approved', 'TopicMissing');
    assert.deepEqual(linesOf(plan), ['CreateTopic']);
    assert.equal(await broker.exists('k114-approved'), false);
    await isSettled(world, a, 'k114-approved');
    await approve(a, 'k114-approved');
    const made = await a.ready('k114-approved');
    const { id, partitions, overrides } = await broker.shape('k114-approved');
    assert.deepEqual([partitions, overrides], [2, { 'segment.ms': hour }]);
    assert.equal(made.status?.topicId, id);
    assert.notEqual(id, status?.topicId);
  });

  test('K115: a topic that was made anew by somebody else is bound after approval, and not written to before', async () => {
    await a.apply('k115-approved', { numPartitions: 1, config: { 'segment.ms': hour } });
    const { status } = await a.ready('k115-approved');
    await broker.delete('k115-approved');
    const id = await broker.create('k115-approved', 1, { 'segment.ms': '60000' });
    await leavesAlone(world, ['k115-approved'], async () => {
      await queues.tick();
      assert.deepEqual(linesOf(await held(a, 'k115-approved', 'IdentityChanged')), [`BindTopic topicId ${id}`]);
      assert.equal((await a.get('k115-approved'))?.status?.topicId, status?.topicId);
    });
    await approve(a, 'k115-approved');
    await a.holds('k115-approved', (object) => object.status?.topicId === id);
    await a.ready('k115-approved');
    assert.deepEqual(await overridesOf('k115-approved'), { 'segment.ms': hour });
  });
}
