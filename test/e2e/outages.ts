import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function outages(world: World): void {
  const { a, broker, outage, requests, runner, queues } = world;

  test('K127, K156: without brokers, also at the start, objects say so once; with them again all is done', async () => {
    await a.apply('k127-before', { numPartitions: 1 });
    const { status } = await a.ready('k127-before');
    await queues.drained();
    outage.begin();
    await runner.stop();
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

    outage.end();
    await Promise.all([a.ready('k127-new'), a.ready('k127-before')]);
    assert.deepEqual(
      [(await broker.shape('k127-new')).partitions, (await broker.shape('k127-before')).partitions],
      [2, 3],
    );
    assert.equal(await broker.id('k127-before'), status?.topicId);
    await isSettled(world, a, 'k127-new', 'k127-before');
    const written = (await requests(a.namespace, 'k127-new')).filter((request) => request === 'patch status');
    assert.equal(written.length, 2, 'once going down, once coming back');
  });
}
