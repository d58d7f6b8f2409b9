/** One tenant wants the topic of another: in every spelling, with every trick that its own rights allow, and some more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function tenants(world: World): void {
  const { a, b, admin, broker, queues } = world;

  const claims = [
    { how: 'by spec.topicName', name: 't122-claim', spec: { topicName: 't122' } },
    { how: 'by metadata.name', name: 't122', spec: {} },
  ];
  for (const { how, name, spec } of claims)
    test(`T122: whoever claims a topic that has an owner, ${how}, is told so; neither its edits nor its deletion change anything`, async () => {
      await a.apply('t122', { numPartitions: 2, config: { 'segment.ms': 3600000 } });
      await a.ready('t122');
      const before = await broker.shape('t122');
      const wanted = { ...spec, numPartitions: 2, deletionPolicy: 'Delete' };
      await b.apply(name, wanted);
      const loser = await b.says(name, 'ResourceConflict');
      assert.match(conditionOf(loser, 'Ready')?.message ?? '', /of-tenant-a\/t122/);
      await b.apply(name, { ...wanted, numPartitions: 9, config: { 'segment.ms': 60000 } });
      await b.says(name, 'ResourceConflict');
      await queues.tick();
      await b.delete(name);
      await b.gone(name);
      assert.deepEqual(await broker.shape('t122'), before);
      await isSettled(world, a, 't122');
    });

  const twins = [
    { how: 'another case', topicName: 'T122' },
    { how: 'a dot behind it', topicName: 't122.' },
  ];
  for (const { how, topicName } of twins)
    test(`T122: ${how} is another topic to Kafka, and leaves the first alone`, async () => {
      const before = await broker.shape('t122');
      await b.apply('t122-twin', { topicName, numPartitions: 1, deletionPolicy: 'Delete' });
      await b.ready('t122-twin');
      assert.notEqual(await broker.id(topicName), before.id);
      await b.delete('t122-twin');
      await b.gone('t122-twin');
      assert.deepEqual(await broker.shape('t122'), before);
    });

  const refused = [
    { how: 'a letter that looks alike', topicName: 't122\u0435' },
    { how: 'a letter that cannot be seen', topicName: 't122\u200b' },
    { how: 'letters of full width', topicName: '\uff54122' },
  ];
  for (const { how, topicName } of refused)
    test(`T122: ${how} is refused`, async () => {
      assert.match(await b.refusal('t122-alike', { topicName }), /a-z A-Z 0-9/);
    });

  test('T123: a loser with our finalizer, Delete and a forged status about the live topic goes, and the topic stays', async () => {
    await a.apply('t123', { numPartitions: 1 });
    const { status } = await a.ready('t123');
    await broker.produce('t123', 3);
    const before = await broker.shape('t123');
    await b.apply('t123', { numPartitions: 1, deletionPolicy: 'Delete' });
    await b.says('t123', 'ResourceConflict');
    await b.patch('t123', { metadata: { finalizers: ['cache.example.com/topic'] } });
    // more than a tenant may do
    await admin.in(b.namespace).patchStatus('t123', { topicId: status?.topicId, clusterId: status?.clusterId });
    await b.delete('t123');
    await b.gone('t123');
    assert.deepEqual(await broker.shape('t123'), before);
    await isSettled(world, a, 't123');
  });
}
