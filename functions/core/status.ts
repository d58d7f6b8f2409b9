import { isDeepStrictEqual } from 'node:util';
import { gaveUpBecause } from './dead-letter.ts';
import { ownedConfig } from './differences.ts';
import { oneLine } from './harmless.ts';
import type { Outcome } from './outcome.ts';
import type { Condition, DriftEntry, TopicResource, TopicStatus } from './resource.ts';
import type { Reason, Refusal } from './topic.ts';

/** Condition messages are for people, and may hold texts of brokers: longer ones are cut. */
const cut = (text: string): string => oneLine(text, 2_000);

/** Values of drift are for people too, and whoever may write to a topic chooses them: an object has to hold them all. */
const maxValue = 200;
const maxDrift = 200;
/** What is live of our own configs is compared with what was: longer than these no value is that is not somebody's prank. */
const maxLive = 1_000;

/**
 * The whole status of an object after a pass, from scratch: conditions are built from the outcome, not repaired.
 *
 * @param now only for what starts now: `lastTransitionTime` of a flip, `since` of new drift
 * @returns undefined when there is nothing to say
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md for Reconciling and Stalled
 */
export function statusOf(resource: TopicResource, outcome: Outcome, now: Date): TopicStatus | undefined {
  if (outcome.kind === 'Gone' || outcome.kind === 'Unsaid') return undefined;
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const drift =
    outcome.kind === 'Drift'
      ? shownDrift(outcome.drift).map((entry) => ({ ...entry, since: seenSince(resource, entry) ?? time }))
      : [];
  return {
    observedGeneration: resource.generation,
    conditions: verdicts(resource, outcome).map((verdict) => condition(resource, verdict, time)),
    ...(outcome.binding ?? { topicName: resource.topicName }),
    ...liveFields(resource, outcome),
    ...(drift.length > 0 && { drift }),
    ...(outcome.plan !== undefined && { plan: outcome.plan }),
    ...(outcome.reassignment !== undefined && { reassignment: outcome.reassignment }),
    ...(resource.reconcileRequestedAt !== undefined && { lastHandledReconcileAt: resource.reconcileRequestedAt }),
  };
}

/** Whether two statuses say the same, so that writing the second would be a write for nothing. */
export const sameStatus = (a: TopicStatus | undefined, b: TopicStatus): boolean =>
  a !== undefined && isDeepStrictEqual(asJson(a), asJson(b));

/** As it goes over the wire: what was read and what was built may differ in prototypes and absent fields. */
const asJson = (status: TopicStatus): unknown => JSON.parse(JSON.stringify(status));

type Said = Exclude<Outcome, { kind: 'Gone' | 'Unsaid' }>;
type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function verdicts(resource: TopicResource, outcome: Said): Verdict[] {
  switch (outcome.kind) {
    case 'Synced':
      return [ready('True', 'Synced', 'the topic is as specified')];
    case 'Observed':
      return [ready('True', 'Observed', 'the topic is as specified; mode Observe changes nothing')];
    case 'Drift':
      return [ready('False', 'DriftDetected', driftMessage(outcome.drift))];
    case 'Paused':
      return [ready('Unknown', 'Paused', 'spec.mode is Paused: nobody looks at the topic')];
    case 'Stopped':
      return stopped(resource, outcome.problems);
    case 'DeadLettered': {
      const message = gaveUpBecause(outcome.failure);
      return [ready('False', 'DeadLettered', message), flag('Stalled', 'DeadLettered', message)];
    }
    case 'Failed': {
      const { reason } = outcome.failure;
      const message = joined([outcome.failure, ...outcome.problems]);
      return [
        ready(outcome.live === 'unread' ? 'Unknown' : 'False', reason, message),
        flag('Reconciling', reason, message),
      ];
    }
  }
}

function stopped(resource: TopicResource, problems: readonly Refusal[]): Verdict[] {
  const reason = problems[0]?.reason ?? 'InternalError';
  const message = joined(problems);
  // A paused object that is being deleted is still one that nobody looks at (conformance.md 1.2).
  const status = reason === 'Paused' && resource.deleting ? 'Unknown' : 'False';
  return [ready(status, reason, message), flag('Stalled', reason, message)];
}

const joined = (parts: readonly { readonly message: string }[]): string =>
  cut(parts.map(({ message }) => message).join('; '));
const ready = (status: Condition['status'], reason: Reason, message: string): Verdict => ({
  type: 'Ready',
  status,
  reason,
  message: cut(message),
});
const flag = (type: 'Reconciling' | 'Stalled', reason: Reason, message: string): Verdict => ({
  type,
  status: 'True',
  reason,
  message: cut(message),
});

type Difference = Omit<DriftEntry, 'since'>;

const shownDrift = (drift: readonly Difference[]): readonly Difference[] =>
  drift.slice(0, maxDrift).map(({ field, desired, observed }) => ({
    field: oneLine(field),
    desired: oneLine(desired, maxValue),
    observed: oneLine(observed, maxValue),
  }));

const driftMessage = (drift: readonly Difference[]): string =>
  shownDrift(drift)
    .map(({ field, desired, observed }) => `${field} is ${observed}, wanted ${desired}`)
    .join('; ');

function condition(resource: TopicResource, verdict: Verdict, time: string): Condition {
  const before = resource.status?.conditions.find(({ type }) => type === verdict.type);
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : time;
  return { ...verdict, lastTransitionTime, observedGeneration: resource.generation };
}

const seenSince = (resource: TopicResource, { field }: { field: string }): string | undefined =>
  resource.status?.drift?.find((entry: DriftEntry) => entry.field === field)?.since;

/** What is live, of the fields that we look after. What nobody read stays as it was said last. */
function liveFields(resource: TopicResource, { live, binding }: Outcome): Partial<TopicStatus> {
  const { numPartitions, replicationFactor, config } = resource.status ?? {};
  const memory = config !== undefined && { config };
  if (live === 'absent') return { ...memory };
  if (live === 'unread' || 'reason' in resource.spec)
    return {
      ...memory,
      ...(numPartitions !== undefined && { numPartitions }),
      ...(replicationFactor !== undefined && { replicationFactor }),
    };
  const ours = binding !== undefined && resource.mode !== 'Observe';
  const owned = ours ? ownedConfig(resource, resource.spec, live) : (config ?? {});
  return {
    numPartitions: live.numPartitions,
    ...(live.replicationFactor !== 'mixed' && { replicationFactor: live.replicationFactor }),
    ...(Object.keys(owned).length > 0 && { config: cutValues(owned) }),
  };
}

const cutValues = (config: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, value.slice(0, maxLive)]));
