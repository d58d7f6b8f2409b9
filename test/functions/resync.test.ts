import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, type KubeClient } from '../../functions/adapters/kube/client.ts';
import { kubeResources } from '../../functions/adapters/kube/resources.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Sums, Tick } from '../../functions/core/request.ts';
import { reconcileHandler } from '../../functions/reconcile.ts';
import { resyncHandler } from '../../functions/resync.ts';
import { sums } from '../support/figures.ts';
import { context } from './batch-world.ts';
import { batchOf, request, tick, world } from './world.ts';

const nothingFailed = { batchItemFailures: [] };
const firstPage = { v: 1, tick: 'tick-1' } as const;
const names = (count: number) => Array.from({ length: count }, (_, index) => `t-${String(index).padStart(4, '0')}`);

/** A world whose objects have topics and say so. */
async function settledWorld(count: number) {
  const settled = world();
  for (const name of names(count)) settled.apply(name);
  await reconcileHandler(settled.runtime)(batchOf(names(count).map((name) => request(name))), context());
  settled.topics.calls.length = 0;
  Object.assign(settled.resources.writes, { status: 0, finalizer: 0 });
  const resync = (message: Tick, receives?: number) =>
    resyncHandler(settled.runtime)(batchOf([tick(message, receives)]), context());
  /** a whole tick, page by page */
  const resyncAll = async (message: Tick) => {
    await resync(message);
    for (let page = settled.ticks.shift(); page !== undefined; page = settled.ticks.shift()) await resync(page);
  };
  const sentNames = () => settled.sent.map(({ request: { name } }) => name).toSorted();
  return { ...settled, resync, resyncAll, sentNames };
}

type Summary = Omit<Sums, 'startedAt'> & { readonly tick: string; readonly inSync: number; readonly tookMs: number };

/** The summaries of ticks, without what the clock says. */
const summaries = ({ runtime }: Pick<ReturnType<typeof world>, 'runtime'>) =>
  runtime.log.info.mock.calls
    .map(({ arguments: [event, fields] }) => ({ event, ...(fields as Summary) }))
    .filter(({ event }) => event === 'resync')
    .map(({ tookMs, ...rest }) => ({ ...rest, took: tookMs >= 0 }));

describe('resync function', () => {
  test('a settled world is looked at once and nothing is sent or written', async () => {
    const { resync, topics, resources, sent, ticks } = await settledWorld(20);
    assert.deepEqual(await resync(firstPage), nothingFailed);
    assert.deepEqual([sent, ticks], [[], []]);
    assert.deepEqual(resources.writes, { status: 0, finalizer: 0 });
    assert.deepEqual(
      topics.calls.map(({ method }) => method),
      ['observe'],
    );
  });

  test('exactly what drifted is asked for, once per tick however often the tick comes', async () => {
    const { resync, topics, sent } = await settledWorld(5);
    const drifted = topics.topics.get('t-0003');
    assert.ok(drifted);
    topics.topics.delete('t-0003');
    assert.deepEqual(await resync(firstPage), nothingFailed);
    assert.deepEqual(await resync(firstPage), nothingFailed);
    assert.deepEqual(
      sent.map(({ request: { name, trigger, id }, topicName }) => ({ name, trigger, id, topicName })),
      Array(2).fill({ name: 't-0003', trigger: 'drift', id: 'tick-1', topicName: 't-0003' }),
    );
    assert.equal(sent[0]?.deduplicationId, sent[1]?.deduplicationId);
    await resync({ v: 1, tick: 'tick-2' });
    assert.notEqual(sent[2]?.deduplicationId, sent[0]?.deduplicationId);
  });

  test('a topic that cannot be read is left to the next tick', async () => {
    const { resync, topics, sent } = await settledWorld(3);
    const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
    topics.fault = () => ({ at: 'before', error: away });
    assert.deepEqual(await resync(firstPage), nothingFailed);
    assert.deepEqual(sent, []);
  });

  test('pages follow each other as messages until every object has been looked at', async () => {
    const { resync, ticks, sentNames, apply } = await settledWorld(0);
    for (const name of names(1_201)) apply(name);
    await resync(firstPage);
    for (let page = ticks.shift(); page !== undefined; page = ticks.shift()) {
      assert.equal(page.tick, 'tick-1');
      await resync(page);
    }
    assert.deepEqual(sentNames(), names(1_201));
  });

  test('a tick ends with one line that sums up its pages', async () => {
    const summed = await settledWorld(1_100);
    summed.topics.topics.delete('t-0003');
    summed.topics.topics.delete('t-1003');
    const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
    summed.topics.fault = () => ({ items: new Map([['t-0700', away]]) });
    await summed.resyncAll(firstPage);
    assert.deepEqual(summaries(summed), [
      {
        event: 'resync',
        tick: 'tick-1',
        pages: 3,
        lookedAt: 1_100,
        inSync: 1_097,
        enqueued: 2,
        skipped: 0,
        unread: 1,
        unlisted: 0,
        requests: 4, // this world counts what is sent to the queues
        took: true,
      },
    ]);
  });

  test('K160: a tick ends with how many selected objects are in each state, over all its pages', async () => {
    const { resyncAll, resync, apply, runtime, metricLog, resources, ticks } = await settledWorld(1_000);
    for (const name of names(7)) apply(`new-${name}`);
    const last = () => sums(metricLog.join(''), 'Objects');
    await resyncAll(firstPage);
    assert.deepEqual(last(), { 'Ready=True Reason=Synced': 1_000, 'Ready=Unknown Reason=Pending': 7 });
    metricLog.length = 0;
    await resync({ v: 1, tick: 'tick-2' });
    const [page] = ticks.splice(0);
    resources.expireTokens();
    await resyncAll(page as Tick);
    assert.deepEqual(last()['Ready=True Reason=Synced'], 1_000, 'a listing that starts again counts nobody twice');
    metricLog.length = 0;
    const nobody = { ...runtime.ports.installation, selects: () => false };
    Object.assign(runtime.ports, { installation: nobody });
    await resyncAll({ v: 1, tick: 'tick-3' });
    assert.deepEqual(last(), { 'Ready=True Reason=Synced': 0 });
  });

  test('K163: what a tick has found is in its figures, and a page before the last has none', async () => {
    const { resync, ticks, topics, metricLog } = await settledWorld(600);
    topics.topics.delete('t-0003');
    metricLog.length = 0;
    await resync(firstPage);
    assert.deepEqual(sums(metricLog.join(''), 'Ticks'), {});
    await resync(ticks[0] as Tick);
    const text = metricLog.join('');
    const figures = ['Ticks', 'TickLookedAt', 'DriftFound', 'TickSkipped', 'TickUnread', 'TickUnlisted'];
    assert.deepEqual(
      figures.map((name) => sums(text, name)['']),
      [1, 600, 1, 0, 0, 0],
    );
  });

  test('an expired page token starts the listing again at once', async () => {
    const { resync, resyncAll, resources, sentNames, ticks, apply } = await settledWorld(0);
    for (const name of names(600)) apply(name);
    await resync(firstPage);
    const [next] = ticks.splice(0);
    assert.ok(next);
    resources.expireTokens();
    await resyncAll(next);
    assert.deepEqual([...new Set(sentNames())], names(600));
  });

  test('K148: two ticks at once ask for the same objects, and each page is one message however often it is worked on', async () => {
    const { resync, ticks, sent, sentNames, apply } = await settledWorld(0);
    for (const name of names(600)) apply(name);
    for (const name of ['tick-1', 'tick-2', 'tick-1', 'tick-2']) await resync({ v: 1, tick: name });
    assert.deepEqual(
      ticks.map(({ tick, sums }) => `${tick} ${sums?.pages}`),
      ['tick-1 1', 'tick-2 1', 'tick-1 1', 'tick-2 1'],
    );
    for (const page of ticks.splice(0)) await resync(page);
    assert.deepEqual(new Set(sentNames()), new Set(names(600)));
    assert.equal(new Set(sent.map(({ deduplicationId }) => deduplicationId)).size, 2 * 600);
  });

  test('K146: drift goes as the queue has room for it, and what finds none is left to the next tick', async () => {
    const full = await settledWorld(0);
    for (const name of names(200)) full.apply(name);
    full.depths.splice(0, 1, 20, 45, 60, 50);
    assert.deepEqual(await full.resync(firstPage), nothingFailed);
    assert.equal(full.sent.length, 30 + 5);
    const [{ enqueued, skipped } = {}] = summaries(full);
    assert.deepEqual([enqueued, skipped], [35, 165]);
  });

  test('all drift goes in the end when the workers keep up', async () => {
    const { resync, sentNames, apply, runtime } = await settledWorld(0);
    for (const name of names(500)) apply(name);
    let pauses = 0;
    runtime.ports.pause = async () => void pauses++;
    await resync(firstPage);
    assert.deepEqual([sentNames(), pauses], [names(500), 9]);
  });

  test('a tick that has left something waits no more in its later pages', async () => {
    const { resync, ticks, apply, runtime, depths } = await settledWorld(0);
    for (const name of names(1_400)) apply(name);
    let pauses = 0;
    runtime.ports.pause = async () => void pauses++;
    depths[0] = 1_000;
    await resync(firstPage);
    assert.equal(pauses, 59);
    for (let page = ticks.shift(); page !== undefined; page = ticks.shift()) await resync(page);
    assert.equal(pauses, 59);
  });

  test('a few go however full the queue is, and others with each tick', async () => {
    const { resync, sent, sentNames, apply, depths } = await settledWorld(0);
    for (const name of names(200)) apply(name);
    depths[0] = 1_000;
    await resync(firstPage);
    assert.equal(sent.length, 10);
    for (let nth = 2; nth < 12; nth++) await resync({ v: 1, tick: `tick-${nth}` });
    assert.ok(new Set(sentNames()).size > 50, `${new Set(sentNames()).size}`);
  });

  test('the queue is not asked when there is nothing to send', async () => {
    const { resync, runtime } = await settledWorld(3);
    runtime.depth = () => assert.fail('asked');
    assert.deepEqual(await resync(firstPage), nothingFailed);
  });

  describe('a namespace that cannot be listed', () => {
    const denied = async () => {
      const made = await settledWorld(0);
      const object = (namespace: string) => ({ metadata: { namespace, name: 'orders', uid: namespace }, spec: {} });
      const request = async (_method: string, path: string) => {
        const [, namespace = ''] = /namespaces\/([^/]+)/.exec(path) ?? [];
        if (namespace === 'b') throw new ApiError(403, 'Forbidden', 'no');
        return { items: [object(namespace)], metadata: {} };
      };
      const client = { request } as Pick<KubeClient, 'request'> as KubeClient;
      Object.assign(made.runtime.ports, { resources: kubeResources(client, ['a', 'b', 'c']) });
      await made.resync(firstPage);
      const [page] = made.ticks.splice(0);
      assert.ok(page);
      return { ...made, page };
    };

    test('is tried again like any message', async () => {
      const { resync, ticks, hidden, page } = await denied();
      assert.deepEqual(await resync(page, 2), { batchItemFailures: [{ itemIdentifier: 'm0' }] });
      assert.deepEqual([ticks, hidden.length], [[], 1]);
    });

    test('is left out with the last try, and those behind it are looked at', async () => {
      const made = await denied();
      assert.deepEqual(await made.resync(made.page, 3), nothingFailed);
      const [next] = made.ticks.splice(0);
      assert.ok(next);
      await made.resync(next);
      assert.deepEqual(
        made.sent.map(({ request: { namespace } }) => namespace),
        ['a', 'c'],
      );
      const [{ lookedAt, unlisted, pages } = {}] = summaries(made);
      assert.deepEqual([lookedAt, unlisted, pages], [2, 1, 3]);
      assert.equal(made.runtime.log.error.mock.calls.at(-1)?.arguments[0], 'resync-unlisted');
    });
  });

  test('a tick that could list nothing at all ends with its last try, and says so', async () => {
    const away = await settledWorld(2);
    away.resources.fault = () => {
      throw new Failure('InternalError', 'the API server is away', { retryable: true });
    };
    assert.deepEqual(await away.resync(firstPage, 3), nothingFailed);
    const [{ lookedAt, unlisted } = {}] = summaries(away);
    assert.deepEqual([lookedAt, unlisted], [0, 1]);
  });

  for (const [what, breakIt] of Object.entries({
    'the objects cannot be listed': ({ resources }: ReturnType<typeof world>) => {
      resources.fault = () => {
        throw new Failure('InternalError', 'the API server is away', { retryable: true });
      };
    },
    'a name cannot be sent': ({ refused, apply }: ReturnType<typeof world>) => {
      apply('new');
      refused.by = new Failure('InternalError', 'the queue is away', { retryable: true });
    },
  }))
    test(`a tick comes back when ${what}`, async () => {
      const broken = await settledWorld(1);
      breakIt(broken);
      assert.deepEqual(await broken.resync(firstPage), { batchItemFailures: [{ itemIdentifier: 'm0' }] });
      assert.deepEqual(broken.ticks, []);
      assert.equal(broken.hidden.length, 1);
    });
});
