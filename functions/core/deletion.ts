import { type Action, guarded, harmless, type Plan, planned, refused } from './action.ts';
import { finalizer } from './api.ts';
import { differences } from './differences.ts';
import { heirs, ownerOf } from './owner.ts';
import { clusterRefusal, specRefusal } from './refusals.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import type { LiveObservation, Situation } from './situation.ts';
import type { Refusal } from './topic.ts';

/**
 * What is left to do for an object that is being deleted. Everything but a deletion by the bound id keeps the topic
 * (reliability.md D1-D4).
 */
export function planDeletion(situation: Situation): Plan {
  const { resource, observed, claimants } = situation;
  if (!resource.finalizers.includes(finalizer)) return planned([]);
  const release = planned(releaseActions(resource));
  if (!holdsTopic(resource)) return paused(resource) ? refused(pausedDeletion) : release;
  // Whoever waits behind another finalizer may still use the topic: ours is the last one (T092).
  if (!isLastFinalizer(resource)) return planned([]);
  if (observed === undefined) return planned([]);
  const wrongCluster = clusterRefusal(resource, observed, situation.installation.clusterId);
  if (wrongCluster !== undefined) return refused(wrongCluster);
  if (!observed.exists) return { ...release, unsure: true };
  const bound = bindingOf(resource)?.topicId;
  if (bound === undefined) return bindBeforeDeletion(situation, observed) ?? release;
  if (bound !== observed.id) return { ...release, unsure: true };
  if (heirs(claimants ?? [], resource.uid).length > 0) return release;
  const deletion = deletionOf(situation, observed);
  // The finalizer goes after the topic, so it is as destructive: one is never done without the other.
  const { destructive } = deletion;
  return planned([deletion, ...release.actions.map((action) => ({ ...action, destructive }))]);
}

/** Lets an object go, with its topic. What we had set on the brokers for a move goes first (K044). */
export function releaseActions(resource: TopicResource): Action[] {
  if (!resource.finalizers.includes(finalizer)) return [];
  const to = resource.status?.reassignment?.replicationFactor ?? 0;
  return [
    ...(hasLimit(resource) ? [{ type: 'FinishMove', to, ...harmless } as const] : []),
    { type: 'RemoveFinalizer', ...harmless },
  ];
}

/** Whether a move of ours may have left limits on the brokers. */
export const hasLimit = ({ status }: TopicResource): boolean => status?.reassignment?.bytesPerSecond !== undefined;

/** Whether deleting the object may have to delete a topic: only `Delete`, and neither `Observe` nor `Paused`. */
export const holdsTopic = (resource: TopicResource): boolean =>
  resource.finalizers.includes(finalizer) &&
  resource.deletionPolicy === 'Delete' &&
  resource.mode !== 'Observe' &&
  resource.mode !== 'Paused';

export const isLastFinalizer = ({ finalizers }: TopicResource): boolean =>
  finalizers.every((name) => name === finalizer);

const paused = (resource: TopicResource): boolean => resource.deletionPolicy === 'Delete' && resource.mode === 'Paused';

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
  const { replicationFactor = observed.replicationFactor } = resource.spec;
  const { actions, refusals } = differences(situation, resource.spec, observed);
  if (actions.length + refusals.length > 0 || replicationFactor !== observed.replicationFactor) return undefined;
  return planned([{ type: 'BindTopic', id: observed.id, ...harmless }], [], { lookAgain: true });
}

/** Rule D2: what we created goes as the spec says; what was there before us and holds records needs a person. */
function deletionOf({ resource, installation }: Situation, { id, records }: LiveObservation): Action {
  const adopted = bindingOf(resource)?.origin !== 'Created' && records !== 'none';
  const why = 'the topic was there before this object and holds records';
  return { type: 'DeleteTopic', id, ...(adopted ? guarded(installation, 'DeleteAdopted', why) : harmless) };
}
