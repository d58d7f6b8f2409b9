import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asFailure, Failure, type Outcome } from '../../functions/core/outcome.ts';
import type { TopicResource } from '../../functions/core/resource.ts';
import { sameStatus, statusOf } from '../../functions/core/status.ts';
import type { Binding } from '../../functions/core/topic.ts';
import { boundStatus, boundTopic, entry, live, theCluster, theId, topic } from '../support/build.ts';
import { table } from '../support/table.ts';

const now = new Date('2026-03-04T05:06:07.890Z');
const binding: Binding = { topicName: 'orders', topicId: theId, clusterId: theCluster, origin: 'Created' };
const outcome = (fields: Partial<Outcome> & { kind: Outcome['kind'] }): Outcome =>
  ({ applied: [], binding, live: live(), problems: [], ...fields }) as Outcome;
const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
const conditions = (resource: TopicResource, given: Outcome): string[] | undefined =>
  statusOf(resource, given, now)?.conditions.map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
  );

table('conditions', (given: Outcome) => conditions(boundTopic(), given), [
  { reason: 'in sync', given: outcome({ kind: 'Synced' }), want: ['Ready=True Synced: the topic is as specified'] },
  {
    reason: 'observed',
    given: outcome({ kind: 'Observed' }),
    want: ['Ready=True Observed: the topic is as specified; mode Observe changes nothing'],
  },
  {
    reason: 'drift is reported, not corrected',
    given: outcome({
      kind: 'Drift',
      drift: [
        { field: 'numPartitions', desired: '6', observed: '3' },
        { field: 'topic', desired: 'present', observed: 'absent' },
      ],
    }),
    want: ['Ready=False DriftDetected: numPartitions is 3, wanted 6; topic is absent, wanted present'],
  },
  {
    reason: 'paused',
    given: outcome({ kind: 'Paused' }),
    want: ['Ready=Unknown Paused: spec.mode is Paused: nobody looks at the topic'],
  },
  {
    reason: 'refused: the first problem gives the reason, all give the message',
    given: outcome({
      kind: 'Stopped',
      problems: [
        { reason: 'PartitionsCannotShrink', message: 'a' },
        { reason: 'InvalidConfig', message: 'b' },
      ],
    }),
    want: ['Ready=False PartitionsCannotShrink: a; b', 'Stalled=True PartitionsCannotShrink: a; b'],
  },
  {
    reason: 'failed with live state read',
    given: outcome({ kind: 'Failed', failure: away, problems: [{ reason: 'InvalidConfig', message: 'b' }] }),
    want: [
      'Ready=False BrokerUnavailable: no broker answers; b',
      'Reconciling=True BrokerUnavailable: no broker answers; b',
    ],
  },
  {
    reason: 'failed without a look: nobody knows',
    given: outcome({ kind: 'Failed', failure: away, live: 'unread' }),
    want: [
      'Ready=Unknown BrokerUnavailable: no broker answers',
      'Reconciling=True BrokerUnavailable: no broker answers',
    ],
  },
  {
    reason: 'the last receive failed (K153)',
    given: outcome({ kind: 'DeadLettered', failure: away }),
    want: [
      'Ready=False DeadLettered: gave up until the next edit, tick or replay: BrokerUnavailable: no broker answers',
      'Stalled=True DeadLettered: gave up until the next edit, tick or replay: BrokerUnavailable: no broker answers',
    ],
  },
  { reason: 'an object that is gone says nothing', given: outcome({ kind: 'Gone' }), want: undefined },
]);

test('a paused deletion is Unknown and Stalled', () => {
  const paused = outcome({ kind: 'Stopped', problems: [{ reason: 'Paused', message: 'm' }] });
  assert.deepEqual(conditions(boundTopic({}, {}, { deleting: true }), paused), [
    'Ready=Unknown Paused: m',
    'Stalled=True Paused: m',
  ]);
  assert.deepEqual(conditions(boundTopic(), paused), ['Ready=False Paused: m', 'Stalled=True Paused: m']);
});

test('long messages are cut (K132)', () => {
  const status = statusOf(
    boundTopic(),
    outcome({ kind: 'Stopped', problems: [{ reason: 'InvalidConfig', message: 'x'.repeat(9_000) }] }),
    now,
  );
  for (const { message } of status?.conditions ?? []) {
    assert.equal(message.length, 2_000);
    assert.ok(message.endsWith('x…'));
  }
  const exact = statusOf(
    boundTopic(),
    outcome({ kind: 'Stopped', problems: [{ reason: 'InvalidConfig', message: 'x'.repeat(2_000) }] }),
    now,
  );
  assert.equal(exact?.conditions[0]?.message, 'x'.repeat(2_000));
});

test('lastTransitionTime moves only when the status flips (K125)', () => {
  const before = {
    type: 'Ready',
    status: 'True',
    reason: 'Synced',
    message: 'm',
    lastTransitionTime: '2020-01-01T00:00:00Z',
    observedGeneration: 1,
  } as const;
  const resource = boundTopic({}, { conditions: [before] });
  const times = (given: Outcome) =>
    statusOf(resource, given, now)?.conditions.map(({ lastTransitionTime }) => lastTransitionTime);
  assert.deepEqual(times(outcome({ kind: 'Observed' })), ['2020-01-01T00:00:00Z']);
  assert.deepEqual(times(outcome({ kind: 'Failed', failure: away })), ['2026-03-04T05:06:07Z', '2026-03-04T05:06:07Z']);
});

test('drift keeps the time at which it was first seen (K100)', () => {
  const since = '2020-01-01T00:00:00Z';
  const resource = boundTopic(
    { mode: 'Observe' },
    { drift: [{ field: 'numPartitions', desired: '9', observed: '3', since }] },
  );
  const drift = [
    { field: 'numPartitions', desired: '6', observed: '3' },
    { field: 'config.a', desired: '1', observed: '2' },
  ];
  assert.deepEqual(statusOf(resource, outcome({ kind: 'Drift', drift }), now)?.drift, [
    { field: 'numPartitions', desired: '6', observed: '3', since },
    { field: 'config.a', desired: '1', observed: '2', since: '2026-03-04T05:06:07Z' },
  ]);
});

const fields = ([resource, given]: readonly [TopicResource, Outcome]) => {
  const { conditions: _, ...rest } = statusOf(resource, given, now) ?? { conditions: [] };
  return rest;
};
const bound = { observedGeneration: 1, topicName: 'orders', topicId: theId, clusterId: theCluster, origin: 'Created' };

table('fields', fields, [
  {
    reason: 'what is live and ours',
    given: [
      boundTopic({ config: { 'segment.ms': '1000' } }),
      outcome({ kind: 'Synced', live: live({ overrides: { 'segment.ms': '1000', 'retention.ms': '5' } }) }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1, config: { 'segment.ms': '1000' } },
  },
  {
    reason: 'a listed key with another live value was never ours',
    given: [
      boundTopic({ config: { 'segment.ms': '1000' } }),
      outcome({ kind: 'Stopped', live: live({ overrides: { 'segment.ms': '2000' } }) }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1 },
  },
  {
    reason: 'a key that was ours stays ours until it is reset, and keys are sorted',
    given: [
      boundTopic({ config: { 'cleanup.policy': 'delete' } }, { config: { 'segment.ms': '9' } }),
      outcome({ kind: 'Stopped', live: live({ overrides: { 'segment.ms': '2000', 'cleanup.policy': 'delete' } }) }),
    ],
    want: {
      ...bound,
      numPartitions: 3,
      replicationFactor: 1,
      config: { 'cleanup.policy': 'delete', 'segment.ms': '2000' },
    },
  },
  {
    reason: 'a value has one spelling, whether a creation repeats what was sent or a look shows what is stored (K050)',
    given: [
      boundTopic({ config: { 'segment.ms': ' +07 ' } }),
      outcome({ kind: 'Synced', live: live({ overrides: { 'segment.ms': ' +07 ' } }) }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1, config: { 'segment.ms': '7' } },
  },
  {
    reason: 'a key that is only inherited is not ours any more',
    given: [boundTopic({}, { config: { 'segment.ms': '9' } }), outcome({ kind: 'Synced' })],
    want: { ...bound, numPartitions: 3, replicationFactor: 1 },
  },
  {
    reason: 'an ignored key leaves (K059)',
    given: [
      boundTopic({ ignoredConfigs: ['segment.ms'] }, { config: { 'segment.ms': '9' } }),
      outcome({ kind: 'Synced', live: live({ overrides: { 'segment.ms': '9' } }) }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1 },
  },
  {
    reason: 'a sensitive value is never shown (K065)',
    given: [
      boundTopic({ config: { secret: 'x' } }),
      outcome({
        kind: 'Synced',
        live: live({ entries: { secret: entry('secret', '', { value: null, sensitive: true }) } }),
      }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1, config: { secret: '***' } },
  },
  {
    reason: 'a topic of somebody else shows its counts, none of its config becomes ours',
    given: [
      topic({ config: { 'segment.ms': '1' } }),
      outcome({ kind: 'Stopped', binding: undefined, live: live({ overrides: { 'segment.ms': '1' } }) }),
    ],
    want: { observedGeneration: 1, topicName: 'orders', numPartitions: 3, replicationFactor: 1 },
  },
  {
    reason: 'an observer keeps the memory of what was ours, and takes nothing more',
    given: [
      boundTopic({ mode: 'Observe', config: { 'cleanup.policy': 'delete' } }, { config: { 'segment.ms': '9' } }),
      outcome({ kind: 'Observed', live: live({ overrides: { 'cleanup.policy': 'delete' } }) }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1, config: { 'segment.ms': '9' } },
  },
  {
    reason: 'mixed replication has no one number',
    given: [boundTopic(), outcome({ kind: 'Synced', live: live({ replicationFactor: 'mixed' }) })],
    want: { ...bound, numPartitions: 3 },
  },
  {
    reason: 'an absent topic has no counts, what we own is remembered',
    given: [
      boundTopic({}, { config: { a: '1' }, numPartitions: 3, replicationFactor: 1 }),
      outcome({ kind: 'Stopped', live: 'absent' }),
    ],
    want: { ...bound, config: { a: '1' } },
  },
  {
    reason: 'what nobody read stays as it was said last (K127)',
    given: [
      boundTopic({}, { config: { a: '1' }, numPartitions: 3, replicationFactor: 1 }),
      outcome({ kind: 'Failed', failure: away, live: 'unread' }),
    ],
    want: { ...bound, config: { a: '1' }, numPartitions: 3, replicationFactor: 1 },
  },
  {
    reason: 'nothing is made up where nothing was said',
    given: [boundTopic(), outcome({ kind: 'Failed', failure: away, live: 'unread' })],
    want: bound,
  },
  {
    reason: 'an invalid spec cannot tell what is ours, so the memory stays',
    given: [
      boundTopic({}, { config: { a: '1' } }, { spec: { reason: 'InvalidSpec', message: '' } }),
      outcome({ kind: 'Stopped' }),
    ],
    want: { ...bound, config: { a: '1' } },
  },
  {
    reason: 'a request for a check is answered (K135)',
    given: [
      boundTopic({}, { lastHandledReconcileAt: 'old' }, { reconcileRequestedAt: 'now please' }),
      outcome({ kind: 'Synced' }),
    ],
    want: { ...bound, numPartitions: 3, replicationFactor: 1, lastHandledReconcileAt: 'now please' },
  },
]);

test('equal statuses are not written again', () => {
  const status = statusOf(boundTopic(), outcome({ kind: 'Synced' }), now);
  assert.ok(status);
  assert.equal(
    sameStatus(status, statusOf(boundTopic({}, status), outcome({ kind: 'Synced' }), new Date(0)) ?? boundStatus()),
    true,
  );
  assert.equal(sameStatus(undefined, status), false);
  assert.equal(sameStatus({ ...status, numPartitions: 9 }, status), false);
});

test('anything thrown becomes a failure that comes back, and keeps its cause for the logs', () => {
  const defect = new TypeError('boom');
  const failure = asFailure(defect);
  assert.deepEqual(
    [failure.reason, failure.retryable, failure.unanswered, failure.cause],
    ['InternalError', true, false, defect],
  );
  assert.equal(failure.message.includes('boom'), false);
  assert.equal(failure.message, 'an unexpected error stopped this pass: see the logs of the reconcile function');
  assert.equal(asFailure(away), away);
  assert.deepEqual([away.name, away.cause, away.retryAfterMs], ['Failure', undefined, undefined]);
});
