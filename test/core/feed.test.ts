/** How the queue is filled with drift without an edit having to wait behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feed } from '../../functions/core/feed.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Envelope } from '../../functions/core/ports.ts';
import { never } from './world.ts';

const envelopes = (count: number): readonly Envelope[] =>
  Array.from({ length: count }, (_, at) => ({
    request: { v: 1, namespace: 'shop', name: `topic-${at}`, trigger: 'drift', id: 'tick' },
    topicName: `topic-${at}`,
    deduplicationId: `d-${at}`,
  }));

/** @param depths what the queue says at each look; the last one again and again */
async function fed(count: number, depths: readonly number[], looks = 10, refused?: string) {
  const batches: (readonly string[])[] = [];
  const pauses: number[] = [];
  const asked = { times: 0 };
  const send = async (some: readonly Envelope[]) => {
    batches.push(some.map(({ deduplicationId }) => deduplicationId));
    const away = new Failure('InternalError', 'the queue is away', { retryable: true });
    return new Map(some.map(({ deduplicationId: id }) => [id, id === refused ? away : ('sent' as const)] as const));
  };
  const queue = {
    requests: { send },
    depth: async () => depths[Math.min(asked.times++, depths.length - 1)] ?? 0,
    pause: async (ms: number) => void pauses.push(ms),
  };
  const sent = await feed(envelopes(count), queue, looks, never);
  return { sent, sizes: batches.map(({ length }) => length), order: batches.flat(), pauses, looks: asked.times };
}

test('an empty queue takes fifty at once, and more as those are worked off, every half second', async () => {
  const { sent, sizes, order, pauses } = await fed(120, [0, 0, 30]);
  assert.deepEqual([sent, sizes, pauses], [120, [50, 50, 20], [500, 500]]);
  assert.deepEqual(
    order,
    envelopes(120).map(({ deduplicationId }) => deduplicationId),
  );
});

test('a queue that holds some is filled up to fifty', async () => {
  assert.deepEqual((await fed(45, [20])).sizes, [30, 15]);
});

test('a queue that is full takes ten, so that what is in a back-off keeps nobody else waiting; then it is left alone', async () => {
  const { sent, sizes } = await fed(30, [80], 3);
  assert.deepEqual([sent, sizes], [10, [10, 0, 0]]);
});

test('after so many looks the rest is for the next tick', async () => {
  const { sent, looks } = await fed(500, [0], 4);
  assert.deepEqual([sent, looks], [200, 4]);
});

test('with nothing to send nobody asks the queue', async () => {
  assert.deepEqual(await fed(0, [0]), { sent: 0, sizes: [], order: [], pauses: [], looks: 0 });
});

test('a message that the queue does not take ends it', async () => {
  await assert.rejects(fed(20, [0], 10, 'd-7'), Failure);
});
