import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../functions/core/action.ts';
import { finalizer } from '../../functions/core/api.ts';
import { eventsOf } from '../../functions/core/events.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { outcomeOf, type Pass, startPass } from '../../functions/core/pass.ts';
import type { Condition, TopicResource } from '../../functions/core/resource.ts';
import type { Situation } from '../../functions/core/situation.ts';
import { statusOf } from '../../functions/core/status.ts';
import type { Reason } from '../../functions/core/topic.ts';
import {
  absent,
  anotherId,
  boundTopic,
  deletedTopic,
  entry,
  installation,
  live,
  rival,
  situation,
  theCluster,
  theId,
  topic,
} from '../support/build.ts';
import { table } from '../support/table.ts';

const now = new Date('2026-03-04T05:06:07Z');
const time = '2026-01-01T00:00:00Z';
const harmless = { destructive: false, why: '' };

/** A pass that did all it was permitted to, or just this. */
const done = (given: Situation, fields: Partial<Pass> = {}): Pass => {
  const pass = startPass(given.resource, given);
  return { ...pass, applied: pass.todo, todo: [], ...fields };
};

const events = (pass: Pass, { lastReceive = false, message = 'm-1' } = {}) =>
  eventsOf(pass, statusOf(pass.resource, outcomeOf(pass, lastReceive), now), message);
const lines = (pass: Pass): string[] => events(pass).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

const ready = (status: Condition['status'], reason: Reason, fields: Partial<Condition> = {}): Condition => ({
  type: 'Ready',
  status,
  reason,
  message: '',
  lastTransitionTime: time,
  observedGeneration: 1,
  ...fields,
});
const synced = ready('True', 'Synced');

const created = { topicName: 'orders', topicId: theId, clusterId: theCluster, origin: 'Created' } as const;

const onOne = {
  brokers: [1, 2].map((id) => ({ id, rack: undefined })),
  partitions: [{ partition: 0, leader: 1, replicas: [1], adding: [], removing: [] }] as const,
};
const moving = {
  step: 'submitted',
  replicationFactor: 2,
  partitionsDone: 0,
  partitionsTotal: 1,
  assignment: { 0: '1,2' },
} as const;

table('what was done to a topic', lines, [
  {
    reason: 'K134: a creation with its counts',
    given: done(situation(topic(), absent), { binding: created, live: live({ replicationFactor: 2 }) }),
    want: ['Normal Created: created topic orders (partitions 3, replication factor 2)'],
  },
  {
    reason: 'a creation whose settings the brokers withhold',
    given: done(situation(topic(), absent), { binding: created, live: 'unread' }),
    want: ['Normal Created: created topic orders'],
  },
  {
    reason: 'a finalizer of ours is nobody’s news',
    given: done(situation(topic({ deletionPolicy: 'Delete' }), absent), { binding: created, live: live() }),
    want: ['Normal Created: created topic orders (partitions 3, replication factor 1)'],
  },
  {
    reason: 'K044: a move that ends because its object goes has not put all replicas in place',
    given: done(
      situation(
        deletedTopic(
          { deletionPolicy: 'Retain' },
          {
            reassignment: {
              step: 'submitted',
              replicationFactor: 2,
              bytesPerSecond: 1,
              partitionsDone: 0,
              partitionsTotal: 1,
              assignment: { 0: '1,2' },
            },
          },
        ),
      ),
    ),
    want: ['Normal Retained: topic orders stays: spec.deletionPolicy is Retain'],
  },
  {
    reason: 'K114: an approved creation in place of a topic that vanished',
    given: done(situation(boundTopic(), absent), {
      applied: [{ type: 'CreateTopic', destructive: true, why: '' }],
      problems: [],
      binding: { ...created, topicId: anotherId },
      live: live(),
    }),
    want: [
      `Normal Created: created topic orders (partitions 3, replication factor 1), instead of the one with id ${theId}`,
    ],
  },
  {
    reason: 'K014: an adoption',
    given: done(situation(topic(), live()), { binding: { ...created, origin: 'Adopted' } }),
    want: [`Normal Adopted: took over topic orders with id ${theId}`],
  },
  {
    reason: 'K115: an approved binding to another id',
    given: done(situation(boundTopic(), live({ id: anotherId })), {
      applied: [{ type: 'BindTopic', id: anotherId, destructive: true, why: '' }],
      problems: [],
    }),
    want: [`Normal Adopted: took over topic orders with id ${anotherId}, instead of the one with id ${theId}`],
  },
  {
    reason: 'K021: a growth, and what it does to keys',
    given: done(situation(boundTopic({ numPartitions: 6 }), live())),
    want: ['Normal PartitionsAdded: 3 to 6: from now on keys map to other partitions than before'],
  },
  {
    reason: 'a move begins',
    given: done(situation(boundTopic({ replicationFactor: 2 }), live(), { replicas: onOne })),
    want: ['Normal ReassignmentStarted: replication factor 1 to 2: replicas are moving'],
  },
  {
    reason: 'a move that is asked for again is no news',
    given: done(
      situation(boundTopic({ replicationFactor: 2 }, { reassignment: { ...moving, step: 'planned' } }), live(), {
        replicas: onOne,
      }),
    ),
    want: [],
  },
  {
    reason: 'a move ends, and the finalizer that guarded it goes without a word',
    given: done(
      situation(
        boundTopic(
          { replicationFactor: 2 },
          { reassignment: { ...moving, bytesPerSecond: 1 } },
          { finalizers: [finalizer] },
        ),
        live({ replicationFactor: 2 }),
        { replicas: { ...onOne, partitions: [{ ...onOne.partitions[0], replicas: [1, 2] }] } },
      ),
    ),
    want: ['Normal ReassignmentFinished: replication factor is 2: all replicas are in place'],
  },
  {
    reason: 'an object that leaves the selection leaves its topic',
    given: done(
      situation(boundTopic({ deletionPolicy: 'Delete' }, {}, { finalizers: [finalizer] }), undefined, {
        installation: installation({ selects: () => false }),
      }),
    ),
    want: ['Normal Retained: topic orders stays: this object is no longer selected'],
  },
  {
    reason: 'K134: nothing was done, nothing is told',
    given: done(situation(boundTopic(), live())),
    want: [],
  },
]);

const edited = boundTopic(
  { config: { 'segment.ms': '1000', 'retention.ms': '-1' } },
  { config: { 'min.cleanable.dirty.ratio': '0.2' }, conditions: [synced] },
  { generation: 2 },
);
const foundElsewhere = live({ overrides: { 'segment.ms': '2000', 'min.cleanable.dirty.ratio': '0.2' } });

/** An object whose key was confirmed as wanted, and that is not Ready at this generation for another reason. */
const notReady = (seen: string | undefined, config: Readonly<Record<string, string>> = { 'segment.ms': '01000' }) =>
  boundTopic(
    { config },
    {
      conditions: [ready('False', 'BrokerUnavailable')],
      ...(seen !== undefined && { config: { 'segment.ms': seen } }),
    },
  );

table('what was done to the config', lines, [
  {
    reason: 'K134: an edit is one Event for all its keys, with from and to',
    given: done(situation(edited, foundElsewhere)),
    want: [
      'Normal ConfigChanged: segment.ms from 2000 to 1000; retention.ms from 604800000 to -1; min.cleanable.dirty.ratio from 0.2 to the inherited 0.5',
    ],
  },
  {
    reason: 'K061: the same difference on a settled generation is drift, with what was found',
    given: done(
      situation({ ...edited, generation: 1, status: { ...edited.status, config: {} } as never }, foundElsewhere),
    ),
    want: ['Normal DriftCorrected: segment.ms: found 2000, wanted 1000; retention.ms: found 604800000, wanted -1'],
  },
  {
    reason: 'K057: an override that Exact does not know is drift',
    given: done(
      situation(
        boundTopic({ configMode: 'Exact' }, { conditions: [synced] }),
        live({ overrides: { 'segment.ms': '2000' } }),
      ),
    ),
    want: ['Normal DriftCorrected: segment.ms: found 2000, wanted the inherited 604800000'],
  },
  {
    reason: 'a key that had been confirmed is drift also where the object was not Ready for another reason',
    given: done(situation(notReady('1000'), live({ overrides: { 'segment.ms': '2000' } }))),
    want: ['Normal DriftCorrected: segment.ms: found 2000, wanted 01000'],
  },
  {
    reason: 'a change that was held or had failed is an edit when it takes effect',
    given: done(situation(notReady('2000'), live({ overrides: { 'segment.ms': '2000' } }))),
    want: ['Normal ConfigChanged: segment.ms from 2000 to 01000'],
  },
  {
    reason: 'a key that was never confirmed is an edit',
    given: done(situation(notReady(undefined), live({ overrides: { 'segment.ms': '2000' } }))),
    want: ['Normal ConfigChanged: segment.ms from 2000 to 01000'],
  },
  {
    reason: 'a key that leaves the spec of an object that was not Ready is an edit',
    given: done(situation(notReady('604800000', {}), live({ overrides: { 'segment.ms': '2000' } }))),
    want: ['Normal ConfigChanged: segment.ms from 2000 to the inherited 604800000'],
  },
  {
    reason: 'a change whose effect nobody could see is an edit',
    given: done(situation(notReady('1000'), live({ overrides: { 'segment.ms': '2000' } })), { live: 'unread' }),
    want: ['Normal ConfigChanged: segment.ms from 2000 to 01000'],
  },
  {
    reason: 'K065: a value that the brokers withhold is not shown, and never called drift',
    given: done(
      situation(
        boundTopic(
          { config: { 'my.secret': 'hunter2' } },
          { conditions: [ready('False', 'InvalidConfig')], config: { 'my.secret': '***' } },
        ),
        live({
          entries: { 'my.secret': entry('my.secret', '', { value: null, inherited: null, sensitive: true }) },
        }),
      ),
    ),
    want: ['Normal ConfigChanged: my.secret from *** to ***'],
  },
  {
    reason: 'a value that the brokers withhold is reset to one that nobody names',
    given: done(situation(boundTopic(), live()), {
      applied: [{ type: 'ResetConfig', key: 'my.secret', from: null, to: null, ...harmless }],
    }),
    want: ['Normal ConfigChanged: my.secret from *** to the inherited value'],
  },
  {
    reason: 'K063: throttles in a spec are set, with a warning',
    given: done(
      situation(
        boundTopic({ config: { 'leader.replication.throttled.replicas': '*' } }, { conditions: [synced] }),
        live(),
      ),
    ),
    want: [
      "Normal DriftCorrected: leader.replication.throttled.replicas: found '', wanted *",
      'Warning ConfigChanged: leader.replication.throttled.replicas set from the spec: this may disturb a rebalance; take it out of spec.config unless that is meant',
    ],
  },
  {
    reason: 'K063: also where the topic is created with them',
    given: done(
      situation(
        topic({
          deletionPolicy: 'Delete',
          config: {
            'segment.ms': '1000',
            'leader.replication.throttled.replicas': '*',
            'follower.replication.throttled.replicas': '*',
          },
        }),
        absent,
      ),
      { binding: created, live: live() },
    ),
    want: [
      'Normal Created: created topic orders (partitions 3, replication factor 1)',
      'Warning ConfigChanged: leader.replication.throttled.replicas and follower.replication.throttled.replicas set from the spec: this may disturb a rebalance; take it out of spec.config unless that is meant',
    ],
  },
]);

test('a long list of changes is cut between two keys, and says how many are left out', () => {
  const applied = Array.from(
    { length: 40 },
    (_, at): Action => ({ type: 'SetConfig', key: `key.${at}`, from: 'x'.repeat(300), to: 'y', ...harmless }),
  );
  const cut = `${'x'.repeat(199)}…`;
  const [line = ''] = lines(done(situation(boundTopic(), live()), { applied }));
  const entries = [0, 1, 2, 3].map((at) => `key.${at} from ${cut} to y`);
  assert.equal(line, `Normal ConfigChanged: ${entries.join('; ')} and 36 more`);
  const [short = ''] = lines(done(situation(boundTopic(), live()), { applied: applied.slice(0, 4) }));
  assert.equal(short, `Normal ConfigChanged: ${entries.join('; ')}`);
});

test('a value that just fits is whole', () => {
  const change: Action = { type: 'SetConfig', key: 'key', from: 'x'.repeat(200), to: 'y'.repeat(201), ...harmless };
  const [line] = lines(done(situation(boundTopic(), live()), { applied: [change] }));
  assert.equal(line, `Normal ConfigChanged: key from ${'x'.repeat(200)} to ${'y'.repeat(199)}…`);
});

test('a list that just fits is whole', () => {
  const ofLength = (length: number): Action => {
    const key = 'k'.repeat(length - ' from a to b'.length);
    return { type: 'SetConfig', key, from: 'a', to: 'b', ...harmless };
  };
  const noteOf = (applied: readonly Action[]) => events(done(situation(boundTopic(), live()), { applied }))[0]?.note;
  assert.equal(noteOf([ofLength(489), ofLength(489)])?.length, 980);
  assert.match(noteOf([ofLength(489), ofLength(490)]) ?? '', /^k+ from a to b and 1 more$/);
});

const release: Partial<Pass> = { applied: [{ type: 'RemoveFinalizer', ...harmless }], gone: true };

table('what became of the topic when its object went', lines, [
  {
    reason: 'K074: it was deleted, by this id',
    given: done(situation(deletedTopic(), live({ records: 'none' })), { gone: true }),
    want: [`Normal Deleted: deleted topic orders with id ${theId}`],
  },
  {
    reason: 'K073: it stays by the policy, for an object that our finalizer still held',
    given: done(situation(deletedTopic({ deletionPolicy: 'Retain' })), release),
    want: ['Normal Retained: topic orders stays: spec.deletionPolicy is Retain'],
  },
  {
    reason: 'it stays because the object only observes',
    given: done(situation(deletedTopic({ mode: 'Observe' })), release),
    want: ['Normal Retained: topic orders stays: spec.mode is Observe'],
  },
  {
    reason: 'K076: it is another one, with both ids',
    given: done(situation(deletedTopic(), live({ id: anotherId })), release),
    want: [`Normal Retained: topic orders stays: its id is ${anotherId}, and this object was bound to ${theId}`],
  },
  {
    reason: 'K097: another object uses it',
    given: done(
      situation(deletedTopic(), live(), { claimants: [rival({ deleting: true, uid: 'x' }), rival()] }),
      release,
    ),
    want: ['Normal Retained: topic orders stays: KafkaTopic billing/orders uses it too'],
  },
  {
    reason: 'K095: it never was of this object',
    given: done(situation(deletedTopic({}, {}, { status: undefined }), live(), { claimants: [rival()] }), release),
    want: [`Normal Retained: topic orders stays: it has id ${theId}, and this object was never bound to it`],
  },
  {
    reason: 'K075: nothing stays where the topic was gone before',
    given: done(situation(deletedTopic(), absent), release),
    want: [],
  },
  {
    reason: 'nothing stays of an object that never had a topic',
    given: done(situation(deletedTopic({ deletionPolicy: 'Retain' }, {}, { status: undefined })), release),
    want: [],
  },
  {
    reason: 'nor of one that only observed',
    given: done(situation(deletedTopic({ mode: 'Observe' }, {}, { status: undefined })), release),
    want: [],
  },
  {
    reason: 'an object that lives on says what will be',
    given: done(situation(boundTopic({}, { conditions: [synced] }, { finalizers: [finalizer] }), live())),
    want: ['Normal Retained: topic orders will stay when this object is deleted: spec.deletionPolicy is Retain'],
  },
]);

const refused = { reason: 'InvalidConfig', message: 'no such key' } as const;
const stopped = (resource: TopicResource, problem: { reason: Reason; message: string } = refused) =>
  done(situation(resource, live()), { applied: [], problems: [problem] });
const said = (fields: Partial<Condition>) =>
  boundTopic({}, { conditions: [ready('False', 'InvalidConfig', { message: 'no such key', ...fields })] });
const warned = ['Warning InvalidConfig: no such key'];

table('what stands in the way', lines, [
  { reason: 'K134: a refusal of an object that never said anything', given: stopped(topic()), want: warned },
  { reason: 'K134: a refusal of an object that was in order', given: stopped(said(synced)), want: warned },
  { reason: 'K134: the same refusal at the next tick is silent', given: stopped(said({})), want: [] },
  {
    reason: 'K134: also where another condition comes before',
    given: stopped(
      boundTopic(
        {},
        { conditions: [ready('True', 'Synced', { type: 'Stalled' }), ...(said({}).status?.conditions ?? [])] },
      ),
    ),
    want: [],
  },
  { reason: 'another text is another occurrence', given: stopped(said({ message: 'no such value' })), want: warned },
  { reason: 'another reason is another occurrence', given: stopped(said({ reason: 'PolicyViolation' })), want: warned },
  {
    reason: 'an edit that changes nothing about it is refused anew',
    given: stopped(said({ observedGeneration: 0 })),
    want: warned,
  },
  {
    reason: 'what was done beside it comes first',
    given: done(situation(boundTopic({ numPartitions: 1, config: { 'segment.ms': '1000' } }), live())),
    want: [
      'Normal ConfigChanged: segment.ms from 604800000 to 1000',
      'Warning PartitionsCannotShrink: the topic has 3 partitions and the spec wants 1: Kafka cannot remove partitions; set spec.numPartitions to 3',
    ],
  },
  {
    reason: 'K114: a topic that vanished',
    given: done(situation(boundTopic({}, { conditions: [synced] }), absent), {
      problems: [{ reason: 'TopicMissing', message: 'it is gone' }],
    }),
    want: ['Warning TopicMissing: it is gone'],
  },
  {
    reason: 'K115: a topic that was replaced',
    given: done(situation(boundTopic({}, { conditions: [synced] }), live({ id: anotherId })), {
      problems: [{ reason: 'IdentityChanged', message: 'it is another one' }],
    }),
    want: ['Warning IdentityChanged: it is another one'],
  },
  {
    reason: 'an observer finds drift',
    given: done(situation(boundTopic({ mode: 'Observe', numPartitions: 4 }), live())),
    want: ['Warning DriftDetected: numPartitions is 3, wanted 4'],
  },
  {
    reason: 'somebody paused the object',
    given: done(situation(topic({ mode: 'Paused' }))),
    want: ['Warning Paused: spec.mode is Paused: nobody looks at the topic'],
  },
  {
    reason: 'what is tried again by itself is no news',
    given: done(situation(boundTopic(), live()), {
      failures: [new Failure('BrokerUnavailable', 'no broker answers', { retryable: true })],
    }),
    want: [],
  },
]);

test('K134: a message that was given up is told once', () => {
  const failures = [new Failure('BrokerUnavailable', 'no broker answers', { retryable: true })];
  const pass = done(situation(boundTopic(), live()), { failures });
  const [event, ...others] = events(pass, { lastReceive: true });
  assert.deepEqual(others, []);
  assert.equal(event?.type, 'Warning');
  assert.equal(event?.reason, 'DeadLettered');
  assert.equal(event?.note, 'gave up until the next edit, tick or replay: BrokerUnavailable: no broker answers');
});

test('K134: the same message tells the same occurrence again; another message, object, reason or text another one', () => {
  const occurrences = (pass: Pass, message = 'm-1') => events(pass, { message }).map(({ occurrence }) => occurrence);
  const [first = ''] = occurrences(stopped(topic()));
  assert.match(first, /^[0-9a-f]{16}$/);
  assert.deepEqual(occurrences(stopped(topic({}, { resourceVersion: '8', generation: 2 }))), [first]);
  const others = [
    ...occurrences(stopped(topic()), 'm-2'),
    ...occurrences(stopped(topic({}, { uid: 'uid-2' }))),
    ...occurrences(stopped(topic(), { ...refused, reason: 'PolicyViolation' })),
    ...occurrences(stopped(topic(), { ...refused, message: 'no such value' })),
  ];
  assert.equal(new Set([first, ...others]).size, 5);
});
