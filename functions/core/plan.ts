import { type Action, type Plan, planned, refusal, refused } from './action.ts';
import { finalizer } from './api.ts';
import { holdsTopic, isLastFinalizer, planDeletion } from './deletion.ts';
import { differences } from './differences.ts';
import { ownerOf } from './owner.ts';
import { clusterRefusal, creationLimit, specRefusal } from './refusals.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import { type LiveObservation, type Situation, withRecords } from './situation.ts';
import { type Key, keyOf, type ObservedTopic, type Refusal, type TopicId, type TopicSpec } from './topic.ts';

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
 * | paused | not looked at | nothing |
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
  if (resource.mode === 'Paused') return planned([]);
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
  return specRefusal(resource) === undefined && resource.mode !== 'Paused';
}

/** Whether claimants must be listed: to bind an existing topic, or to delete one (reliability.md 1.2). */
export function needsClaimants(resource: TopicResource, observed: ObservedTopic): boolean {
  if (!observed.exists) return false;
  const bound = bindingOf(resource)?.topicId;
  if (resource.deleting) return bound === undefined || bound === observed.id;
  return bound === undefined && resource.mode !== 'Observe';
}

/** Whether the decision would change if the topic were known to be empty; asked with `records: 'unknown'`. */
export const needsRecords = (situation: Situation): boolean =>
  summary(plan(withRecords(situation, 'unknown'))) !== summary(plan(withRecords(situation, 'none')));

/**
 * What may be done now, and what is held: everything from the first destructive action on. Letting an object go needs
 * nobody's leave; beside that, in `Plan` mode every action waits, and in `Observe` nothing is done and nothing waits.
 */
export function permitted(
  { actions }: Plan,
  mode: TopicSpec['mode'],
): { readonly now: readonly Action[]; readonly held: readonly Action[] } {
  if (mode === 'Observe') return { now: actions.filter(isRelease), held: [] };
  const waits = mode === 'Plan' ? (action: Action) => !isRelease(action) : ({ destructive }: Action) => destructive;
  const first = actions.findIndex(waits);
  return first === -1 ? { now: actions, held: [] } : { now: actions.slice(0, first), held: actions.slice(first) };
}

const isRelease = ({ type }: Action): boolean => type === 'RemoveFinalizer';

const summary = ({ actions }: Plan): string => JSON.stringify(actions);

/** Refusals that need no look at the topic itself. */
function refusalOf({ resource, observed, installation }: Situation): Refusal | undefined {
  return specRefusal(resource) ?? clusterRefusal(resource, observed, installation.clusterId);
}

function planCreation(resource: TopicResource, spec: TopicSpec): Plan {
  const limit = creationLimit(spec);
  if (limit !== undefined) return refused(limit);
  const create: Action = { type: 'CreateTopic', destructive: false, why: '' };
  return planned([...finalizerActions(resource, spec), create]);
}

function planMissing(resource: TopicResource): Plan {
  const why = `topic ${resource.topicName} with id ${bindingOf(resource)?.topicId} is gone: a new one would be empty and consumers would start over`;
  return planned([{ type: 'CreateTopic', destructive: true, why }], [], { heldReason: 'TopicMissing', unsure: true });
}

function planIdentityChange(resource: TopicResource, live: TopicId): Plan {
  const why = `topic ${resource.topicName} was deleted and created again by somebody else: its id is ${live}, not ${bindingOf(resource)?.topicId}`;
  return planned([{ type: 'BindTopic', id: live, destructive: true, why }], [], {
    heldReason: 'IdentityChanged',
    unsure: true,
  });
}

function planAdoption(situation: Situation, spec: TopicSpec, observed: LiveObservation): Plan {
  const { resource, claimants } = situation;
  const { actions, refusals } = differences(resource, spec, observed);
  if (resource.mode === 'Observe') return planned(actions, refusals);
  const owner = ownerOf(claimants ?? [], observed);
  if (owner === undefined) return refused(notListed(resource.topicName));
  if (owner.uid !== resource.uid) return refused(conflict(resource.topicName, owner.key));
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

/** A listing without the object itself is not a listing to decide from: it left the watched namespaces, or went. */
const notListed = (topicName: string): Refusal =>
  refusal(
    'ObservationOutdated',
    `this object was not among those that want topic ${topicName}: it is looked at again later`,
  );

/** The finalizer comes before everything else, or a crash after the creation would leak the topic (K004). */
function finalizerActions(resource: TopicResource, spec: TopicSpec): Action[] {
  const has = resource.finalizers.includes(finalizer);
  if (resource.mode === 'Observe') return [];
  if (spec.deletionPolicy === 'Delete' && !has) return [{ type: 'AddFinalizer', destructive: false, why: '' }];
  if (spec.deletionPolicy === 'Retain' && has) return [{ type: 'RemoveFinalizer', destructive: false, why: '' }];
  return [];
}
