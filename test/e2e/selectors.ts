/** An installation for the objects with certain labels: `team in (moves, a), !legacy`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaTopic } from '../support/e2e/kubectl.ts';
import { asksNothing, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { eventually } from '../support/kafka/eventually.ts';

const selected = { team: 'a', tier: 'gold' };
const spec = { numPartitions: 1, replicationFactor: 1, deletionPolicy: 'Delete' };
const finalizers = ['cache.example.com/topic'];

export function selectors(world: World): void {
  const { a, admin, broker, queues, requests } = world;

  const others = [{}, { team: 'b' }, { tier: 'gold' }, { ...selected, legacy: 'yes' }];
  test('K136: objects without the labels get neither topic nor status nor finalizer, those with them and more do', async () => {
    const names = others.map((_, at) => `k136-${at}`);
    await asksNothing(world, names, async () => {
      for (const [at, name] of names.entries()) await a.apply(name, spec, {}, others[at]);
      await queues.tick();
    });
    for (const name of names) {
      const { status, metadata } = (await a.get(name)) as KafkaTopic;
      assert.deepEqual([status, metadata.finalizers, await broker.exists(name)], [undefined, undefined, false]);
    }
    await a.apply('k136-selected', spec, {}, selected);
    assert.deepEqual((await a.ready('k136-selected')).metadata.finalizers, finalizers);
    await eventually(async () => assert.equal(await broker.exists('k136-selected'), true));
  });

  test('K137: an object that loses the labels is let go with its topic, and goes at once when it is deleted', async () => {
    await a.apply('k137', { ...spec, config: { 'segment.ms': 3600000 } }, {}, selected);
    await a.ready('k137');
    await asksNothing(world, ['k137'], async () => {
      await a.apply('k137', { ...spec, numPartitions: 5 }, {}, { tier: 'gold' });
      await queues.tick();
      await a.holds('k137', ({ metadata }) => metadata.finalizers === undefined);
      await queues.tick();
      await a.delete('k137');
      assert.equal(await a.get('k137'), undefined);
      await queues.tick();
    });
    assert.equal(await broker.exists('k137'), true);
  });

  test('K137: an object that loses the labels while its deletion waits goes, and its topic stays', async () => {
    await a.apply('k137-waits', { ...spec, mode: 'Enforce' }, {}, selected);
    await a.ready('k137-waits');
    await a.apply('k137-waits', { ...spec, mode: 'Paused' }, {}, selected);
    await a.says('k137-waits', 'Paused');
    await a.delete('k137-waits');
    await a.patch('k137-waits', { metadata: { labels: { team: null } } });
    await queues.tick();
    await a.gone('k137-waits');
    assert.equal(await broker.exists('k137-waits'), true);
  });

  test('K138: an object that gains the labels is managed within a tick, by the rules of adoption', async () => {
    for (const name of ['k138-equal', 'k138-differs']) await broker.createOn(name, [1]);
    await a.apply('k138-new', spec);
    await a.apply('k138-equal', spec);
    await a.apply('k138-differs', { ...spec, numPartitions: 3 });
    await queues.tick();
    for (const name of ['k138-new', 'k138-equal', 'k138-differs'])
      await a.patch(name, { metadata: { labels: selected } });
    await queues.tick();
    assert.equal((await a.ready('k138-new')).status?.origin, 'Created');
    assert.equal((await a.ready('k138-equal')).status?.origin, 'Adopted');
    assert.equal((await a.says('k138-differs', 'ApprovalRequired')).status?.topicId, undefined);
  });

  test('K140: a forged message for an object that is not selected costs one look at it, and names elsewhere are not followed', async () => {
    const annotations = {
      'cache.example.com/namespace': 'default',
      secret: 'kube-system/admin',
      cluster: 'other:9092',
    };
    await a.apply('k140-other', spec, annotations, { team: 'b', namespace: 'default' });
    await queues.drained();
    const before = (await requests(a.namespace, 'k140-other')).length;
    const message = { v: 1, namespace: a.namespace, name: 'k140-other', trigger: 'manual', id: '1' };
    await asksNothing(world, ['k140-other'], async () => {
      await queues.request(JSON.stringify(message));
      await queues.drained();
    });
    assert.deepEqual((await requests(a.namespace, 'k140-other')).slice(before), ['get']);
    const calls = await world.apiCalls();
    await leavesAlone(world, ['k140'], async () => {
      await a.apply('k140', { ...spec, mode: 'Observe' }, annotations, { ...selected, namespace: 'kube-system' });
      await a.says('k140', 'DriftDetected');
    });
    const since = (await world.apiCalls()).slice(calls.length);
    const elsewhere = since.filter(({ namespace }) => namespace !== undefined && namespace !== a.namespace);
    assert.deepEqual(
      elsewhere.filter(({ namespace }) => namespace !== admin.in('of-tenant-b').namespace),
      [],
    );
  });
}
