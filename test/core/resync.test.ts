import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import { outOfSync } from '../../functions/core/resync.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { never, world } from './world.ts';

const refusal = (reason: Reason) => new Failure(reason, 'the brokers say no', { retryable: false });
const hour = 60 * 60_000;
const refused = { numPartitions: 2, deletionPolicy: 'Delete' };

/** Objects whose topics the brokers refuse to make, some hours ago; and which ticks name `one` of them. */
async function refusedWorld(hours: number, reason: Reason = 'PolicyViolation') {
  const made = world();
  for (const name of ['one', 'other']) made.apply(name, refused);
  made.topics.fault = ({ method }) =>
    method === 'create' ? { items: new Map(['one', 'other'].map((name) => [name, refusal(reason)])) } : undefined;
  await made.pass(['one', 'other']);
  assert.equal(made.ready('one'), `False ${reason}`);
  const now = () => new Date(made.ports.now().getTime() + hours * hour);
  const names = async (tick: string) => {
    const { items } = await made.resources.page(500, undefined, never);
    const { needed } = await outOfSync(items, { ...made.ports, now }, tick, never);
    return needed.map(({ key }) => key.name);
  };
  const ticksFor = async (name: string, ticks: number) => {
    let named = 0;
    for (let tick = 0; tick < ticks; tick++) if ((await names(`tick-${tick}`)).includes(name)) named++;
    return named;
  };
  return { ...made, names, ticksFor };
}

describe('what the brokers have refused for good (K147)', () => {
  test('is tried by every tick of the first hour, since people mend things and wait', async () => {
    const { ticksFor } = await refusedWorld(0.9);
    assert.deepEqual([await ticksFor('one', 20), await ticksFor('other', 20)], [20, 20]);
  });

  test('is tried now and then later, each object in its turn', async () => {
    const { ticksFor } = await refusedWorld(1.1);
    for (const name of ['one', 'other']) {
      const named = await ticksFor(name, 240);
      assert.ok(named > 8 && named < 40, `${name} in ${named} ticks of 240`);
    }
  });

  for (const reason of [
    ...(['InvalidSpec', 'InvalidTopicName', 'InvalidConfig', 'InvalidReplicationFactor'] as const),
    ...(['NotAuthorized', 'UnsupportedByBroker', 'InternalError'] as const),
  ])
    test(`for ${reason} too`, async () => {
      const { ticksFor } = await refusedWorld(5, reason);
      assert.ok((await ticksFor('one', 60)) < 20);
    });

  for (const [what, change] of Object.entries({
    'the spec was edited': ({ apply }) => apply('one', { ...refused, numPartitions: 3 }),
    'a check is asked for': ({ resources }) =>
      resources.objects.annotate({ namespace: 'shop', name: 'one' }, 'reconcileRequestedAt', 'now'),
    'the object was deleted': ({ resources }) => resources.objects.delete({ namespace: 'shop', name: 'one' }),
    'somebody took its finalizer': ({ resources }) =>
      resources.objects.change({ namespace: 'shop', name: 'one' }, ({ metadata, ...object }) => ({
        ...object,
        metadata: { ...metadata, finalizers: [] },
      })),
    'somebody made the topic': ({ topics }) => topics.add('one', { numPartitions: 2 }),
  } satisfies Record<string, (made: Awaited<ReturnType<typeof refusedWorld>>) => void>))
    test(`is looked at by the next tick when ${what}`, async () => {
      const made = await refusedWorld(5);
      change(made);
      assert.equal(await made.ticksFor('one', 20), 20);
    });

  test('does not hide drift of the same object', async () => {
    const made = world();
    made.apply('one', { numPartitions: 2, config: { 'segment.ms': '600000' } });
    await made.pass(['one']);
    made.topics.fault = ({ method }) =>
      method === 'alterConfigs' ? { items: new Map([['one', refusal('NotAuthorized')]]) } : undefined;
    made.apply('one', { numPartitions: 2, config: { 'segment.ms': '700000' } });
    await made.pass(['one']);
    assert.equal(made.ready('one'), 'False NotAuthorized');
    const ports = { ...made.ports, now: () => new Date(made.ports.now().getTime() + 5 * hour) };
    const named = async (tick: number) => {
      const { items } = await made.resources.page(500, undefined, never);
      return (await outOfSync(items, ports, `tick-${tick}`, never)).needed.length;
    };
    const all = async () => (await Promise.all(Array.from({ length: 24 }, (_, tick) => named(tick)))).join('');
    assert.match(await all(), /0/);
    const live = made.topics.topics.get('one');
    assert.ok(live);
    live.overrides.set('segment.ms', '5000000');
    assert.doesNotMatch(await all(), /0/);
  });

  test('what waits for approval is done by the next tick after it was given', async () => {
    const made = world();
    made.apply('one', { mode: 'Plan', numPartitions: 2 });
    await made.pass(['one']);
    assert.equal(made.ready('one'), 'False ApprovalRequired');
    made.approve('one');
    const ports = { ...made.ports, now: () => new Date(made.ports.now().getTime() + 5 * hour) };
    for (let tick = 0; tick < 20; tick++) {
      const { items } = await made.resources.page(500, undefined, never);
      assert.equal((await outOfSync(items, ports, `tick-${tick}`, never)).needed.length, 1);
    }
  });
});

describe('a page on which nobody is bound to a topic that is there', () => {
  const count = 60;
  const name = (index: number) => `t${index}`;

  /** Each topic was made by somebody, and is wanted by two objects of which none has been looked at. */
  function unboundWorld() {
    const made = world();
    for (let index = 0; index < count; index++) {
      made.topics.add(name(index), { numPartitions: 1 });
      made.apply(name(index), { numPartitions: 1 });
      made.apply(`second-${index}`, { topicName: name(index), numPartitions: 1 });
    }
    const calls: string[] = [];
    made.resources.fault = ({ call, phase }) => void (phase === 'before' && calls.push(call));
    const judge = async () => {
      const { items } = await made.resources.page(500, undefined, never);
      calls.length = 0;
      return outOfSync(items, made.ports, 'tick', never);
    };
    return { ...made, calls, judge };
  }

  test('costs some lookups of claimants and one listing of everything, not a lookup for each object', async () => {
    const { judge, calls } = unboundWorld();
    const { needed, unread } = await judge();
    assert.deepEqual([needed.length, unread], [2 * count, 0]);
    const times = (wanted: string) => calls.filter((call) => call === wanted).length;
    assert.deepEqual([times('claimants'), times('page')], [20, 1]);
  });

  test('is judged as each object would be alone, wherever its rivals are in the list: those who lost have nothing to do', async () => {
    const made = unboundWorld();
    // in front of all others, as many as one page of the listing holds
    for (let index = 0; index < 500; index++) made.apply(`a-${index}`, { mode: 'Paused' });
    const names = Array.from({ length: count }, (_, index) => [name(index), `second-${index}`]).flat();
    for (const one of names) await made.pass([one]);
    assert.deepEqual([made.ready('t59'), made.ready('second-59')], ['True Synced', 'False ResourceConflict']);
    const { items } = await made.resources.page(1_000, undefined, never);
    const rivals = items.filter(({ key }) => names.includes(key.name));
    const { needed, unread } = await outOfSync(rivals, made.ports, 'tick', never);
    assert.deepEqual([rivals.length, needed, unread], [2 * count, [], 0]);
  });

  test('is left to the next tick as far as claimants could not be listed', async () => {
    const made = unboundWorld();
    const { items } = await made.resources.page(500, undefined, never);
    made.resources.fault = ({ call }) => {
      if (call === 'page') throw new Failure('InternalError', 'the API server is away', { retryable: true });
    };
    const { needed, unread, because } = await outOfSync(items, made.ports, 'tick', never);
    assert.deepEqual([needed.length, unread, because], [20, 2 * count - 20, 'the API server is away']);
  });
});

test('what could not be read is counted, with what happened to the first of it', async () => {
  const made = world();
  for (const name of ['one', 'other', 'third']) made.apply(name);
  await made.pass(['one', 'other', 'third']);
  const judged = async () => {
    const { items } = await made.resources.page(500, undefined, never);
    return outOfSync(items, made.ports, 'tick', never);
  };
  assert.deepEqual(await judged(), { needed: [], unread: 0 });
  const away = (message: string) => new Failure('BrokerUnavailable', message, { retryable: true });
  const items = new Map([
    ['one', away('no broker answers')],
    ['third', away('another')],
  ]);
  made.topics.fault = ({ method }) => (method === 'observe' ? { items } : undefined);
  assert.deepEqual(await judged(), { needed: [], unread: 2, because: 'no broker answers' });
});
