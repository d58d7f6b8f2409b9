import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import { reconcileHandler } from '../../functions/reconcile.ts';
import { resyncHandler } from '../../functions/resync.ts';
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
  return {
    ...settled,
    resync: (message: Parameters<typeof tick>[0]) =>
      resyncHandler(settled.runtime)(batchOf([tick(message)]), context()),
  };
}

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
    const { resync, sent, ticks, apply } = await settledWorld(0);
    for (const name of names(1_201)) apply(name);
    await resync(firstPage);
    for (let page = ticks.shift(); page !== undefined; page = ticks.shift()) {
      assert.equal(page.tick, 'tick-1');
      await resync(page);
    }
    assert.deepEqual(sent.map(({ request: { name } }) => name).toSorted(), names(1_201));
  });

  test('an expired page token starts the listing again at once', async () => {
    const { resync, resources, sent, ticks, apply } = await settledWorld(0);
    for (const name of names(600)) apply(name);
    await resync(firstPage);
    const [next] = ticks.splice(0);
    assert.ok(next);
    resources.expireTokens();
    assert.deepEqual(await resync(next), nothingFailed);
    const [last] = ticks;
    assert.ok(last);
    await resync(last);
    assert.deepEqual([...new Set(sent.map(({ request: { name } }) => name))].toSorted(), names(600));
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
