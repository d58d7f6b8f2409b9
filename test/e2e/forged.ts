/** Somebody writes into the queue who must not: what it costs, counted at the API server and at the brokers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf } from '../../functions/core/request.ts';
import { asksNothing, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

const request = (namespace: string, name: string, more: object = {}): string =>
  JSON.stringify({ v: 1, namespace, name, trigger: 'change', id: '1', ...more });

export function forged(world: World): void {
  const { a, b, queues } = world;

  /** What the reconcile function asks of the API server meanwhile. */
  async function callsDuring(work: () => Promise<void>) {
    await queues.drained();
    const before = (await world.apiCalls()).length;
    await work();
    await queues.drained();
    return (await world.apiCalls()).slice(before).filter(({ who }) => who === 'topicsmith-reconciler');
  }

  test('T134: a message for whatever is not there costs one read of the API server and none of the brokers', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `t134-never-${index}`);
    const namespaces = ['of-tenant-a', 'of-tenant-b', 'kube-system', 'no-such-namespace'];
    await a.apply('t134-deleted', { numPartitions: 1 });
    await a.ready('t134-deleted');
    await a.delete('t134-deleted');
    await a.gone('t134-deleted');
    const bodies = [
      ...names.map((name, index) => request(namespaces[index % namespaces.length] ?? '', name)),
      request('of-tenant-a', 't134-deleted', { trigger: 'replay' }),
    ];
    const calls = await callsDuring(() =>
      asksNothing(world, ['t134-never', 't134-deleted'], async () => {
        await Promise.all(bodies.map((body) => queues.request(body)));
        await queues.drained();
      }),
    );
    assert.deepEqual(new Set(calls.map(({ what }) => what)), new Set(['get']));
    const byName = Map.groupBy(calls, ({ namespace, name }) => `${namespace}/${name}`);
    assert.equal(byName.size, bodies.length);
    for (const [name, same] of byName) assert.equal(same.length, 1, name);
  });

  test('T134: a body that is not a request costs nothing at all, whatever it says, and ends among the dead letters', async () => {
    await a.apply('t134-there', { numPartitions: 1 });
    await a.ready('t134-there');
    const there = (more: object) => request('of-tenant-a', 't134-there', more);
    const bodies = [
      there({ v: 3 }),
      there({ v: '1' }),
      there({ spec: { numPartitions: 9 } }),
      there({ status: { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' } }),
      there({ id: 'x'.repeat(300) }),
      there({ name: 't134-there/status' }),
      there({ name: '../../../api/v1/namespaces/kube-system/secrets' }),
      there({ name: 't134-there?dryRun=All' }),
      there({ namespace: '__proto__' }),
      there({ namespace: ['of-tenant-a'] }),
      `{"__proto__":{"v":1},"namespace":"of-tenant-a","name":"t134-there","trigger":"change","id":"1"}`,
      `${there({})}${' '.repeat(250_000)}`,
      '{'.repeat(50_000),
      'null',
    ];
    const calls = await callsDuring(() =>
      asksNothing(world, ['t134-there'], async () => {
        await Promise.all(bodies.map((body) => queues.request(body, groupOf('t134-there'))));
        assert.deepEqual((await queues.deadLetters(bodies.length)).toSorted(), bodies.toSorted());
      }),
    );
    assert.deepEqual(calls, []);
  });

  test('T134: a message about an object that is as it should be reads and writes nothing, however often it is replayed', async () => {
    await a.apply('t134-settled', { numPartitions: 1, deletionPolicy: 'Delete' });
    const { metadata } = await a.ready('t134-settled');
    const calls = await callsDuring(() =>
      leavesAlone(world, ['t134-settled'], async () => {
        for (const trigger of ['change', 'drift', 'manual', 'replay'])
          for (const group of [groupOf('t134-settled'), 'of-nobody', groupOf('t134-there')])
            await queues.request(request('of-tenant-a', 't134-settled', { trigger }), group);
        await queues.drained();
      }),
    );
    assert.deepEqual(new Set(calls.map(({ what }) => what)), new Set(['get']));
    assert.equal((await a.get('t134-settled'))?.metadata.resourceVersion, metadata.resourceVersion);
  });

  test('T135: a flood of messages for one name is a look for each batch, and an edit elsewhere gets done', async () => {
    await a.apply('t135', { numPartitions: 1 });
    await a.ready('t135');
    const flood = 1_000; // of the 10,000, so that it is over in seconds
    const calls = await callsDuring(async () => {
      const message = { body: request('of-tenant-a', 't135'), group: groupOf('t135') };
      await queues.flood(Array.from({ length: flood }, () => message));
      await b.apply('t135-elsewhere', { numPartitions: 1 });
      await b.ready('t135-elsewhere');
    });
    const looks = calls.filter(({ name }) => name === 't135').length;
    // a batch of ten is one look
    assert.ok(looks > 0 && looks <= flood / 5, `${looks} looks for ${flood} messages`);
    const others = calls.filter(({ name }) => !name.startsWith('t135'));
    assert.deepEqual(others, []);
  });
}
