import type { Action, Plan } from './action.ts';
import { approvalProblem, permitted } from './approval.ts';
import { driftOf } from './drift.ts';
import type { Look } from './look.ts';
import { asFailure, Failure, isWaiting, type Outcome } from './outcome.ts';
import { plan } from './plan.ts';
import { progressOf } from './replication.ts';
import { bindingOf, type HeldPlan, type Reassignment, type TopicResource } from './resource.ts';
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
  /** what waits for approval, or was approved: with something of it left to do, it stays on the object */
  readonly waiting: HeldPlan | undefined;
  readonly underway: HeldPlan | undefined;
  readonly reassignment: Reassignment | undefined;
  /** the object ended in this pass */
  readonly gone: boolean;
};

/** Decides what this pass will do, and what it can say already. A look that failed decides nothing. */
export function startPass(resource: TopicResource, seen: Look): Pass {
  const { plan: waiting, reassignment } = resource.status ?? {};
  const blank = { resource, situation: undefined, plan: undefined, todo: [], applied: [], failures: [], problems: [] };
  const known = { binding: bindingOf(resource), waiting, underway: undefined, reassignment };
  const unread = { ...blank, ...known, live: 'unread' as const, gone: false };
  if (seen instanceof Failure) return { ...unread, failures: [seen] };
  try {
    const decided = plan(seen);
    const permission = permitted(decided, seen);
    const problems = [...decided.refusals, ...approvalProblem(permission, decided, resource)];
    const { waiting, underway } = permission;
    const progress = progressIn(seen);
    return {
      ...unread,
      situation: seen,
      plan: decided,
      todo: untilBound(permission.now),
      problems,
      live: liveOf(seen),
      waiting,
      underway,
      reassignment: progress,
    };
  } catch (error) {
    return { ...unread, failures: [asFailure(error)] };
  }
}

/** What a pass came to. @param lastReceive whether a failure now sends the message to the dead-letter queue */
export function outcomeOf(pass: Pass, lastReceive: boolean): Outcome {
  const { applied, binding, live, reassignment } = pass;
  const base = { applied, binding, live, reassignment, plan: planLeft(pass) };
  const retryable = pass.failures.filter((failed) => failed.retryable);
  const failure = retryable.find((failed) => !isWaiting(failed)) ?? retryable[0] ?? unfinished(pass);
  if (pass.gone) return { ...base, kind: 'Gone' };
  const stays = failure ?? pass.failures[0];
  if (isLetGo(pass))
    return stays === undefined ? { ...base, kind: 'Gone' } : { ...base, kind: 'Unsaid', failure: stays };
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

const differences: ReadonlySet<Reason> = new Set(['PartitionsCannotShrink', 'InvalidReplicationFactor']);

/** Refusals that only say that live and spec differ: to an observer they are drift like any other. */
export const isDifference = (reason: Reason): boolean => differences.has(reason);

function observation({ resource, situation, plan: decided }: Pass, problems: readonly Refusal[]): Ending {
  const serious = problems.filter(({ reason }) => !isDifference(reason));
  if (serious.length > 0) return { kind: 'Stopped', problems };
  if (situation?.observed === undefined || decided === undefined) return { kind: 'Stopped', problems };
  const drift = driftOf(resource, situation.observed, decided);
  return drift.length > 0 ? { kind: 'Drift', drift } : { kind: 'Observed' };
}

const asRefusal = ({ reason, message }: Failure): Refusal => ({ reason, message });

const liveOf = ({ observed }: Situation): LiveTopic | 'absent' | 'unread' =>
  observed === undefined ? 'unread' : observed.exists ? observed : 'absent';

/** A pass that did all it may, and has more to do after another look or when something has ended. */
function unfinished({ plan: decided, applied, reassignment }: Pass): Failure | undefined {
  const moved = applied.some(({ type }) => type === 'MoveReplicas');
  const waitsFor = moved && reassignment !== undefined ? submitted(reassignment) : decided?.waitsFor;
  if (waitsFor !== undefined) return new Failure('ReassignmentInProgress', waitsFor, { retryable: true });
  if (!decided?.lookAgain || applied.length === 0) return undefined;
  return new Failure(
    'ObservationOutdated',
    'a step is done and stored; the next pass looks again and goes on from there',
    {
      retryable: true,
    },
  );
}

const submitted = ({ replicationFactor, partitionsDone, partitionsTotal }: Reassignment): string =>
  `the replication factor becomes ${replicationFactor}: ${partitionsDone} of ${partitionsTotal} partitions are done`;

/** Not for this installation: nothing is said about it. */
const isLetGo = ({ resource, situation }: Pass): boolean => situation?.installation.selects(resource.labels) === false;

/** Nothing is done to a topic in the pass that binds it: whoever comes next must find whose it is (K015). */
function untilBound(actions: readonly Action[]): readonly Action[] {
  const binding = actions.findIndex(({ type }) => type === 'BindTopic');
  return binding === -1 ? actions : actions.slice(0, binding + 1);
}

/** What was approved stays on the object until nothing of it is left to do. */
const planLeft = ({ waiting, underway, todo, failures, plan: decided, applied }: Pass): HeldPlan | undefined => {
  const moves = decided?.waitsFor !== undefined || applied.some(({ type }) => type === 'MoveReplicas');
  const left = moves || failures.length > 0 || todo.length > 0 || (decided?.lookAgain === true && applied.length > 0);
  return waiting ?? (left ? underway : undefined);
};

/** What nobody looked at stays as it was. */
function progressIn({ resource, replicas }: Situation): Reassignment | undefined {
  const recorded = resource.status?.reassignment;
  if (recorded === undefined || replicas === undefined || replicas instanceof Failure) return recorded;
  return progressOf(recorded, replicas);
}
