import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { outcomeOf, type Pass, startPass } from '../../functions/core/pass.ts';
import type { Situation } from '../../functions/core/situation.ts';
import {
  absent,
  boundTopic,
  deletedTopic,
  entry,
  installation,
  live,
  rival,
  situation,
  theId,
  topic,
} from '../support/build.ts';
import { table } from '../support/table.ts';

const started = (given: Situation): Pass => startPass(given.resource, given);
const words = (pass: Pass, lastReceive = false) => {
  const outcome = outcomeOf(pass, lastReceive);
  const problems = 'problems' in outcome ? outcome.problems.map(({ reason }) => reason) : [];
  const failure = 'failure' in outcome ? [outcome.failure.reason] : [];
  const drift = 'drift' in outcome ? outcome.drift.map(({ field }) => field) : [];
  return [outcome.kind, ...failure, ...problems, ...drift].join(' ');
};
const ended = (given: Situation) => words({ ...started(given), todo: [] });

table('a pass that is done', ended, [
  { reason: 'is synced when nothing differs', given: situation(boundTopic(), live()), want: 'Synced' },
  { reason: 'is paused when nobody looks', given: situation(topic({ mode: 'Paused' })), want: 'Paused' },
  {
    reason: 'stops at what is refused',
    given: situation(boundTopic({ numPartitions: 1 }), live()),
    want: 'Stopped PartitionsCannotShrink',
  },
  { reason: 'stops at what is held', given: situation(boundTopic(), absent), want: 'Stopped TopicMissing' },
  {
    reason: 'says a refusal before what is held',
    given: situation(boundTopic({ numPartitions: 1, config: { 'retention.ms': '1' } }), live()),
    want: 'Stopped PartitionsCannotShrink ApprovalRequired',
  },
  {
    reason: 'says nothing of an object on its way out',
    given: situation(deletedTopic({ deletionPolicy: 'Retain' })),
    want: 'Gone',
  },
  {
    reason: 'says why an object cannot go',
    given: situation(deletedTopic({ mode: 'Paused' })),
    want: 'Stopped Paused',
  },
  {
    reason: 'leaves an observed object that goes to itself',
    given: situation(deletedTopic({ mode: 'Observe' })),
    want: 'Gone',
  },
  { reason: 'observes what is as wanted', given: situation(boundTopic({ mode: 'Observe' }), live()), want: 'Observed' },
  { reason: 'observes an absent topic', given: situation(topic({ mode: 'Observe' }), absent), want: 'Drift topic' },
  {
    reason: 'observes a shrink as drift like any other',
    given: situation(boundTopic({ mode: 'Observe', numPartitions: 1 }), live()),
    want: 'Drift numPartitions',
  },
  {
    reason: 'observes another replication factor as drift',
    given: situation(boundTopic({ mode: 'Observe', replicationFactor: 3 }), live()),
    want: 'Drift replicationFactor',
  },
  {
    reason: 'observes config, and a key that would be reset',
    given: situation(
      boundTopic({ mode: 'Observe', configMode: 'Exact', config: { 'segment.ms': '1' } }),
      live({ overrides: { 'retention.ms': '5' } }),
    ),
    want: 'Drift config.segment.ms config.retention.ms',
  },
  {
    reason: 'observes another id',
    given: situation(boundTopic({ mode: 'Observe' }, { topicId: 'another' as typeof theId }), live()),
    want: 'Drift topicId',
  },
  {
    reason: 'does not call another cluster drift',
    given: situation(boundTopic({ mode: 'Observe' }), live(), {
      installation: installation({ clusterId: 'elsewhere' }),
    }),
    want: 'Stopped WrongCluster',
  },
  {
    reason: 'does not call an invalid spec drift',
    given: situation(topic({ mode: 'Observe' }, { spec: { reason: 'InvalidSpec', message: '' } })),
    want: 'Stopped InvalidSpec',
  },
  {
    reason: 'does not call an unknown key drift',
    given: situation(boundTopic({ mode: 'Observe', config: { nope: '1' } }), live()),
    want: 'Stopped InvalidConfig',
  },
]);

const away = new Failure('BrokerUnavailable', 'away', { retryable: true });
const denied = new Failure('NotAuthorized', 'denied', { retryable: false });
const throttled = new Failure('Throttled', 'slow', { retryable: true });
const outdated = new Failure('ObservationOutdated', 'moved', { retryable: true });
const applied = [{ type: 'AddPartitions', from: 1, to: 2, destructive: false, why: '' }] as const;
const failing = (failures: readonly Failure[], more: Partial<Pass> = {}): Pass => ({
  ...started(situation(boundTopic(), live())),
  failures,
  ...more,
});

table('a pass that failed', ([pass, last]: readonly [Pass, boolean]) => words(pass, last), [
  { reason: 'comes back', given: [failing([away]), false], want: 'Failed BrokerUnavailable' },
  {
    reason: 'comes back no more after the last receive',
    given: [failing([away]), true],
    want: 'DeadLettered BrokerUnavailable',
  },
  { reason: 'stops where another try cannot help', given: [failing([denied]), true], want: 'Stopped NotAuthorized' },
  {
    reason: 'says both, the one that comes back first',
    given: [failing([denied, away]), false],
    want: 'Failed BrokerUnavailable NotAuthorized',
  },
  {
    reason: 'puts a failure before a wait',
    given: [failing([throttled, away]), false],
    want: 'Failed BrokerUnavailable',
  },
  { reason: 'waits as often as it takes', given: [failing([throttled]), true], want: 'Failed Throttled' },
  {
    reason: 'is unsaid when only the world moved',
    given: [failing([outdated]), false],
    want: 'Unsaid ObservationOutdated',
  },
  {
    reason: 'is said when something was done',
    given: [failing([outdated], { applied }), false],
    want: 'Failed ObservationOutdated',
  },
  {
    reason: 'says that it was the last one, too',
    given: [failing([outdated]), true],
    want: 'DeadLettered ObservationOutdated',
  },
  { reason: 'says nothing of an object that has ended', given: [failing([away], { gone: true }), true], want: 'Gone' },
]);

test('a look that failed decides nothing', () => {
  const pass = startPass(boundTopic(), away);
  assert.deepEqual([pass.todo, pass.applied, pass.problems, pass.live, pass.gone], [[], [], [], 'unread', false]);
  assert.deepEqual(
    [pass.failures, pass.binding?.topicId, pass.plan, pass.situation],
    [[away], theId, undefined, undefined],
  );
});

test('a defect in the decision is a failure of that object', () => {
  const damaged = { ...situation(boundTopic(), live()), observed: { ...live(), config: undefined as never } };
  const pass = startPass(damaged.resource, damaged);
  assert.deepEqual(
    [pass.failures.map(({ reason }) => reason), pass.todo, pass.live],
    [['InternalError'], [], 'unread'],
  );
});

test('a pass starts from what it saw', () => {
  const seen = situation(boundTopic({ numPartitions: 6 }), live());
  const pass = startPass(seen.resource, seen);
  assert.deepEqual(
    [pass.live, pass.situation, pass.todo.map(({ type }) => type)],
    [seen.observed, seen, ['AddPartitions']],
  );
  assert.equal(started(situation(topic(), absent)).live, 'absent');
  assert.equal(started(situation(topic({ mode: 'Paused' }))).live, 'unread');
});

test('what is held is named, with the reason once', () => {
  const held = (given: Situation) =>
    started(given).problems.map(({ message }) => message.split('; to let it happen')[0]);
  assert.deepEqual(held(situation(boundTopic({ config: { 'retention.ms': '1' } }), live())), [
    'held back: set retention.ms from 604800000 to 1 (older records would be removed)',
  ]);
  assert.deepEqual(held(situation(boundTopic({ mode: 'Plan', numPartitions: 6 }), live())), [
    'held back: grow from 3 to 6 partitions (spec.mode Plan holds every action)',
  ]);
  assert.deepEqual(held(situation(deletedTopic({}, { origin: 'Adopted' }), live())), [
    `held back: delete the topic with id ${theId} (the topic was there before this object and holds records), remove the finalizer`,
  ]);
});

test('a binding on the way out goes on in another pass, and says so', () => {
  const given = situation(deletedTopic({}, {}, { status: undefined, finalizers: [finalizer] }), live());
  const bound = { ...started(given), todo: [], applied: started(given).todo };
  const outcome = outcomeOf(bound, false);
  assert.equal(
    outcome.kind === 'Failed' && outcome.failure.message,
    'a step is done and stored; the next pass looks again and goes on from there',
  );
  assert.equal(outcomeOf({ ...bound, applied: [] }, false).kind, 'Gone');
});

test('drift has both sides, as text', () => {
  const drift = (given: Situation) => {
    const outcome = outcomeOf({ ...started(given), todo: [] }, false);
    return outcome.kind === 'Drift' ? outcome.drift : outcome.kind;
  };
  const observed = boundTopic({
    mode: 'Observe',
    configMode: 'Exact',
    numPartitions: 5,
    config: { 'segment.ms': '1' },
  });
  const entries = { 'retention.ms': entry('retention.ms', '5', { inherited: null }) };
  assert.deepEqual(drift(situation(observed, live({ entries }))), [
    { field: 'numPartitions', desired: '5', observed: '3' },
    { field: 'config.segment.ms', desired: '1', observed: '604800000' },
    { field: 'config.retention.ms', desired: 'inherited', observed: '5' },
  ]);
  assert.deepEqual(drift(situation(topic({ mode: 'Observe' }), absent, { claimants: [rival()] })), [
    { field: 'topic', desired: 'present', observed: 'absent' },
  ]);
});
