import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../functions/core/action.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { outcomeOf, startPass } from '../../functions/core/pass.ts';
import { plan } from '../../functions/core/plan.ts';
import { needsReplicas, progressOf, recordOf } from '../../functions/core/replication.ts';
import type { Reassignment } from '../../functions/core/resource.ts';
import type { Situation } from '../../functions/core/situation.ts';
import type { PartitionReplicas, Replicas } from '../../functions/core/topic.ts';
import { absent, anotherId, boundTopic, deletedTopic, installation, live, situation } from '../support/build.ts';
import { table } from '../support/table.ts';

const brokers = [1, 2, 3, 4].map((id) => ({ id, rack: undefined }));
/** `[1, 2]`: what it has; `+3`: a running move adds it; `-1`: a running move removes it. */
const partition = (index: number, ...has: readonly (number | `+${number}` | `-${number}`)[]): PartitionReplicas => {
  const ids = has.map((one) => Math.abs(Number(one)));
  const marked = (mark: string) =>
    has.filter((one) => String(one).startsWith(mark)).map((one) => Math.abs(Number(one)));
  return { partition: index, leader: ids[0], replicas: ids, adding: marked('+'), removing: marked('-') };
};
const placed = (partitions: readonly PartitionReplicas[], up = brokers): Replicas => ({ brokers: up, partitions });

const record = (replicationFactor: number, assignment: Record<string, string>): Reassignment => ({
  step: 'submitted',
  replicationFactor,
  partitionsDone: 0,
  partitionsTotal: Object.keys(assignment).length,
  assignment,
});

const at = (
  wanted: number | undefined,
  observed: number | 'mixed',
  replicas: Replicas | Failure,
  reassignment?: Reassignment,
  numPartitions?: number,
  config: Readonly<Record<string, string>> = {},
): Situation =>
  situation(
    boundTopic(
      { config, ...(wanted && { replicationFactor: wanted }), ...(numPartitions && { numPartitions }) },
      reassignment === undefined ? {} : { reassignment },
    ),
    live({ replicationFactor: observed, numPartitions: 2 }),
    { replicas },
  );

const short = (action: Action): string => {
  if (action.type !== 'MoveReplicas') return action.type;
  const sent = [...action.send].map(([index, to]) => `${index}:${to === null ? 'undo' : to.join(',')}`);
  return `Move ${action.from} to ${action.to} ${sent.sort().join(' ')}`;
};
const decide = (given: Situation) => {
  const { actions, refusals, waitsFor } = plan(given);
  return [...actions.map(short), ...refusals.map(({ reason }) => reason), ...(waitsFor === undefined ? [] : ['wait'])];
};

const pinned = { 'segment.ms': '1000' };
const two = record(2, { 0: '1,2', 1: '2,3' });

table('a change of the replication factor', decide, [
  {
    reason: 'is begun for the partitions that have another number (K030, K036)',
    given: at(2, 'mixed', placed([partition(0, 1), partition(1, 2, 3)])),
    want: ['Move mixed to 2 0:1,4'],
  },
  {
    reason: 'takes away what is too much and keeps the leader (K034)',
    given: at(1, 2, placed([partition(0, 1, 2), partition(1, 2, 1)])),
    want: ['Move 2 to 1 0:1 1:2'],
  },
  {
    reason: 'with too few brokers is refused, and nothing is sent (K038)',
    given: at(5, 1, placed([partition(0, 1)])),
    want: ['InvalidReplicationFactor'],
  },
  {
    reason: 'waits while somebody else moves replicas (K039)',
    given: at(2, 1, placed([partition(0, -1, '+4'), partition(1, 2)])),
    want: ['wait'],
  },
  {
    reason: 'waits while its own move is under way (K033)',
    given: at(2, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, 3)]), two),
    want: ['wait'],
  },
  {
    reason: 'ends when all have arrived (K031)',
    given: at(2, 2, placed([partition(0, 1, 2), partition(1, 3, 2)]), two),
    want: ['FinishMove'],
  },
  {
    reason: 'was stored and never sent: it is sent as stored (K032)',
    given: at(2, 1, placed([partition(0, 1), partition(1, 2)]), { ...two, step: 'planned' }),
    want: ['Move 2 to 2 0:1,2 1:2,3'],
  },
  {
    reason: 'is sent again only for what got lost (K032)',
    given: at(2, 'mixed', placed([partition(0, 1), partition(1, 2, '+3')]), two),
    want: ['Move 2 to 2 0:1,2'],
  },
  {
    reason: 'finds another broker when the one it was to go to is down before anything was sent (K038)',
    given: at(
      2,
      1,
      placed(
        [partition(0, 1), partition(1, 2)],
        brokers.filter(({ id }) => id !== 3),
      ),
      two,
    ),
    want: ['Move 2 to 2 0:1,2 1:2,4'],
  },
  {
    reason: 'is cancelled when the spec is what it was (K041)',
    given: at(1, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, '+3')]), two),
    want: ['Move mixed to 1 0:undo 1:undo'],
  },
  {
    reason: 'is undone where it has arrived and cancelled where it has not (K041)',
    given: at(1, 2, placed([partition(0, 1, 2), partition(1, 2, '+3')]), two),
    want: ['Move 2 to 1 0:1 1:undo'],
  },
  {
    reason: 'goes on to a third number, with what is copied already (K041)',
    given: at(3, 2, placed([partition(0, 1, '+2'), partition(1, 2, '+3')]), two),
    want: ['Move 2 to 3 0:1,2,3 1:2,3,4'],
  },
  {
    reason: 'reverted before anything was sent is forgotten',
    given: at(1, 1, placed([partition(0, 1), partition(1, 2)]), { ...two, step: 'planned' }),
    want: ['FinishMove'],
  },
  {
    reason: 'goes on when the spec no longer says a number',
    given: at(undefined, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, 3)]), two),
    want: ['wait'],
  },
  {
    reason: 'and its end come before the config, which may wait for somebody',
    given: at(2, 2, placed([partition(0, 1, 2), partition(1, 3, 2)]), two, undefined, pinned),
    want: ['FinishMove', 'SetConfig'],
  },
  {
    reason: 'that was begun comes before the config too',
    given: at(2, 1, placed([partition(0, 1), partition(1, 2)]), { ...two, step: 'planned' }, undefined, pinned),
    want: ['Move 2 to 2 0:1,2 1:2,3', 'SetConfig'],
  },
  {
    reason: 'that is new comes after it',
    given: at(2, 1, placed([partition(0, 1), partition(1, 2, 3)]), undefined, undefined, pinned),
    want: ['SetConfig', 'Move 1 to 2 0:1,4'],
  },
  {
    reason: 'that somebody else has redirected is left to them (K039)',
    given: at(2, 2, placed([partition(0, 1, '+4'), partition(1, 2, 3)]), two),
    want: ['wait'],
  },
  {
    reason: 'comes before new partitions, which would get the old number of replicas (K035)',
    given: at(2, 1, placed([partition(0, 1), partition(1, 2)]), undefined, 6),
    want: ['Move 1 to 2 0:1,3 1:2,4', 'AddPartitions'],
  },
  {
    reason: 'that was redirected is ours still when the request for it got lost (K032, K041)',
    given: at(1, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, '+3')]), {
      ...record(1, { 0: '1', 1: '2' }),
      step: 'planned',
      replaces: { 0: '1,2', 1: '4,2;2,3' },
    }),
    want: ['Move 1 to 1 0:undo 1:undo'],
  },
  {
    reason: 'leaves those on their way alone when a broker for another is down (K038)',
    given: at(
      2,
      'mixed',
      placed(
        [partition(0, 1, '+3'), partition(1, 2)],
        brokers.filter(({ id }) => id !== 3),
      ),
      record(2, { 0: '1,3', 1: '2,3' }),
    ),
    want: ['Move 2 to 2 1:2,4'],
  },
  {
    reason: 'holds up new partitions while it is under way (K035)',
    given: at(2, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, 3)]), two, 6),
    want: ['wait'],
  },
  {
    reason: 'lets them come when it ends (K035)',
    given: at(2, 2, placed([partition(0, 1, 2), partition(1, 2, 3)]), two, 6),
    want: ['FinishMove', 'AddPartitions'],
  },
  {
    reason: 'is refused alone where nobody may know what moves (K043)',
    given: at(2, 1, new Failure('NotAuthorized', 'allow Describe on the cluster', { retryable: false }), undefined, 6),
    want: ['AddPartitions', 'NotAuthorized'],
  },
  {
    reason: 'ends with its topic: a new one must not inherit it (K114)',
    given: situation(boundTopic({ replicationFactor: 2 }, { reassignment: two }), absent),
    want: ['FinishMove', 'CreateTopic'],
  },
  {
    reason: 'ends with its topic: somebody else’s of the same name must not inherit it (K115)',
    given: situation(boundTopic({ replicationFactor: 2 }, { reassignment: two }), live({ id: anotherId })),
    want: ['FinishMove', 'BindTopic'],
  },
  {
    reason: 'that another tool has made already needs nothing (K040)',
    given: at(2, 2, placed([])),
    want: [],
  },
]);

table('a limit on the traffic of a move', decide, [
  {
    reason: 'holds the object until it is taken away (K044)',
    given: {
      ...at(2, 1, placed([partition(0, 1), partition(1, 2)])),
      installation: installation({ moveBytesPerSecond: 1000 }),
    },
    want: ['AddFinalizer', 'Move 1 to 2 0:1,3 1:2,4'],
  },
  {
    reason: 'frees it when it is gone',
    given: situation(
      boundTopic(
        { replicationFactor: 2 },
        { reassignment: { ...two, bytesPerSecond: 1 } },
        { finalizers: ['cache.example.com/topic'] },
      ),
      live({ replicationFactor: 2 }),
      { replicas: placed([partition(0, 1, 2), partition(1, 2, 3)]) },
    ),
    want: ['RemoveFinalizer', 'FinishMove'],
  },
  {
    reason: 'is taken away before a deleted object goes (K044)',
    given: situation(deletedTopic({ deletionPolicy: 'Retain' }, { reassignment: { ...two, bytesPerSecond: 1 } })),
    want: ['FinishMove', 'RemoveFinalizer'],
  },
  {
    reason: 'is taken away when the topic is deleted (K044)',
    given: situation(deletedTopic({}, { reassignment: { ...two, bytesPerSecond: 1 } }), live()),
    want: ['DeleteTopic', 'FinishMove', 'RemoveFinalizer'],
  },
  {
    reason: 'that was never set leaves nothing to do (K044)',
    given: situation(deletedTopic({}, { reassignment: two }), live()),
    want: ['DeleteTopic', 'RemoveFinalizer'],
  },
]);

test('K033: a pass that waits is no failure, says how far the move is, and keeps its record', () => {
  const given = at(2, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, 3)]), two);
  const outcome = outcomeOf(startPass(given.resource, given), true);
  assert.equal(outcome.kind === 'Failed' && outcome.failure.reason, 'ReassignmentInProgress');
  assert.match(outcome.kind === 'Failed' ? outcome.failure.message : '', /1 of 2 partitions are done/);
  assert.equal(outcome.reassignment?.partitionsDone, 1);
});

test('a broker that is lost in the middle is named', () => {
  const up = brokers.filter(({ id }) => id !== 2);
  const given = at(2, 'mixed', placed([partition(0, 1, '+2'), partition(1, 2, 3)], up), two);
  assert.match(plan(given).waitsFor ?? '', /it waits for broker 2, which is not up/);
});

test('replicas are looked at only where they decide', () => {
  const asks = (resource: Parameters<typeof needsReplicas>[0], factor: number | 'mixed' = 1) =>
    needsReplicas(resource, live({ replicationFactor: factor }));
  assert.equal(asks(boundTopic({ replicationFactor: 1 })), false);
  assert.equal(asks(boundTopic()), false);
  assert.equal(asks(boundTopic({ replicationFactor: 2 })), true);
  assert.equal(asks(boundTopic({ replicationFactor: 2 }), 'mixed'), true);
  assert.equal(asks(boundTopic({ replicationFactor: 2, mode: 'Observe' })), false);
  assert.equal(asks(boundTopic({ replicationFactor: 2, mode: 'Paused' })), false);
  assert.equal(asks(boundTopic({}, { reassignment: two })), true);
  assert.equal(asks(deletedTopic({}, { reassignment: two })), false);
});

test('partitions that came while replicas moved are looked at once more', () => {
  const arrived = [partition(0, 1, 2), partition(1, 3, 2)];
  assert.equal(plan(at(2, 'mixed', placed([...arrived, partition(2, 1)]), two)).lookAgain, true);
  assert.equal(plan(at(2, 2, placed(arrived), two)).lookAgain, false);
  assert.equal(plan(at(2, 2, placed(arrived), two, undefined, pinned)).lookAgain, false);
});

const begun: Reassignment = { ...two, step: 'planned', replaces: { 0: '1,4;1,3', 2: '4,1' } };
const target = new Map([
  [0, [1, 3]],
  [1, [2, 3]],
]);

table(
  'the record of a move before it is asked for',
  ({ before, rate }: { before?: Reassignment; rate?: number }) => {
    const { replicas } = at(2, 1, placed([partition(0, 1), partition(1, 2, 3)]));
    const status = before === undefined ? {} : { reassignment: before };
    const given = situation(boundTopic({}, status), live(), {
      replicas,
      installation: installation({ moveBytesPerSecond: rate }),
    });
    const { step, replicationFactor, assignment, ...rest } = recordOf(given, target, 2);
    assert.deepEqual([step, replicationFactor, assignment], ['planned', 2, { 0: '1,3', 1: '2,3' }]);
    return rest;
  },
  [
    { reason: 'counts what is there already', given: {}, want: { partitionsDone: 1, partitionsTotal: 2 } },
    {
      reason: 'has the limit of the installation',
      given: { rate: 7 },
      want: { bytesPerSecond: 7, partitionsDone: 1, partitionsTotal: 2 },
    },
    {
      reason: 'keeps the limit that the move began with, and what is under way by an earlier request',
      given: { rate: 7, before: { ...two, bytesPerSecond: 5 } },
      want: { bytesPerSecond: 5, partitionsDone: 1, partitionsTotal: 2, replaces: { 0: '1,2' } },
    },
    {
      reason: 'began without a limit, and gets none now',
      given: { rate: 7, before: two },
      want: { partitionsDone: 1, partitionsTotal: 2, replaces: { 0: '1,2' } },
    },
    {
      reason: 'that was not asked for keeps what it would have replaced, each once, but not what is wanted again',
      given: { before: begun },
      want: { partitionsDone: 1, partitionsTotal: 2, replaces: { 0: '1,2;1,4', 2: '4,1' } },
    },
    {
      reason: 'that was asked for replaces nothing but itself',
      given: { before: { ...begun, step: 'submitted' } },
      want: { partitionsDone: 1, partitionsTotal: 2, replaces: { 0: '1,2' } },
    },
    {
      reason: 'with nothing under way that would be another one replaces nothing',
      given: { before: { ...two, assignment: { 0: '1,3', 1: '2,3' } } },
      want: { partitionsDone: 1, partitionsTotal: 2 },
    },
  ],
);

test('nobody who could tell where replicas are: the record counts none', () => {
  const failed = situation(boundTopic(), live(), {
    replicas: new Failure('NotAuthorized', 'no', { retryable: false }),
  });
  for (const given of [failed, situation(boundTopic(), live())])
    assert.equal(recordOf(given, target, 2).partitionsDone, 0);
});

test('moves of somebody else are told with how many there are', () =>
  assert.equal(
    plan(at(2, 1, placed([partition(0, -1, '+4'), partition(1, 2)]))).waitsFor,
    'somebody else is moving replicas of 1 of 2 partitions: the replication factor is changed when that has ended',
  ));

test('brokers that are lost in the middle are named in their order, and only where there are any', () => {
  const arriving = [partition(0, 1, '+2'), partition(1, 2, '+3')];
  const waits = (...up: number[]) =>
    plan(
      at(
        2,
        1,
        placed(
          arriving,
          brokers.filter(({ id }) => up.includes(id)),
        ),
        record(2, { 0: '2,1', 1: '3,2' }),
      ),
    ).waitsFor;
  const soFar = 'the replication factor becomes 2: 0 of 2 partitions are done';
  assert.equal(waits(1, 2, 3), soFar);
  assert.equal(waits(1), `${soFar}; it waits for broker 2, 3, which is not up`);
});

test('fewer copies wait for somebody where one partition loses some', () => {
  const all = installation({ approvals: new Set(['ReduceReplicas']) });
  const why = (...partitions: PartitionReplicas[]) =>
    plan({ ...at(2, 'mixed', placed(partitions)), installation: all }).actions[0]?.why;
  assert.equal(why(partition(0, 1, 2, 3), partition(1, 2)), 'fewer copies of each record');
  assert.equal(why(partition(0, 1), partition(1, 2)), '');
  const undone = {
    ...at(2, 2, placed([partition(0, 1, 2, '+3'), partition(1, 2, 3)]), record(3, { 0: '1,2,3' })),
    installation: all,
  };
  assert.deepEqual([plan(undone).actions.map(short), plan(undone).actions[0]?.why], [['Move 2 to 2 0:undo'], '']);
});

test('progress counts only what has arrived and moves no more', () => {
  const done = (...partitions: PartitionReplicas[]) => progressOf(two, placed(partitions)).partitionsDone;
  assert.equal(done(partition(0, 1, '+2'), partition(1, 2, 3)), 1);
  assert.equal(done(partition(0, 2, 1), partition(1, 3, 2)), 2);
  assert.equal(done(partition(0, 1, 2, '-4'), partition(1, 2)), 0);
});
