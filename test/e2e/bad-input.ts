import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, type Kubectl } from '../support/e2e/kubectl.ts';
import { keepsStatus, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

/** @returns what the user reads */
async function refusalOf(user: Kubectl, name: string, spec: unknown): Promise<string> {
  try {
    await user.apply(name, spec);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

const nameRule = /1 to 249 of the characters a-z A-Z 0-9 \. _ - and neither '\.' nor '\.\.'/;
const refused: readonly { reason: string; spec: unknown; says: RegExp }[] = [
  { reason: 'K068: the topic name .', spec: { topicName: '.' }, says: nameRule },
  { reason: 'K068: the topic name ..', spec: { topicName: '..' }, says: nameRule },
  { reason: 'K068: a topic name with a space', spec: { topicName: 'a b' }, says: nameRule },
  { reason: 'K068: an empty topic name', spec: { topicName: '' }, says: nameRule },
  { reason: 'K068: a topic name of 250 characters', spec: { topicName: 'x'.repeat(250) }, says: /249/ },
  { reason: 'K164: 0 partitions', spec: { numPartitions: 0 }, says: /spec\.numPartitions.*greater than or equal to 1/ },
  {
    reason: 'K164: -1 partitions',
    spec: { numPartitions: -1 },
    says: /spec\.numPartitions.*greater than or equal to 1/,
  },
  { reason: 'K164: 100001 partitions', spec: { numPartitions: 100_001 }, says: /spec\.numPartitions.*100000/ },
  { reason: 'K164: "5" partitions', spec: { numPartitions: '5' }, says: /spec\.numPartitions/ },
  { reason: 'K164: an unknown mode', spec: { mode: 'Off' }, says: /"Enforce", "Observe", "Plan", "Paused"/ },
  { reason: 'K165: an unknown field', spec: { partitions: 3 }, says: /spec\.partitions/ },
  { reason: 'K060: null as a config value', spec: { config: { 'retention.ms': null } }, says: /ignoredConfigs/ },
  { reason: 'K166: an object as a config value', spec: { config: { 'retention.ms': {} } }, says: /retention\.ms/ },
  {
    reason: 'K048: a number that loses digits on its way',
    spec: { config: { 'retention.ms': 2 ** 63 } },
    says: /quote it/,
  },
  {
    reason: 'K167: ten thousand config keys',
    spec: { config: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key.${index}`, '1'])) },
    says: /at most 100 items/,
  },
  {
    reason: 'K167: a value of a megabyte',
    spec: { config: { 'retention.ms': '1'.repeat(1_000_000) } },
    says: /larger/,
  },
];

export function badInput(world: World): void {
  const { a, broker, queues } = world;

  for (const { reason, spec, says } of refused)
    test(`${reason} is refused with the rule`, async () => {
      assert.match(await refusalOf(a, 'refused', spec), says);
      assert.equal(await a.get('refused'), undefined);
    });

  test('K069: the name of a topic is never changed, removed or added', async () => {
    await a.apply('k069', { topicName: 'K069_topic', numPartitions: 1 });
    await a.apply('k069-unnamed', { numPartitions: 1 });
    await Promise.all([a.ready('k069'), a.ready('k069-unnamed')]);
    const rule = /spec\.topicName cannot be changed or removed/;
    assert.match(await refusalOf(a, 'k069', { topicName: 'K069_other', numPartitions: 1 }), rule);
    assert.match(await refusalOf(a, 'k069', { numPartitions: 1 }), rule);
    assert.match(await refusalOf(a, 'k069-unnamed', { topicName: 'K069_other', numPartitions: 1 }), /spec\.topicName/);
    await a.apply('k069-unnamed', { topicName: 'k069-unnamed', numPartitions: 1 });
    await a.ready('k069-unnamed');
    assert.equal(await broker.exists('K069_other'), false);
  });

  test('K067: names that Kubernetes does not allow are topic names all the same', async () => {
    await a.apply('orders-v1', { numPartitions: 1 });
    await a.apply('orders', { topicName: 'Orders_V1', numPartitions: 1 });
    await Promise.all([a.ready('orders-v1'), a.ready('orders')]);
    assert.deepEqual([await broker.exists('Orders_V1'), await broker.exists('orders-v1')], [true, true]);
  });

  test('K071: a name that differs from an existing one in . and _ only is refused by the broker, who says why', async () => {
    await a.apply('k071.x', { numPartitions: 1 });
    await a.ready('k071.x');
    await a.apply('k071-rival', { topicName: 'k071_x', numPartitions: 1 });
    const object = await a.says('k071-rival', 'InvalidTopicName');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /k071\.x/);
    assert.equal(await broker.exists('k071_x'), false);
  });

  test('K072: topics of Kafka itself are left alone', async () => {
    await leavesAlone(world, ['__consumer_offsets'], async () => {
      await a.apply('k072', { topicName: '__consumer_offsets', numPartitions: 60, deletionPolicy: 'Delete' });
      await a.says('k072', 'InternalTopic');
      await a.delete('k072');
      await a.gone('k072');
      await queues.tick();
    });
  });

  test('K009: more replicas than brokers are refused in the words of the broker, neighbours are not held up', async () => {
    await a.apply('k009', { numPartitions: 1, replicationFactor: 3 });
    await a.apply('k009-neighbour', { numPartitions: 1, replicationFactor: 1 });
    const object = await a.says('k009', 'InvalidReplicationFactor');
    await a.ready('k009-neighbour');
    assert.equal(conditionOf(object, 'Stalled')?.status, 'True');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /3/);
    assert.equal(await broker.exists('k009'), false);
    await keepsStatus(world, a, 'k009');
    await a.apply('k009', { numPartitions: 1, replicationFactor: 1 });
    await a.ready('k009');
  });

  const invalidConfigs: readonly { reason: string; key: string; value: unknown }[] = [
    { reason: 'an unknown key', key: 'retention.msec', value: 1 },
    { reason: 'a value of another type', key: 'retention.ms', value: 'soon' },
    { reason: 'a value out of range', key: 'min.cleanable.dirty.ratio', value: 7 },
    { reason: 'a value in the wrong case', key: 'compression.type', value: 'LZ4' },
    { reason: 'a key that JavaScript has a meaning for', key: '__proto__', value: 'x' },
    { reason: 'another such key', key: 'constructor', value: 'x' },
  ];
  for (const [index, { reason, key, value }] of invalidConfigs.entries())
    test(`K052, K167: ${reason} in config is named, and no topic is made`, async () => {
      const name = `k052-new-${index}`;
      await a.apply(name, { numPartitions: 1, config: Object.fromEntries([[key, value]]) });
      const object = await a.says(name, 'InvalidConfig');
      assert.ok(conditionOf(object, 'Ready')?.message.includes(key));
      assert.equal(await broker.exists(name), false);
    });

  test('K167: a hundred unknown keys make one message of bounded length', async () => {
    const config = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${'k'.repeat(200)}.${index}`, '1']));
    await a.apply('k167', { numPartitions: 1 });
    await a.ready('k167');
    await a.apply('k167', { numPartitions: 1, config });
    const object = await a.says('k167', 'InvalidConfig');
    assert.ok((conditionOf(object, 'Ready')?.message.length ?? 0) <= 2_000);
    await keepsStatus(world, a, 'k167');
  });

  test('K011: more in-sync replicas than replicas are refused before Kafka is asked', async () => {
    await leavesAlone(world, ['k011'], async () => {
      await a.apply('k011', { numPartitions: 1, replicationFactor: 1, config: { 'min.insync.replicas': 2 } });
      const object = await a.says('k011', 'InvalidSpec');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /min\.insync\.replicas 2 .*replication factor 1/);
    });
  });

  test('K173: a topic too large for one request is refused, and does not take its neighbours down', async () => {
    await a.apply('k173', { numPartitions: 50_000 });
    await a.apply('k173-neighbour', { numPartitions: 1 });
    await a.says('k173', 'InvalidSpec');
    await a.ready('k173-neighbour');
    assert.equal(await broker.exists('k173'), false);
  });
}
