/** What the first release has stored is read whole, and goes on where it was. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseResource } from '../../functions/core/parse.ts';
import { world } from '../core/world.ts';
import { type Left, left } from './golden.ts';

const key = { namespace: 'shop', name: 'orders' };

/** The world as the release has left it. */
function restored({ object, live: { clusterId, brokers, topic } }: Left) {
  const restored = world({}, brokers);
  assert.equal(restored.topics.clusterId, clusterId);
  restored.resources.objects.restore(object);
  if (topic) restored.topics.topics.set(key.name, { ...topic, overrides: new Map(Object.entries(topic.overrides)) });
  const stored = () => restored.resources.objects.get(key);
  return { ...restored, stored, writes: restored.resources.writes, live: () => restored.topics.topics.get(key.name) };
}
type Restored = ReturnType<typeof restored>;

const nothing = ({ writes, stored }: Restored, { object }: Left) => {
  assert.deepEqual(writes, { status: 0, finalizer: 0 });
  assert.deepEqual(stored()?.status, object.status);
};
const changes = ({ topics }: Restored) =>
  topics.calls.map(({ method }) => method).filter((method) => method !== 'observe');

/** What one pass comes to. */
const passes: Readonly<Record<string, (after: Restored, before: Left) => void | Promise<void>>> = {
  ready: nothing,
  adopted: nothing,
  paused: nothing,
  'observed-drift': nothing,
  async held(after, before) {
    nothing(after, before);
    const { plan } = before.object.status as { plan: { hash: string } };
    after.approve(key.name, plan.hash);
    await after.pass([key.name]);
    assert.equal(after.live()?.overrides.get('retention.ms'), '3600000');
    assert.equal(after.ready(key.name), 'True Synced');
  },
  'approved-underway'(after) {
    assert.equal(after.live()?.overrides.get('retention.ms'), '3600000');
    assert.equal(after.ready(key.name), 'True Synced');
    assert.equal(after.status(key.name)?.plan, undefined);
  },
  stalled(after, before) {
    nothing(after, before);
    assert.equal(after.live(), undefined);
  },
  'dead-lettered'(after) {
    assert.equal(after.live()?.numPartitions, 6);
    assert.equal(after.ready(key.name), 'True Synced');
  },
  async moving(after) {
    await after.pass([key.name]);
    assert.ok(!changes(after).includes('move'));
    assert.equal(after.ready(key.name), 'True Synced');
    assert.equal(after.status(key.name)?.reassignment, undefined);
  },
  deleted(after) {
    assert.equal(after.live(), undefined);
    assert.equal(after.stored(), undefined);
  },
};

for (const before of left)
  describe(`an object of ${before.release}: ${before.name}`, () => {
    test('is read whole', () => {
      const { spec, status } = parseResource(before.object);
      assert.ok(!('reason' in spec));
      assert.deepEqual(JSON.parse(JSON.stringify(status)), before.object.status);
    });

    test('goes on where it was', async () => {
      const after = restored(before);
      await after.pass([key.name]);
      const judge = passes[before.name] ?? assert.fail('nobody says what a pass comes to');
      await judge(after, before);
    });
  });

test('there is an object for each thing that a status can hold', () => {
  const held = new Set(left.flatMap(({ object }) => Object.keys(object.status ?? {})));
  for (const part of ['config', 'drift', 'plan', 'reassignment', 'topicId', 'origin']) assert.ok(held.has(part), part);
  assert.deepEqual(new Set(left.map(({ name }) => name)), new Set(Object.keys(passes)));
});
