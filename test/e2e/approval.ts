/** What waits for somebody's leave: what is held and shown, what releases it, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigs } from '../../functions/adapters/kafka/requests.ts';
import { answering, meanwhile } from '../support/e2e/faults.ts';
import { conditionOf, type KafkaTopic, type Kubectl, type Plan } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

const annotation = 'cache.example.com/approve';
const day = '86400000';
const hour = '3600000';
const infinite = '-1';
const week = '604800000';

/** One line for each held action. */
export const linesOf = ({ actions }: Plan): readonly string[] =>
  actions.map(({ type, field, from, to }) =>
    [type, field, from, to].filter((part) => part !== undefined && part !== '').join(' '),
  );

export const messageOf = (object: KafkaTopic | undefined): string => conditionOf(object, 'Ready')?.message ?? '';

/** Waits until something of the present generation is held. */
export async function held(user: Kubectl, name: string, reason = 'ApprovalRequired'): Promise<Plan> {
  const object = await user.says(name, reason);
  assert.equal(conditionOf(object, 'Ready')?.status, 'False');
  assert.equal(conditionOf(object, 'Stalled')?.reason, reason);
  assert.ok(object.status?.plan !== undefined, `${name} shows no plan`);
  return object.status.plan;
}

/** `kubectl annotate --overwrite` */
export const annotate = (user: Kubectl, name: string, hash: string) =>
  user.patch(name, { metadata: { annotations: { [annotation]: hash } } });

/** Approves what the object shows. */
export async function approve(user: Kubectl, name: string): Promise<void> {
  const { plan } = (await user.get(name))?.status ?? {};
  await annotate(user, name, plan?.hash ?? '');
}

export function approval(world: World): void {
  const { a, b, broker, kafka, queues, runner } = world;

  /** An object with a topic that holds records. */
  async function withRecords(name: string, spec: object): Promise<void> {
    await a.apply(name, spec);
    await a.ready(name);
    await broker.produce(name, 3);
  }

  /** How often the product asks Kafka to change the topic, until nobody has anything left to do. */
  async function writesDuring(topic: string, during: () => Promise<unknown>): Promise<number> {
    await queues.drained();
    const before = world.kafkaWrites([topic], []);
    await during();
    await queues.drained();
    return world.kafkaWrites([topic], []) - before;
  }

  const overridesOf = async (name: string) => (await broker.shape(name)).overrides;

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

  test('K102: with Plan a creation and a harmless edit wait, the right hash runs exactly that, and with nothing to do it is Ready', async () => {
    const spec = { numPartitions: 2, config: { 'segment.ms': hour }, mode: 'Plan' };
    await a.apply('k102-approved', spec);
    const creation = await held(a, 'k102-approved');
    assert.deepEqual([linesOf(creation), creation.destructive], [['CreateTopic'], false]);
    await isSettled(world, a, 'k102-approved');
    assert.equal(await broker.exists('k102-approved'), false);
    await approve(a, 'k102-approved');
    assert.equal((await a.ready('k102-approved')).status?.plan, undefined);
    assert.equal(await broker.exists('k102-approved'), true);
    await leavesAlone(world, ['k102-approved'], async () => {
      await a.apply('k102-approved', { ...spec, numPartitions: 3, config: { 'segment.ms': day } });
      const edit = await held(a, 'k102-approved');
      assert.deepEqual(linesOf(edit), [`SetConfig segment.ms ${hour} ${day}`, 'AddPartitions numPartitions 2 3']);
      await queues.tick();
    });
    assert.equal(await writesDuring('k102-approved', () => approve(a, 'k102-approved')), 2);
    await a.ready('k102-approved');
    const { partitions, overrides } = await broker.shape('k102-approved');
    assert.deepEqual([partitions, overrides], [3, { 'segment.ms': day }]);
    await isSettled(world, a, 'k102-approved');
  });

  test('K103: with Plan a deletion waits too: approved it goes by the id, with Retain it is let go', async () => {
    for (const name of ['k103-approved', 'k103-retained']) {
      await a.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      const { status } = await a.ready(name);
      await a.apply(name, { numPartitions: 1, deletionPolicy: 'Delete', mode: 'Plan' });
      await a.ready(name);
      await a.delete(name);
      const plan = await held(a, name);
      assert.deepEqual(linesOf(plan), [`DeleteTopic topicId ${status?.topicId}`, 'RemoveFinalizer']);
      await isSettled(world, a, name);
    }
    await approve(a, 'k103-approved');
    await a.gone('k103-approved');
    await broker.vanished('k103-approved');
    await a.patch('k103-retained', { spec: { deletionPolicy: 'Retain' } });
    await a.gone('k103-retained');
    assert.equal(await broker.exists('k103-retained'), true);
  });

  test('K108: what is held with Plan: Observe shows it as drift and holds nothing, Enforce does the harmless part', async () => {
    await withRecords('k108', { numPartitions: 1 });
    const spec = { numPartitions: 1, config: { 'retention.ms': hour, 'segment.ms': day } };
    await a.apply('k108', { ...spec, mode: 'Plan' });
    assert.equal((await held(a, 'k108')).actions.length, 2);
    await leavesAlone(world, ['k108'], async () => {
      await a.apply('k108', { ...spec, mode: 'Observe' });
      const { status } = await a.says('k108', 'DriftDetected');
      assert.equal(status?.plan, undefined);
      const fields = status?.drift?.map(({ field }) => field).toSorted();
      assert.deepEqual(fields, ['config.retention.ms', 'config.segment.ms']);
      await queues.drained();
    });
    await a.apply('k108', { ...spec, mode: 'Plan' });
    await held(a, 'k108');
    await a.apply('k108', { ...spec, mode: 'Enforce' });
    assert.deepEqual(linesOf(await held(a, 'k108')), [`SetConfig retention.ms ${week} ${hour}`]);
    assert.deepEqual(await overridesOf('k108'), { 'segment.ms': day });
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

  /** Retention of a topic with records is to become shorter, which waits. */
  async function heldCut(name: string): Promise<Plan> {
    await withRecords(name, { numPartitions: 1, config: { 'retention.ms': day } });
    await a.apply(name, { numPartitions: 1, config: { 'retention.ms': hour } });
    return held(a, name);
  }

  test('K116: the right hash runs what was held, once, and within seconds of the last edit', async () => {
    await heldCut('k116');
    const begun = performance.now();
    const writes = await writesDuring('k116', async () => {
      await approve(a, 'k116');
      await a.ready('k116');
      assert.ok(performance.now() - begun < 5_000, 'the approval was noticed at once');
    });
    assert.equal(writes, 1);
    assert.deepEqual(await overridesOf('k116'), { 'retention.ms': hour });
    const { status, metadata } = (await a.get('k116')) as KafkaTopic;
    assert.deepEqual([status?.plan, status?.observedGeneration], [undefined, metadata.generation]);
    await isSettled(world, a, 'k116');
  });

  test('K117: a wrong, old, malformed or empty hash, or that of another object, runs nothing and is told the right one', async () => {
    const { hash: others } = await heldCut('k117-other');
    await heldCut('k117');
    await a.apply('k117', { numPartitions: 1, config: { 'retention.ms': '7200000' } });
    const old = (await a.get('k117'))?.status?.plan?.hash ?? '';
    await a.apply('k117', { numPartitions: 1, config: { 'retention.ms': hour } });
    const { hash } = await held(a, 'k117');
    assert.notEqual(old, hash);
    const wrong = { old, another: others, malformed: '<script>\nyes', wrong: '0123456789abcdef', none: 'yes' };
    await leavesAlone(world, ['k117'], async () => {
      for (const [what, given] of Object.entries(wrong)) {
        await annotate(a, 'k117', given);
        const object = await a.holds('k117', (seen) => /does not match/.test(messageOf(seen)));
        await queues.drained();
        assert.match(messageOf(object), new RegExp(`${annotation}=${hash} `), what);
        assert.doesNotMatch(messageOf(await a.get('k117')), /script|\n/);
        if (/^[0-9a-f]+$/.test(given)) assert.match(messageOf(await a.get('k117')), new RegExp(given));
      }
      await annotate(a, 'k117', '');
      await queues.drained();
      const object = await a.says('k117', 'ApprovalRequired');
      assert.match(messageOf(object), new RegExp(`${annotation}=${hash} `));
    });
    assert.deepEqual(await overridesOf('k117'), { 'retention.ms': day });
  });

  test('K118: an approval is void once the spec has changed', async () => {
    const { hash } = await heldCut('k118-spec');
    await leavesAlone(world, ['k118-spec'], async () => {
      await a.patch('k118-spec', {
        metadata: { annotations: { [annotation]: hash } },
        spec: { config: { 'retention.ms': '1000' } },
      });
      const plan = await held(a, 'k118-spec');
      assert.notEqual(plan.hash, hash);
      assert.match(messageOf(await a.get('k118-spec')), /does not match/);
      await queues.tick();
    });
  });

  test('K118: an approval is void once a fact of the plan has changed', async () => {
    const { hash } = await heldCut('k118-fact');
    await broker.setConfig('k118-fact', { 'retention.ms': week });
    await leavesAlone(world, ['k118-fact'], async () => {
      await annotate(a, 'k118-fact', hash);
      const object = await a.holds('k118-fact', (seen) => /does not match/.test(messageOf(seen)));
      assert.deepEqual(linesOf(object.status?.plan as Plan), [`SetConfig retention.ms ${week} ${hour}`]);
      assert.notEqual(object.status?.plan?.hash, hash);
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k118-fact'), { 'retention.ms': week });
  });

  test('K119, K121: records, ten ticks, a cold start and another order of keys leave object and hash as they are', async () => {
    await withRecords('k119', { numPartitions: 1, config: { 'retention.ms': day } });
    await a.apply('k119', { numPartitions: 2, config: { 'retention.ms': hour, 'segment.ms': day } });
    const { hash } = await held(a, 'k119');
    assert.deepEqual(await overridesOf('k119'), { 'retention.ms': day, 'segment.ms': day });
    assert.equal((await broker.shape('k119')).partitions, 2, 'the harmless part was done beside it');
    await queues.drained();
    const before = await a.get('k119');
    await leavesAlone(world, ['k119'], async () => {
      for (let tick = 0; tick < 9; tick++) {
        await broker.produce('k119', 2);
        await queues.tick();
      }
      await runner.stop();
      await runner.start();
      await queues.tick();
      assert.deepEqual(await a.get('k119'), before);
      // the API server counts it as a write
      const config = { 'segment.ms': day, 'retention.ms': hour };
      const { metadata } = await a.apply('k119', { config, numPartitions: 2 });
      await queues.tick();
      const after = (await a.get('k119')) as KafkaTopic;
      assert.deepEqual([after.metadata.resourceVersion, after.status], [metadata.resourceVersion, before?.status]);
      assert.equal(after.status?.plan?.hash, hash);
    });
  });

  test('K120: cut, restored and cut again: the approval in place is an old one', async () => {
    await heldCut('k120');
    await approve(a, 'k120');
    await a.ready('k120');
    await a.apply('k120', { numPartitions: 1, config: { 'retention.ms': day } });
    await a.ready('k120');
    await leavesAlone(world, ['k120'], async () => {
      await a.apply('k120', { numPartitions: 1, config: { 'retention.ms': hour } });
      await held(a, 'k120');
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k120'), { 'retention.ms': day });
  });

  test('K120: an object that is made anew with the approval of its predecessor has none', async () => {
    const { hash } = await heldCut('k120-git');
    await a.delete('k120-git');
    await a.gone('k120-git');
    await leavesAlone(world, ['k120-git'], async () => {
      await a.apply('k120-git', { numPartitions: 1, config: { 'retention.ms': hour } }, { [annotation]: hash });
      const plan = await held(a, 'k120-git');
      assert.notEqual(plan.hash, hash);
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k120-git'), { 'retention.ms': day });
  });

  test('K178: a topic with records that was there before is deleted by its id once that is approved', async () => {
    const id = await broker.create('k178-approved', 1);
    await broker.produce('k178-approved', 2);
    await a.apply('k178-approved', { numPartitions: 1, deletionPolicy: 'Delete' });
    assert.equal((await a.ready('k178-approved')).status?.origin, 'Adopted');
    await a.delete('k178-approved');
    assert.deepEqual(linesOf(await held(a, 'k178-approved')), [`DeleteTopic topicId ${id}`, 'RemoveFinalizer']);
    assert.deepEqual((await a.get('k178-approved'))?.metadata.finalizers, ['cache.example.com/topic']);
    await approve(a, 'k178-approved');
    await a.gone('k178-approved');
    await broker.vanished('k178-approved');
  });

  test('K178: a topic that was made for its object is deleted at once, records and all', async () => {
    await withRecords('k178-created', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.delete('k178-created');
    await a.gone('k178-created');
    await broker.vanished('k178-created');
  });

  test('K090: who lost a topic gets no hash to approve, and an approval gives it nothing', async () => {
    await a.apply('k090-approved', { numPartitions: 1 });
    await a.ready('k090-approved');
    await leavesAlone(world, ['k090-approved'], async () => {
      await b.apply('k090-approved', { numPartitions: 5 }, { [annotation]: '0123456789abcdef' });
      const { status } = await b.says('k090-approved', 'ResourceConflict');
      assert.equal(status?.plan, undefined);
    });
  });
}
