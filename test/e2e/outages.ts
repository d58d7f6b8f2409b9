import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function outages(world: World): void {
  const { a, apiCalls, broker, outage, runner, queues } = world;

  test('K127, K156: without brokers, also at the start, objects say so once; with them again all is done', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `k127-${index}`);
    await Promise.all(names.map((name) => a.apply(name, { numPartitions: 1 })));
    const ids = new Map<string, string | undefined>();
    for (const name of names) ids.set(name, (await a.ready(name)).status?.topicId);
    await queues.drained();
    const writes = async () => (await apiCalls()).filter(({ what }) => what === 'patch status').map(({ name }) => name);
    const before = (await writes()).length;
    outage.begin();
    await runner.stop();
    await runner.start();

    const edited = [...names, 'k127-new'];
    await Promise.all(edited.map((name) => a.apply(name, { numPartitions: 2 })));
    for (const name of edited) {
      const object = await a.says(name, 'BrokerUnavailable');
      const ready = conditionOf(object, 'Ready');
      assert.deepEqual([ready?.status, conditionOf(object, 'Reconciling')?.status], ['Unknown', 'True']);
      assert.doesNotMatch(ready?.message ?? '', /\d/, 'no time, port or id');
      assert.equal(object.status?.topicId, ids.get(name));
    }
    outage.end();
    for (const name of edited) await a.ready(name);
    for (const name of names) assert.equal(await broker.id(name), ids.get(name));
    assert.equal((await broker.shape('k127-new')).partitions, 2);
    await isSettled(world, a, 'k127-new', 'k127-0');
    const written = (await writes()).slice(before).toSorted();
    assert.deepEqual(written, [...edited, ...edited].toSorted(), 'once going down, once coming back');
  });
}
