import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Envelope } from '../../functions/core/ports.ts';
import { createMetrics } from '../../functions/forwarder/metrics.ts';
import { Outbox } from '../../functions/forwarder/outbox.ts';
import { FakeClock, FakeRequests, middle, settled, testLink } from './fakes.ts';

function world() {
  const [requests, clock, link, metrics] = [new FakeRequests(), new FakeClock(), testLink(), createMetrics()];
  const outbox = new Outbox({ requests, clock, link, metrics, random: middle });
  const add = (name: string, version = 1) => outbox.add(`shop/${name}`, envelope(name, version));
  return { requests, clock, link, metrics, outbox, add };
}

function envelope(name: string, version: number): Envelope {
  const deduplicationId = `${name}-${version}`;
  return {
    request: { v: 1, namespace: 'shop', name, trigger: 'change', id: deduplicationId },
    topicName: name,
    deduplicationId,
  };
}

const names = (count: number, prefix = 't') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const ids = (envelopes: readonly Envelope[]) => envelopes.map(({ deduplicationId }) => deduplicationId);

describe('outbox', () => {
  test('a change goes at once when nothing is under way', () => {
    const { requests, add } = world();
    add('a');
    assert.deepEqual(requests.namesSent, ['a']);
  });

  test('while a request is under way the next batch gathers', async () => {
    const { requests, add } = world();
    requests.hold();
    for (const name of names(6)) add(name);
    assert.deepEqual(requests.batches, [1]);
    requests.release();
    await settled();
    assert.deepEqual(requests.batches, [1, 5]);
  });

  test('full batches go side by side, eight at most', async () => {
    const { requests, add, outbox } = world();
    requests.hold();
    for (const name of names(200)) add(name);
    assert.deepEqual(requests.batches, [1, 10, 10, 10, 10, 10, 10, 10]);
    assert.equal(outbox.waiting, 200);
    requests.release();
    await settled();
    assert.deepEqual(requests.namesSent.toSorted(), names(200).toSorted());
    assert.ok(requests.batches.every((size) => size <= 10));
  });

  test('an object that changes again before it was sent is sent once, in its newest version', async () => {
    const { requests, add } = world();
    requests.hold();
    add('first');
    add('a', 1);
    add('b', 1);
    add('a', 2);
    requests.release();
    await settled();
    assert.deepEqual(ids(requests.sent), ['first-1', 'a-2', 'b-1']);
  });

  test('an object that changes while its request is under way is sent again', async () => {
    const { requests, add } = world();
    requests.hold();
    add('a', 1);
    add('a', 2);
    requests.release();
    await settled();
    assert.deepEqual(ids(requests.sent), ['a-1', 'a-2']);
  });

  test('only the entries that the queue did not take are sent again', async () => {
    const { requests, add, clock, outbox } = world();
    requests.hold();
    for (const name of ['first', 'a', 'b', 'c']) add(name);
    requests.refused.add('b-1');
    requests.release();
    await settled();
    assert.deepEqual(requests.namesSent, ['first', 'a', 'c']);
    assert.equal(outbox.waiting, 1);
    requests.refused.clear();
    await clock.advance(1_000);
    assert.deepEqual([requests.namesSent, outbox.waiting], [['first', 'a', 'c', 'b'], 0]);
  });

  test('an entry that is never taken does not keep the others waiting', async () => {
    const { requests, add, clock } = world();
    requests.refused.add('bad-1');
    add('bad');
    await clock.advance(60_000);
    for (const name of names(25)) add(name);
    await clock.advance(10_000);
    assert.deepEqual(requests.namesSent.toSorted(), names(25).toSorted());
  });

  test('a failed request does not bring back an older version', async () => {
    const { requests, add, clock } = world();
    requests.away = true;
    requests.hold();
    add('a', 1);
    add('a', 2);
    requests.release();
    await settled();
    requests.away = false;
    await clock.advance(1_000);
    assert.deepEqual(ids(requests.sent), ['a-2']);
  });

  test('with the queue away for ten minutes keys are kept, one per object, and all go afterwards', async () => {
    const { requests, add, clock, outbox, link } = world();
    requests.away = true;
    for (let version = 1; version <= 60; version++) {
      for (const name of names(1_000)) add(name, version);
      await clock.advance(10_000);
    }
    assert.equal(outbox.waiting, 1_000);
    assert.match(link.problem ?? '', /cannot be reached/);
    assert.ok(requests.batches.length < 100, `${requests.batches.length} tries`);
    requests.away = false;
    await clock.advance(10_000);
    assert.deepEqual(
      ids(requests.sent).toSorted(),
      names(1_000)
        .map((name) => `${name}-60`)
        .toSorted(),
    );
    assert.equal(link.problem, undefined);
  });

  test('a retry keeps its deduplication id, so a lost answer costs nothing', async () => {
    const { requests, add, clock } = world();
    requests.away = true;
    add('a', 3);
    await clock.advance(5_000);
    requests.away = false;
    await clock.advance(10_000);
    assert.deepEqual(ids(requests.sent), ['a-3']);
  });

  test('a queue client that throws is a queue that is away', async () => {
    const { requests, add, clock, link } = world();
    const { send } = requests;
    requests.send = () => Promise.reject(new Error('broken'));
    add('a');
    await settled();
    assert.match(link.problem ?? '', /broken/);
    requests.send = send;
    await clock.advance(1_000);
    assert.deepEqual(requests.namesSent, ['a']);
  });

  test('an object that is gone is not sent', async () => {
    const { requests, add, outbox } = world();
    requests.hold();
    add('first');
    add('gone');
    outbox.drop('shop/gone');
    requests.release();
    await settled();
    assert.deepEqual(requests.namesSent, ['first']);
  });

  test('closing sends what waits, also out of a pause', async () => {
    const { requests, add, clock, outbox } = world();
    requests.away = true;
    for (const name of names(25)) add(name);
    await clock.advance(60_000);
    requests.away = false;
    assert.equal(await outbox.close(5_000), 0);
    assert.equal(requests.sent.length, 25);
  });

  test('closing gives up after its bound and says how many are left', async () => {
    const { requests, add, clock, outbox } = world();
    requests.away = true;
    for (const name of names(3)) add(name);
    const closing = outbox.close(5_000);
    await clock.advance(5_000);
    assert.equal(await closing, 3);
    await settled();
    const tries = requests.batches.length;
    await clock.advance(60_000);
    assert.equal(requests.batches.length, tries);
  });

  test('K163: the age of the oldest request grows while the queue takes none, and ends with it', async () => {
    const { requests, outbox, add, clock } = world();
    assert.equal(outbox.oldestMs, 0);
    requests.away = true;
    add('a');
    await settled();
    await clock.advance(30_000);
    add('b');
    add('a');
    assert.equal(outbox.oldestMs, 30_000);
    outbox.drop('shop/a');
    assert.equal(outbox.oldestMs, 0);
    await clock.advance(5_000);
    assert.equal(outbox.oldestMs, 5_000);
    requests.away = false;
    await clock.advance(20_000);
    assert.deepEqual([outbox.oldestMs, outbox.waiting], [0, 0]);
  });

  test('what was sent and what was refused is counted', async () => {
    const { requests, add, clock, metrics } = world();
    requests.away = true;
    add('a');
    await settled();
    requests.away = false;
    await clock.advance(1_000);
    const text = await metrics.text();
    assert.match(text, /messages_sent_total 1\n/);
    assert.match(text, /send_failures_total 1\n/);
  });
});
