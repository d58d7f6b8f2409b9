/** Messages wait in queues while the parts are deployed one after the other: what a release has sent, every later one reads. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageVersion, parseRequest, parseTick } from '../../functions/core/request.ts';
import { createMetrics } from '../../functions/forwarder/metrics.ts';
import { envelopeOf, sightingOf } from '../../functions/forwarder/objects.ts';
import { Ticker } from '../../functions/forwarder/ticker.ts';
import { resyncHandler } from '../../functions/resync.ts';
import { fleet } from '../commands/world.ts';
import { FakeClock, FakeTicks, middle, testLink } from '../forwarder/fakes.ts';
import { context } from '../functions/batch-world.ts';
import { batchOf, tick, world } from '../functions/world.ts';

type Bodies = Readonly<Record<string, { readonly v: number }>>;
type Messages = { readonly reconcile: Bodies; readonly ticks: Bodies };

const root = join(import.meta.dirname, '..', '..');
const releases = globSync('test/golden/messages-*.json', { cwd: root }).map((file) => ({
  file,
  messages: JSON.parse(readFileSync(join(root, file), 'utf8')) as Messages,
}));

for (const { file, messages } of releases) {
  const readers = { reconcile: parseRequest, ticks: parseTick } as const;
  for (const queue of ['reconcile', 'ticks'] as const)
    for (const [what, body] of Object.entries(messages[queue]))
      test(`${file}: ${what} is read as it is`, () => {
        assert.deepEqual(readers[queue](JSON.stringify(body)), body);
      });
}

/** Every message that is sent today, by whom. */
async function sentToday(): Promise<Messages> {
  const object = {
    metadata: { namespace: 'shop', name: 'orders', uid: 'u-1', resourceVersion: '7', generation: 1 },
    spec: {},
  };
  const sighting = sightingOf(object);
  assert.ok(sighting);
  const people = await fleet();
  await people.run('reconcile', 'orders');
  const { runtime, sent, ticks, apply } = world();
  for (let nth = 0; nth < 501; nth++) apply(`t-${nth}`);
  await resyncHandler(runtime)(batchOf([tick({ v: messageVersion, tick: 'tick-1' })]), context());
  const schedule = JSON.parse(/Input: '(.*)'/.exec(readFileSync(join(root, 'infra/schedule.yml'), 'utf8'))?.[1] ?? '');
  const clock = new FakeClock();
  const queue = new FakeTicks();
  new Ticker({ ticks: queue, clock, link: testLink(), random: middle, metrics: createMetrics(), intervalMs: 1 }).soon();
  await clock.advance(0);
  const [manual, drift, page, forwarder] = [people.sent[0]?.request, sent[0]?.request, ticks[0], queue.sent[0]];
  assert.ok(manual && drift && page && forwarder);
  return { reconcile: { change: envelopeOf(sighting).request, drift, manual }, ticks: { forwarder, schedule, page } };
}

/** Names and kinds of values, all the way down; what states there are differs from page to page. */
const shapeOf = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? typeof value
    : Object.fromEntries(
        Object.entries(value).map(([name, field]) => [
          name,
          name === 'states' || name === 'v' ? typeof field : shapeOf(field),
        ]),
      );

test('what is sent has the fields that were released for its version: others are another version', async () => {
  const release = releases.findLast(({ messages }) => messages.reconcile.change?.v === messageVersion);
  assert.ok(release, `no test/golden/messages-*.json has version ${messageVersion}: add what is sent from now on`);
  const sent = await sentToday();
  assert.deepEqual(shapeOf(sent), shapeOf(release.messages));
  assert.deepEqual(sent.ticks.schedule?.v, 1);
  for (const body of [...Object.values(sent.reconcile), sent.ticks.forwarder, sent.ticks.page])
    assert.equal(body?.v, messageVersion);
});
