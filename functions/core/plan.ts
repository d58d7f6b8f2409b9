import { type Action, guarded, harmless, type Plan, planned, refusal, refused } from './action.ts';
import { finalizer } from './api.ts';
import { hasLimit, holdsTopic, isLastFinalizer, planDeletion, releaseActions } from './deletion.ts';
import { differences } from './differences.ts';
import { ownerOf } from './owner.ts';
import { clusterRefusal, creationLimit, specRefusal } from './refusals.ts';
import { rateOf } from './replication.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import { type LiveObservation, type Situation, withRecords } from './situation.ts';
import { type Key, keyOf, type ObservedTopic, type Refusal, type TopicSpec } from './topic.ts';

/**
 * Decides once, completely, from one look.
 *
 * | object | topic | plan |
 * |---|---|---|
 * | not for this installation | not looked at | RemoveFinalizer |
 * | invalid, renamed, internal, other cluster | any | nothing, and why |
 * | never bound | absent | AddFinalizer?, CreateTopic (which binds) |
 * | never bound | equal to the spec, ours to take | AddFinalizer?, BindTopic |
 * | never bound | differs, ours to take | BindTopic held, and all that differs |
 * | never bound | somebody else's | `ResourceConflict` |
 * | paused | not looked at | nothing |
 * | bound | that id | what differs |
 * | bound | gone, or another id that nobody else is bound to | held: `TopicMissing`, `IdentityChanged` |
 * | deleted, `Retain` or `Observe` | not looked at | RemoveFinalizer |
 * | deleted, `Delete`, bound | that id, no heirs | DeleteTopic, RemoveFinalizer |
 * | deleted, `Delete`, bound | gone, another id, or heirs | RemoveFinalizer |
 * | deleted, `Delete`, never bound | equal to the spec, ours to take | BindTopic, and look again |
 */
export function plan(situation: Situation): Plan {
  const { resource, installation } = situation;
  if (!installation.selects(resource.labels)) return planned(releaseActions(resource));
  if (resource.deleting) return planDeletion(situation);
  const refusal = refusalOf(situation);
  if (refusal !== undefined) return refused(refusal);
  const spec = resource.spec as TopicSpec;
  if (resource.mode === 'Paused') return planned([]);
  const observed = situation.observed as ObservedTopic;
  const bound = bindingOf(resource)?.topicId;
  if (!observed.exists) return bound === undefined ? planCreation(situation, spec) : planMissing(situation, spec);
  if (bound === undefined) return planAdoption(situation, spec, observed);
  if (bound !== observed.id) return planIdentityChange(situation, observed);
  const { actions, refusals, waitsFor } = differences(situation, spec, observed);
  // Partitions that somebody else has added meanwhile have another number of replicas still.
  const lookAgain = actions.some(endsMove) && spec.replicationFactor !== observed.replicationFactor;
  return planned([...finalizerActions(situation, spec, actions), ...actions], refusals, { waitsFor, lookAgain });
}

/** Whether the brokers must be asked at all: not for what is paused, wrong in itself, or let go with its topic kept. */
export function needsObservation(resource: TopicResource): boolean {
  if (resource.deleting) return holdsTopic(resource) && isLastFinalizer(resource);
  return specRefusal(resource) === undefined && resource.mode !== 'Paused';
}

/** Whether claimants must be listed: to bind an existing topic, or to delete one (reliability.md 1.2). */
export function needsClaimants(resource: TopicResource, observed: ObservedTopic): boolean {
  if (!observed.exists) return false;
  const bound = bindingOf(resource)?.topicId;
  if (resource.deleting) return bound === undefined || bound === observed.id;
  return bound !== observed.id && resource.mode !== 'Observe';
}

/** Whether the decision would change if the topic were known to be empty; asked with `records: 'unknown'`. */
export const needsRecords = (situation: Situation): boolean =>
  summary(plan(withRecords(situation, 'unknown'))) !== summary(plan(withRecords(situation, 'none')));

const summary = ({ actions }: Plan): string => JSON.stringify(actions);

/** Refusals that need no look at the topic itself. */
function refusalOf({ resource, observed, installation }: Situation): Refusal | undefined {
  return specRefusal(resource) ?? clusterRefusal(resource, observed, installation.clusterId);
}

function planCreation(situation: Situation, spec: TopicSpec): Plan {
  const limit = creationLimit(spec);
  if (limit !== undefined) return refused(limit);
  const create: Action = { type: 'CreateTopic', ...harmless };
  return planned([...finalizerActions(situation, spec), create]);
}

function planMissing(situation: Situation, spec: TopicSpec): Plan {
  const { resource, installation } = situation;
  const why = `topic ${resource.topicName} with id ${bindingOf(resource)?.topicId} is gone: a new one would be empty and consumers would start over`;
  const ended = endedMove(resource, harmless);
  const create: Action = { type: 'CreateTopic', ...guarded(installation, 'RecreateTopic', why) };
  return planned([...finalizerActions(situation, spec, ended), ...ended, create], [], {
    heldReason: 'TopicMissing',
    unsure: true,
  });
}

/** A move ends with the topic that it was for: another one of that name must not inherit it. */
const endedMove = ({ status }: TopicResource, danger: Pick<Action, 'destructive' | 'why'>): Action[] =>
  status?.reassignment === undefined
    ? []
    : [{ type: 'FinishMove', to: status.reassignment.replicationFactor, ...danger }];

function planIdentityChange({ resource, installation, claimants }: Situation, observed: LiveObservation): Plan {
  const live = observed.id;
  const owner = resource.mode === 'Observe' ? undefined : ownerOf(claimants ?? [], observed);
  if (owner !== undefined && owner.uid !== resource.uid) return refused(conflict(resource.topicName, owner.key));
  const why = `topic ${resource.topicName} was deleted and created again by somebody else: its id is ${live}, not ${bindingOf(resource)?.topicId}`;
  const danger = guarded(installation, 'RebindTopic', why);
  // What differs from the spec is for the next pass, when it is stored whose topic this is.
  return planned([...endedMove(resource, danger), { type: 'BindTopic', id: live, ...danger }], [], {
    heldReason: 'IdentityChanged',
    lookAgain: true,
    unsure: true,
  });
}

function planAdoption(situation: Situation, spec: TopicSpec, observed: LiveObservation): Plan {
  const { resource, claimants, installation } = situation;
  const { actions, refusals, waitsFor } = differences(situation, spec, observed);
  if (resource.mode === 'Observe') return planned(actions, refusals);
  const owner = ownerOf(claimants ?? [], observed);
  if (owner === undefined) return refused(notListed(resource.topicName));
  if (owner.uid !== resource.uid) return refused(conflict(resource.topicName, owner.key));
  const finalizers = finalizerActions(situation, spec, actions);
  const bind = { type: 'BindTopic', id: observed.id } as const;
  if (actions.length + refusals.length === 0 && waitsFor === undefined)
    return planned([...finalizers, { ...bind, ...harmless }]);
  const why = `topic ${resource.topicName} exists already and differs from the spec`;
  const danger = guarded(installation, 'TakeOver', why);
  const waits = (action: Action): Action => (danger.destructive ? { ...action, destructive: true } : action);
  // What differs waits with the binding, and comes after it: in a later pass, when it is stored whose topic this is.
  return planned([{ ...bind, ...danger }, ...[...finalizers, ...actions].map(waits)], refusals, { lookAgain: true });
}

const conflict = (topicName: string, owner: Key): Refusal =>
  refusal(
    'ResourceConflict',
    `topic ${topicName} belongs to KafkaTopic ${keyOf(owner)}: delete one of the two, or give this one another spec.topicName`,
  );

/** A listing without the object itself is not a listing to decide from: it left the watched namespaces, or went. */
const notListed = (topicName: string): Refusal =>
  refusal(
    'ObservationOutdated',
    `among those that want topic ${topicName} this object was missing; it is looked at again later`,
  );

const endsMove = ({ type }: Action): boolean => type === 'FinishMove';

/** The finalizer comes before everything else, or a crash after the creation would leak the topic (K004). */
function finalizerActions(
  { resource, installation }: Situation,
  spec: TopicSpec,
  actions: readonly Action[] = [],
): Action[] {
  if (resource.mode === 'Observe') return [];
  const has = resource.finalizers.includes(finalizer);
  // Limits on the brokers have to be taken away again, even if the object is deleted meanwhile (K044).
  const move = actions.find(({ type }) => type === 'MoveReplicas');
  const moves = move !== undefined && rateOf(resource, installation) !== undefined;
  const limits = moves || (hasLimit(resource) && !actions.some(endsMove));
  const needed = spec.deletionPolicy === 'Delete' || limits;
  if (needed === has) return [];
  if (!needed) return [{ type: 'RemoveFinalizer', ...harmless }];
  // what only a move needs waits with it
  const waits = move?.destructive === true && spec.deletionPolicy === 'Retain';
  return [{ type: 'AddFinalizer', ...(waits ? { destructive: true, why: move.why } : harmless) }];
}
