import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { createNamespace, deleteNamespace } from '../support/e2e/namespace.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

export function deletion(world: World): void {
  const { a, admin, broker, kafka, outage, queues, runner } = world;
  const spec = { numPartitions: 1 };

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
    for (let round = 0; round < 10; round++) {
      await a.apply('k074', { ...spec, deletionPolicy: 'Delete' });
      ids.add((await a.ready('k074')).status?.topicId ?? '');
      await broker.produce('k074', 1);
      await a.delete('k074');
      await a.gone('k074');
      await broker.vanished('k074');
    }
    assert.equal(ids.size, 10);
    const deletions = kafka.requests.filter(({ apiKey }) => apiKey === apiKeys.deleteTopics);
    const named = (id: string) => deletions.filter(({ body }) => body.includes(Buffer.from(id, 'base64url')));
    assert.deepEqual(new Set([...ids].map((id) => named(id).length)), new Set([1]));
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

  test('K076: a bound id that was changed by hand is not the id of the topic: nothing is deleted', async () => {
    await a.apply('k076-id', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k076-id');
    const before = await broker.shape('k076-id');
    await admin.patchStatus('k076-id', { topicId: Buffer.alloc(16, 7).toString('base64url') });
    await a.delete('k076-id');
    await a.gone('k076-id');
    assert.deepEqual(await broker.shape('k076-id'), before);
  });

  test('K078: an object that never came to have its topic goes, and the topic stays as it is', async () => {
    await broker.create('k078', 1, { 'segment.ms': '60000' });
    const before = await broker.shape('k078');
    await a.apply('k078', { ...spec, config: { 'segment.ms': 3600000 }, deletionPolicy: 'Delete' });
    await a.says('k078', 'ApprovalRequired');
    await leavesAlone(world, ['k078'], async () => {
      await a.delete('k078');
      await a.gone('k078');
    });
    assert.deepEqual(await broker.shape('k078'), before);
  });

  test('K081: with the brokers away a deletion waits, and is done when they are back', async () => {
    await a.apply('k081', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k081');
    await queues.drained();
    outage.begin();
    await a.delete('k081');
    const object = await a.holds('k081', (seen) => conditionOf(seen, 'Ready')?.reason === 'BrokerUnavailable');
    assert.deepEqual(object.metadata.finalizers, ['cache.example.com/topic']);
    outage.end();
    await a.gone('k081');
    await broker.vanished('k081');
  });

  test('K083: our finalizer, removed by hand, is there again after a tick', async () => {
    await a.apply('k083', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k083');
    await a.patch('k083', { metadata: { finalizers: null } });
    await queues.tick();
    assert.deepEqual((await a.get('k083'))?.metadata.finalizers, ['cache.example.com/topic']);
  });

  test('K083: without our finalizer an object that is being deleted goes, and the topic stays', async () => {
    await a.apply('k083-deleted', { ...spec, deletionPolicy: 'Delete' });
    await a.ready('k083-deleted');
    await a.patch('k083-deleted', { metadata: { finalizers: ['example.org/other', 'cache.example.com/topic'] } });
    await a.delete('k083-deleted');
    await a.patch('k083-deleted', { metadata: { finalizers: ['example.org/other'] } });
    await queues.tick();
    await a.patch('k083-deleted', { metadata: { finalizers: null } });
    await a.gone('k083-deleted');
    await queues.tick();
    assert.equal(await broker.exists('k083-deleted'), true);
  });

  test('K087: with nobody at work an object with Retain goes at once', async () => {
    await a.apply('k087', spec);
    await a.ready('k087');
    await queues.drained();
    await runner.stop();
    await a.delete('k087');
    assert.equal(await a.get('k087'), undefined);
    await runner.start();
    await queues.drained();
    assert.equal(await broker.exists('k087'), true);
  });

  test('K086: a namespace goes with a hundred objects in it, and each topic by its policy', async () => {
    const doomed = admin.in('doomed');
    await createNamespace(doomed);
    const policies = ['Retain', 'Delete'];
    const names = Array.from({ length: 100 }, (_, index) => `k086-${index}`);
    await Promise.all(names.map((name, at) => doomed.apply(name, { ...spec, deletionPolicy: policies[at % 2] })));
    for (const name of names) await doomed.ready(name);
    await deleteNamespace(doomed);
    doomed.close();
    const left = await Promise.all(names.map(async (name) => ((await broker.exists(name)) ? 'Retain' : 'Delete')));
    assert.deepEqual(
      left,
      names.map((_, at) => policies[at % 2]),
    );
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
