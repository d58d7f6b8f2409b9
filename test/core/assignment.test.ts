import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assign } from '../../functions/core/assignment.ts';
import type { Assignment, Broker, PartitionReplicas, Replicas } from '../../functions/core/topic.ts';
import { table } from '../support/table.ts';

const broker = (id: number, rack?: string): Broker => ({ id, rack });
const partition = (
  partition: number,
  replicas: readonly number[],
  fields: Partial<PartitionReplicas> = {},
): PartitionReplicas => ({ partition, leader: replicas[0], replicas, adding: [], removing: [], ...fields });
const all = ({ partitions }: Replicas): number[] => partitions.map(({ partition }) => partition);

/** The assignment, which must not have been refused. */
function assigned(replicas: Replicas, wanted: readonly number[], factor: number): Assignment {
  const result = assign(replicas, wanted, factor);
  if ('reason' in result) assert.fail(result.message);
  return result;
}

type Case = { brokers: readonly Broker[]; partitions: readonly PartitionReplicas[]; factor: number };
const three = [broker(1), broker(2), broker(3)];
const racks = [broker(1, 'a'), broker(2, 'a'), broker(3, 'b'), broker(4, 'c')];

table(
  'assignment',
  ({ factor, ...replicas }: Case) => {
    const result = assign(replicas, all(replicas), factor);
    return 'reason' in result ? [result.reason, result.message] : Object.fromEntries(result);
  },
  [
    {
      reason: 'one replica becomes three, the old one first (K030)',
      given: { brokers: three, partitions: [partition(0, [2])], factor: 3 },
      want: { 0: [2, 1, 3] },
    },
    {
      reason: 'new replicas take turns among equal brokers (K037)',
      given: { brokers: three, partitions: [partition(0, [1]), partition(1, [2]), partition(2, [3])], factor: 2 },
      want: { 0: [1, 2], 1: [2, 3], 2: [3, 1] },
    },
    {
      reason: 'a rack without a replica comes before a broker without load (K037)',
      given: { brokers: racks, partitions: [partition(0, [1]), partition(1, [3]), partition(2, [4])], factor: 2 },
      want: { 0: [1, 3], 1: [3, 2], 2: [4, 1] },
    },
    {
      reason: 'with more replicas than racks the racks are doubled evenly',
      given: { brokers: racks, partitions: [partition(0, [3])], factor: 4 },
      want: { 0: [3, 1, 4, 2] },
    },
    {
      reason: 'a replica on a broker that is down is kept, and counted (K038)',
      given: { brokers: [broker(1), broker(3)], partitions: [partition(0, [2, 1])], factor: 3 },
      want: { 0: [2, 1, 3] },
    },
    {
      reason: 'too few brokers that are up refuse the whole topic (K038)',
      given: { brokers: [broker(1), broker(2)], partitions: [partition(0, [1]), partition(1, [3, 1])], factor: 3 },
      want: [
        'InvalidReplicationFactor',
        'spec.replicationFactor 3 needs 3 brokers and 2 are up: lower it, or bring more brokers up',
      ],
    },
    {
      reason: 'the leader stays, though it is last (K034)',
      given: { brokers: three, partitions: [partition(0, [1, 2, 3], { leader: 3 })], factor: 1 },
      want: { 0: [3] },
    },
    {
      reason: 'a broker that is down loses its replica first (K034)',
      given: { brokers: [broker(1), broker(3)], partitions: [partition(0, [1, 2, 3])], factor: 2 },
      want: { 0: [1, 3] },
    },
    {
      reason: 'a doubled rack gives up its second replica (K034)',
      given: { brokers: racks, partitions: [partition(0, [1, 2, 3])], factor: 2 },
      want: { 0: [1, 3] },
    },
    {
      reason: 'the most loaded broker gives up its replica',
      given: { brokers: three, partitions: [partition(0, [1, 2, 3]), partition(1, [2, 1])], factor: 2 },
      want: { 0: [1, 3], 1: [2, 1] },
    },
    {
      reason: 'without a leader the preferred replicas stay',
      given: { brokers: three, partitions: [partition(0, [3, 2, 1], { leader: undefined })], factor: 1 },
      want: { 0: [3] },
    },
    {
      reason: 'a move that is redirected goes on to a broker that it copies to already (K041)',
      given: { brokers: three, partitions: [partition(0, [1, 3, 2], { adding: [3, 2] })], factor: 2 },
      want: { 0: [1, 3] },
    },
    {
      reason: 'a move that is reverted leads back to what the partition had (K041)',
      given: { brokers: three, partitions: [partition(0, [1, 3, 2], { adding: [3, 2] })], factor: 1 },
      want: { 0: [1] },
    },
    {
      reason: 'a reduction that is reverted keeps what it was about to remove (K041)',
      given: { brokers: three, partitions: [partition(0, [1, 3, 2], { removing: [2] })], factor: 3 },
      want: { 0: [1, 3, 2] },
    },
    {
      reason: 'a broker that leads already while it is being added stays (K034)',
      given: {
        brokers: [broker(2), broker(3)],
        partitions: [partition(0, [1, 2], { adding: [2], leader: 2 })],
        factor: 1,
      },
      want: { 0: [2] },
    },
  ],
);

test('K036: partitions that are not to change are left out, but count for the load', () => {
  const partitions = [partition(0, [1, 2]), partition(1, [1]), partition(2, [2, 3], { removing: [3] })];
  assert.deepEqual(assigned({ brokers: three, partitions }, [1, 7], 2), new Map([[1, [1, 3]]]));
});

/** Any topic: some brokers are down, some name no rack, some partitions move or have no leader. */
const anyReplicas: fc.Arbitrary<Replicas> = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(['a'], ['a', 'b', 'c'], ['a', 'b', undefined], [undefined]))
  .chain(([count, names]) => {
    const ids = Array.from({ length: count }, (_, index) => index * 3 + 1);
    const some = fc.subarray(ids);
    const anyPartition = fc.shuffledSubarray(ids, { minLength: 1 }).chain((replicas) =>
      fc.record({
        leader: fc.constantFrom(undefined, ...replicas),
        replicas: fc.constant(replicas),
        adding: fc.subarray(replicas, { maxLength: replicas.length - 1 }),
        removing: some,
      }),
    );
    return fc.record({
      brokers: fc
        .tuple(fc.subarray(ids, { minLength: 1 }), fc.infiniteStream(fc.constantFrom(...names)))
        .map(([up, racks]) => up.map((id) => broker(id, racks.next().value))),
      partitions: fc
        .array(anyPartition, { minLength: 1, maxLength: 12 })
        .map((list) => list.map((fields, index) => partition(index, fields.replicas, valid(fields)))),
    });
  });

/** Nothing is added and removed at a time, and what a move removes is there. */
const valid = ({ leader, replicas, adding, removing }: Omit<PartitionReplicas, 'partition'>) => ({
  leader,
  adding,
  removing: removing.filter((id) => replicas.includes(id) && !adding.includes(id)),
});

const anyFactor = fc.integer({ min: 1, max: 8 });

/** What a partition has before any move. */
const had = ({ replicas, adding, leader }: PartitionReplicas) =>
  replicas.filter((id) => id === leader || !adding.includes(id));

/** Checks each partition of each assignment that is not refused. */
const forEachTarget = (
  check: (before: PartitionReplicas, target: readonly number[], brokers: readonly Broker[], factor: number) => void,
) =>
  fc.assert(
    fc.property(anyReplicas, anyFactor, (replicas, factor) => {
      const result = assign(replicas, all(replicas), factor);
      fc.pre(!('reason' in result));
      for (const before of replicas.partitions) {
        const target = (result as Assignment).get(before.partition);
        check(before, target ?? assert.fail(`no target for ${before.partition}`), replicas.brokers, factor);
      }
    }),
  );

describe('any assignment', () => {
  test('names as many brokers as wanted, none twice', () =>
    forEachTarget((_, target, __, factor) => assert.equal(new Set(target).size, factor, String(target))));

  test('K037, K034: keeps as much as it can, in its order, and the leader always', () =>
    forEachTarget((before, target, _, factor) => {
      const kept = target.filter((id) => had(before).includes(id));
      assert.equal(kept.length, Math.min(had(before).length, factor));
      assert.deepEqual(
        kept,
        had(before).filter((id) => kept.includes(id)),
      );
      assert.deepEqual(target.slice(0, kept.length), kept);
      assert.ok(before.leader === undefined || kept.includes(before.leader));
    }));

  test('K038: places new replicas only on brokers that are up, and removes from those that are down first', () =>
    forEachTarget((before, target, brokers) => {
      const isUp = (id: number) => brokers.some((candidate) => candidate.id === id);
      assert.ok(target.filter((id) => !had(before).includes(id)).every(isUp));
      const lost = had(before).filter((id) => !target.includes(id));
      if (lost.some(isUp)) assert.ok(target.every((id) => id === before.leader || isUp(id)));
    }));

  test('K037, K034: no single other choice would spread the racks better', () =>
    forEachTarget((before, target, brokers) => {
      const rackOf = (id: number) => brokers.find((candidate) => candidate.id === id)?.rack;
      const count = (id: number) => target.filter((other) => rackOf(other) === rackOf(id)).length;
      const isUp = (id: number) => brokers.some((candidate) => candidate.id === id);
      const fewer = had(before).length > target.length;
      const ours = target.filter((id) => (fewer ? id !== before.leader && isUp(id) : !had(before).includes(id)));
      const others = (fewer ? had(before) : brokers.map(({ id }) => id)).filter(
        (id) => isUp(id) && !target.includes(id),
      );
      for (const id of ours) for (const other of others) assert.ok(count(id) <= count(other) + 1, `${id} for ${other}`);
    }));

  test('K037: does not depend on the order of brokers and partitions', () => {
    const reversed = <T>(list: readonly T[]) => list.toReversed();
    fc.assert(
      fc.property(anyReplicas, anyFactor, ({ brokers, partitions }, factor) => {
        const wanted = all({ brokers, partitions });
        assert.deepEqual(
          assign({ brokers: reversed(brokers), partitions: reversed(partitions) }, reversed(wanted), factor),
          assign({ brokers, partitions }, wanted, factor),
        );
      }),
    );
  });

  test('K038: is refused exactly when a partition lacks brokers that are up', () =>
    fc.assert(
      fc.property(anyReplicas, anyFactor, (replicas, factor) => {
        const up = replicas.brokers.map(({ id }) => id);
        const lacks = (before: PartitionReplicas) => new Set([...had(before), ...up]).size < factor;
        assert.equal('reason' in assign(replicas, all(replicas), factor), replicas.partitions.some(lacks));
      }),
    ));

  test('K032: is the same in the middle of the move that it started', () =>
    fc.assert(
      fc.property(
        anyReplicas,
        anyFactor,
        fc.infiniteStream(fc.boolean()),
        ({ brokers, partitions }, factor, stages) => {
          const before = partitions.map((p) => ({ ...p, replicas: had(p), adding: [], removing: [] }));
          const first = assign({ brokers, partitions: before }, all({ brokers, partitions }), factor);
          fc.pre(!('reason' in first));
          const moving = before.map((p) => (stages.next().value ? underWay(p, first as Assignment) : p));
          assert.deepEqual(assign({ brokers, partitions: moving }, all({ brokers, partitions }), factor), first);
        },
      ),
    ));
});

/** As Kafka shows a partition in motion: the target first, then what the move removes. */
function underWay(before: PartitionReplicas, assignment: Assignment): PartitionReplicas {
  const target = assignment.get(before.partition) ?? [];
  const removing = before.replicas.filter((id) => !target.includes(id));
  const adding = target.filter((id) => !before.replicas.includes(id));
  return { ...before, replicas: [...target, ...removing], adding, removing };
}

test('K037: an evenly placed topic stays even, to within two replicas a broker', () => {
  const count = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(count, fc.integer({ min: 1, max: 6 }), anyFactor, anyFactor, (size, rounds, from, to) => {
      fc.pre(from <= size && to <= size);
      const brokers = Array.from({ length: size }, (_, id) => broker(id));
      const placed = Array.from({ length: rounds * size }, (_, index) =>
        partition(
          index,
          Array.from({ length: from }, (_, nth) => (index + nth) % size),
        ),
      );
      const targets = [
        ...assigned(
          { brokers, partitions: placed },
          placed.map((p) => p.partition),
          to,
        ).values(),
      ].flat();
      const loads = brokers.map(({ id }) => targets.filter((target) => target === id).length);
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 2, String(loads));
    }),
  );
});
