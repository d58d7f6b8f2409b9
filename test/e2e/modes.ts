import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { asksNothing, isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

export function modes(world: World): void {
  const { a, broker, queues } = world;

  test('K099: an observer of a topic that is not there reports that, and makes none', async () => {
    await leavesAlone(world, ['k099'], async () => {
      await a.apply('k099', { numPartitions: 1, mode: 'Observe', deletionPolicy: 'Delete' });
      const { metadata, status } = await a.says('k099', 'DriftDetected');
      assert.equal(metadata.finalizers, undefined);
      const [{ field, observed } = {}] = status?.drift ?? [];
      assert.deepEqual([field, observed], ['topic', 'absent']);
    });
    await isSettled(world, a, 'k099');
  });

  test('K100: an observer reports what differs, since when, and changes nothing', async () => {
    await broker.create('k100', 2, { 'segment.ms': '60000' });
    await leavesAlone(world, ['k100'], async () => {
      await a.apply('k100', { numPartitions: 3, config: { 'segment.ms': 3600000 }, mode: 'Observe' });
      const { status } = await a.says('k100', 'DriftDetected');
      const drift = status?.drift?.map(({ field, desired, observed }) => ({ field, desired, observed }));
      assert.deepEqual(drift, [
        { field: 'numPartitions', desired: '3', observed: '2' },
        { field: 'config.segment.ms', desired: '3600000', observed: '60000' },
      ]);
    });
    await isSettled(world, a, 'k100');
    const since = (await a.get('k100'))?.status?.drift?.[1]?.since;
    await broker.setConfig('k100', { 'segment.ms': '70000' });
    await queues.tick();
    const [, still] = (await a.says('k100', 'DriftDetected')).status?.drift ?? [];
    assert.deepEqual([still?.observed, still?.since], ['70000', since]);
    await broker.grow('k100', 3);
    await broker.setConfig('k100', { 'segment.ms': '3600000' });
    await queues.tick();
    const { status } = await a.says('k100', 'Observed');
    assert.equal(status?.drift, undefined);
  });

  for (const deletionPolicy of ['Retain', 'Delete'])
    test(`K101: an observer with ${deletionPolicy} goes and the topic stays, also one that enforced before`, async () => {
      const name = `k101-${deletionPolicy.toLowerCase()}`;
      await a.apply(name, { numPartitions: 1, deletionPolicy });
      await a.ready(name);
      await a.apply(name, { numPartitions: 1, deletionPolicy, mode: 'Observe' });
      await a.says(name, 'Observed');
      await a.delete(name);
      await a.gone(name);
      await queues.tick();
      assert.equal(await broker.exists(name), true);
    });

  test('K104: while paused nothing is looked at; then only the newest spec counts', async () => {
    await asksNothing(world, ['k104'], async () => {
      await a.apply('k104', { numPartitions: 1, mode: 'Paused', deletionPolicy: 'Delete' });
      const paused = await a.says('k104', 'Paused');
      assert.equal(conditionOf(paused, 'Ready')?.status, 'Unknown');
      assert.equal(paused.metadata.finalizers, undefined);
      await isSettled(world, a, 'k104');
      await a.apply('k104', { numPartitions: 9, mode: 'Paused' });
      await a.says('k104', 'Paused');
    });
    assert.equal(await broker.exists('k104'), false);
    await a.apply('k104', { numPartitions: 2, mode: 'Enforce' });
    await a.ready('k104');
    assert.equal((await broker.shape('k104')).partitions, 2);
  });

  test('K105: a bound object that is paused keeps its binding, and its topic is not even looked at', async () => {
    await a.apply('k105', { numPartitions: 1 });
    const { status } = await a.ready('k105');
    await asksNothing(world, ['k105'], async () => {
      for (const numPartitions of [4, 5]) {
        await a.apply('k105', { numPartitions, mode: 'Paused' });
        const paused = await a.says('k105', 'Paused');
        const { topicId, topicName } = paused.status ?? {};
        assert.deepEqual([topicId, topicName], [status?.topicId, 'k105']);
        await queues.tick();
      }
    });
  });

  test('K106: a paused object with Delete waits, one with Retain goes', async () => {
    await a.apply('k106-delete', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.apply('k106-retain', { numPartitions: 1 });
    await Promise.all([a.ready('k106-delete'), a.ready('k106-retain')]);
    await a.apply('k106-delete', { numPartitions: 1, deletionPolicy: 'Delete', mode: 'Paused' });
    await a.apply('k106-retain', { numPartitions: 1, mode: 'Paused' });
    await Promise.all([a.says('k106-delete', 'Paused'), a.says('k106-retain', 'Paused')]);
    await Promise.all([a.delete('k106-delete'), a.delete('k106-retain')]);
    await a.gone('k106-retain');
    await a.holds('k106-delete', (object) => conditionOf(object, 'Stalled')?.reason === 'Paused');
    assert.deepEqual([await broker.exists('k106-delete'), await broker.exists('k106-retain')], [true, true]);
    await a.apply('k106-delete', { numPartitions: 1, deletionPolicy: 'Delete', mode: 'Enforce' });
    await a.gone('k106-delete');
    await broker.vanished('k106-delete');
  });

  const away = [
    { mode: 'Paused', again: true, says: 'IdentityChanged' },
    { mode: 'Paused', again: false, says: 'TopicMissing' },
    { mode: 'Observe', again: true, says: 'IdentityChanged' },
    { mode: 'Observe', again: false, says: 'TopicMissing' },
  ];
  for (const { mode, again, says } of away)
    test(`K107: a topic ${again ? 'made anew' : 'deleted'} during ${mode} is ${says}, and not replaced in silence`, async () => {
      const name = `k107-${mode.toLowerCase()}-${again ? 'again' : 'gone'}`;
      await a.apply(name, { numPartitions: 1 });
      const { status } = await a.ready(name);
      await a.apply(name, { numPartitions: 1, mode });
      await a.holds(name, (object) => object.status?.observedGeneration === object.metadata.generation);
      await broker.delete(name);
      if (again) await broker.create(name, 1);
      await queues.tick();
      await a.apply(name, { numPartitions: 1, mode: 'Enforce' });
      const object = await a.says(name, says);
      assert.equal(object.status?.topicId, status?.topicId);
      assert.equal(await broker.exists(name), again);
    });

  test('K102: mode Plan holds every action, creation too', async () => {
    await leavesAlone(world, ['k102'], async () => {
      await a.apply('k102', { numPartitions: 1, mode: 'Plan' });
      await a.says('k102', 'ApprovalRequired');
    });
    assert.equal(await broker.exists('k102'), false);
    await isSettled(world, a, 'k102');
  });
}
