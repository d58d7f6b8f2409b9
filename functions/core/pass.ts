import { type Action, describe, type Plan } from './action.ts';
import { driftOf } from './drift.ts';
import type { Look } from './look.ts';
import { asFailure, Failure, isWaiting, type Outcome } from './outcome.ts';
import { permitted, plan } from './plan.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import type { Situation } from './situation.ts';
import type { Binding, LiveTopic, Reason, Refusal } from './topic.ts';

/** One object on its way from the decision to the report; each stage returns a new one. */
export type Pass = {
  readonly resource: TopicResource;
  readonly situation: Situation | undefined;
  readonly plan: Plan | undefined;
  /** permitted and not done yet, in order */
  readonly todo: readonly Action[];
  readonly applied: readonly Action[];
  readonly failures: readonly Failure[];
  /** refused or held: nothing that another try could change */
  readonly problems: readonly Refusal[];
  readonly binding: Binding | undefined;
  readonly live: Outcome['live'];
  /** the object ended in this pass */
  readonly gone: boolean;
};

/** Decides what this pass will do, and what it can say already. A look that failed decides nothing. */
export function startPass(resource: TopicResource, seen: Look): Pass {
  const blank = { resource, situation: undefined, plan: undefined, todo: [], applied: [], failures: [], problems: [] };
  const unread = { ...blank, binding: bindingOf(resource), live: 'unread' as const, gone: false };
  if (seen instanceof Failure) return { ...unread, failures: [seen] };
  try {
    const decided = plan(seen);
    const { now, held } = permitted(decided, resource.mode);
    const problems = [...decided.refusals, ...heldProblem(held, decided.heldReason)];
    return { ...unread, situation: seen, plan: decided, todo: now, problems, live: liveOf(seen) };
  } catch (error) {
    return { ...unread, failures: [asFailure(error)] };
  }
}

/** What a pass came to. @param lastReceive whether a failure now sends the message to the dead-letter queue */
export function outcomeOf(pass: Pass, lastReceive: boolean): Outcome {
  const { applied, binding, live } = pass;
  const base = { applied, binding, live };
  const retryable = pass.failures.filter((failed) => failed.retryable);
  const failure = retryable.find((failed) => !isWaiting(failed)) ?? retryable[0] ?? unfinished(pass);
  if (pass.gone) return { ...base, kind: 'Gone' };
  if (failure !== undefined && lastReceive && !isWaiting(failure)) return { ...base, kind: 'DeadLettered', failure };
  const problems = [...pass.failures.filter(({ retryable }) => !retryable).map(asRefusal), ...pass.problems];
  if (failure !== undefined && isUnsaid(pass, failure)) return { ...base, kind: 'Unsaid', failure };
  if (failure !== undefined) return { ...base, kind: 'Failed', failure, problems };
  return { ...base, ...ending(pass, problems) };
}

/** The world moved, or seemed to, before anything was done: the next look says what there is to say. */
const isUnsaid = ({ applied }: Pass, { reason }: Failure): boolean =>
  reason === 'ObservationOutdated' && applied.length === 0;

type Ending =
  | { kind: 'Stopped'; problems: readonly Refusal[] }
  | { kind: 'Gone' | 'Paused' | 'Observed' | 'Synced' }
  | { kind: 'Drift'; drift: ReturnType<typeof driftOf> };

function ending(pass: Pass, problems: readonly Refusal[]): Ending {
  const { resource } = pass;
  if (resource.deleting) return problems.length > 0 ? { kind: 'Stopped', problems } : { kind: 'Gone' };
  if (resource.mode === 'Observe') return observation(pass, problems);
  if (problems.length > 0) return { kind: 'Stopped', problems };
  return { kind: resource.mode === 'Paused' ? 'Paused' : 'Synced' };
}

/** Refusals that only say that live and spec differ: to an observer they are drift like any other. */
const differences: ReadonlySet<Reason> = new Set(['PartitionsCannotShrink', 'InvalidReplicationFactor']);

function observation({ resource, situation, plan: decided }: Pass, problems: readonly Refusal[]): Ending {
  const serious = problems.filter(({ reason }) => !differences.has(reason));
  if (serious.length > 0) return { kind: 'Stopped', problems };
  if (situation?.observed === undefined || decided === undefined) return { kind: 'Stopped', problems };
  const drift = driftOf(resource, situation.observed, decided);
  return drift.length > 0 ? { kind: 'Drift', drift } : { kind: 'Observed' };
}

const asRefusal = ({ reason, message }: Failure): Refusal => ({ reason, message });

const liveOf = ({ observed }: Situation): LiveTopic | 'absent' | 'unread' =>
  observed === undefined ? 'unread' : observed.exists ? observed : 'absent';

/** A pass that did all it may, and has more to do after another look. */
const unfinished = ({ plan: decided, applied }: Pass): Failure | undefined =>
  decided?.lookAgain && applied.length > 0
    ? new Failure(
        'ObservationOutdated',
        'the object is bound to its topic now; the next pass deletes the topic by that id',
        { retryable: true },
      )
    : undefined;

function heldProblem(held: readonly Action[], reason: Reason): Refusal[] {
  if (held.length === 0) return [];
  const why = [...new Set(held.map((action) => action.why).filter((text) => text !== ''))].join('; ');
  return [
    { reason, message: `held back: ${held.map(describe).join(', ')} (${why || 'spec.mode Plan holds every action'})` },
  ];
}
