import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Followups } from '../../functions/forwarder/followups.ts';
import { createMetrics } from '../../functions/forwarder/metrics.ts';
import type { Sighting } from '../../functions/forwarder/objects.ts';
import { Outbox } from '../../functions/forwarder/outbox.ts';
import { FakeClock, FakeRequests, middle, testLink } from './fakes.ts';

function world() {
  const [requests, clock] = [new FakeRequests(), new FakeClock()];
  const outbox = new Outbox({ requests, clock, link: testLink(), metrics: createMetrics(), random: middle });
  return { requests, clock, outbox, followups: new Followups(outbox, clock, middle) };
}

const sighting = (change: Partial<Sighting> = {}): Sighting => ({
  key: { namespace: 'shop', name: 'orders' },
  uid: 'u-1',
  resourceVersion: '7',
  topicName: 'shop.orders',
  concerns: true,
  digest: 'd-1',
  waiting: true,
  generation: 1,
  ...change,
});

describe('followups', () => {
  test('an object that waits is asked for after about 2 s, then ever later up to a minute', async () => {
    const { requests, clock, followups } = world();
    followups.see(sighting());
    const gaps: number[] = [];
    for (let second = 0, last = 0; gaps.length < 8; second += 0.5) {
      const before = requests.sent.length;
      await clock.advance(500);
      if (requests.sent.length === before) continue;
      gaps.push(second + 0.5 - last);
      last = second + 0.5;
    }
    assert.deepEqual(gaps, [1.5, 3, 6, 12, 24, 45, 45, 45]);
  });

  test('each asks with an id of its own, in the group of the topic', async () => {
    const { requests, clock, followups } = world();
    followups.see(sighting());
    await clock.advance(600_000);
    const ids = new Set(requests.sent.map(({ deduplicationId }) => deduplicationId));
    assert.ok(requests.sent.length > 10);
    assert.equal(ids.size, requests.sent.length);
    assert.ok(
      requests.sent.every(({ topicName, request }) => topicName === 'shop.orders' && request.trigger === 'change'),
    );
  });

  for (const { reason, end } of [
    { reason: 'the wait is over', end: (f: Followups) => f.see(sighting({ waiting: false })) },
    { reason: 'the object is gone', end: (f: Followups) => f.drop('shop/orders') },
    { reason: 'the forwarder stops', end: (f: Followups) => f.stop() },
  ])
    test(`nothing is asked once ${reason}`, async () => {
      const { requests, clock, followups } = world();
      followups.see(sighting());
      await clock.advance(2_000);
      end(followups);
      await clock.advance(600_000);
      assert.deepEqual([requests.sent.length, followups.size], [1, 0]);
    });

  for (const [what, change] of [
    ['edited', { digest: 'd-2' }],
    ['replaced', { uid: 'u-2' }],
  ] as const)
    test(`an object that was ${what} is asked for soon again`, async () => {
      const { requests, clock, followups } = world();
      followups.see(sighting());
      await clock.advance(120_000);
      const before = requests.sent.length;
      followups.see(sighting(change));
      await clock.advance(2_000);
      assert.equal(requests.sent.length, before + 1);
    });

  test('progress in the status does not make it ask more often', async () => {
    const { requests, clock, followups } = world();
    for (let second = 0; second < 60; second++) {
      followups.see(sighting({ resourceVersion: String(second) }));
      await clock.advance(1_000);
    }
    assert.equal(requests.sent.length, 5);
  });
});
