import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { annotations, finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { Forwarder } from '../../functions/forwarder/run.ts';
import {
  FakeApi,
  FakeClock,
  FakeRequests,
  FakeTicks,
  interrupted,
  middle,
  ready,
  reconciling,
  silentLog,
} from './fakes.ts';

function world(options: { api?: FakeApi; other?: FakeApi; requests?: FakeRequests; probe?: () => Promise<void> } = {}) {
  const { api = new FakeApi(), other, requests = new FakeRequests(), probe = async () => {} } = options;
  const sources = new Map([['all namespaces', api]]);
  if (other !== undefined) sources.set('another namespace', other);
  const [ticks, clock] = [new FakeTicks(), new FakeClock()];
  const forwarder = new Forwarder({
    sources,
    selects: () => true,
    requests,
    ticks,
    probe,
    clock,
    random: middle,
    log: silentLog,
    resyncMs: 300_000,
  });
  return { api, requests, ticks, clock, forwarder };
}

/** A forwarder that has listed and watches, and whose first tick went out. */
async function started(options: Parameters<typeof world>[0] = {}) {
  const here = world(options);
  void here.forwarder.run();
  await here.clock.advance(10);
  return here;
}

const metric = async ({ metrics }: Forwarder, name: string): Promise<number> =>
  Number(new RegExp(`${name} (\\d+)`).exec(await metrics.text())?.[1]);

describe('forwarder', () => {
  test('the start sends one tick and no request, however many objects there are', async () => {
    const api = new FakeApi(100);
    for (let index = 0; index < 1_050; index++) api.apply(`t-${index}`);
    const { requests, ticks, forwarder } = await started({ api });
    assert.deepEqual([api.lists, requests.sent.length, ticks.sent.length], [11, 0, 1]);
    assert.equal(await metric(forwarder, 'objects'), 1_050);
    assert.deepEqual(forwarder.problems(), []);
  });

  test('a new object, an edit, a deletion and a control annotation are sent without time passing', async () => {
    const { api, requests, clock } = await started();
    const steps = [
      () => api.apply('orders', { topicName: 'shop.orders' }),
      () => api.apply('orders', { topicName: 'shop.orders' }),
      () => api.touch('orders', { metadata: { annotations: { [annotations.reconcileRequestedAt]: '1' } } }),
      () => api.touch('orders', { metadata: { annotations: { [annotations.approve]: 'hash' } } }),
      () => api.touch('orders', { metadata: { deletionTimestamp: 'now', finalizers: [finalizer] } }),
    ];
    for (const [index, step] of steps.entries()) {
      const { uid, resourceVersion } = step().metadata;
      await clock.advance(0);
      assert.equal(requests.sent.length, index + 1);
      assert.equal(requests.sent.at(-1)?.deduplicationId, `${uid}-${resourceVersion}`);
      assert.equal(requests.sent.at(-1)?.topicName, 'shop.orders');
    }
  });

  test('our own writes send nothing: status, finalizer', async () => {
    const { api, requests, clock } = await started();
    api.apply('orders');
    await clock.advance(0);
    api.touch('orders', { metadata: { finalizers: [finalizer] } });
    api.touch('orders', { status: ready });
    await clock.advance(60_000);
    assert.deepEqual(requests.namesSent, ['orders']);
  });

  test('an object that waits is asked for again until it no longer does', async () => {
    const { api, requests, clock } = await started();
    api.apply('orders');
    await clock.advance(0);
    api.touch('orders', { status: reconciling('Throttled') });
    await clock.advance(5_000);
    assert.equal(requests.sent.length, 3);
    api.touch('orders', { status: ready });
    await clock.advance(600_000);
    assert.equal(requests.sent.length, 3);
  });

  test('an object whose message comes back by itself is not asked for', async () => {
    const { api, requests, clock } = await started();
    api.apply('orders');
    await clock.advance(0);
    api.touch('orders', { status: reconciling('BrokerUnavailable') });
    await clock.advance(600_000);
    assert.deepEqual(requests.namesSent, ['orders']);
  });

  test('objects that wait at the start are asked for too', async () => {
    const api = new FakeApi();
    api.apply('orders');
    api.touch('orders', { status: reconciling('Throttled') });
    const { requests, clock } = await started({ api });
    await clock.advance(2_000);
    assert.deepEqual(requests.namesSent, ['orders']);
  });

  test('a deleted object is forgotten: nothing is sent for it, re-created it is a new one', async () => {
    const { api, requests, clock, forwarder } = await started();
    requests.hold();
    api.apply('first');
    api.apply('orders');
    await clock.advance(0);
    api.delete('orders');
    await clock.advance(0);
    requests.release();
    await clock.advance(0);
    assert.deepEqual(requests.namesSent, ['first']);
    assert.equal(await metric(forwarder, 'objects'), 1);
    api.apply('orders');
    await clock.advance(0);
    assert.deepEqual(requests.namesSent, ['first', 'orders']);
  });

  describe('watch', () => {
    test('a watch the server ends goes on from the last version, bookmarks included, without a list', async () => {
      const { api, requests, ticks, clock } = await started();
      api.apply('orders');
      await clock.advance(0);
      for (let round = 0; round < 120; round++) {
        await clock.advance(30_000);
        api.bookmark();
        await clock.advance(0);
        api.compact();
        api.endWatches();
      }
      api.apply('orders');
      await clock.advance(1_000);
      assert.deepEqual([api.lists, requests.sent.length], [1, 2]);
      assert.equal(ticks.sent.length, 1 + Math.floor(3_600 / 300));
    });

    test('a bookmark moves the version and sends nothing', async () => {
      const { api, requests, clock } = await started();
      api.bookmark();
      await clock.advance(0);
      assert.equal(requests.sent.length, 0);
    });

    test('edits made while the API server is away arrive when it is back', async () => {
      const { api, requests, clock, forwarder } = await started();
      api.away = true;
      api.endWatches(interrupted('lost'));
      api.apply('orders');
      await clock.advance(60_000);
      assert.match(forwarder.problems().join(), /watch of all namespaces: lost/);
      assert.equal(forwarder.stuck(), undefined);
      api.away = false;
      await clock.advance(10_000);
      assert.deepEqual([requests.namesSent, forwarder.problems(), api.lists], [['orders'], [], 1]);
    });

    for (const reason of ['expired', 'garbled', 'silent', 'missing', 'refused'] as const)
      test(`a watch that ended as ${reason} is followed by a list: what changed unseen is sent, with one tick`, async () => {
        const { api, requests, ticks, clock, forwarder } = await started();
        for (const name of ['same', 'edited', 'deleted', 'again']) api.apply(name);
        await clock.advance(20_000);
        const before = requests.sent.length;
        api.unseen(() => {
          api.apply('edited');
          api.delete('deleted');
          api.delete('again');
          api.apply('again');
          api.apply('new');
        });
        api.endWatches(interrupted(reason));
        await clock.advance(1_000);
        assert.deepEqual(requests.namesSent.slice(before).toSorted(), ['again', 'edited', 'new']);
        assert.deepEqual([api.lists, ticks.sent.length, await metric(forwarder, 'objects')], [2, 2, 4]);
        assert.match(await forwarder.metrics.text(), new RegExp(`watch_interruptions_total\\{reason="${reason}"\\} 1`));
      });

    for (const reason of ['lost', 'unauthenticated', 'forbidden', 'throttled'] as const)
      test(`a watch that is ${reason} is tried again from the same version, and is no reason to list`, async () => {
        const { api, requests, clock } = await started();
        api.watchErrors.push(...Array.from({ length: 5 }, () => interrupted(reason)));
        api.endWatches(interrupted(reason));
        api.apply('orders');
        await clock.advance(30_000);
        assert.deepEqual([api.lists, requests.namesSent], [1, ['orders']]);
      });

    test('an event that holds no object is garbled: counted, and followed by a list', async () => {
      const { api, clock, forwarder } = await started();
      api.inject({ type: 'MODIFIED', object: { metadata: { name: 'x' } } });
      await clock.advance(1_000);
      assert.equal(api.lists, 2);
      assert.match(await forwarder.metrics.text(), /watch_interruptions_total\{reason="garbled"\} 1/);
    });

    test('a page token that expires starts the list anew; nothing is lost or forgotten', async () => {
      const api = new FakeApi(2);
      for (const name of ['a', 'b', 'c', 'd', 'e']) api.apply(name);
      const { requests, clock, forwarder } = await started({ api });
      api.listErrors.push(interrupted('expired'));
      api.unseen(() => api.apply('e'));
      api.endWatches(interrupted('expired'));
      await clock.advance(5_000);
      assert.deepEqual([requests.namesSent, await metric(forwarder, 'objects')], [['e'], 5]);
    });

    test('a version that expires again and again makes no storm of lists', async () => {
      const { api, clock } = await started();
      api.watchErrors.push(...Array.from({ length: 1_000 }, () => interrupted('expired')));
      api.endWatches(interrupted('expired'));
      await clock.advance(600_000);
      assert.ok(api.lists < 40, `${api.lists} lists in ten minutes`);
    });

    test('readiness waits for the first list', async () => {
      const api = new FakeApi();
      api.away = true;
      const { clock, forwarder, ticks } = await started({ api });
      assert.match(forwarder.problems().join(), /watch of all namespaces: lost/);
      await clock.advance(60_000);
      assert.equal(ticks.sent.length, 0);
      api.away = false;
      await clock.advance(10_000);
      assert.deepEqual([forwarder.problems(), ticks.sent.length], [[], 1]);
    });

    test('a namespace that cannot be listed holds up no ticks, and has one of its own once it is', async () => {
      const other = new FakeApi();
      other.away = true;
      const { clock, ticks } = await started({ other });
      assert.equal(ticks.sent.length, 1);
      await clock.advance(900_000);
      assert.equal(ticks.sent.length, 4);
      other.away = false;
      await clock.advance(20_000);
      assert.equal(ticks.sent.length, 5);
    });
  });

  describe('queue', () => {
    test('a reconcile queue that cannot be reached at the start shows before the first edit', async () => {
      let away = true;
      const probe = async () => {
        if (away) throw new Failure('InternalError', 'The queue cannot be reached: ECONNREFUSED', { retryable: true });
      };
      const { clock, forwarder } = await started({ probe });
      assert.deepEqual(forwarder.problems(), ['reconcile queue: The queue cannot be reached: ECONNREFUSED']);
      away = false;
      await clock.advance(10_000);
      assert.deepEqual(forwarder.problems(), []);
    });

    test('edits made while the queue is away all arrive, each object once, and readiness says so meanwhile', async () => {
      const { api, requests, clock, forwarder } = await started();
      requests.away = true;
      for (let round = 0; round < 60; round++) {
        for (let index = 0; index < 50; index++) api.apply(`t-${index}`);
        await clock.advance(10_000);
      }
      assert.match(forwarder.problems().join(), /reconcile queue: .*cannot be reached/);
      assert.equal(await metric(forwarder, 'keys_waiting'), 50);
      requests.away = false;
      await clock.advance(10_000);
      assert.deepEqual([requests.sent.length, forwarder.problems()], [50, []]);
    });
  });

  describe('two at once', () => {
    test('both name a change alike, so the queue keeps one', async () => {
      const first = await started();
      const second = await started({ api: first.api, requests: first.requests });
      first.api.apply('orders');
      await first.clock.advance(0);
      await second.clock.advance(0);
      assert.equal(first.requests.sent.length, 2);
      assert.equal(new Set(first.requests.sent.map(({ deduplicationId }) => deduplicationId)).size, 1);
    });

    test('one that was stopped for minutes goes on with duplicates at most', async () => {
      const first = await started();
      const second = await started({ api: first.api });
      first.api.apply('orders');
      first.api.apply('orders');
      await first.clock.advance(300_000);
      await second.clock.advance(300_000);
      const ids = ({ requests }: typeof first) => requests.sent.map(({ deduplicationId }) => deduplicationId);
      assert.equal(ids(second).length, 2);
      assert.deepEqual(ids(second), ids(first));
    });
  });

  describe('stop', () => {
    test('what waits is sent, and nothing is watched any more', async () => {
      const { api, requests, forwarder } = await started();
      requests.hold();
      api.apply('first');
      api.apply('orders');
      await new Promise((resolve) => setImmediate(resolve));
      requests.release();
      assert.equal(await forwarder.stop(5_000), 0);
      assert.deepEqual(requests.namesSent, ['first', 'orders']);
      api.apply('later');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(requests.sent.length, 2);
    });

    test('it ends while API server and queue are away', async () => {
      const { api, requests, clock, forwarder } = await started();
      api.apply('orders');
      requests.away = true;
      await clock.advance(1_000);
      api.away = true;
      api.endWatches(interrupted('lost'));
      await clock.advance(1_000);
      const stopping = forwarder.stop(5_000);
      await clock.advance(5_000);
      assert.equal(await stopping, 1);
    });
  });

  test('a loop that does nothing at all for minutes is not alive', async () => {
    const { api, clock, forwarder } = await started();
    const bookmarks = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute++) {
        await clock.advance(60_000);
        api.bookmark();
        await clock.advance(0);
      }
    };
    await bookmarks(20);
    assert.equal(forwarder.stuck(), undefined);
    await clock.advance(301_000);
    assert.equal(forwarder.stuck(), 'the watch loop is stuck');
  });
});
