import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeadMessage } from '../../functions/core/dead-letter.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { DeadLetters } from '../../functions/core/ports.ts';
import type { Received } from '../support/sqs/fake-queue.ts';

/** Fresh queues; a message that was received once from `source` goes to the dead letters. */
export type DeadLetterWorld = {
  letters: DeadLetters;
  /** puts a message straight among the dead letters */
  put(body: string, group: string): Promise<void>;
  /** sends a message to the source queue, where it fails until it is a dead letter */
  fail(body: string, group: string): Promise<void>;
  /** what the source queue has to give */
  receive(max: number): Promise<Received[]>;
};

const signal = new AbortController().signal;
const bodiesOf = (messages: readonly { readonly body: string }[]) => messages.map(({ body }) => body);
const outcomesOf = (outcomes: ReadonlyMap<string, unknown>) => [...outcomes.values()];

/** What the DeadLetters port promises. */
export function deadLettersContract(name: string, makeWorld: () => Promise<DeadLetterWorld>): void {
  describe(`dead letters: ${name}`, { concurrency: true }, () => {
    test('a message has its body, its group, and since when it is a dead letter', async () => {
      const { letters, fail } = await makeWorld();
      const before = Date.now();
      await fail('not { JSON ü 🦊 \t\n\r "', 'orders');
      const [message, ...more] = await letters.receive(10, 30, signal);
      assert.deepEqual([message?.body, message?.group, more], ['not { JSON ü 🦊 \t\n\r "', 'orders', []]);
      const since = Date.parse(message?.since ?? '');
      assert.ok(since >= before - 1_000 && since <= Date.now() + 1_000, message?.since);
      assert.ok((message?.receives ?? 0) >= 1);
    });

    test('what is received is hidden, and with it its group; given back it is there again, the same', async () => {
      const { letters, put } = await makeWorld();
      for (const body of ['a1', 'a2']) await put(body, 'a');
      const [first] = await letters.receive(1, 30, signal);
      assert.equal(first?.body, 'a1');
      assert.deepEqual(await letters.receive(10, 30, signal), []);
      assert.deepEqual(await letters.depth(signal), { waiting: 1, inFlight: 1 });
      assert.deepEqual(outcomesOf(await letters.hide([first as DeadMessage], 0, signal)), ['done']);
      const again = await letters.receive(10, 30, signal);
      assert.deepEqual(bodiesOf(again), ['a1', 'a2']);
      assert.equal(again[0]?.id, first?.id);
      assert.notEqual(again[0]?.receiptHandle, first?.receiptHandle);
    });

    test('what is sent back is in both queues until it is removed, with body and group as they were', async () => {
      const { letters, put, receive } = await makeWorld();
      for (const body of ['a1', 'a2', 'b1']) await put(body, body.slice(0, 1));
      const messages = await letters.receive(10, 30, signal);
      assert.deepEqual(outcomesOf(await letters.sendBack(messages, signal)), ['sent', 'sent', 'sent']);
      assert.deepEqual(await letters.depth(signal), { waiting: 0, inFlight: 3 });
      const sent = await receive(10);
      assert.deepEqual(sent.map(({ body, group }) => `${group} ${body}`).toSorted(), ['a a1', 'a a2', 'b b1']);
      assert.deepEqual(bodiesOf(sent.filter(({ group }) => group === 'a')), ['a1', 'a2'], 'in order');
      assert.deepEqual(outcomesOf(await letters.remove(messages, signal)), ['done', 'done', 'done']);
      assert.deepEqual(await letters.depth(signal), { waiting: 0, inFlight: 0 });
    });

    test('a message that was sent back just now is delivered once more', async () => {
      const { letters, put, receive } = await makeWorld();
      await put('again', 'a');
      const messages = await letters.receive(10, 30, signal);
      for (let times = 0; times < 2; times++) await letters.sendBack(messages, signal);
      assert.deepEqual(bodiesOf(await receive(10)), ['again', 'again']);
    });

    test('ten messages that are too long for one request go all the same', async () => {
      const { letters, put, receive } = await makeWorld();
      for (let index = 0; index < 10; index++) await put(String(index).repeat(250_000), 'long');
      const messages: DeadMessage[] = [];
      messages.push(...(await letters.receive(10, 30, signal)));
      assert.deepEqual(
        outcomesOf(await letters.sendBack(messages, signal)),
        messages.map(() => 'sent'),
      );
      const arrived = await receive(10);
      assert.deepEqual(bodiesOf(arrived), bodiesOf(messages).slice(0, arrived.length));
      assert.ok(arrived.length > 0);
    });

    test('a message that somebody else has received since is not removed, its neighbour is', async () => {
      const { letters, put } = await makeWorld();
      for (const group of ['a', 'b']) await put(group, group);
      const messages = await letters.receive(10, 30, signal);
      const [a, b] = messages as [DeadMessage, DeadMessage];
      await letters.hide([a], 0, signal);
      await letters.receive(10, 30, signal);
      const outcomes = await letters.remove(messages, signal);
      assert.ok(outcomes.get(a.id) instanceof Failure);
      assert.equal(outcomes.get(b.id), 'done');
      assert.deepEqual(await letters.depth(signal), { waiting: 0, inFlight: 1 });
    });

    test('no message, no request', async () => {
      const { letters } = await makeWorld();
      for (const outcomes of [letters.hide([], 0, signal), letters.sendBack([], signal), letters.remove([], signal)])
        assert.deepEqual(await outcomes, new Map());
      assert.deepEqual(await letters.receive(10, 30, signal), []);
    });
  });
}
