import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import type { Envelope, Requests, Ticks } from '../../functions/core/ports.ts';
import { groupOf, parseRequest, parseTick, type Tick } from '../../functions/core/request.ts';
import type { Received } from '../support/sqs/fake-queue.ts';

/** One queue as a consumer sees it. `receive` returns what is there, nothing if the queue has nothing to give. */
export type QueueView = {
  receive(max: number): Promise<Received[]>;
  delete(receiptHandle: string): Promise<void>;
  hide(receiptHandle: string, seconds: number): Promise<void>;
};

/** Fresh queues; `maxReceiveCount` of the reconcile queue is 2. */
export type QueueWorld = {
  requests: Requests;
  ticks: Ticks;
  requestQueue: QueueView;
  tickQueue: QueueView;
  deadLetters: QueueView;
};

const signal = new AbortController().signal;

function envelope(name: string, options: { topicName?: string; deduplicationId?: string } = {}): Envelope {
  const { topicName = name, deduplicationId = randomUUID() } = options;
  return {
    request: { v: 1, namespace: 'shop', name, trigger: 'change', id: deduplicationId },
    topicName,
    deduplicationId,
  };
}

/** Receives and deletes until nothing comes any more. */
async function drain(queue: QueueView): Promise<Received[]> {
  const all: Received[] = [];
  for (let batch = await queue.receive(10); batch.length > 0; batch = await queue.receive(10)) {
    for (const { receiptHandle } of batch) await queue.delete(receiptHandle);
    all.push(...batch);
  }
  return all;
}

const namesIn = (messages: readonly Received[]): string[] =>
  messages.map(({ body }) => {
    const request = parseRequest(body);
    return 'malformed' in request ? request.malformed : request.name;
  });

/** What the Requests and Ticks ports promise, and what the project expects of the queue behind them. */
export function requestsContract(name: string, makeWorld: () => Promise<QueueWorld>): void {
  describe(`requests: ${name}`, { concurrency: true }, () => {
    test('a request arrives as it was sent, in the group of its topic', async () => {
      const { requests, requestQueue } = await makeWorld();
      const sent = envelope('orders', { topicName: 'shop.orders' });
      assert.deepEqual(await requests.send([sent], signal), new Map([[sent.deduplicationId, 'sent']]));
      const [message] = await drain(requestQueue);
      assert.deepEqual(parseRequest(message?.body ?? ''), sent.request);
      assert.deepEqual([message?.group, message?.deduplicationId], [groupOf('shop.orders'), sent.deduplicationId]);
    });

    test('any number of requests goes, each with an outcome of its own', async () => {
      const { requests, requestQueue } = await makeWorld();
      const many = Array.from({ length: 103 }, (_, index) => envelope(`topic-${index}`));
      const outcomes = await requests.send(many, signal);
      assert.deepEqual(outcomes, new Map(many.map(({ deduplicationId }) => [deduplicationId, 'sent'])));
      const arrived = namesIn(await drain(requestQueue));
      assert.deepEqual(arrived.toSorted(), many.map(({ request }) => request.name).toSorted());
    });

    test('an empty list sends nothing', async () => {
      const { requests, requestQueue } = await makeWorld();
      assert.deepEqual(await requests.send([], signal), new Map());
      assert.deepEqual(await requestQueue.receive(10), []);
    });

    test('a topic name of any characters makes a legal group', async () => {
      const { requests, requestQueue } = await makeWorld();
      const odd = ['..', 'a b', 'ü\n', '\u0000', 'x'.repeat(5_000)].map((topicName) => envelope('odd', { topicName }));
      assert.ok([...(await requests.send(odd, signal)).values()].every((outcome) => outcome === 'sent'));
      assert.equal((await drain(requestQueue)).length, odd.length);
    });

    test('the same event sent twice, together or apart, is one message, also after that message was deleted', async () => {
      const { requests, requestQueue } = await makeWorld();
      const event = envelope('orders');
      assert.equal((await requests.send([event, event], signal)).size, 1);
      assert.equal((await drain(requestQueue)).length, 1);
      assert.deepEqual([...(await requests.send([event], signal)).values()], ['sent']);
      assert.deepEqual(await drain(requestQueue), []);
    });

    test('two events of one object are two messages, in order', async () => {
      const { requests, requestQueue } = await makeWorld();
      const events = [
        envelope('orders', { deduplicationId: 'uid-7' }),
        envelope('orders', { deduplicationId: 'uid-8' }),
      ];
      for (const event of events) await requests.send([event], signal);
      assert.deepEqual(
        (await drain(requestQueue)).map(({ deduplicationId }) => deduplicationId),
        ['uid-7', 'uid-8'],
      );
    });

    test('once the signal is aborted nothing is sent and every outcome is a retryable failure', async () => {
      const { requests, ticks, requestQueue, tickQueue } = await makeWorld();
      const sent = [envelope('a'), envelope('b')];
      const outcomes = await requests.send(sent, AbortSignal.abort());
      assert.deepEqual(
        [...outcomes.keys()],
        sent.map(({ deduplicationId }) => deduplicationId),
      );
      for (const outcome of outcomes.values()) assert.ok(outcome instanceof Failure && outcome.retryable);
      await assert.rejects(
        ticks.send({ v: 1, tick: 't' }, AbortSignal.abort()),
        (error) => error instanceof Failure && error.retryable,
      );
      assert.deepEqual([await requestQueue.receive(10), await tickQueue.receive(10)], [[], []]);
    });

    test('work on one topic is serial across objects, other topics go on', async () => {
      const { requests, requestQueue } = await makeWorld();
      await requests.send([envelope('first', { topicName: 'same' })], signal);
      const [held] = await requestQueue.receive(10);
      await requests.send([envelope('second', { topicName: 'same' }), envelope('other')], signal);
      assert.deepEqual(namesIn(await requestQueue.receive(10)), ['other']);
      await requestQueue.delete(held?.receiptHandle ?? '');
      assert.deepEqual(namesIn(await requestQueue.receive(10)), ['second']);
    });

    test('a message given back comes again with a higher receive count, and on its last time goes to the dead letters', async () => {
      const { requests, requestQueue, deadLetters } = await makeWorld();
      const poison = envelope('poison');
      await requests.send([poison], signal);
      for (const receiveCount of [1, 2]) {
        const [message] = await requestQueue.receive(10);
        assert.equal(message?.receiveCount, receiveCount);
        await requestQueue.hide(message?.receiptHandle ?? '', 0);
      }
      assert.deepEqual(await requestQueue.receive(10), []);
      const [dead] = await deadLetters.receive(10);
      assert.deepEqual(parseRequest(dead?.body ?? ''), poison.request);
    });
  });

  describe(`ticks: ${name}`, { concurrency: true }, () => {
    const sums = {
      startedAt: 1,
      lookedAt: 500,
      enqueued: 0,
      skipped: 0,
      unread: 0,
      unlisted: 0,
      requests: 3,
      states: {},
    };
    const pages: Tick[] = [
      { v: 1, tick: 'one' },
      { v: 1, tick: 'one', continue: 'page-2', sums: { ...sums, pages: 1 } },
      { v: 1, tick: 'one', continue: 'page-3', sums: { ...sums, pages: 2 } },
      { v: 1, tick: 'two' },
    ];

    test('ticks and their pages arrive as they were sent', async () => {
      const { ticks, tickQueue } = await makeWorld();
      for (const tick of pages) await ticks.send(tick, signal);
      const arrived = (await drain(tickQueue)).map(({ body }) => parseTick(body));
      assert.deepEqual(new Set(arrived), new Set(pages));
    });

    test('the same page sent twice is one message, also when the second has another token and other sums', async () => {
      const { ticks, tickQueue } = await makeWorld();
      await ticks.send({ v: 1, tick: 'one', continue: 'token', sums: { ...sums, pages: 1 } }, signal);
      await ticks.send({ v: 1, tick: 'one', continue: 'other', sums: { ...sums, pages: 1, enqueued: 7 } }, signal);
      assert.equal((await drain(tickQueue)).length, 1);
    });

    test('a page under way holds up the later pages of its tick, not the next tick', async () => {
      const { ticks, tickQueue } = await makeWorld();
      await ticks.send({ v: 1, tick: 'one' }, signal);
      assert.equal((await tickQueue.receive(10)).length, 1);
      for (const tick of pages.slice(1)) await ticks.send(tick, signal);
      assert.deepEqual(
        (await tickQueue.receive(10)).map(({ body }) => parseTick(body)),
        [{ v: 1, tick: 'two' }],
      );
    });
  });
}
