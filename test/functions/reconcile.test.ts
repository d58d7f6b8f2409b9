import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { createLogger } from '../../functions/adapters/log.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { handler as lambda, reconcileHandler } from '../../functions/reconcile.ts';
import { figuresIn, sums } from '../support/figures.ts';
import { context } from './batch-world.ts';
import { batchOf, request, world } from './world.ts';

const nothingFailed = { batchItemFailures: [] };
const failed = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const brokerAway = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });

describe('reconcile function', () => {
  test('names become topics, and their objects say so', async () => {
    const { runtime, topics, apply, conditions } = world();
    for (const name of ['orders', 'payments']) apply(name, { numPartitions: 3 });
    const answer = await reconcileHandler(runtime)(batchOf([request('orders'), request('payments')]), context(30_000));
    assert.deepEqual(answer, nothingFailed);
    assert.equal(topics.topics.get('orders')?.numPartitions, 3);
    assert.equal(topics.topics.get('payments')?.numPartitions, 3);
    assert.equal(conditions('orders'), 'Ready=True Synced');
  });

  test('a batch of ten names looks at the brokers once and creates in one request', async () => {
    const { runtime, topics, apply } = world();
    const names = Array.from({ length: 10 }, (_, index) => `t-${index}`);
    for (const name of names) apply(name);
    await reconcileHandler(runtime)(batchOf(names.map((name) => request(name))), context(30_000));
    assert.deepEqual(
      topics.calls.map(({ method, items }) => [method, items.length]),
      [
        ['observe', 10],
        ['create', 10],
      ],
    );
  });

  test('K162: 10,000 objects are the series of one, and an invocation is one line', async () => {
    const { runtime, apply, metricLog } = world();
    const handler = reconcileHandler(runtime);
    const work = async (names: readonly string[]) => {
      for (const name of names) apply(name);
      for (let from = 0; from < names.length; from += 100)
        await handler(batchOf(names.slice(from, from + 100).map((name) => request(name))), context(30_000));
      return new Set(figuresIn(metricLog.splice(0).join('')).keys());
    };
    const one = await work(['orders']);
    assert.deepEqual(await work(Array.from({ length: 10_000 }, (_, index) => `t-${index}`)), one);
    await work(['payments', 'clicks']);
    assert.equal(metricLog.length, 0);
    await handler(batchOf([request('payments'), request('clicks')]), context(30_000));
    assert.equal(metricLog.length, 1);
    assert.doesNotMatch(metricLog.join(''), /payments|clicks|shop/);
  });

  test('K161: a look that finds all in sync is counted, and applied nothing', async () => {
    const { runtime, apply, metricLog } = world();
    apply('orders');
    await reconcileHandler(runtime)(batchOf([request('orders')]), context(30_000));
    metricLog.length = 0;
    const info = mock.fn();
    const ports = { ...runtime.ports, log: { ...runtime.ports.log, info } };
    await reconcileHandler({ ...runtime, ports })(batchOf([request('orders')]), context(30_000));
    assert.deepEqual(
      info.mock.calls.map(({ arguments: [event] }) => event),
      ['outcome'],
    );
    assert.deepEqual(sums(metricLog.join(''), 'Passes'), { 'Trigger=change Outcome=Synced': 1 });
    assert.deepEqual(sums(metricLog.join(''), 'Changes'), {});
  });

  test('a message for an object that is gone is done', async () => {
    const { runtime } = world();
    assert.deepEqual(await reconcileHandler(runtime)(batchOf([request('gone')]), context(30_000)), nothingFailed);
  });

  test('a name that fails comes back later, its neighbour is done', async () => {
    const { runtime, topics, hidden, apply, conditions } = world();
    for (const name of ['orders', 'payments']) apply(name);
    topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['orders', brokerAway]]) } : undefined);
    const answer = await reconcileHandler(runtime)(
      batchOf([request('orders', 2), request('payments')]),
      context(30_000),
    );
    assert.deepEqual(answer, failed('m0'));
    assert.equal(hidden.length, 1);
    assert.equal(hidden[0]?.receiptHandle, 'r0');
    assert.equal(conditions('payments'), 'Ready=True Synced');
  });

  test('after a mutation without an answer the message stays hidden until it can no longer take effect', async () => {
    const { runtime, topics, hidden, apply } = world();
    apply('orders');
    const error = new Failure('BrokerUnavailable', 'no answer', { retryable: true, unanswered: true });
    topics.fault = ({ method }) => (method === 'create' ? { at: 'late', error } : undefined);
    assert.deepEqual(await reconcileHandler(runtime)(batchOf([request('orders')]), context(30_000)), failed('m0'));
    assert.ok((hidden[0]?.seconds ?? 0) >= 60, JSON.stringify(hidden));
  });

  test('on the last receive the object says that its message is given up', async () => {
    const { runtime, topics, apply, conditions } = world();
    apply('orders');
    topics.fault = () => ({ at: 'before', error: brokerAway });
    const answer = await reconcileHandler(runtime)(batchOf([request('orders', 3)]), context(30_000));
    assert.deepEqual(answer, failed('m0'));
    assert.match(conditions('orders'), /Stalled=True DeadLettered/);
  });

  test('the log says why a pass failed', async () => {
    const { runtime, topics, apply } = world();
    apply('orders');
    topics.fault = () => ({ at: 'before', error: brokerAway });
    const written: string[] = [];
    const ports = { ...runtime.ports, log: createLogger({ write: (line) => void written.push(line) }) };
    await reconcileHandler({ ...runtime, ports })(batchOf([request('orders')]), context(30_000));
    const outcome = written.map((line) => JSON.parse(line)).find(({ event }) => event === 'outcome');
    assert.deepEqual(outcome.reasons, ['BrokerUnavailable']);
    assert.match(outcome.failed[0], /no broker answers/);
  });

  for (const [reason, body] of [
    ['not JSON', '{'],
    ['of a future version', '{"v":2,"namespace":"shop","name":"orders","trigger":"change","id":"x"}'],
    ['deeply nested', '['.repeat(1_000)],
    ['a megabyte', JSON.stringify({ v: 1, name: 'x'.repeat(1_000_000) })],
    ['with a prototype in it', '{"v":1,"__proto__":{"namespace":"shop"},"name":"orders"}'],
  ] as const)
    test(`a body that is ${reason} goes to the dead-letter queue, its neighbour is done`, async () => {
      const { runtime, hidden, topics, apply } = world();
      apply('orders');
      const batch = batchOf([{ group: 'x', body }, request('orders')]);
      assert.deepEqual(await reconcileHandler(runtime)(batch, context(30_000)), failed('m0'));
      assert.deepEqual(hidden, [{ receiptHandle: 'r0', seconds: 0 }]);
      assert.ok(topics.topics.has('orders'));
    });

  test('an environment that is not complete is one clear line', async () => {
    const before = process.env.KAFKA_BROKERS;
    delete process.env.KAFKA_BROKERS;
    try {
      process.env.RECONCILE_QUEUE_URL ??= 'http://127.0.0.1/queue';
      await assert.rejects(lambda(batchOf([]), context()), {
        message: /^KAFKA_BROKERS is not set: .*; MAX_RECEIVE_COUNT is not set: /,
      });
    } finally {
      if (before !== undefined) process.env.KAFKA_BROKERS = before;
    }
  });
});
