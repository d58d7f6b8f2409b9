import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

/** A failed message comes back after a minute at the latest, a quarter more by jitter. */
const longestBackoffMs = 90_000;

export function outage(world: World): void {
  const { a, broker, kafka, runner, queues } = world;

  test('K127, K156: without brokers, also at the start, objects say so once; with them again all is done', async () => {
    await a.apply('k127-before', { numPartitions: 1 });
    const { status } = await a.ready('k127-before');
    await queues.drained();
    await Promise.all([kafka.stop(), runner.stop()]);
    await runner.start();

    await a.apply('k127-new', { numPartitions: 2 });
    await a.apply('k127-before', { numPartitions: 3 });
    for (const name of ['k127-new', 'k127-before']) {
      const object = await a.says(name, 'BrokerUnavailable');
      assert.equal(conditionOf(object, 'Ready')?.status, 'Unknown');
      assert.equal(conditionOf(object, 'Reconciling')?.status, 'True');
    }
    const unread = await a.get('k127-before');
    assert.equal(unread?.status?.topicId, status?.topicId);

    await kafka.start();
    await queues.drained(longestBackoffMs);
    await Promise.all([a.ready('k127-new'), a.ready('k127-before')]);
    assert.deepEqual(
      [(await broker.shape('k127-new')).partitions, (await broker.shape('k127-before')).partitions],
      [2, 3],
    );
    assert.equal(await broker.id('k127-before'), status?.topicId);
    await isSettled(world, a, 'k127-new', 'k127-before');
  });
}
