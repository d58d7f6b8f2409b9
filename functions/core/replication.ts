import { type Action, guarded, harmless } from './action.ts';
import { assign } from './assignment.ts';
import type { Installation } from './installation.ts';
import { Failure } from './outcome.ts';
import type { Reassignment, TopicResource } from './resource.ts';
import type { LiveObservation, Situation } from './situation.ts';
import type { Assignment, PartitionReplicas, Refusal, Replicas, TopicSpec } from './topic.ts';

/** What is to be done about the number of replicas. `waitsFor`: what has to end first, as a sentence for the status. */
export type Moves = {
  readonly actions: readonly Action[];
  readonly refusals: readonly Refusal[];
  readonly waitsFor: string | undefined;
};

/**
 * A change of the replication factor is a step machine over passes; `status.reassignment` is its memory.
 *
 * | recorded | replicas | plan |
 * |---|---|---|
 * | nothing | as wanted | nothing |
 * | nothing | somebody moves them | wait: a new request would replace theirs (K039) |
 * | nothing | another number | MoveReplicas: store the assignment, then submit it |
 * | a move to what is wanted | all arrived | FinishMove |
 * | a move to what is wanted | some on their way | wait |
 * | a move to what is wanted | some neither here nor on their way | MoveReplicas, for those, as stored |
 * | a move to another number | any | MoveReplicas to what is wanted now: cancels what only has to be undone |
 *
 * The number of replicas of a partition is what it has, without those that a running move removes (K040).
 */
export function planMoves(situation: Situation, spec: TopicSpec, observed: LiveObservation): Moves {
  const { resource, replicas } = situation;
  const recorded = resource.status?.reassignment;
  const wanted = spec.replicationFactor ?? recorded?.replicationFactor;
  if (wanted === undefined || (recorded === undefined && wanted === observed.replicationFactor)) return nothing;
  if (replicas === undefined) return nothing;
  if (replicas instanceof Failure)
    return { ...nothing, refusals: [{ reason: replicas.reason, message: replicas.message }] };
  if (recorded === undefined) return begin(situation, replicas, observed.replicationFactor, wanted);
  const foreign = replicas.partitions.filter((partition) => isMoving(partition) && !isOurs(partition, recorded));
  if (foreign.length > 0) return { ...nothing, waitsFor: othersMove(foreign, replicas) };
  return recorded.replicationFactor === wanted
    ? goOn(replicas, recorded)
    : redirect(situation, replicas, observed.replicationFactor, wanted);
}

/** Whether the decision needs to know where the replicas are. */
export function needsReplicas({ deleting, mode, spec, status }: TopicResource, observed: LiveObservation): boolean {
  if (deleting || 'reason' in spec || mode === 'Observe' || mode === 'Paused') return false;
  if (status?.reassignment !== undefined) return true;
  return spec.replicationFactor !== undefined && spec.replicationFactor !== observed.replicationFactor;
}

/**
 * The record of a move that is about to be submitted. What it replaces is kept until then: after a crash in between, a
 * partition that is still on its old way must be known as ours.
 */
export function recordOf(situation: Situation, assignment: Assignment, replicationFactor: number): Reassignment {
  const { resource, installation, replicas } = situation;
  const bytesPerSecond = rateOf(resource, installation);
  const before = resource.status?.reassignment;
  const targets = Object.fromEntries([...assignment].map(([partition, brokers]) => [partition, brokers.join(',')]));
  const record: Reassignment = {
    step: 'planned',
    replicationFactor,
    ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    partitionsDone: 0,
    partitionsTotal: assignment.size,
    assignment: targets,
    ...(before !== undefined && earlierTargets(before, targets)),
  };
  return replicas === undefined || replicas instanceof Failure ? record : progressOf(record, replicas);
}

/** Once the move is asked for, only its own targets count. */
export function submitted({ replaces: _, ...record }: Reassignment): Reassignment {
  return { ...record, step: 'submitted' };
}

/** Bytes per second; a move that is asked for again or redirected keeps the limit that it began with. */
export const rateOf = ({ status }: TopicResource, { moveBytesPerSecond }: Installation): number | undefined =>
  status?.reassignment === undefined ? moveBytesPerSecond : status.reassignment.bytesPerSecond;

/** Each once, and none that is the new one: a move that is refused again and again leaves the record as it is. */
function earlierTargets(
  { step, assignment, replaces = {} }: Reassignment,
  next: Readonly<Record<string, string>>,
): Pick<Reassignment, 'replaces'> {
  const open = step === 'submitted' ? {} : replaces;
  const partitions = new Set([...Object.keys(assignment), ...Object.keys(open)]);
  const earlier = [...partitions].map((partition) => {
    const all = new Set([assignment[partition] ?? '', ...(open[partition] ?? '').split(';')]);
    return [partition, [...all].filter((list) => list !== '' && list !== next[partition]).join(';')] as const;
  });
  const kept = earlier.filter(([, lists]) => lists !== '');
  return kept.length > 0 ? { replaces: Object.fromEntries(kept) } : {};
}

/** The record with what has arrived since. */
export function progressOf(recorded: Reassignment, replicas: Replicas): Reassignment {
  const target = assignmentOf(recorded);
  const done = replicas.partitions.filter(
    (partition) => target.has(partition.partition) && hasArrived(partition, target),
  );
  return { ...recorded, partitionsDone: done.length };
}

const nothing: Moves = { actions: [], refusals: [], waitsFor: undefined };

function begin({ installation }: Situation, replicas: Replicas, from: number | 'mixed', to: number): Moves {
  const moving = replicas.partitions.filter(isMoving);
  if (moving.length > 0) return { ...nothing, waitsFor: othersMove(moving, replicas) };
  const wrong = replicas.partitions.filter(({ replicas }) => replicas.length !== to);
  if (wrong.length === 0) return nothing;
  const assignment = assign(replicas, wrong.map(indexOf), to);
  if ('reason' in assignment) return { ...nothing, refusals: [assignment] };
  const danger = fewer(installation, wrong, to);
  return {
    ...nothing,
    actions: [{ type: 'MoveReplicas', from, to, assignment, send: assignment, resumes: false, ...danger }],
  };
}

function goOn(replicas: Replicas, recorded: Reassignment): Moves {
  const to = recorded.replicationFactor;
  const target = assignmentOf(recorded);
  const left = replicas.partitions.filter(
    (partition) => target.has(indexOf(partition)) && !hasArrived(partition, target),
  );
  if (left.length === 0) return { ...nothing, actions: [{ type: 'FinishMove', to, ...harmless }] };
  const astray = left.filter((partition) => !isMoving(partition) || !isOnItsWay(partition, target));
  if (astray.length === 0) return { ...nothing, waitsFor: progress(recorded, replicas) };
  const stuck = astray.filter((partition) => !canArrive(partition, target, replicas));
  const others = assign(replicas, stuck.map(indexOf), to);
  if ('reason' in others) return { ...nothing, refusals: [others] };
  const assignment = new Map([...target, ...others]);
  const send = new Map(
    astray.map((partition) => [indexOf(partition), wayTo(assignment.get(indexOf(partition)) ?? [], partition)]),
  );
  return {
    ...nothing,
    actions: [{ type: 'MoveReplicas', from: to, to, assignment, send, resumes: true, ...harmless }],
  };
}

/** The spec has changed under way: what only has to be undone is cancelled, the rest gets its one new target (K041). */
function redirect({ installation }: Situation, replicas: Replicas, from: number | 'mixed', to: number): Moves {
  const undone = replicas.partitions.filter((partition) => isMoving(partition) && originals(partition).length === to);
  const wrong = replicas.partitions.filter((partition) => originals(partition).length !== to);
  const assignment = assign(replicas, wrong.map(indexOf), to);
  if ('reason' in assignment) return { ...nothing, refusals: [assignment] };
  const back = undone.map((partition): [number, readonly number[]] => [indexOf(partition), originals(partition)]);
  const send = new Map<number, readonly number[] | null>([
    ...assignment,
    ...back.map(([index]) => [index, null] as const),
  ]);
  if (send.size === 0) return { ...nothing, actions: [{ type: 'FinishMove', to, ...harmless }] };
  const danger = fewer(installation, wrong, to);
  const all = new Map([...assignment, ...back]);
  return {
    ...nothing,
    actions: [{ type: 'MoveReplicas', from, to, assignment: all, send, resumes: false, ...danger }],
  };
}

const fewer = (installation: Installation, partitions: readonly PartitionReplicas[], to: number) =>
  partitions.some((partition) => originals(partition).length > to)
    ? guarded(installation, 'ReduceReplicas', 'fewer copies of each record')
    : harmless;

const indexOf = ({ partition }: PartitionReplicas): number => partition;

const isMoving = ({ adding, removing }: PartitionReplicas): boolean => adding.length + removing.length > 0;

/** What the partition goes back to when its move is cancelled. */
const originals = ({ replicas, adding }: PartitionReplicas): readonly number[] =>
  replicas.filter((broker) => !adding.includes(broker));

/** What the partition will have when its move has ended. */
const aims = ({ replicas, removing }: PartitionReplicas): readonly number[] =>
  replicas.filter((broker) => !removing.includes(broker));

const sameBrokers = (a: readonly number[], b: readonly number[] = []): boolean =>
  a.length === b.length && a.every((broker) => b.includes(broker));

/** A cancelled partition is on its way back without a move of its own, so its target is where it already is. */
const isOurs = (partition: PartitionReplicas, recorded: Reassignment): boolean =>
  isOnItsWay(partition, assignmentOf(recorded)) ||
  (recorded.replaces?.[partition.partition] ?? '')
    .split(';')
    .some((list) => sameBrokers(aims(partition), brokersIn(list)));

const isOnItsWay = (partition: PartitionReplicas, target: Assignment): boolean =>
  sameBrokers(aims(partition), target.get(indexOf(partition)));

/** What to ask for: a partition that only has to go back is not moved but its move undone. */
const wayTo = (target: readonly number[], partition: PartitionReplicas): readonly number[] | null =>
  isMoving(partition) && sameBrokers(originals(partition), target) ? null : target;

const hasArrived = (partition: PartitionReplicas, target: Assignment): boolean =>
  !isMoving(partition) && sameBrokers(partition.replicas, target.get(indexOf(partition)));

/** A broker that is down now must not become a target, or the move would hang until it is back (K038). */
const canArrive = (partition: PartitionReplicas, target: Assignment, { brokers }: Replicas): boolean =>
  (target.get(indexOf(partition)) ?? []).every(
    (broker) => partition.replicas.includes(broker) || brokers.some(({ id }) => id === broker),
  );

/** A part that is not broker ids names no broker: such a partition counts as not there yet, and is assigned anew. */
const assignmentOf = ({ assignment }: Reassignment): Assignment =>
  new Map(Object.entries(assignment).map(([partition, brokers]) => [Number(partition), brokersIn(brokers)]));

const brokersIn = (list: string): readonly number[] =>
  list === '' ? [] : list.split(',').map(Number).filter(Number.isSafeInteger);

const othersMove = (moving: readonly PartitionReplicas[], { partitions }: Replicas): string =>
  `somebody else is moving replicas of ${moving.length} of ${partitions.length} partitions: the replication factor is changed when that has ended`;

function progress(recorded: Reassignment, replicas: Replicas): string {
  const { partitionsDone, partitionsTotal, replicationFactor } = progressOf(recorded, replicas);
  const wanted = new Set([...assignmentOf(recorded).values()].flat());
  const down = [...wanted].filter((broker) => !replicas.brokers.some(({ id }) => id === broker)).sort((a, b) => a - b);
  const waiting = down.length > 0 ? `; it waits for broker ${down.join(', ')}, which is not up` : '';
  return `the replication factor becomes ${replicationFactor}: ${partitionsDone} of ${partitionsTotal} partitions are done${waiting}`;
}
