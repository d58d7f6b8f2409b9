import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../functions/core/action.ts';
import { describe } from '../../functions/core/action.ts';
import { finalizer } from '../../functions/core/api.ts';
import { type Danger, dangers } from '../../functions/core/installation.ts';
import { needsClaimants, needsObservation, needsRecords, plan } from '../../functions/core/plan.ts';
import type { Condition } from '../../functions/core/resource.ts';
import type { Situation } from '../../functions/core/situation.ts';
import type { Reason, Refusal } from '../../functions/core/topic.ts';
import {
  absent,
  anotherId,
  boundTopic,
  claimant,
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

const short = (action: Action): string => {
  const what =
    'key' in action ? ` ${action.key}` : action.type === 'AddPartitions' ? ` ${action.from} to ${action.to}` : '';
  return `${action.type}${what}${action.destructive ? ' (destructive)' : ''}`;
};
const decide = (given: Situation) => {
  const { actions, refusals } = plan(given);
  return { actions: actions.map(short), refusals: refusals.map(({ reason }) => reason) };
};
const nothing = { actions: [], refusals: [] };
const does = (...actions: string[]) => ({ actions, refusals: [] });
const refuses = (...refusals: Reason[]) => ({ actions: [], refusals });

table('plan for a topic that is not there', decide, [
  { reason: 'it is created', given: situation(topic(), absent), want: does('CreateTopic') },
  {
    reason: 'with Delete the finalizer comes first (K004)',
    given: situation(topic({ deletionPolicy: 'Delete' }), absent),
    want: does('AddFinalizer', 'CreateTopic'),
  },
  {
    reason: 'a finalizer that admission has set already is not set again',
    given: situation(topic({ deletionPolicy: 'Delete' }, { finalizers: [finalizer] }), absent),
    want: does('CreateTopic'),
  },
  {
    reason: 'where it had been bound, a new one would be empty (K114)',
    given: situation(boundTopic(), absent),
    want: does('CreateTopic (destructive)'),
  },
  {
    reason: 'the new one has its finalizer before it is there, like any other (K004)',
    given: situation(boundTopic({ deletionPolicy: 'Delete' }), absent),
    want: does('AddFinalizer', 'CreateTopic (destructive)'),
  },
  {
    reason: 'one topic too large for a request is refused (K173)',
    given: situation(topic({ numPartitions: 10_000 }), absent),
    want: refuses('InvalidSpec'),
  },
  {
    reason: 'the largest that fits is created',
    given: situation(topic({ numPartitions: 9_999 }), absent),
    want: does('CreateTopic'),
  },
  {
    reason: 'configs count for the limit too',
    given: situation(topic({ numPartitions: 9_999, config: { 'segment.ms': '1' } }), absent),
    want: refuses('InvalidSpec'),
  },
  { reason: 'a paused object does nothing (K104)', given: situation(topic({ mode: 'Paused' })), want: nothing },
]);

table('plan for a topic that was there before', decide, [
  {
    reason: 'equal to the spec it is bound, with no other write (K014)',
    given: situation(topic({ numPartitions: 3 }), live()),
    want: does('BindTopic'),
  },
  {
    reason: 'with Delete the finalizer comes before the binding',
    given: situation(topic({ deletionPolicy: 'Delete' }), live()),
    want: does('AddFinalizer', 'BindTopic'),
  },
  {
    reason: 'different from the spec, the take-over and all after it wait (K015)',
    given: situation(topic({ deletionPolicy: 'Delete', config: { 'segment.ms': '600000' } }), live()),
    want: does('BindTopic (destructive)', 'AddFinalizer (destructive)', 'SetConfig segment.ms (destructive)'),
  },
  {
    reason: 'more partitions than wanted are said first (K017)',
    given: situation(topic({ numPartitions: 2, config: { 'segment.ms': '600000' } }), live()),
    want: {
      actions: ['BindTopic (destructive)', 'SetConfig segment.ms (destructive)'],
      refusals: ['PartitionsCannotShrink'],
    },
  },
  {
    reason: 'Merge leaves overrides it does not list (K016)',
    given: situation(topic(), live({ overrides: { 'segment.ms': '1000' } })),
    want: does('BindTopic'),
  },
  {
    reason: 'Exact does not (K016)',
    given: situation(topic({ configMode: 'Exact' }), live({ overrides: { 'segment.ms': '1000' } })),
    want: does('BindTopic (destructive)', 'ResetConfig segment.ms (destructive)'),
  },
  {
    reason: 'an older claimant binds first (K090)',
    given: situation(topic(), live(), { claimants: [claimant(), rival()] }),
    want: refuses('ResourceConflict'),
  },
  {
    reason: 'a younger one does not get in the way',
    given: situation(topic(), live(), { claimants: [claimant(), rival({ createdAt: '2027-01-01T00:00:00Z' })] }),
    want: does('BindTopic'),
  },
  {
    reason: 'a listing without the object itself decides nothing',
    given: situation(topic(), live(), { claimants: [] }),
    want: refuses('ObservationOutdated'),
  },
  {
    reason: 'no listing decides nothing either (LG3)',
    given: situation(topic(), live(), { claimants: undefined }),
    want: refuses('ObservationOutdated'),
  },
  { reason: 'an observer binds nothing', given: situation(topic({ mode: 'Observe' }), live()), want: nothing },
  {
    reason: 'an observer sees what differs',
    given: situation(topic({ mode: 'Observe', deletionPolicy: 'Delete', numPartitions: 6 }), live(), {
      claimants: undefined,
    }),
    want: does('AddPartitions 3 to 6'),
  },
]);

const readyAt = (observedGeneration: number): Condition => ({
  type: 'Ready',
  status: 'True',
  reason: 'Synced',
  message: '',
  lastTransitionTime: '',
  observedGeneration,
});

table('plan for a bound topic', decide, [
  {
    reason: 'in sync there is nothing to do',
    given: situation(boundTopic({ numPartitions: 3, replicationFactor: 1 }), live()),
    want: nothing,
  },
  {
    reason: 'partitions grow (K021)',
    given: situation(boundTopic({ numPartitions: 6 }), live()),
    want: does('AddPartitions 3 to 6'),
  },
  {
    reason: 'a shrink is refused, the config beside it is corrected (K023)',
    given: situation(boundTopic({ numPartitions: 2, config: { 'segment.ms': '600000' } }), live()),
    want: { actions: ['SetConfig segment.ms'], refusals: ['PartitionsCannotShrink'] },
  },
  {
    reason: 'a growth too large for a request is refused (K028)',
    given: situation(boundTopic({ numPartitions: 10_003 }), live()),
    want: refuses('InvalidSpec'),
  },
  {
    reason: 'the largest growth that fits is done',
    given: situation(boundTopic({ numPartitions: 10_002 }), live()),
    want: does('AddPartitions 3 to 10002'),
  },
  {
    reason: 'growing a compacted topic with records waits, the rest does not (K022)',
    given: situation(
      boundTopic({ numPartitions: 6, config: { 'segment.ms': '1' } }),
      live({ overrides: { 'cleanup.policy': 'compact' } }),
    ),
    want: does('SetConfig segment.ms', 'AddPartitions 3 to 6 (destructive)'),
  },
  {
    reason: 'an empty compacted topic grows at once (K022)',
    given: situation(
      boundTopic({ numPartitions: 6 }),
      live({ overrides: { 'cleanup.policy': 'compact' }, records: 'none' }),
    ),
    want: does('AddPartitions 3 to 6'),
  },
  {
    reason: 'a cleanup policy that nobody shows counts as compacting',
    given: situation(boundTopic({ numPartitions: 6 }), { ...live(), config: new Map() }),
    want: does('AddPartitions 3 to 6 (destructive)'),
  },
  {
    reason: 'a listed value that is only inherited is set once (K053)',
    given: situation(boundTopic({ config: { 'segment.ms': '604800000' } }), live()),
    want: does('SetConfig segment.ms'),
  },
  {
    reason: 'a value in another spelling is no difference (K050)',
    given: situation(
      boundTopic({ config: { 'segment.ms': ' 0600000 ' } }),
      live({ overrides: { 'segment.ms': '600000' } }),
    ),
    want: nothing,
  },
  {
    reason: 'a key the brokers do not know is refused without a request (K052)',
    given: situation(boundTopic({ config: { nope: '1' } }), live()),
    want: refuses('InvalidConfig'),
  },
  {
    reason: 'a read-only key that differs is refused, other keys are set (K064)',
    given: situation(
      boundTopic({ config: { 'segment.ms': '1', 'min.insync.replicas': '1' } }),
      live({ entries: { 'segment.ms': entry('segment.ms', undefined, { readOnly: true }) } }),
    ),
    want: { actions: ['SetConfig min.insync.replicas'], refusals: ['InvalidConfig'] },
  },
  {
    reason: 'a read-only key that is as wanted is in sync (K064)',
    given: situation(
      boundTopic({ config: { 'segment.ms': '604800000' } }),
      live({ entries: { 'segment.ms': entry('segment.ms', undefined, { readOnly: true }) } }),
    ),
    want: nothing,
  },
  {
    reason: 'a sensitive value is written when its key is new (K065)',
    given: situation(
      boundTopic({ config: { secret: 'x' } }),
      live({ entries: { secret: entry('secret', '', { value: null, sensitive: true }) } }),
    ),
    want: does('SetConfig secret'),
  },
  {
    reason: 'and once for each generation (K065)',
    given: situation(
      boundTopic({ config: { secret: 'x' } }, { config: { secret: '***' } }, { generation: 2 }),
      live({ entries: { secret: entry('secret', '', { value: null, sensitive: true }) } }),
    ),
    want: does('SetConfig secret'),
  },
  {
    reason: 'and again after a pass that did not go well to the end (K065)',
    given: situation(
      boundTopic(
        { config: { secret: 'x' } },
        { config: { secret: '***' }, conditions: [{ ...readyAt(1), status: 'False' }] },
      ),
      live({ entries: { secret: entry('secret', '', { value: null, sensitive: true }) } }),
    ),
    want: does('SetConfig secret'),
  },
  {
    reason: 'but never as drift (K065)',
    given: situation(
      boundTopic({ config: { secret: 'x' } }, { config: { secret: '***' }, conditions: [readyAt(1)] }),
      live({ entries: { secret: entry('secret', '', { value: null, sensitive: true }) } }),
    ),
    want: nothing,
  },
  {
    reason: 'a key that was ours and is no longer listed is reset (K055)',
    given: situation(
      boundTopic({}, { config: { 'segment.ms': '1000' } }),
      live({ overrides: { 'segment.ms': '1000' } }),
    ),
    want: does('ResetConfig segment.ms'),
  },
  {
    reason: 'a key that was ours and somebody else reset already needs nothing',
    given: situation(boundTopic({}, { config: { 'segment.ms': '1000' } }), live()),
    want: nothing,
  },
  {
    reason: 'Merge leaves what was never ours (K056)',
    given: situation(boundTopic(), live({ overrides: { 'segment.ms': '1000' } })),
    want: nothing,
  },
  {
    reason: 'Exact resets it (K057)',
    given: situation(boundTopic({ configMode: 'Exact' }), live({ overrides: { 'segment.ms': '1000' } })),
    want: does('ResetConfig segment.ms'),
  },
  {
    reason: 'a read-only override is nobody’s to reset',
    given: situation(
      boundTopic({ configMode: 'Exact' }),
      live({ entries: { 'segment.ms': entry('segment.ms', '1', { readOnly: true }) } }),
    ),
    want: nothing,
  },
  {
    reason: 'ignored keys are left alone in Exact (K059)',
    given: situation(
      boundTopic({ configMode: 'Exact', ignoredConfigs: ['segment.ms'] }),
      live({ overrides: { 'segment.ms': '1000' } }),
    ),
    want: nothing,
  },
  {
    reason: 'ignored keys are left alone in Merge, also when they were ours (K059)',
    given: situation(
      boundTopic({ ignoredConfigs: ['segment.ms'] }, { config: { 'segment.ms': '1' } }),
      live({ overrides: { 'segment.ms': '1000' } }),
    ),
    want: nothing,
  },
  {
    reason: 'a key in both lists of an older object is ignored',
    given: situation(boundTopic({ config: { 'segment.ms': '5' }, ignoredConfigs: ['segment.ms'] }), live()),
    want: nothing,
  },
  {
    reason: 'replication throttles are never reset (K062)',
    given: situation(
      boundTopic({ configMode: 'Exact' }),
      live({ overrides: { 'leader.replication.throttled.replicas': '*' } }),
    ),
    want: nothing,
  },
  {
    reason: 'listed throttles are set (K063)',
    given: situation(boundTopic({ config: { 'leader.replication.throttled.replicas': '*' } }), live()),
    want: does('SetConfig leader.replication.throttled.replicas'),
  },
  {
    reason: 'another id under the same name is somebody else’s topic (K115)',
    given: situation(boundTopic(), live({ id: anotherId })),
    want: does('BindTopic (destructive)'),
  },
  {
    reason: 'a finalizer removed by hand is restored (K083)',
    given: situation(boundTopic({ deletionPolicy: 'Delete' }), live()),
    want: does('AddFinalizer'),
  },
  {
    reason: 'Retain needs no finalizer',
    given: situation(boundTopic({}, {}, { finalizers: [finalizer, 'other'] }), live()),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an observer leaves finalizers alone',
    given: situation(boundTopic({ mode: 'Observe' }, {}, { finalizers: [finalizer] }), live()),
    want: nothing,
  },
  {
    reason: 'more in-sync replicas than replicas are refused, with no config written (K011)',
    given: situation(
      boundTopic({ replicationFactor: 1, config: { 'min.insync.replicas': '2', 'segment.ms': '1' } }),
      live(),
    ),
    want: refuses('InvalidSpec'),
  },
  {
    reason: 'the live replication factor counts where the spec has none (K011)',
    given: situation(boundTopic({ numPartitions: 6, config: { 'min.insync.replicas': '2' } }), live()),
    want: { actions: ['AddPartitions 3 to 6'], refusals: ['InvalidSpec'] },
  },
  {
    reason: 'as many in-sync replicas as replicas are fine',
    given: situation(boundTopic({ replicationFactor: 1, config: { 'min.insync.replicas': '1' } }), live()),
    want: does('SetConfig min.insync.replicas'),
  },
  {
    reason: 'a mixed replication factor has no number to compare with',
    given: situation(boundTopic({ config: { 'min.insync.replicas': '9' } }), live({ replicationFactor: 'mixed' })),
    want: does('SetConfig min.insync.replicas'),
  },
]);

const changing = (key: string, from: string | undefined, to: string, records: 'some' | 'none' | 'unknown' = 'some') =>
  situation(
    boundTopic({ config: { [key]: to } }),
    live({ overrides: from === undefined ? {} : { [key]: from }, records }),
  );

table('danger of a config change', decide, [
  {
    reason: 'shorter retention loses records (K109)',
    given: changing('retention.ms', '9000', '1000'),
    want: does('SetConfig retention.ms (destructive)'),
  },
  {
    reason: 'so does a smaller size (K109)',
    given: changing('retention.bytes', undefined, '1000'),
    want: does('SetConfig retention.bytes (destructive)'),
  },
  {
    reason: 'shorter than what is inherited counts as well',
    given: changing('retention.ms', undefined, '1000'),
    want: does('SetConfig retention.ms (destructive)'),
  },
  {
    reason: 'longer retention loses nothing',
    given: changing('retention.ms', '1000', '9000'),
    want: does('SetConfig retention.ms'),
  },
  {
    reason: 'an empty topic has nothing to lose (K110)',
    given: changing('retention.ms', '9000', '1000', 'none'),
    want: does('SetConfig retention.ms'),
  },
  {
    reason: 'records that could not be read count as there (K110)',
    given: changing('retention.ms', '9000', '1000', 'unknown'),
    want: does('SetConfig retention.ms (destructive)'),
  },
  {
    reason: 'resetting to a shorter inherited value is the same (K055)',
    given: situation(
      boundTopic({}, { config: { 'retention.ms': '-1' } }),
      live({ overrides: { 'retention.ms': '-1' } }),
    ),
    want: does('ResetConfig retention.ms (destructive)'),
  },
  {
    reason: 'resetting to a longer inherited value is harmless',
    given: situation(boundTopic({}, { config: { 'retention.ms': '1' } }), live({ overrides: { 'retention.ms': '1' } })),
    want: does('ResetConfig retention.ms'),
  },
  {
    reason: 'an inherited value that nobody shows could be anything',
    given: situation(
      boundTopic({}, { config: { 'retention.ms': '1' } }),
      live({ entries: { 'retention.ms': entry('retention.ms', '1', { inherited: null }) } }),
    ),
    want: does('ResetConfig retention.ms (destructive)'),
  },
  {
    reason: 'a cleanup policy changes what survives (K111)',
    given: changing('cleanup.policy', 'delete', 'compact'),
    want: does('SetConfig cleanup.policy (destructive)'),
  },
  {
    reason: 'in the other direction too (K111)',
    given: changing('cleanup.policy', 'compact', 'delete'),
    want: does('SetConfig cleanup.policy (destructive)'),
  },
  {
    reason: 'pinning the inherited policy changes nothing',
    given: changing('cleanup.policy', undefined, 'delete'),
    want: does('SetConfig cleanup.policy'),
  },
  {
    reason: 'the policy of an empty topic is free',
    given: changing('cleanup.policy', 'delete', 'compact', 'none'),
    want: does('SetConfig cleanup.policy'),
  },
  {
    reason: 'unclean election may lose acknowledged records (K112)',
    given: changing('unclean.leader.election.enable', undefined, ' TRUE '),
    want: does('SetConfig unclean.leader.election.enable (destructive)'),
  },
  {
    reason: 'switching it off is harmless (K112)',
    given: changing('unclean.leader.election.enable', 'true', 'False'),
    want: does('SetConfig unclean.leader.election.enable'),
  },
  {
    reason: 'what was on already is no new danger',
    given: situation(
      boundTopic({ config: { 'unclean.leader.election.enable': 'true' } }),
      live({
        entries: {
          'unclean.leader.election.enable': entry('unclean.leader.election.enable', undefined, { value: 'true' }),
        },
      }),
    ),
    want: does('SetConfig unclean.leader.election.enable'),
  },
  {
    reason: 'leaving tiered storage deletes what is there (K112)',
    given: changing('remote.storage.enable', 'true', 'false'),
    want: does('SetConfig remote.storage.enable (destructive)'),
  },
  {
    reason: 'entering it is harmless (K112)',
    given: changing('remote.storage.enable', undefined, 'TRUE'),
    want: does('SetConfig remote.storage.enable'),
  },
  {
    reason: 'staying out of it is harmless',
    given: changing('remote.storage.enable', undefined, 'false'),
    want: does('SetConfig remote.storage.enable'),
  },
  {
    reason: 'other keys lose nothing',
    given: changing('segment.ms', '9000', '1000'),
    want: does('SetConfig segment.ms'),
  },
]);

/** A key that the brokers show as `from` (null: they do not), and that shall be `to` (null: nobody knows what it becomes). */
const becoming = (key: string, from: string | null, to: string | null): Situation =>
  situation(
    to === null ? boundTopic({}, { config: { [key]: '' } }) : boundTopic({ config: { [key]: to } }),
    live({
      replicationFactor: 3,
      entries: {
        [key]: entry(key, undefined, { value: from, source: to === null ? 'topic' : 'default', inherited: null }),
      },
    }),
    { installation: installation({ approvals: new Set(Object.keys(dangers) as Danger[]) }) },
  );

table(
  'what a change of the config puts at risk, as a person reads it',
  (given: Situation) => plan(given).actions[0]?.why,
  [
    ...(
      [
        ['shorter', 'retention.ms', '9000', '1000', 'older records would be removed'],
        ['perhaps shorter', 'retention.ms', null, '1000', 'older records would be removed'],
        ['old values of a key', 'cleanup.policy', 'delete', 'compact', 'older values of each key would be removed'],
        ['old records', 'cleanup.policy', 'compact', 'delete', 'records older than the retention would be removed'],
        [
          'old records, perhaps',
          'cleanup.policy',
          'compact',
          null,
          'records older than the retention would be removed',
        ],
        [
          'nobody knows the policy before',
          'cleanup.policy',
          null,
          'compact',
          'older values of each key would be removed',
        ],
        ['fewer copies', 'min.insync.replicas', '2', '1', 'records are acknowledged with fewer copies'],
        ['perhaps fewer', 'min.insync.replicas', null, '3', 'records are acknowledged with fewer copies'],
        ['perhaps fewer than now', 'min.insync.replicas', '2', null, 'records are acknowledged with fewer copies'],
        ['as many copies', 'min.insync.replicas', '2', '2', ''],
        ['more copies', 'min.insync.replicas', '1', '2', ''],
        ['perhaps in tiers', 'remote.storage.enable', null, 'false', 'records in tiered storage would be removed'],
        ['in tiers', 'remote.storage.enable', 'true', null, 'records in tiered storage would be removed'],
        ['into tiers', 'remote.storage.enable', null, ' True ', ''],
        ['never was in tiers', 'remote.storage.enable', 'false', null, ''],
        [
          'a leader that lags',
          'unclean.leader.election.enable',
          'false',
          null,
          'a broker that lags behind may become leader and lose acknowledged records',
        ],
        ['only leaders that do not lag', 'unclean.leader.election.enable', null, ' False ', ''],
        ['any leader before', 'unclean.leader.election.enable', 'true', null, ''],
      ] as const
    ).map(([reason, key, from, to, want]) => ({
      reason: `${reason}: ${key} from ${from} to ${to}`,
      given: becoming(key, from, to),
      want,
    })),
    {
      reason: 'keys that move in a compacted topic',
      given: situation(boundTopic({ numPartitions: 6 }), live({ overrides: { 'cleanup.policy': 'compact' } })),
      want: 'a compacted topic with records: keys would move to other partitions and their old values stay',
    },
  ],
);

const invalid: Refusal = { reason: 'InvalidTopicName', message: 'no' };

table('plan for what is wrong in itself', decide, [
  {
    reason: 'an invalid spec says so',
    given: situation(topic({}, { spec: invalid })),
    want: refuses('InvalidTopicName'),
  },
  {
    reason: 'two underscores inside a name are nothing special',
    given: situation(topic({ topicName: 'a__b' }), absent),
    want: does('CreateTopic'),
  },
  {
    reason: 'a bound object cannot be renamed (K070)',
    given: situation(boundTopic({ topicName: 'other' }), live()),
    want: refuses('InvalidSpec'),
  },
  {
    reason: 'another cluster means hands off (K019)',
    given: situation(topic(), absent, { installation: installation({ clusterId: 'elsewhere' }) }),
    want: refuses('WrongCluster'),
  },
  {
    reason: 'so does a binding in another cluster',
    given: situation(boundTopic({}, { clusterId: 'elsewhere' }), live(), {
      installation: installation({ clusterId: undefined }),
    }),
    want: refuses('WrongCluster'),
  },
  {
    reason: 'a binding in the cluster that answers does not outrank the pin',
    given: situation(boundTopic(), live(), { installation: installation({ clusterId: 'elsewhere' }) }),
    want: refuses('WrongCluster'),
  },
  {
    reason: 'without a pin any cluster will do',
    given: situation(topic(), absent, { installation: installation({ clusterId: undefined }) }),
    want: does('CreateTopic'),
  },
  {
    reason: 'min.insync.replicas above the replication factor is refused before anything is asked (K011)',
    given: situation(topic({ replicationFactor: 1, config: { 'min.insync.replicas': '2' } })),
    want: refuses('InvalidSpec'),
  },
]);

table('plan for an object that is being deleted', decide, [
  {
    reason: 'Delete goes by the bound id, then the finalizer (K074)',
    given: situation(deletedTopic(), live()),
    want: does('DeleteTopic', 'RemoveFinalizer'),
  },
  {
    reason: 'Retain keeps the topic (K080)',
    given: situation(deletedTopic({ deletionPolicy: 'Retain' })),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'without our finalizer it is none of our business',
    given: situation(deletedTopic({}, {}, { finalizers: [] }), live()),
    want: nothing,
  },
  {
    reason: 'a topic that is gone already needs no deletion (K075)',
    given: situation(deletedTopic(), absent),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'another id is somebody else’s topic (K076)',
    given: situation(deletedTopic(), live({ id: anotherId })),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an heir takes the topic over (K097)',
    given: situation(deletedTopic(), live(), { claimants: [claimant(), rival()] }),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an heir that is going too inherits nothing',
    given: situation(deletedTopic(), live(), { claimants: [claimant(), rival({ deleting: true })] }),
    want: does('DeleteTopic', 'RemoveFinalizer'),
  },
  {
    reason: 'an adopted topic with records waits for a person (K178)',
    given: situation(deletedTopic({}, { origin: 'Adopted' }), live()),
    want: does('DeleteTopic (destructive)', 'RemoveFinalizer (destructive)'),
  },
  {
    reason: 'an adopted topic without records goes (K178)',
    given: situation(deletedTopic({}, { origin: 'Adopted' }), live({ records: 'none' })),
    want: does('DeleteTopic', 'RemoveFinalizer'),
  },
  {
    reason: 'other finalizers come first (K084)',
    given: situation(deletedTopic({}, {}, { finalizers: [finalizer, 'other'] }), live()),
    want: nothing,
  },
  { reason: 'a look that is missing deletes nothing', given: situation(deletedTopic()), want: nothing },
  {
    reason: 'another cluster keeps the finalizer (K019)',
    given: situation(deletedTopic(), live(), { installation: installation({ clusterId: 'elsewhere' }) }),
    want: refuses('WrongCluster'),
  },
  {
    reason: 'a paused deletion waits (K106)',
    given: situation(deletedTopic({ mode: 'Paused' })),
    want: refuses('Paused'),
  },
  {
    reason: 'a paused object with Retain goes (K106)',
    given: situation(deletedTopic({ mode: 'Paused', deletionPolicy: 'Retain' })),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an observer never deletes (K101)',
    given: situation(deletedTopic({ mode: 'Observe' })),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an unbound object is bound first, and deleted in a later pass (K078)',
    given: situation(deletedTopic({ numPartitions: 3 }, {}, { status: undefined }), live()),
    want: does('BindTopic'),
  },
  {
    reason: 'an unbound object of a topic that differs leaves it alone (K078)',
    given: situation(deletedTopic({ numPartitions: 6 }, {}, { status: undefined }), live()),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an unbound object of a topic that cannot become as wanted leaves it alone',
    given: situation(deletedTopic({ numPartitions: 1 }, {}, { status: undefined }), live()),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'a loser leaves the topic alone (K095)',
    given: situation(deletedTopic({}, {}, { status: undefined }), live(), { claimants: [claimant(), rival()] }),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an unbound object without a topic goes',
    given: situation(deletedTopic({}, {}, { status: undefined }), absent),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an invalid unbound object binds nothing on its way out (K169)',
    given: situation(deletedTopic({}, {}, { status: undefined, spec: invalid }), live()),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'a topic with another number of replicas is not the one that an unbound object has made (T010)',
    given: situation(deletedTopic({ replicationFactor: 3 }, {}, { status: undefined }), live()),
    want: does('RemoveFinalizer'),
  },
  {
    reason: 'an invalid bound object still deletes by its id (K070)',
    given: situation(deletedTopic({}, {}, { spec: invalid }), live()),
    want: does('DeleteTopic', 'RemoveFinalizer'),
  },
]);

test('a bound object that is bound while it goes is looked at again', () => {
  assert.equal(plan(situation(deletedTopic({}, {}, { status: undefined }), live())).lookAgain, true);
  assert.equal(plan(situation(deletedTopic(), live())).lookAgain, false);
});

test('what differs from the spec is looked at again when another topic is bound (K115)', () => {
  assert.equal(plan(situation(boundTopic({ numPartitions: 9 }), live({ id: anotherId }))).lookAgain, true);
});

test('what is held is reported as what happened to the topic', () => {
  assert.equal(plan(situation(boundTopic(), absent)).heldReason, 'TopicMissing');
  assert.equal(plan(situation(boundTopic(), live({ id: anotherId }))).heldReason, 'IdentityChanged');
  assert.equal(plan(changing('retention.ms', '9000', '1000')).heldReason, 'ApprovalRequired');
});

test('brokers are asked only where their answer can matter', () => {
  assert.equal(needsObservation(topic()), true);
  assert.equal(needsObservation(topic({ mode: 'Paused' })), false);
  assert.equal(needsObservation(topic({}, { spec: invalid })), false);
  assert.equal(needsObservation(deletedTopic()), true);
  assert.equal(needsObservation(deletedTopic({ deletionPolicy: 'Retain' })), false);
  assert.equal(needsObservation(deletedTopic({}, {}, { finalizers: [] })), false);
  assert.equal(needsObservation(deletedTopic({}, {}, { finalizers: [finalizer, 'other'] })), false);
});

test('claimants are listed to bind and to delete, never for an edit', () => {
  assert.equal(needsClaimants(topic(), absent), false);
  assert.equal(needsClaimants(topic(), live()), true);
  assert.equal(needsClaimants(topic({ mode: 'Observe' }), live()), false);
  assert.equal(needsClaimants(boundTopic(), live()), false);
  assert.equal(needsClaimants(boundTopic(), live({ id: anotherId })), true);
  assert.equal(needsClaimants(boundTopic({ mode: 'Observe' }), live({ id: anotherId })), false);
  assert.equal(needsClaimants(deletedTopic(), live()), true);
  assert.equal(needsClaimants(deletedTopic(), live({ id: anotherId })), false);
  assert.equal(needsClaimants(deletedTopic({}, {}, { status: undefined }), live()), true);
  assert.equal(needsClaimants(deletedTopic(), absent), false);
});

test('records are asked for only where they decide', () => {
  assert.equal(needsRecords(changing('retention.ms', '9000', '1000')), true);
  assert.equal(needsRecords(changing('retention.ms', '1000', '9000')), false);
  assert.equal(needsRecords(situation(deletedTopic({}, { origin: 'Adopted' }), live())), true);
  assert.equal(needsRecords(situation(deletedTopic(), live())), false);
  assert.equal(needsRecords(situation(topic(), absent)), false);
});

test('every action says what it does', () => {
  const all: Action[] = [
    { type: 'AddFinalizer', destructive: false, why: '' },
    { type: 'RemoveFinalizer', destructive: false, why: '' },
    { type: 'CreateTopic', destructive: false, why: '' },
    { type: 'BindTopic', id: theId, destructive: false, why: '' },
    { type: 'SetConfig', key: 'k', from: '1', to: '2', destructive: false, why: '' },
    { type: 'SetConfig', key: 'k', from: null, to: '***', destructive: false, why: '' },
    { type: 'ResetConfig', key: 'k', from: '1', to: '2', destructive: false, why: '' },
    { type: 'ResetConfig', key: 'k', from: null, to: null, destructive: false, why: '' },
    { type: 'AddPartitions', from: 1, to: 2, destructive: false, why: '' },
    { type: 'DeleteTopic', id: theId, destructive: false, why: '' },
  ];
  assert.deepEqual(all.map(describe), [
    'add the finalizer',
    'remove the finalizer',
    'create the topic',
    `take over the topic with id ${theId}`,
    'set k from 1 to 2',
    'set k from *** to ***',
    'reset k from 1 to the inherited 2',
    'reset k from *** to the inherited value',
    'grow from 1 to 2 partitions',
    `delete the topic with id ${theId}`,
  ]);
});

const messages = (given: Situation): string[] => [
  ...plan(given).refusals.map(({ message }) => message),
  ...plan(given)
    .actions.map(({ why }) => why)
    .filter((why) => why !== ''),
];

table('what people read', messages, [
  {
    reason: 'a shrink names both counts and the way out (K023)',
    given: situation(boundTopic({ numPartitions: 2 }), live()),
    want: [
      'the topic has 3 partitions and the spec wants 2: Kafka cannot remove partitions; set spec.numPartitions to 3',
    ],
  },
  {
    reason: 'a conflict names the winner (K090)',
    given: situation(topic(), live(), { claimants: [claimant(), rival()] }),
    want: [
      'topic orders belongs to KafkaTopic billing/orders: delete one of the two, or give this one another spec.topicName',
    ],
  },
  {
    reason: 'an unknown key is named',
    given: situation(boundTopic({ config: { nope: '1' } }), live()),
    want: ['Unknown topic config name: nope'],
  },
  {
    reason: 'a read-only key shows what is live',
    given: situation(
      boundTopic({ config: { 'segment.ms': '1' } }),
      live({ entries: { 'segment.ms': entry('segment.ms', undefined, { readOnly: true }) } }),
    ),
    want: ['segment.ms is read-only on this cluster and is 604800000'],
  },
  {
    reason: 'both numbers of min.insync.replicas (K011)',
    given: situation(topic({ replicationFactor: 1, config: { 'min.insync.replicas': '2' } })),
    want: [
      'min.insync.replicas 2 is above the replication factor 1: producers with acks=all would stop; lower it, or raise spec.replicationFactor',
    ],
  },
  {
    reason: 'both clusters (K019)',
    given: situation(topic(), absent, { installation: installation({ clusterId: 'elsewhere' }) }),
    want: [
      'the brokers belong to cluster cluster-one, not to elsewhere: nothing is done until the addresses lead to the right cluster',
    ],
  },
  {
    reason: 'the name an object speaks for, and the way back (K070)',
    given: situation(boundTopic({ topicName: 'other' }), live()),
    want: [
      'this object speaks for topic orders and cannot be renamed to other: set spec.topicName back to orders, or create another object',
    ],
  },
  {
    reason: 'how a policy loses records',
    given: changing('cleanup.policy', 'delete', 'compact'),
    want: ['older values of each key would be removed'],
  },
  {
    reason: 'and in the other direction',
    given: changing('cleanup.policy', 'compact', 'delete'),
    want: ['records older than the retention would be removed'],
  },
  {
    reason: 'both values of a retention',
    given: changing('retention.ms', '9000', '1000'),
    want: ['older records would be removed'],
  },
  {
    reason: 'why a missing topic waits',
    given: situation(boundTopic(), absent),
    want: [`topic orders with id ${theId} is gone: a new one would be empty and consumers would start over`],
  },
  {
    reason: 'both ids of a changed identity',
    given: situation(boundTopic(), live({ id: anotherId })),
    want: [`topic orders was deleted and created again by somebody else: its id is ${anotherId}, not ${theId}`],
  },
]);

const twoBrokers = {
  brokers: [1, 2].map((id) => ({ id, rack: undefined })),
  partitions: [{ partition: 0, leader: 1, replicas: [1, 2], adding: [], removing: [] }],
};
const fewer = (deletionPolicy: 'Retain' | 'Delete') =>
  situation(boundTopic({ replicationFactor: 1, deletionPolicy }), live({ replicationFactor: 2 }), {
    replicas: twoBrokers,
    installation: installation({ approvals: new Set(['ReduceReplicas']), moveBytesPerSecond: 1000 }),
  });
const underLimit = (object: Partial<Parameters<typeof boundTopic>[2]>, done: boolean) =>
  situation(
    boundTopic(
      { replicationFactor: 2 },
      {
        reassignment: {
          ...{ step: 'submitted', replicationFactor: 2, bytesPerSecond: 1, partitionsDone: 0, partitionsTotal: 1 },
          assignment: { 0: '1,2' },
        },
      },
      object,
    ),
    live({ replicationFactor: done ? 2 : 'mixed', numPartitions: 1 }),
    {
      replicas: {
        ...twoBrokers,
        partitions: [{ partition: 0, leader: 1, replicas: [1, 2], adding: done ? [] : [2], removing: [] }],
      },
    },
  );

table('the finalizer of a move under a limit (K044)', decide, [
  {
    reason: 'waits with the move that needs it',
    given: fewer('Retain'),
    want: does('AddFinalizer (destructive)', 'MoveReplicas (destructive)'),
  },
  {
    reason: 'does not wait where the object needs it anyway',
    given: fewer('Delete'),
    want: does('AddFinalizer', 'MoveReplicas (destructive)'),
  },
  { reason: 'stays while the move is under way', given: underLimit({ finalizers: [finalizer] }, false), want: nothing },
  { reason: 'comes back where somebody took it off', given: underLimit({}, false), want: does('AddFinalizer') },
  {
    reason: 'goes with the end of the move',
    given: underLimit({ finalizers: [finalizer] }, true),
    want: does('RemoveFinalizer', 'FinishMove'),
  },
]);

table('another topic of that name', decide, [
  {
    reason: 'is not taken from the object that is bound to it',
    given: situation(boundTopic(), live({ id: anotherId }), {
      claimants: [claimant(), rival({ boundTo: { topicId: anotherId, clusterId: theCluster } })],
    }),
    want: refuses('ResourceConflict'),
  },
  {
    reason: 'may be watched by whoever wants to, since nothing is done to it',
    given: situation(boundTopic({ mode: 'Observe' }), live({ id: anotherId }), {
      claimants: [claimant(), rival({ boundTo: { topicId: anotherId, clusterId: theCluster } })],
    }),
    want: does('BindTopic (destructive)'),
  },
]);

test('an object that is missing among those that want its topic is looked at again, and says so', () =>
  assert.deepEqual(plan(situation(topic(), live(), { claimants: [] })).refusals, [
    {
      reason: 'ObservationOutdated',
      message: 'among those that want topic orders this object was missing; it is looked at again later',
    },
  ]));

table('what Kafka does not take in one request, in numbers', (given: Situation) => plan(given).refusals[0]?.message, [
  {
    reason: 'a topic',
    given: situation(topic({ numPartitions: 10_000 }), absent),
    want: 'spec.numPartitions 10000 is more than Kafka takes in one request: a topic, its partitions and its configs may be 10000 records together',
  },
  {
    reason: 'a growth',
    given: situation(boundTopic({ numPartitions: 10_003 }), live()),
    want: 'spec.numPartitions adds 10000 partitions: Kafka takes fewer than 10000 at a time; grow in steps',
  },
]);
