import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import { golden } from '../support/golden.ts';
import { disturb, fleet } from './world.ts';

const depths = {
  RECONCILE_QUEUE_URL: { waiting: 12, inFlight: 3 },
  RECONCILE_DLQ_URL: { waiting: 2, inFlight: 0 },
  TICK_QUEUE_URL: { waiting: 0, inFlight: 1 },
  TICK_DLQ_URL: { waiting: 0, inFlight: 0 },
};

async function asked(settings = {}) {
  const world = await fleet(settings);
  Object.assign(world.depths, depths);
  return world;
}

describe('topicsmith status', () => {
  test('the fleet by reason, what waits longest, queues and dead letters, exit 0', async () => {
    const world = await asked();
    disturb(world);
    world.apply('newest', {});
    const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
    world.topics.fault = () => ({ at: 'before', error: away });
    await world.pass(['clicks']);
    const before = world.state();
    const { code, out, err } = await world.run('status');
    assert.deepEqual([code, err], [0, '']);
    golden('status.txt', out);
    assert.equal(world.state(), before);
  });

  test('colour marks what is wrong', async () => {
    golden('status.colour.txt', (await (await asked({ colour: true })).run('status', '-A')).out);
  });

  test('JSON has the same, and names are those that are not Ready', async () => {
    const { run } = await asked();
    golden('status.json', (await run('status', '-o', 'json')).out);
    assert.equal(
      (await run('status', '-o', 'name')).out,
      'kafkatopic.cache.example.com/archive\nkafkatopic.cache.example.com/audit\n',
    );
  });

  test('a queue whose variable is not set is named, exit 1, and the rest is shown', async () => {
    const { run, depths } = await asked();
    delete depths.RECONCILE_DLQ_URL;
    const { code, out } = await run('status');
    assert.equal(code, 1);
    assert.match(out, /^True +Synced +3 /m);
    assert.match(out, /^reconcile, dead letters +\? +\? +RECONCILE_DLQ_URL is not set/m);
  });

  test('a forwarder that nobody named is no error, one that does not answer is exit 1', async () => {
    const { run, parts } = await asked();
    parts.forwarder = async () => undefined;
    const unknown = await run('status');
    assert.equal(unknown.code, 0);
    assert.match(unknown.out, /^forwarder: not asked; FORWARDER_URL is not set: /m);
    parts.forwarder = async () => {
      throw new Failure('InternalError', 'the forwarder cannot be reached', { retryable: true });
    };
    const away = await run('status');
    assert.equal(away.code, 1);
    assert.match(away.out, /^forwarder: the forwarder cannot be reached$/m);
    assert.match(away.out, /^True +Synced +3 /m);
  });

  test('what keeps the forwarder from its work is told, and a tick that never was', async () => {
    const { run, parts } = await asked();
    parts.forwarder = async () => ({ problems: ['tick queue: not reached yet'], keysWaiting: 3, objects: 5 });
    const { code, out } = await run('status');
    assert.equal(code, 0);
    assert.match(out, /^forwarder: not ready \(tick queue: not reached yet\); 3 names to send; no tick yet$/m);
  });

  test('an object whose spec nobody has looked at is not counted by what it said before', async () => {
    const { run, apply } = await asked();
    apply('orders', { numPartitions: 9 });
    const { out } = await run('status');
    assert.match(out, /^True +Synced +2 /m);
    assert.match(out, /^Unknown +Unhandled +1 /m);
    assert.match(out, /waits longest: shop\/orders \(Unhandled\)/);
  });

  test('no object at all is said', async () => {
    const { run } = await asked();
    assert.match((await run('status', '-n', 'empty')).out, /^0 objects; nothing waits to be worked on\n/);
  });
});
