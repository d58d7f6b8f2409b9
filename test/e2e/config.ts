import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

export function config(world: World): void {
  const { a, broker, kafka, queues } = world;

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
    const sent = kafka.requests.length;
    const changed = await overridesAfter({ 'segment.ms': 7200000, 'segment.bytes': 2000000 });
    assert.deepEqual(changed, { ...foreign, 'segment.ms': '7200000', 'segment.bytes': '2000000' });
    const alterations = kafka.requests.slice(sent).filter(({ apiKey }) => apiKey === apiKeys.incrementalAlterConfigs);
    assert.deepEqual(
      alterations.map(({ body }) => [body.includes('segment.ms'), body.includes('segment.bytes')]),
      [[true, false]],
    );
    const reset = await overridesAfter({ 'segment.bytes': 2000000 });
    assert.deepEqual(reset, { ...foreign, 'segment.bytes': '2000000' });
    await isSettled(world, a, 'k046');
  });

  test('K055: a reset that may shorten the retention of records waits', async () => {
    await a.apply('k055', { numPartitions: 1, config: { 'retention.ms': 2592000000 } });
    await a.ready('k055');
    await broker.produce('k055', 1);
    await a.apply('k055', { numPartitions: 1 });
    const object = await a.says('k055', 'ApprovalRequired');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /retention\.ms/);
    assert.deepEqual((await broker.shape('k055')).overrides, { 'retention.ms': '2592000000' });
  });

  test('K060: a key that kubectl has dropped, as it does with null, is reset', async () => {
    await a.apply('k060', { numPartitions: 1, config: { 'segment.ms': 3600000, 'segment.bytes': 2000000 } });
    await a.ready('k060');
    await a.patch('k060', { spec: { config: { 'segment.ms': null } } });
    await a.ready('k060');
    assert.deepEqual((await broker.shape('k060')).overrides, { 'segment.bytes': '2000000' });
  });

  test('K062: throttles that others have set stay beside a Merge object too', async () => {
    await a.apply('k062', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await a.ready('k062');
    const theirs = {
      'segment.ms': '3600000',
      'leader.replication.throttled.replicas': '0:1',
      'follower.replication.throttled.replicas': '*',
    };
    await broker.setConfig('k062', theirs);
    await isSettled(world, a, 'k062');
    assert.deepEqual((await broker.shape('k062')).overrides, theirs);
  });

  test('K063: throttles that are listed are applied', async () => {
    const throttles = { 'leader.replication.throttled.replicas': '0:1' };
    await a.apply('k063', { numPartitions: 1, config: throttles });
    await a.ready('k063');
    assert.deepEqual((await broker.shape('k063')).overrides, throttles);
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

  const typed = [
    { text: '6.048e8', stored: '604800000' },
    { text: '1.8e+06', stored: '1800000' },
    { text: '604800000', stored: '604800000' },
    { text: '"9223372036854775807"', stored: '9223372036854775807' },
  ];
  for (const [index, { text, stored }] of typed.entries())
    test(`K047, K049: ${text} in a manifest reaches the broker as ${stored}`, async () => {
      await a.applyText(`k049-${index}`, `{numPartitions: 1, config: {flush.ms: ${text}}}`);
      await a.ready(`k049-${index}`);
      assert.deepEqual((await broker.shape(`k049-${index}`)).overrides, { 'flush.ms': stored });
    });

  test('K048: a number in a manifest that would lose digits is refused, with the advice to quote it', async () => {
    const refusal = await a.applyText('k048', '{config: {flush.ms: 9223372036854775807}}').then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    assert.match(refusal, /flush\.ms.*quote it/);
  });

  test('K053: a listed value that equals the inherited one is set once', async () => {
    await broker.create('k053', 1);
    await a.apply('k053', { numPartitions: 1 });
    await a.ready('k053');
    await a.apply('k053', { numPartitions: 1, config: { 'segment.bytes': 1073741824 } });
    await a.ready('k053');
    assert.deepEqual((await broker.shape('k053')).overrides, { 'segment.bytes': '1073741824' });
    await isSettled(world, a, 'k053');
  });

  test('K054: another default of the brokers is no drift, neither of Merge nor of Exact', async () => {
    const specs = { 'k054-merge': 'Merge', 'k054-exact': 'Exact' };
    for (const [name, configMode] of Object.entries(specs))
      await a.apply(name, { numPartitions: 1, configMode, config: { 'segment.ms': 3600000 } });
    for (const name of Object.keys(specs)) await a.ready(name);
    await broker.setDefaults({ 'log.segment.bytes': '500000000', 'log.flush.interval.messages': '1000' });
    await isSettled(world, a, ...Object.keys(specs));
    await broker.setDefaults({});
  });

  test('K058: foreign keys become differences with Exact, and cease to be with Merge', async () => {
    const spec = { numPartitions: 1, config: { 'segment.ms': 3600000 } };
    await a.apply('k058', spec);
    await a.ready('k058');
    await broker.produce('k058', 1);
    const all = { 'segment.ms': '3600000', 'max.message.bytes': '2000000', 'retention.ms': '2592000000' };
    await broker.setConfig('k058', all);
    await a.apply('k058', { ...spec, configMode: 'Exact' });
    const held = await a.says('k058', 'ApprovalRequired');
    assert.match(conditionOf(held, 'Ready')?.message ?? '', /retention\.ms/);
    const { 'max.message.bytes': _, ...left } = all;
    assert.deepEqual((await broker.shape('k058')).overrides, left);
    await a.apply('k058', { ...spec, configMode: 'Merge' });
    const { status } = await a.ready('k058');
    assert.deepEqual(status?.config, { 'segment.ms': '3600000' });
    await isSettled(world, a, 'k058');
    assert.deepEqual((await broker.shape('k058')).overrides, left);
  });

  test('K059: an ignored key is left alone by Exact too, and set again once it is listed again', async () => {
    const listed = { numPartitions: 1, configMode: 'Exact', config: { 'segment.ms': 3600000 } };
    const ignored = { numPartitions: 1, configMode: 'Exact', ignoredConfigs: ['segment.ms'] };
    await a.apply('k059-exact', listed);
    await a.ready('k059-exact');
    await broker.setConfig('k059-exact', { 'segment.ms': '60000' });
    await a.apply('k059-exact', ignored);
    await a.ready('k059-exact');
    await isSettled(world, a, 'k059-exact');
    assert.deepEqual((await broker.shape('k059-exact')).overrides, { 'segment.ms': '60000' });
    await a.apply('k059-exact', listed);
    await a.ready('k059-exact');
    assert.deepEqual((await broker.shape('k059-exact')).overrides, { 'segment.ms': '3600000' });
  });

  test('K145: A to B to A: each of the edits reaches the broker', async () => {
    for (const value of [3600000, 7200000, 3600000]) {
      await a.apply('k145', { numPartitions: 1, config: { 'segment.ms': value } });
      await a.ready('k145');
      assert.deepEqual((await broker.shape('k145')).overrides, { 'segment.ms': String(value) });
    }
    for (const at of ['first', 'second']) {
      await a.patch('k145', { metadata: { annotations: { 'cache.example.com/reconcile-requested-at': at } } });
      await a.holds('k145', ({ status }) => status?.lastHandledReconcileAt === at);
    }
    for (const value of ['60000', '70000']) {
      await broker.setConfig('k145', { 'segment.ms': value });
      await queues.tick();
      assert.deepEqual((await broker.shape('k145')).overrides, { 'segment.ms': '3600000' });
    }
  });
}
