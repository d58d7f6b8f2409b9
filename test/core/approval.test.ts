import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../functions/core/action.ts';
import { approvalProblem, permitted, shown } from '../../functions/core/approval.ts';
import { type Danger, dangers, defaultApprovals } from '../../functions/core/installation.ts';
import { plan } from '../../functions/core/plan.ts';
import type { HeldPlan, Reassignment, TopicResource } from '../../functions/core/resource.ts';
import type { Situation } from '../../functions/core/situation.ts';
import {
  absent,
  anotherId,
  boundTopic,
  deletedTopic,
  entry,
  installation,
  live,
  situation,
  topic,
} from '../support/build.ts';
import { table } from '../support/table.ts';

const decide = (given: Situation) => permitted(plan(given), given);
const asked = (given: Situation): HeldPlan => decide(given).waiting ?? assert.fail('nothing waits');
const now = (given: Situation) => decide(given).now.map(describe);
/** The same situation with more on the object, or seen otherwise. */
const but = (given: Situation, object: Partial<TopicResource>, more: Partial<Situation> = {}): Situation => ({
  ...given,
  ...more,
  resource: { ...given.resource, ...object },
});
const approved = (given: Situation): Situation => but(given, { approvedHash: asked(given).hash });

const shorter = situation(boundTopic({ config: { 'retention.ms': '1000' } }), live());
const shorterAndMore = situation(
  boundTopic({ numPartitions: 6, config: { 'segment.ms': '600000', 'retention.ms': '1000', 'retention.bytes': '9' } }),
  live(),
);

table('what may be done now', (given: Situation) => ({ now: now(given), held: decide(given).held.map(describe) }), [
  {
    reason: 'what is harmless goes ahead',
    given: situation(boundTopic({ numPartitions: 6 }), live()),
    want: { now: ['grow from 3 to 6 partitions'], held: [] },
  },
  {
    reason: 'what is destructive waits, whatever stands beside it (K121)',
    given: situation(boundTopic({ numPartitions: 6, config: { 'retention.ms': '1' } }), live()),
    want: { now: ['grow from 3 to 6 partitions'], held: ['set retention.ms from 604800000 to 1'] },
  },
  {
    reason: 'the right hash releases it (K116)',
    given: approved(shorter),
    want: { now: ['set retention.ms from 604800000 to 1000'], held: [] },
  },
  {
    reason: 'another hash does not (K117)',
    given: but(shorter, { approvedHash: '0123456789abcdef' }),
    want: { now: [], held: ['set retention.ms from 604800000 to 1000'] },
  },
  {
    reason: 'an empty one does not (K117)',
    given: but(shorter, { approvedHash: '' }),
    want: { now: [], held: ['set retention.ms from 604800000 to 1000'] },
  },
  {
    reason: 'in Plan every action waits, a creation too (K102)',
    given: situation(topic({ mode: 'Plan', deletionPolicy: 'Delete' }), absent),
    want: { now: [], held: ['add the finalizer', 'create the topic'] },
  },
  {
    reason: 'an approved creation runs whole (K102)',
    given: approved(situation(topic({ mode: 'Plan', deletionPolicy: 'Delete' }), absent)),
    want: { now: ['add the finalizer', 'create the topic'], held: [] },
  },
  {
    reason: 'Observe neither does nor holds (K108)',
    given: situation(boundTopic({ mode: 'Observe', config: { 'retention.ms': '1' } }), live()),
    want: { now: [], held: [] },
  },
  {
    reason: 'Plan with Retain lets an object go (K103)',
    given: situation(deletedTopic({ mode: 'Plan', deletionPolicy: 'Retain' })),
    want: { now: ['remove the finalizer'], held: [] },
  },
  {
    reason: 'Plan with Delete holds the deletion (K103)',
    given: situation(deletedTopic({ mode: 'Plan' }), live()),
    want: { now: [], held: ['delete the topic with id AAAAAAAAAAAAAAAAAAAAAQ', 'remove the finalizer'] },
  },
  {
    reason: 'nothing to do is nothing to hold',
    given: situation(boundTopic({ mode: 'Plan' }), live()),
    want: { now: [], held: [] },
  },
]);

table('what leaves the hash as it is', (given: Situation) => asked(given).hash === asked(shorterAndMore).hash, [
  {
    reason: 'records that arrive (K119)',
    given: but(shorterAndMore, {}, { observed: live({ records: 'unknown' }) }),
    want: true,
  },
  {
    reason: 'the order of keys (K119)',
    given: situation(
      boundTopic({
        numPartitions: 6,
        config: { 'retention.bytes': '9', 'retention.ms': '1000', 'segment.ms': '600000' },
      }),
      live(),
    ),
    want: true,
  },
  {
    reason: 'what was harmless beside it and is done (K121)',
    given: but(shorterAndMore, {}, { observed: live({ numPartitions: 6, overrides: { 'segment.ms': '600000' } }) }),
    want: true,
  },
  { reason: 'another resourceVersion', given: but(shorterAndMore, { resourceVersion: '8' }), want: true },
  { reason: 'not another generation (K118, K120)', given: but(shorterAndMore, { generation: 2 }), want: false },
  { reason: 'not another object (K117, K120)', given: but(shorterAndMore, { uid: 'uid-2' }), want: false },
  {
    reason: 'not another value to start from (K118)',
    given: but(shorterAndMore, {}, { observed: live({ overrides: { 'retention.ms': '5000' } }) }),
    want: false,
  },
  {
    reason: 'not a part of it that somebody else has done (K118)',
    given: but(shorterAndMore, {}, { observed: live({ overrides: { 'retention.ms': '1000' } }) }),
    want: false,
  },
]);

test('K120: an approval is for one topic: another that takes its name asks again', () => {
  const hashOf = (id: typeof anotherId) => asked(situation(boundTopic(), live({ id }))).hash;
  const third = 'AAAAAAAAAAAAAAAAAAAAAw' as typeof anotherId;
  assert.notEqual(hashOf(anotherId), hashOf(third));
});

test('K122: what failed in the middle goes on under the same approval', () => {
  const begun = approved(situation(boundTopic({ config: { 'retention.ms': '1', 'retention.bytes': '9' } }), live()));
  const underway = decide(begun).underway ?? assert.fail('nothing is under way');
  const halfway = but(begun, {}, { observed: live({ overrides: { 'retention.ms': '1' } }) });
  const remembered = (left: Situation) => but(left, { status: { ...boundTopic().status, plan: underway } as never });
  assert.deepEqual(now(remembered(halfway)), ['set retention.bytes from -1 to 9']);
  assert.deepEqual(now(halfway), [], 'without its memory the object asks again');
  const beside = { ...remembered(begun), observed: live({ overrides: { 'retention.bytes': '99' } }) };
  assert.deepEqual(now(beside), [], 'one of two that is another one now asks again for both');
  const edited = but(remembered(halfway), { generation: 2 });
  assert.deepEqual(now(edited), [], 'a new generation asks again');
  const moved = {
    ...remembered(halfway),
    observed: live({ overrides: { 'retention.ms': '1', 'retention.bytes': '99' } }),
  };
  assert.deepEqual(now(moved), [], 'from another value it asks again');
});

test('K117: an approval that does not match is said, and the text of it is not repeated unless it can be a hash', () => {
  const told = (approvedHash: string) => {
    const given = but(shorter, { approvedHash });
    return approvalProblem(decide(given), plan(given), given.resource)[0]?.message ?? '';
  };
  assert.match(told('0123'), /the approval 0123 on the object does not match this plan/);
  assert.match(told('\u001b[31mred\n'), /the approval on the object does not match this plan/);
  assert.match(told(''), /the approval on the object does not match this plan/);
  assert.match(told('0123 and more'), /the approval on the object does not match this plan/);
  assert.match(told('more than 0123'), /the approval on the object does not match this plan/);
});

test('a message names five actions, and how many more there are', () => {
  const told = (count: number) => {
    const keys = Array.from({ length: count }, (_, at) => [`key.${at}`, '1']);
    const entries = Object.fromEntries(keys.map(([name = '']) => [name, entry(name)]));
    const given = situation(boundTopic({ mode: 'Plan', config: Object.fromEntries(keys) }), live({ entries }));
    return approvalProblem(decide(given), plan(given), given.resource)[0]?.message.replace(/ \(spec.*/, '');
  };
  const named = (count: number) => Array.from({ length: count }, (_, at) => `set key.${at} from  to 1`).join(', ');
  assert.equal(told(5), `held back: ${named(5)}`);
  assert.equal(told(7), `held back: ${named(5)} and 2 more`);
});

test('the message holds the command that releases the plan', () => {
  const [problem] = approvalProblem(decide(shorter), plan(shorter), shorter.resource);
  assert.match(
    problem?.message ?? '',
    new RegExp(`kubectl annotate kt orders -n shop cache\\.example\\.com/approve=${asked(shorter).hash} --overwrite$`),
  );
});

test('K167: a long plan is cut in the status, and its hash covers all of it', () => {
  const config = (last: string) => ({
    ...Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`key.${at}`, 'x'.repeat(1000)])),
    'key.119': last,
  });
  const entries = Object.fromEntries(
    Object.keys(config('')).map((key) => [
      key,
      { value: '', source: 'default', inherited: '', type: 'string', readOnly: false, sensitive: false } as const,
    ]),
  );
  const long = (last: string) => situation(boundTopic({ mode: 'Plan', config: config(last) }), live({ entries }));
  const { actions, omitted, hash } = asked(long('a'));
  assert.deepEqual([actions.length, omitted], [50, 70]);
  assert.ok(JSON.stringify(actions).length < 50 * 500);
  assert.notEqual(hash, asked(long('b')).hash);
});

test('K167: a value of 200 characters is shown whole, a longer one is cut to that', () => {
  const shownTo = (length: number) => {
    const entries = { note: entry('note') };
    const given = situation(boundTopic({ mode: 'Plan', config: { note: 'x'.repeat(length) } }), live({ entries }));
    return asked(given).actions[0]?.to;
  };
  assert.equal(shownTo(200), 'x'.repeat(200));
  assert.equal(shownTo(201), `${'x'.repeat(199)}…`);
});

const replicas = {
  brokers: [1, 2].map((id) => ({ id, rack: undefined })),
  partitions: [{ partition: 0, leader: 1, replicas: [1], adding: [], removing: [] }],
};
const begunMove: Reassignment = {
  step: 'planned',
  replicationFactor: 2,
  partitionsDone: 0,
  partitionsTotal: 1,
  assignment: { 0: '1,2' },
};

table('what was begun needs nobody’s leave in Plan', (given: Situation) => now(given), [
  {
    reason: 'a move that was begun goes on: half of it helps nobody',
    given: situation(boundTopic({ mode: 'Plan', replicationFactor: 2 }, { reassignment: begunMove }), live(), {
      replicas,
    }),
    want: ['go on with the change of the replication factor to 2'],
  },
  {
    reason: 'a new one waits',
    given: situation(boundTopic({ mode: 'Plan', replicationFactor: 2 }), live(), { replicas }),
    want: [],
  },
]);

const safe = { destructive: false, why: '' };
table('a held action as people see it', shown, [
  {
    reason: 'a value that the brokers withhold is hidden',
    given: { type: 'SetConfig', key: 'k', from: null, to: '2', ...safe },
    want: { type: 'SetConfig', field: 'k', from: '***', to: '2', ...safe },
  },
  {
    reason: 'a value that nobody knows is that of the broker',
    given: { type: 'ResetConfig', key: 'k', from: '1', to: null, ...safe },
    want: { type: 'ResetConfig', field: 'k', from: '1', to: 'inherited', ...safe },
  },
  {
    reason: 'growth is from a number to a number',
    given: { type: 'AddPartitions', from: 1, to: 3, destructive: true, why: 'keys' },
    want: { type: 'AddPartitions', field: 'numPartitions', from: '1', to: '3', destructive: true, why: 'keys' },
  },
  {
    reason: 'so is a move, but for where the replicas go',
    given: {
      type: 'MoveReplicas',
      from: 'mixed',
      to: 3,
      assignment: new Map(),
      send: new Map(),
      resumes: false,
      ...safe,
    },
    want: { type: 'MoveReplicas', field: 'replicationFactor', from: 'mixed', to: '3', ...safe },
  },
  {
    reason: 'a deletion names the topic that goes',
    given: { type: 'DeleteTopic', id: anotherId, ...safe },
    want: { type: 'DeleteTopic', field: 'topicId', to: anotherId, ...safe },
  },
  {
    reason: 'a binding names the topic that comes',
    given: { type: 'BindTopic', id: anotherId, ...safe },
    want: { type: 'BindTopic', field: 'topicId', to: anotherId, ...safe },
  },
  {
    reason: 'what has no value has none',
    given: { type: 'CreateTopic', ...safe },
    want: { type: 'CreateTopic', ...safe },
  },
]);

test('a plan is destructive when one of its actions is, and lists no value that an action does not have', () => {
  const mixed = asked(
    situation(boundTopic({ mode: 'Plan', numPartitions: 6, config: { 'retention.ms': '1' } }), live()),
  );
  assert.deepEqual(
    mixed.actions.map(({ destructive }) => destructive),
    [false, true],
  );
  assert.equal(mixed.destructive, true);
  const [bind] = asked(situation(boundTopic(), live({ id: anotherId }))).actions;
  assert.deepEqual(Object.keys(bind ?? {}), ['type', 'field', 'to', 'destructive', 'why']);
});

const guarded: Readonly<Record<Danger, Situation>> = {
  ShortenRetention: shorter,
  ChangeCleanupPolicy: situation(boundTopic({ config: { 'cleanup.policy': 'compact' } }), live()),
  GrowCompacted: situation(boundTopic({ numPartitions: 6 }), live({ overrides: { 'cleanup.policy': 'compact' } })),
  RecreateTopic: situation(boundTopic(), absent),
  RebindTopic: situation(boundTopic(), live({ id: anotherId })),
  TakeOver: situation(topic({ config: { 'segment.ms': '600000' } }), live()),
  DeleteAdopted: situation(deletedTopic({}, { origin: 'Adopted' }), live()),
  EnableUncleanElection: situation(boundTopic({ config: { 'unclean.leader.election.enable': 'true' } }), live()),
  DisableTieredStorage: situation(
    boundTopic({ config: { 'remote.storage.enable': 'false' } }),
    live({ overrides: { 'remote.storage.enable': 'true' } }),
  ),
  ReduceReplicas: situation(boundTopic({ replicationFactor: 1 }), live({ replicationFactor: 2 }), {
    replicas: {
      brokers: [
        { id: 1, rack: undefined },
        { id: 2, rack: undefined },
      ],
      partitions: [{ partition: 0, leader: 1, replicas: [1, 2], adding: [], removing: [] }],
    },
  }),
  ReduceMinInsync: situation(
    boundTopic({ config: { 'min.insync.replicas': '1' } }),
    live({ replicationFactor: 2, overrides: { 'min.insync.replicas': '2' } }),
  ),
};

for (const danger of Object.keys(dangers) as Danger[])
  test(`K113: ${danger} waits where the installation lists it, and only there`, () => {
    const where = (approvals: ReadonlySet<Danger>) =>
      decide(but(guarded[danger], {}, { installation: installation({ approvals }) })).waiting !== undefined;
    assert.deepEqual([where(new Set([danger])), where(new Set())], [true, false]);
    assert.equal(where(defaultApprovals), defaultApprovals.has(danger));
  });
