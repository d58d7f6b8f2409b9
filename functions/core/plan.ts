import { finalizer } from './api.ts';
import { compacts } from './config.ts';
import { configDifferences, effectiveCleanupPolicy } from './differences.ts';
import { heirs, ownerOf } from './owner.ts';
import type { Claimant, TopicQuery } from './ports.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import {
  type Key,
  keyOf,
  type ObservedTopic,
  type Reason,
  type Records,
  type Refusal,
  type TopicId,
  type TopicSpec,
} from './topic.ts';

/** Everything the decision needs, so that it asks for nothing. Absent parts were not needed: see the `needs…` functions. */
export type Situation = {
  readonly resource: TopicResource;
  readonly observed: ObservedTopic | undefined;
  readonly claimants: readonly Claimant[] | undefined;
  /** the installation's cluster; undefined when it does not pin one */
  readonly clusterId: string | undefined;
};

/** `destructive`: it can lose data, and `why` says how. Danger that rests on records is judged by what was observed. */
export type Action = { readonly destructive: boolean; readonly why: string } & (
  | { readonly type: 'AddFinalizer' | 'RemoveFinalizer' }
  | { readonly type: 'CreateTopic' }
  | { readonly type: 'BindTopic'; readonly id: TopicId }
  | { readonly type: 'SetConfig'; readonly key: string; readonly from: string | null; readonly to: string }
  | { readonly type: 'ResetConfig'; readonly key: string; readonly from: string | null; readonly to: string | null }
  | { readonly type: 'AddPartitions'; readonly from: number; readonly to: number }
  | { readonly type: 'DeleteTopic'; readonly id: TopicId }
);

/**
 * What to do for one object, in order: first what the rest stands on, then harmless actions, then destructive ones.
 * `heldReason` is what a held action of this plan is reported as. `lookAgain`: a later pass has to go on from here.
 */
export type Plan = {
  readonly actions: readonly Action[];
  readonly refusals: readonly Refusal[];
  readonly heldReason: Reason;
  readonly lookAgain: boolean;
};

/** KRaft refuses a request of more records than this, with 1 record per topic, partition and config: client-facts 2.6. */
export const maxRecordsPerRequest = 10_000;

/**
 * Decides once, completely, from one look.
 *
 * | object | topic | plan |
 * |---|---|---|
 * | invalid, renamed, internal, other cluster | any | nothing, and why |
 * | never bound | absent | AddFinalizer?, CreateTopic (which binds) |
 * | never bound | equal to the spec, ours to take | AddFinalizer?, BindTopic |
 * | never bound | differs, ours to take | BindTopic held |
 * | never bound | somebody else's | `ResourceConflict` |
 * | bound | that id | what differs |
 * | bound | gone, or another id | held: `TopicMissing`, `IdentityChanged` |
 * | deleted, `Retain` or `Observe` | not looked at | RemoveFinalizer |
 * | deleted, `Delete`, bound | that id, no heirs | DeleteTopic, RemoveFinalizer |
 * | deleted, `Delete`, bound | gone, another id, or heirs | RemoveFinalizer |
 * | deleted, `Delete`, never bound | equal to the spec, ours to take | BindTopic, and look again |
 */
export function plan(situation: Situation): Plan {
  const { resource } = situation;
  if (resource.deleting) return planDeletion(situation);
  const refusal = refusalOf(situation);
  if (refusal !== undefined) return refused(refusal);
  const spec = resource.spec as TopicSpec;
  const observed = situation.observed as ObservedTopic;
  const bound = bindingOf(resource)?.topicId;
  if (!observed.exists) return bound === undefined ? planCreation(resource, spec) : planMissing(resource);
  if (bound === undefined) return planAdoption(situation, spec, observed);
  if (bound !== observed.id) return planIdentityChange(resource, observed.id);
  const { actions, refusals } = differences(resource, spec, observed);
  return planned([...finalizerActions(resource, spec), ...actions], refusals);
}

/** Whether the brokers must be asked at all: not for what is paused, wrong in itself, or let go with its topic kept. */
export function needsObservation(resource: TopicResource): boolean {
  if (resource.deleting) return holdsTopic(resource) && isLastFinalizer(resource);
  return specRefusal(resource) === undefined && (resource.spec as TopicSpec).mode !== 'Paused';
}

/** What to ask the brokers about an object. A bound object that is being deleted asks for the topic that it is bound to. */
export function queryOf(resource: TopicResource): TopicQuery {
  const topicName = boundName(resource) ?? resource.topicName;
  if ('reason' in resource.spec) return { topicName, configs: [] };
  if (resource.spec.configMode === 'Exact') return { topicName, configs: 'all' };
  const ours = [...resource.spec.config.keys(), ...Object.keys(resource.status?.config ?? {})];
  return { topicName, configs: [...new Set([...ours, 'cleanup.policy', 'min.insync.replicas'])].sort() };
}

/** Whether claimants must be listed: to bind an existing topic, or to delete one (reliability.md 1.2). */
export function needsClaimants(resource: TopicResource, observed: ObservedTopic): boolean {
  if (!observed.exists) return false;
  const bound = bindingOf(resource)?.topicId;
  if (resource.deleting) return bound === undefined || bound === observed.id;
  return bound === undefined && modeOf(resource) !== 'Observe';
}

/** Whether the decision would change if the topic were known to be empty; asked with `records: 'unknown'`. */
export const needsRecords = (situation: Situation): boolean =>
  summary(plan(withRecords(situation, 'unknown'))) !== summary(plan(withRecords(situation, 'none')));

/** The same situation with what is now known about records. */
export const withRecords = (situation: Situation, records: Records): Situation =>
  situation.observed?.exists === true ? { ...situation, observed: { ...situation.observed, records } } : situation;

/**
 * What may be done now, and what is held: everything from the first destructive action on. In `Plan` mode every action
 * waits; in `Observe` nothing is ever done, so nothing waits either.
 */
export function permitted(
  { actions }: Plan,
  mode: TopicSpec['mode'],
): { readonly now: readonly Action[]; readonly held: readonly Action[] } {
  if (mode === 'Observe') return { now: [], held: [] };
  const first = mode === 'Plan' ? 0 : actions.findIndex((action) => action.destructive);
  return first === -1 ? { now: actions, held: [] } : { now: actions.slice(0, first), held: actions.slice(first) };
}

/** An object's mode; that of an invalid spec is not known, so the default. */
export const modeOf = ({ spec }: TopicResource): TopicSpec['mode'] => ('reason' in spec ? 'Enforce' : spec.mode);

/** One line about an action, for status, logs and people. */
export function describe(action: Action): string {
  switch (action.type) {
    case 'AddFinalizer':
      return 'add the finalizer';
    case 'RemoveFinalizer':
      return 'remove the finalizer';
    case 'CreateTopic':
      return 'create the topic';
    case 'BindTopic':
      return `take over the topic with id ${action.id}`;
    case 'SetConfig':
      return `set ${action.key} from ${action.from ?? '***'} to ${action.to}`;
    case 'ResetConfig':
      return `reset ${action.key} from ${action.from ?? '***'} to the inherited ${action.to ?? 'value'}`;
    case 'AddPartitions':
      return `grow from ${action.from} to ${action.to} partitions`;
    case 'DeleteTopic':
      return `delete the topic with id ${action.id}`;
  }
}

const planned = (
  actions: readonly Action[],
  refusals: readonly Refusal[] = [],
  options: { heldReason?: Reason; lookAgain?: boolean } = {},
): Plan => ({
  actions: [...actions].sort((a, b) => Number(a.destructive) - Number(b.destructive)),
  refusals,
  heldReason: options.heldReason ?? 'ApprovalRequired',
  lookAgain: options.lookAgain ?? false,
});

const refused = (refusal: Refusal): Plan => planned([], [refusal]);

const summary = ({ actions }: Plan): string => actions.map(({ type, destructive }) => `${type}${destructive}`).join();

/** Refusals that need no look at the topic itself. */
function refusalOf({ resource, observed, clusterId }: Situation): Refusal | undefined {
  return specRefusal(resource) ?? clusterRefusal(resource, observed, clusterId);
}

function specRefusal(resource: TopicResource): Refusal | undefined {
  const { spec, topicName } = resource;
  const name = boundName(resource);
  if (name !== undefined && name !== topicName)
    return refusal(
      'InvalidSpec',
      `this object speaks for topic ${name} and cannot be renamed to ${topicName}: set spec.topicName back to ${name}, or create another object`,
    );
  if ('reason' in spec) return spec;
  if (topicName.startsWith('__'))
    return refusal('InternalTopic', `${topicName} is one of Kafka's internal topics, which Topicsmith never touches`);
  return creationLimit(spec) ?? minInsyncRefusal(spec, spec.replicationFactor);
}

function creationLimit({ numPartitions = 1, config }: TopicSpec): Refusal | undefined {
  const records = 1 + numPartitions + config.size;
  if (records <= maxRecordsPerRequest) return undefined;
  return refusal(
    'InvalidSpec',
    `spec.numPartitions ${numPartitions} is more than Kafka takes in one request: a topic, its partitions and its configs may be ${maxRecordsPerRequest} records together`,
  );
}

function minInsyncRefusal(spec: TopicSpec, replicationFactor: number | 'mixed' | undefined): Refusal | undefined {
  const wanted = spec.config.get('min.insync.replicas');
  if (wanted === undefined || typeof replicationFactor !== 'number' || !(Number(wanted) > replicationFactor))
    return undefined;
  return refusal(
    'InvalidSpec',
    `min.insync.replicas ${wanted} is above the replication factor ${replicationFactor}: producers with acks=all would stop`,
  );
}

function clusterRefusal(
  resource: TopicResource,
  observed: ObservedTopic | undefined,
  pinned: string | undefined,
): Refusal | undefined {
  if (observed === undefined) return undefined;
  const expected = bindingOf(resource)?.clusterId ?? pinned;
  const wrong = [pinned, expected].some((id) => id !== undefined && id !== observed.clusterId);
  if (!wrong) return undefined;
  return refusal(
    'WrongCluster',
    `the brokers belong to cluster ${observed.clusterId}, not to ${expected}: nothing is done until the addresses lead to the right cluster`,
  );
}

function planCreation(resource: TopicResource, spec: TopicSpec): Plan {
  const create: Action = { type: 'CreateTopic', destructive: false, why: '' };
  return planned([...finalizerActions(resource, spec), create]);
}

function planMissing(resource: TopicResource): Plan {
  const why = `topic ${resource.topicName} with id ${bindingOf(resource)?.topicId} is gone: a new one would be empty and consumers would start over`;
  return planned([{ type: 'CreateTopic', destructive: true, why }], [], { heldReason: 'TopicMissing' });
}

function planIdentityChange(resource: TopicResource, live: TopicId): Plan {
  const why = `topic ${resource.topicName} was deleted and created again by somebody else: its id is ${live}, not ${bindingOf(resource)?.topicId}`;
  return planned([{ type: 'BindTopic', id: live, destructive: true, why }], [], { heldReason: 'IdentityChanged' });
}

function planAdoption(situation: Situation, spec: TopicSpec, observed: LiveObservation): Plan {
  const { resource, claimants } = situation;
  const { actions, refusals } = differences(resource, spec, observed);
  if (spec.mode === 'Observe') return planned(actions, refusals);
  const owner = ownerOf(claimants ?? [], observed);
  if (owner !== undefined && owner.uid !== resource.uid) return refused(conflict(resource.topicName, owner.key));
  const differs = actions.length + refusals.length > 0;
  const why = differs ? `topic ${resource.topicName} exists already and differs from the spec` : '';
  const bind: Action = { type: 'BindTopic', id: observed.id, destructive: differs, why };
  // Nothing beside the binding is done in the same pass: what differs waits with it.
  return planned(differs ? [bind, ...actions.map(held)] : [...finalizerActions(resource, spec), bind], refusals);
}

const held = (action: Action): Action => ({
  ...action,
  destructive: true,
  why: action.why || 'it changes a topic that was there before',
});

const conflict = (topicName: string, owner: Key): Refusal =>
  refusal(
    'ResourceConflict',
    `topic ${topicName} belongs to KafkaTopic ${keyOf(owner)}: delete one of the two, or give this one another spec.topicName`,
  );

type LiveObservation = Extract<ObservedTopic, { exists: true }>;

function differences(resource: TopicResource, spec: TopicSpec, observed: LiveObservation) {
  const config = configDifferences(resource, spec, observed);
  const partitions = partitionDifference(spec, observed);
  const replicas = replicationRefusal(spec, observed);
  const minInsync = minInsyncRefusal(spec, spec.replicationFactor ?? observed.replicationFactor);
  const refusals = [partitions.refusal, replicas, minInsync, ...config.refusals].filter(
    (refusal) => refusal !== undefined,
  );
  const configActions = minInsync === undefined ? config.actions : [];
  return { actions: [...configActions, ...partitions.actions], refusals };
}

function partitionDifference(spec: TopicSpec, observed: LiveObservation): { actions: Action[]; refusal?: Refusal } {
  const [from, to] = [observed.numPartitions, spec.numPartitions];
  if (to === undefined || to === from) return { actions: [] };
  if (to < from)
    return {
      actions: [],
      refusal: refusal(
        'PartitionsCannotShrink',
        `the topic has ${from} partitions and the spec wants ${to}: Kafka cannot remove partitions; set spec.numPartitions to ${from}`,
      ),
    };
  const destructive = observed.records !== 'none' && compacts(effectiveCleanupPolicy(observed));
  const why = destructive
    ? 'a compacted topic with records: keys would move to other partitions and their old values stay'
    : '';
  return { actions: [{ type: 'AddPartitions', from, to, destructive, why }] };
}

function replicationRefusal(spec: TopicSpec, observed: LiveObservation): Refusal | undefined {
  const [live, wanted] = [observed.replicationFactor, spec.replicationFactor];
  if (wanted === undefined || wanted === live) return undefined;
  return refusal(
    'InvalidReplicationFactor',
    `the topic has replication factor ${live} and the spec wants ${wanted}: changing it is not supported yet; move replicas with kafka-reassign-partitions, or set spec.replicationFactor to what is live`,
  );
}

function planDeletion(situation: Situation): Plan {
  const { resource, observed, claimants } = situation;
  if (!resource.finalizers.includes(finalizer)) return planned([]);
  const release = planned([{ type: 'RemoveFinalizer', destructive: false, why: '' }]);
  if (!holdsTopic(resource)) return paused(resource) ? refused(pausedDeletion) : release;
  // Whoever waits behind another finalizer may still use the topic: ours is the last one (T092).
  if (!isLastFinalizer(resource)) return planned([]);
  if (observed === undefined) return planned([]);
  const wrongCluster = clusterRefusal(resource, observed, situation.clusterId);
  if (wrongCluster !== undefined) return refused(wrongCluster);
  if (!observed.exists) return release;
  const bound = bindingOf(resource)?.topicId;
  if (bound === undefined) return bindBeforeDeletion(situation, observed) ?? release;
  if (bound !== observed.id) return release;
  if (heirs(claimants ?? [], resource.uid).length > 0) return release;
  return planned([deletion(resource, observed), ...release.actions.map(afterDeletion(resource, observed))]);
}

/** Whether deleting the object may have to delete a topic: only `Delete`, and neither `Observe` nor `Paused`. */
const holdsTopic = (resource: TopicResource): boolean =>
  resource.finalizers.includes(finalizer) &&
  resource.deletionPolicy === 'Delete' &&
  modeOf(resource) !== 'Observe' &&
  modeOf(resource) !== 'Paused';

const isLastFinalizer = ({ finalizers }: TopicResource): boolean => finalizers.every((name) => name === finalizer);

const paused = (resource: TopicResource): boolean =>
  resource.deletionPolicy === 'Delete' && modeOf(resource) === 'Paused';

const pausedDeletion: Refusal = {
  reason: 'Paused',
  message:
    'the object is being deleted and paused: set spec.mode to Enforce to delete the topic, or spec.deletionPolicy to Retain to keep it',
};

/**
 * An object that never came to its binding (a crash between create and status) is bound first, by the same rules as any
 * adoption; a later pass deletes by the bound id. Never look-then-delete in one pass (T010).
 */
function bindBeforeDeletion(situation: Situation, observed: LiveObservation): Plan | undefined {
  const { resource, claimants } = situation;
  if ('reason' in resource.spec || specRefusal(resource) !== undefined) return undefined;
  if (ownerOf(claimants ?? [], observed)?.uid !== resource.uid) return undefined;
  const { actions, refusals } = differences(resource, resource.spec, observed);
  if (actions.length + refusals.length > 0) return undefined;
  return planned([{ type: 'BindTopic', id: observed.id, destructive: false, why: '' }], [], { lookAgain: true });
}

/** Rule D2: what we created goes as the spec says; what was there before us and holds records needs a person. */
function deletion(resource: TopicResource, observed: LiveObservation): Action {
  const destructive = bindingOf(resource)?.origin !== 'Created' && observed.records !== 'none';
  const why = destructive ? 'the topic was there before this object and holds records' : '';
  return { type: 'DeleteTopic', id: observed.id, destructive, why };
}

/** The finalizer goes after the topic, so it is as destructive as that deletion: one is never done without the other. */
const afterDeletion =
  (resource: TopicResource, observed: LiveObservation) =>
  (action: Action): Action => ({ ...action, destructive: deletion(resource, observed).destructive });

/** The finalizer comes before everything else, or a crash after the creation would leak the topic (K004). */
function finalizerActions(resource: TopicResource, spec: TopicSpec): Action[] {
  const has = resource.finalizers.includes(finalizer);
  if (spec.mode === 'Observe') return [];
  if (spec.deletionPolicy === 'Delete' && !has) return [{ type: 'AddFinalizer', destructive: false, why: '' }];
  if (spec.deletionPolicy === 'Retain' && has) return [{ type: 'RemoveFinalizer', destructive: false, why: '' }];
  return [];
}

const boundName = (resource: TopicResource): string | undefined => bindingOf(resource)?.topicName;

const refusal = (reason: Reason, message: string): Refusal => ({ reason, message });
