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

  test('K073: with Retain the topic and its records outlive the object', async () => {
    await a.apply('k073', spec);
    await a.ready('k073');
    await broker.produce('k073', 3);
    const before = await broker.shape('k073');
    await a.delete('k073');
    await a.gone('k073');
    await queues.tick();
    assert.deepEqual(await broker.shape('k073'), before);
    assert.deepEqual(await broker.consume('k073', 3), ['record 0', 'record 1', 'record 2']);
  });

  test('K074: with Delete the topic goes with the object, and each time another one is made', async () => {
    const ids = new Set<string>();
    for (let round = 0; round < 3; round++) {
      await a.apply('k074', { ...spec, deletionPolicy: 'Delete' });
      ids.add((await a.ready('k074')).status?.topicId ?? '');
      await broker.produce('k074', 1);
      await a.delete('k074');
      await a.gone('k074');
      await broker.vanished('k074');
    }
    assert.equal(ids.size, 3);
  });

  test('K075: an object whose topic is gone already goes too', async () => {
    await a.apply('k075', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k075');
    await broker.delete('k075');
    await a.delete('k075');
    await a.gone('k075');
  });

  test('K076: a topic with another id under the same name is left alone', async () => {
    await a.apply('k076', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k076');
    await broker.delete('k076');
    await broker.create('k076', 1);
    await broker.produce('k076', 2);
    const before = await broker.shape('k076');
    await a.delete('k076');
    await a.gone('k076');
    assert.deepEqual(await broker.shape('k076'), before);
  });

  test('K080, K178: a topic with records that was there before is kept; Retain lets the object go', async () => {
    await broker.create('k178', 1);
    await a.apply('k178', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k178');
    await broker.produce('k178', 2);
    await a.delete('k178');
    await a.holds('k178', (object) => conditionOf(object, 'Stalled')?.reason === 'ApprovalRequired');
    await isSettled(world, a, 'k178');
    await a.apply('k178', { ...spec, deletionPolicy: 'Retain' });
    await a.gone('k178');
    assert.deepEqual((await broker.shape('k178')).offsets, ['0: 0-2']);
  });

  test('K178: an empty topic that was there before is deleted', async () => {
    await broker.create('k178-empty', 1);
    await a.apply('k178-empty', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k178-empty');
    await a.delete('k178-empty');
    await a.gone('k178-empty');
    await broker.vanished('k178-empty');
  });

  test('K084: the topic stays for as long as somebody else holds the object', async () => {
    await a.apply('k084', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k084');
    await a.patch('k084', { metadata: { finalizers: ['example.org/other', 'cache.example.com/topic'] } });
    await a.delete('k084');
    await isSettled(world, a, 'k084');
    assert.equal(await broker.exists('k084'), true);
    await a.patch('k084', { metadata: { finalizers: ['cache.example.com/topic'] } });
    await queues.tick();
    await a.gone('k084');
    await broker.vanished('k084');
  });
}
