import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function identity(world: World): void {
  const { a, broker, queues } = world;
  const spec = { numPartitions: 1 };

  test('K114: a topic that vanished is reported and not made anew', async () => {
    await a.apply('k114', spec);
    const { status } = await a.ready('k114');
    await broker.delete('k114');
    await queues.tick();
    const object = await a.says('k114', 'TopicMissing');
    assert.equal(conditionOf(object, 'Ready')?.status, 'False');
    assert.equal(object.status?.topicId, status?.topicId);
    await isSettled(world, a, 'k114');
    assert.equal(await broker.exists('k114'), false);
  });

  test('K115: a topic that was made anew by somebody else is not touched', async () => {
    await a.apply('k115', { ...spec, config: { 'segment.ms': 3600000 } });
    const { status } = await a.ready('k115');
    await broker.delete('k115');
    const id = await broker.create('k115', 1);
    await queues.tick();
    const object = await a.says('k115', 'IdentityChanged');
    assert.equal(object.status?.topicId, status?.topicId);
    await isSettled(world, a, 'k115');
    const { overrides, id: live } = await broker.shape('k115');
    assert.deepEqual([live, overrides], [id, {}]);
  });
}
