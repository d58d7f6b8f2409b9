import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

export function naming(world: World): void {
  const { a, broker, kafka, queues } = world;

  test('K069: the name of a topic is never changed, removed or added', async () => {
    await a.apply('k069', { topicName: 'K069_topic', numPartitions: 1 });
    await a.apply('k069-unnamed', { numPartitions: 1 });
    await Promise.all([a.ready('k069'), a.ready('k069-unnamed')]);
    const rule = /spec\.topicName cannot be changed or removed/;
    assert.match(await a.refusal('k069', { topicName: 'K069_other', numPartitions: 1 }), rule);
    assert.match(await a.refusal('k069', { numPartitions: 1 }), rule);
    assert.match(await a.refusal('k069-unnamed', { topicName: 'K069_other', numPartitions: 1 }), /spec\.topicName/);
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

  test('K068: a topic name of 249 characters is one', async () => {
    const topicName = 'x'.repeat(249);
    await a.apply('k068', { topicName, numPartitions: 1 });
    await a.ready('k068');
    assert.equal(await broker.exists(topicName), true);
  });

  test('K068: an object name that is too long for a topic needs a topicName', async () => {
    const name = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(62)).join('.');
    assert.equal(name.length, 251);
    assert.match(await a.refusal(name, { numPartitions: 1 }), /249/);
    await a.apply(name, { topicName: 'k068-long', numPartitions: 1 });
    await a.ready(name);
    assert.equal(await broker.exists('k068-long'), true);
  });

  test('K071: of two new names that differ in . and _ only one is made, and they never share a request', async () => {
    await Promise.all([
      a.apply('k071-dot', { topicName: 'k071.pair', numPartitions: 1 }),
      a.apply('k071-line', { topicName: 'k071_pair', numPartitions: 1 }),
    ]);
    const reasons = [];
    for (const name of ['k071-dot', 'k071-line']) {
      const object = await a.holds(name, ({ metadata, status }) => status?.observedGeneration === metadata.generation);
      const { reason, message = '' } = conditionOf(object, 'Ready') ?? {};
      reasons.push(reason);
      if (reason === 'InvalidTopicName') assert.match(message, /k071[._]pair.*k071[._]pair/);
    }
    assert.deepEqual(reasons.toSorted(), ['InvalidTopicName', 'Synced']);
    assert.equal([await broker.exists('k071.pair'), await broker.exists('k071_pair')].filter(Boolean).length, 1);
    const creations = kafka.requests.filter(({ apiKey }) => apiKey === apiKeys.createTopics);
    assert.ok(!creations.some(({ body }) => body.includes('k071.pair') && body.includes('k071_pair')));
  });

  test('K072: a new name like those of Kafka itself is not made either', async () => {
    await leavesAlone(world, ['__k072'], async () => {
      await a.apply('k072-new', { topicName: '__k072', numPartitions: 1 });
      await a.says('k072-new', 'InternalTopic');
      await a.apply('k072-new', { topicName: '__k072', numPartitions: 2, config: { 'segment.ms': 3600000 } });
      await a.says('k072-new', 'InternalTopic');
    });
    assert.equal(await broker.exists('__k072'), false);
  });
}
