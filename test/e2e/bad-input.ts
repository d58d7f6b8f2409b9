import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, type KafkaTopic } from '../support/e2e/kubectl.ts';
import { keepsStatus, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

const nameRule = /1 to 249 of the characters a-z A-Z 0-9 \. _ - and neither '\.' nor '\.\.'/;
const refused: readonly { reason: string; spec: unknown; says: RegExp }[] = [
  { reason: 'K068: the topic name .', spec: { topicName: '.' }, says: nameRule },
  { reason: 'K068: the topic name ..', spec: { topicName: '..' }, says: nameRule },
  { reason: 'K068: a topic name with a space', spec: { topicName: 'a b' }, says: nameRule },
  { reason: 'K068: braces as a topic name', spec: { topicName: '{}' }, says: nameRule },
  { reason: 'K068: a topic name that is not ASCII', spec: { topicName: 'größe' }, says: nameRule },
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
  {
    reason: 'K164: 0 replicas',
    spec: { replicationFactor: 0 },
    says: /spec\.replicationFactor.*greater than or equal to 1/,
  },
  { reason: 'K164: 32768 replicas', spec: { replicationFactor: 32_768 }, says: /spec\.replicationFactor.*32767/ },
  { reason: 'K164: an unknown mode', spec: { mode: 'Off' }, says: /"Enforce", "Observe", "Plan", "Paused"/ },
  {
    reason: 'K059: a key that is listed and ignored',
    spec: { config: { 'retention.ms': 1 }, ignoredConfigs: ['retention.ms'] },
    says: /keep it in one of them/,
  },
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
  const { a, broker } = world;

  for (const { reason, spec, says } of refused)
    test(`${reason} is refused with the rule`, async () => {
      assert.match(await a.refusal('refused', spec), says);
      assert.equal(await a.get('refused'), undefined);
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

  test('K167: annotations of 256 KiB are data like any other, and more is refused', async () => {
    const annotation = 'x'.repeat(255 * 1024);
    await a.apply('k167-annotated', { numPartitions: 1 }, { 'example.org/large': annotation });
    await a.ready('k167-annotated');
    await assert.rejects(
      a.apply('k167-more', { numPartitions: 1 }, { 'example.org/large': `${annotation}${annotation}` }),
    );
  });

  const reverted = [
    { edit: 'a smaller count', spec: { numPartitions: 1 }, says: 'PartitionsCannotShrink' },
    { edit: 'an unknown key', spec: { numPartitions: 2, config: { 'no.such.key': 1 } }, says: 'InvalidConfig' },
  ];
  for (const [index, { edit, spec, says }] of reverted.entries())
    test(`K168: ${edit}, refused and reverted, leaves topic and status exactly as before`, async () => {
      const name = `k168-${index}`;
      const good = { numPartitions: 2, config: { 'segment.ms': 3600000 } };
      await a.apply(name, good);
      const [before, shape] = [await a.ready(name), await broker.shape(name)];
      await a.apply(name, { ...good, ...spec });
      await a.says(name, says);
      await a.apply(name, good);
      const after = await a.ready(name);
      assert.deepEqual(withoutTimes(after), withoutTimes(before));
      assert.deepEqual(await broker.shape(name), shape);
    });

  test('K173: a topic too large for one request is refused, and does not take its neighbours down', async () => {
    await a.apply('k173', { numPartitions: 50_000 });
    await a.apply('k173-neighbour', { numPartitions: 1 });
    await a.says('k173', 'InvalidSpec');
    await a.ready('k173-neighbour');
    assert.equal(await broker.exists('k173'), false);
  });
}

/** The status but for what counts edits and has times. */
function withoutTimes({ status }: KafkaTopic): unknown {
  const { observedGeneration: _, conditions, ...rest } = status ?? { observedGeneration: 0, conditions: [] };
  return {
    ...rest,
    conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
  };
}
