import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approve, held } from '../../support/e2e/approval.ts';
import { toldAbout } from '../../support/e2e/events.ts';
import { conditionOf, type KafkaTopic } from '../../support/e2e/kubectl.ts';
import { limit, type Moves, movesAskedFor, sorted } from '../../support/e2e/three-brokers.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import { limited } from '../../support/kafka/replicas-by-hand.ts';
import { moving, ratesOf, topicsOf, withHeldMoves } from './topics.ts';

const all = [1, 2, 3];
const finalizer = 'cache.example.com/topic';

export function ownMoves(world: Moves): void {
  const { a, admin, byHand, kafka, queues } = world;
  const { apply, arrives, bound, overrides, placed, settles } = topicsOf(world);
  const progressOf = ({ status }: KafkaTopic) => {
    const { step, replicationFactor, partitionsDone, partitionsTotal } = status?.reassignment ?? {};
    return { step, replicationFactor, partitionsDone, partitionsTotal };
  };
  const nobodyLimits = () =>
    eventually(async () => assert.deepEqual(await ratesOf(world), [{}, {}, {}], 'rates are left on brokers'));

  test('K030, K031, K033, K042: a move takes its time within its limits, with progress that is told, and nothing of it stays', async () => {
    await bound('k030', [[1], [2], [3]]);
    await apply('k030', { replicationFactor: 3 });
    const object = await moving(a, 'k030', 3);
    const [ready, reconciling] = [conditionOf(object, 'Ready'), conditionOf(object, 'Reconciling')];
    assert.deepEqual([ready?.status, reconciling?.status, reconciling?.reason], ['False', 'True', ready?.reason]);
    assert.deepEqual(object.metadata.finalizers, [finalizer]);
    const { partitionsDone, ...progress } = progressOf(object);
    assert.deepEqual(progress, { step: 'submitted', replicationFactor: 3, partitionsTotal: 3 });
    assert.deepEqual(await overrides('k030'), limited);
    assert.deepEqual(await ratesOf(world), Array(3).fill({ leader: limit, follower: limit }));
    assert.notDeepEqual(await byHand.underWay('k030'), []);
    const seen = [partitionsDone ?? 0];
    for (let looks = 0; looks < 25; looks++) {
      await queues.tick();
      const looked = (await a.get('k030')) as KafkaTopic;
      if (looked.status?.reassignment === undefined) break;
      assert.equal(conditionOf(looked, 'Ready')?.reason, 'ReassignmentInProgress');
      seen.push(looked.status.reassignment.partitionsDone);
    }
    assert.ok(seen.length > 1, 'the move took longer than a look');
    assert.deepEqual(seen, seen.toSorted(), 'progress never goes back');
    const { status, metadata } = await settles('k030');
    assert.deepEqual([status?.reassignment, status?.replicationFactor], [undefined, 3]);
    assert.deepEqual([await overrides('k030'), metadata.finalizers], [{}, undefined]);
    await nobodyLimits();
    await arrives('k030', [all, all, all]);
    await queues.drained();
    const told = await toldAbout(admin, 'k030');
    assert.deepEqual(told.slice(1), [
      'Normal ReassignmentStarted: replication factor 1 to 3: replicas are moving',
      'Normal ReassignmentFinished: replication factor is 3: all replicas are in place',
    ]);
  });

  test('K037: what is there stays, racks differ, the load is even, and the same input gives the same', async () => {
    const before = [[1], [2], [3], [3], [1], [2]];
    for (const name of ['k037-a', 'k037-b']) await bound(name, before);
    for (const name of ['k037-a', 'k037-b']) await apply(name, { replicationFactor: 2 });
    for (const name of ['k037-a', 'k037-b']) await settles(name);
    const after = await placed('k037-a');
    assert.deepEqual(await placed('k037-b'), after);
    assert.deepEqual(
      after.map(([kept]) => [kept]),
      before,
    );
    assert.ok(after.every((brokers) => new Set(brokers).size === 2));
    const load = all.map((broker) => after.flat().filter((other) => other === broker).length);
    assert.deepEqual(load, [4, 4, 4]);
    await nobodyLimits();
  });

  test('K034: fewer replicas: each partition keeps its leader', async () => {
    const before = [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ];
    await bound('k034', before);
    await apply('k034', { replicationFactor: 2 });
    await settles('k034');
    const after = await placed('k034');
    assert.deepEqual(
      after.map((brokers, partition) => [brokers.length, brokers.includes(before[partition]?.[0] ?? 0)]),
      Array(3).fill([2, true]),
    );
    await arrives('k034', after);
  });

  test('K035: replicas, config and partitions in one edit: config at once, partitions when the move has ended', async () => {
    await bound('k035', [[1]]);
    await withHeldMoves(world, async () => {
      await apply('k035', { numPartitions: 3, replicationFactor: 3, config: { 'segment.ms': 3600000 } });
      await moving(a, 'k035', 3);
      await queues.tick();
      assert.deepEqual(await overrides('k035'), { ...limited, 'segment.ms': '3600000' });
      assert.equal((await placed('k035')).length, 1);
      assert.equal(conditionOf(await a.get('k035'), 'Ready')?.status, 'False');
    });
    await a.ready('k035');
    await arrives('k035', [all, all, all]);
    assert.deepEqual(await overrides('k035'), { 'segment.ms': '3600000' });
  });

  test('K036: of a mixed topic only the partition that deviates is moved', async () => {
    await bound('k036', [all, all, all]);
    await byHand.move('k036', 1, [2, 3]);
    await arrives('k036', [all, [2, 3], all]);
    await queues.tick();
    await settles('k036');
    await arrives('k036', [all, all, all]);
    const asked = movesAskedFor(kafka, 'k036');
    assert.deepEqual(
      asked.map(({ partition, replicas }) => [partition, replicas?.toSorted()]),
      [[1, all]],
    );
  });

  for (const [what, then] of [
    ['reverted', 1],
    ['set to a third value', 2],
  ] as const)
    test(`K041, K042: a move that is ${what} on its way ends there, and its limits with it`, async () => {
      const name = `k041-${then}`;
      await bound(name, [[2], [3]]);
      await withHeldMoves(world, async () => {
        await apply(name, { replicationFactor: 3 });
        await moving(a, name, 3);
        await eventually(async () => assert.notDeepEqual(await byHand.underWay(name), []));
        await apply(name, { replicationFactor: then });
        await a.holds(name, ({ metadata, status }) => status?.observedGeneration === metadata.generation);
        await queues.tick();
      });
      const { status, metadata } = await settles(name);
      assert.deepEqual(
        [status?.reassignment, status?.replicationFactor, metadata.finalizers],
        [undefined, then, undefined],
      );
      const after = await placed(name);
      assert.deepEqual(
        after.map((brokers) => brokers.length),
        [then, then],
      );
      assert.deepEqual(
        after.map(([kept]) => kept),
        [2, 3],
      );
      await arrives(name, after);
      assert.deepEqual(await overrides(name), {});
      await nobodyLimits();
    });

  test('K042: limits that others have set are found again after the move', async () => {
    const theirs = { 'leader.replication.throttled.replicas': '0:2' };
    await byHand.create('k042-lists', [[2]], theirs);
    await bound('k042-rates', [[2]]);
    await apply('k042-lists', { replicationFactor: 1 });
    await a.ready('k042-lists');
    await byHand.setRates(2, { leader: '77000000', follower: '77000000' });
    for (const name of ['k042-lists', 'k042-rates']) await apply(name, { replicationFactor: 2 });
    for (const name of ['k042-lists', 'k042-rates']) await settles(name);
    assert.deepEqual([await overrides('k042-lists'), await overrides('k042-rates')], [theirs, {}]);
    assert.deepEqual((await ratesOf(world))[1], { leader: '77000000', follower: '77000000' });
    await byHand.setRates(2, {});
    await nobodyLimits();
  });

  test('K044: with Delete an object that is deleted during its move takes the topic with it, and leaves no limits', async () => {
    await bound('k044-delete', [[1]], { deletionPolicy: 'Delete' });
    await withHeldMoves(world, async () => {
      await apply('k044-delete', { replicationFactor: 3, deletionPolicy: 'Delete' });
      await moving(a, 'k044-delete', 3);
      await a.delete('k044-delete');
      // it was there before its object, and holds records
      await held(a, 'k044-delete');
      await approve(a, 'k044-delete');
      await a.gone('k044-delete');
    });
    await eventually(async () => assert.equal(await world.broker.exists('k044-delete'), false));
    await nobodyLimits();
  });

  test('K044: with Retain an object that is deleted during its move lifts the limits, and the move goes on', async () => {
    await bound('k044-retain', [[1]]);
    await withHeldMoves(world, async () => {
      await apply('k044-retain', { replicationFactor: 3 });
      await moving(a, 'k044-retain', 3);
      assert.deepEqual(await overrides('k044-retain'), limited);
      await a.delete('k044-retain');
      await a.gone('k044-retain');
      assert.deepEqual(await overrides('k044-retain'), {});
      assert.deepEqual(sorted(await placed('k044-retain')), [all]);
    });
    await arrives('k044-retain', [all]);
  });

  test('K045: of two topics that move one is paused: nothing is sent for it, and each keeps its own progress', async () => {
    const names = ['k045-paused', 'k045-going'];
    await bound('k045-paused', [[1]]);
    await bound('k045-going', [[1], [2]]);
    await withHeldMoves(world, async () => {
      for (const name of names) await apply(name, { replicationFactor: 3 });
      for (const name of names) await moving(a, name, 3);
      await apply('k045-paused', { replicationFactor: 3, mode: 'Paused' });
      await a.says('k045-paused', 'Paused');
    });
    const before = kafka.requests.length;
    assert.equal((await settles('k045-going')).status?.reassignment, undefined);
    await arrives('k045-paused', [all]);
    await queues.tick();
    const asked = kafka.requests.slice(before).filter(({ body }) => body.includes('k045-paused'));
    assert.deepEqual(asked, []);
    const { status } = (await a.get('k045-paused')) as KafkaTopic;
    const totals = [status?.reassignment?.partitionsTotal, status?.reassignment?.replicationFactor];
    assert.deepEqual(totals, [1, 3]);
    await apply('k045-paused', { replicationFactor: 3, mode: 'Enforce' });
    assert.equal((await settles('k045-paused')).status?.reassignment, undefined);
    assert.deepEqual(await overrides('k045-paused'), {});
    await nobodyLimits();
  });
}
