/** Moves whose workers die, or that other installations look at, message by message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotate, linesOf } from '../../support/e2e/approval.ts';
import { conditionOf, type KafkaTopic } from '../../support/e2e/kubectl.ts';
import type { Crash, Site } from '../../support/e2e/sentry.ts';
import { type Moves, movesAskedFor, sorted } from '../../support/e2e/three-brokers.ts';
import { apiKeys } from '../../support/kafka/proxy.ts';
import type { Placed } from '../../support/kafka/replicas-by-hand.ts';
import { ratesOf, topicsOf, withHeldMoves } from './topics.ts';

export function interruptedMoves(world: Moves): void {
  const { alone, byHand } = world;
  const { arrives, overrides } = topicsOf(world);
  const { user } = alone;
  const spec = { numPartitions: 2, replicationFactor: 1 };

  /** An object with a topic of one replica each, that wants two. */
  async function wantsTwo(name: string): Promise<void> {
    await user.apply(name, spec);
    await alone.work(name);
    await user.apply(name, { ...spec, replicationFactor: 2 });
  }
  /** The brokers that each partition was asked to move to, which have to be the same each time. */
  function targetOf(name: string): Placed {
    const asked = Map.groupBy(movesAskedFor(alone.kafka, name), ({ partition }) => partition);
    return [...asked]
      .toSorted(([one], [other]) => one - other)
      .map(([, [first, ...again]]) => {
        for (const { replicas } of again) assert.deepEqual(replicas, first?.replicas);
        return first?.replicas ?? [];
      });
  }
  /** The passes of a move: the one that begins it, and the one that ends it. */
  async function move(name: string, { begin, end }: { begin?: Crash; end?: Crash } = {}) {
    await alone.renew();
    const begun = await alone.work(name, begin);
    const { assignment = {} } = (await user.get(name))?.status?.reassignment ?? {};
    for (const [partition, brokers] of Object.entries(assignment))
      assert.equal(brokers, targetOf(name)[Number(partition)]?.join(','), 'asked for as it was stored');
    await arrives(name, targetOf(name));
    await alone.renew();
    const ended = await alone.work(name, end);
    assert.deepEqual(sorted((await byHand.see(name)).replicas), sorted(targetOf(name)));
    return { begun: begun.sites, ended: ended.sites };
  }
  async function assertDone(name: string): Promise<void> {
    const object = await user.get(name);
    assert.equal(conditionOf(object, 'Ready')?.reason, 'Synced');
    const { replicas, overrides } = await byHand.see(name);
    assert.deepEqual([replicas.map((brokers) => brokers.length), overrides], [[2, 2], {}]);
    assert.deepEqual([object?.status?.reassignment, object?.metadata.finalizers], [undefined, undefined]);
    assert.deepEqual(await ratesOf(world), [{}, {}, {}]);
  }
  /**
   * Before the first call that changes something, and in each: to die behind one is to die before the next. Of equal calls
   * in a row the first and the last.
   */
  function deaths(sites: readonly Site[]): readonly Crash[] {
    const writing = sites.flatMap(({ writes, name }, call) =>
      writes && name !== 'POST event' ? [{ name, call }] : [],
    );
    const chosen = writing.filter(({ name }, at) => writing[at - 1]?.name !== name || writing[at + 1]?.name !== name);
    return [
      { call: chosen[0]?.call ?? 0, mode: 'before' },
      ...chosen.map(({ call }): Crash => ({ call, mode: 'during' })),
    ];
  }

  test('K032: a move that is killed at any step goes on from the stored one, to the same brokers', async (t) => {
    await wantsTwo('k032');
    const { begun, ended } = await move('k032');
    await assertDone('k032');
    const named = (sites: readonly Site[]) => sites.filter(({ writes }) => writes).map(({ name }) => name);
    const toEach = Array(3).fill('incrementalAlterConfigs');
    assert.deepEqual(named(begun), [
      'PATCH object',
      'PATCH status',
      'incrementalAlterConfigs',
      ...toEach,
      'alterPartitionReassignments',
      'PATCH status',
      'POST event',
    ]);
    assert.deepEqual(named(ended), [
      'incrementalAlterConfigs',
      ...toEach,
      'PATCH object',
      'PATCH status',
      'POST event',
    ]);
    const plans = [...deaths(begun).map((begin) => ({ begin })), ...deaths(ended).map((end) => ({ end }))];
    for (const [at, plan] of plans.entries())
      await t.test(`killed ${JSON.stringify(plan)}`, async () => {
        await wantsTwo(`k032-${at}`);
        await move(`k032-${at}`, plan);
        await assertDone(`k032-${at}`);
      });
  });

  test('K033: a look at a move that is under way is short, and is no failure even as the last of its message', async () => {
    await byHand.create('k033', [[1]]);
    await user.apply('k033', { replicationFactor: 1 });
    await alone.work('k033');
    const worker = alone.worker();
    await withHeldMoves(world, async () => {
      await user.apply('k033', { replicationFactor: 3 });
      for (let looks = 0; looks < 2; looks++) assert.deepEqual(await worker.deliver(['k033']), []);
      const { metadata } = (await user.get('k033')) as KafkaTopic;
      const begun = performance.now();
      for (let looks = 0; looks < 25; looks++) assert.deepEqual(await worker.deliver(['k033'], 20), []);
      assert.ok(performance.now() - begun < 25 * 2_000);
      const after = (await user.get('k033')) as KafkaTopic;
      assert.equal(conditionOf(after, 'Ready')?.reason, 'ReassignmentInProgress');
      assert.equal(after.metadata.resourceVersion, metadata.resourceVersion, 'nothing new, nothing written');
    });
    await arrives('k033', [[1, 2, 3]]);
    await worker.deliver(['k033']);
    assert.equal(conditionOf(await user.get('k033'), 'Ready')?.reason, 'Synced');
  });

  test('K042: without a limit no limit is written', async () => {
    const worker = alone.worker({ REASSIGNMENT_BYTES_PER_SECOND: '' });
    await user.apply('k042-none', spec);
    await worker.deliver(['k042-none']);
    await user.apply('k042-none', { ...spec, replicationFactor: 2 });
    const before = alone.kafka.requests.length;
    await worker.deliver(['k042-none']);
    const object = (await user.get('k042-none')) as KafkaTopic;
    assert.equal(object.metadata.finalizers, undefined);
    await arrives('k042-none', targetOf('k042-none'));
    await worker.deliver(['k042-none']);
    assert.equal(conditionOf(await user.get('k042-none'), 'Ready')?.reason, 'Synced');
    const sent = alone.kafka.requests.slice(before).map(({ apiKey }) => apiKey);
    assert.ok(sent.includes(apiKeys.alterPartitionReassignments));
    assert.ok(!sent.includes(apiKeys.incrementalAlterConfigs));
  });

  test('K034, K113: fewer replicas wait where the installation lists them', async () => {
    const worker = alone.worker({ APPROVAL_REQUIRED: 'ReduceReplicas,ReduceMinInsync' });
    const before = { numPartitions: 1, replicationFactor: 3, config: { 'min.insync.replicas': 2 } };
    await user.apply('k113', before);
    await worker.deliver(['k113']);
    await user.apply('k113', { ...before, replicationFactor: 2, config: { 'min.insync.replicas': 1 } });
    await worker.deliver(['k113']);
    const plan = (await user.get('k113'))?.status?.plan;
    assert.deepEqual(plan && linesOf(plan), [
      'AddFinalizer', // for the limit on the move
      'SetConfig min.insync.replicas 2 1',
      'MoveReplicas replicationFactor 3 2',
    ]);
    assert.deepEqual(await overrides('k113'), { 'min.insync.replicas': '2' });
    assert.deepEqual(
      (await byHand.see('k113')).replicas.map(({ length }) => length),
      [3],
    );
    await annotate(user, 'k113', plan?.hash ?? '');
    await worker.deliver(['k113']);
    await arrives('k113', targetOf('k113'));
    await worker.deliver(['k113']);
    const object = await user.get('k113');
    assert.deepEqual([conditionOf(object, 'Ready')?.reason, object?.status?.replicationFactor], ['Synced', 2]);
    assert.deepEqual(await overrides('k113'), { 'min.insync.replicas': '1' });
  });
}
