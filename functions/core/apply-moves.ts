/** Moving replicas: the one kind of action that is stored before it is done. */
import type { Action } from './action.ts';
import { asFailure, Failure, type PerItem } from './outcome.ts';
import type { Pass } from './pass.ts';
import { recordOf, submitted } from './replication.ts';
import type { Reassignment, TopicResource } from './resource.ts';
import { queryOf } from './situation.ts';
import { byPlace, type Effect, mapEntry, notConfirmed, type Work, type Writers } from './wave.ts';

type MoveReplicas = Extract<Action, { type: 'MoveReplicas' }>;
type Moving = {
  readonly pass: Pass;
  readonly topicName: string;
  readonly move: MoveReplicas;
  readonly record: Reassignment;
};

/**
 * Each step is safe to repeat: the record with the whole assignment is stored, then the limit on the traffic is set, then
 * the move is asked for. A limit that was recorded and not set is taken away all the same, and so is that of a move that
 * the brokers refuse.
 */
export async function moveReplicas(
  work: readonly Work[],
  writers: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const moving = work.flatMap(movingIn);
  const failed = new Map<string, Failure>();
  const going = () => moving.filter(({ topicName }) => !failed.has(topicName));
  const note = (outcomes: PerItem<string, unknown>) => {
    for (const { topicName } of going()) {
      const outcome = outcomes.has(topicName) ? outcomes.get(topicName) : notConfirmed();
      if (outcome instanceof Failure) failed.set(topicName, outcome);
    }
  };
  const stores = await storeAll(going(), writers, signal);
  note(stores);
  const stored = new Map(going().map(({ topicName, record }) => [topicName, record]));
  note(await limitAll(going(), writers, signal));
  note(await writers.topics.move(new Map(going().map(({ topicName, move }) => [topicName, move.send])), signal));
  // the limits of what was refused; should they stay, the end of the move takes them away
  await unlimitAll(
    moving.filter(({ topicName }) => stored.has(topicName) && failed.get(topicName)?.retryable === false),
    writers,
    signal,
  );
  return byPlace(work, ({ resource: { topicName } }, actions) => {
    const [record, failure] = [stored.get(topicName), failed.get(topicName)];
    const effect =
      failure === undefined && record !== undefined
        ? nowMoving(record)
        : notSubmitted(record, actions, failure ?? notConfirmed());
    const resource = stores.get(topicName);
    return (pass) => effect(resource === undefined || resource instanceof Failure ? pass : { ...pass, resource });
  });
}

const nowMoving =
  (record: Reassignment): Effect =>
  (pass) => ({ ...pass, todo: pass.todo.filter(isNoGrowth), reassignment: submitted(record) });

/**
 * What the object says already, the report must not take back. A move that may be under way holds the growth up; one that
 * was refused does not (K043).
 */
const notSubmitted =
  (record: Reassignment | undefined, actions: readonly Action[], failure: Failure): Effect =>
  (pass) => ({
    ...pass,
    applied: pass.applied.filter((action) => !actions.includes(action)),
    todo: failure.retryable ? pass.todo.filter(isNoGrowth) : pass.todo,
    failures: [...pass.failures, failure],
    ...(record !== undefined && { reassignment: record }),
  });

const isNoGrowth = ({ type }: Action): boolean => type !== 'AddPartitions';

/** Takes the limits away again, if there were any, and forgets the move. */
export async function finishMoves(
  work: readonly Work[],
  { topics }: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const rates = new Map(
    work.map(({ pass }) => [queryOf(pass.resource).topicName, pass.reassignment?.bytesPerSecond ?? 'none'] as const),
  );
  const outcomes = await atEachRate(rates, (names, rate) => topics.unlimit(names, rate, signal));
  return byPlace(work, ({ resource }) =>
    mapEntry(outcomes.get(queryOf(resource).topicName), () => (pass) => ({ ...pass, reassignment: undefined })),
  );
}

function movingIn({ pass, actions }: Work): Moving[] {
  const { resource, situation } = pass;
  if (situation === undefined) return [];
  return actions.flatMap((move) =>
    move.type === 'MoveReplicas'
      ? [{ pass, topicName: resource.topicName, move, record: recordOf(situation, move.assignment, move.to) }]
      : [],
  );
}

async function storeAll(moving: readonly Moving[], { resources }: Writers, signal: AbortSignal) {
  const store = async ({
    pass: { resource, binding },
    topicName,
    record,
  }: Moving): Promise<[string, TopicResource | Failure]> => {
    const before = resource.status ?? { observedGeneration: 0, conditions: [] };
    const stored = resources.storeStatus(resource, { ...before, ...binding, reassignment: record }, signal);
    return [topicName, await stored.catch(asFailure)];
  };
  return new Map(await Promise.all(moving.map(store)));
}

const ratesOf = (moving: readonly Moving[]) =>
  new Map(moving.map(({ topicName, record }) => [topicName, record.bytesPerSecond ?? ('none' as const)]));

const limitAll = (moving: readonly Moving[], { topics }: Writers, signal: AbortSignal) =>
  atEachRate(ratesOf(moving), (names, rate) => topics.limit(names, rate, signal));

const unlimitAll = (moving: readonly Moving[], { topics }: Writers, signal: AbortSignal) =>
  atEachRate(ratesOf(moving), (names, rate) => topics.unlimit(names, rate, signal));

/** One call for all topics of a rate; those without need none. */
async function atEachRate(
  rates: ReadonlyMap<string, number | 'none'>,
  call: (names: readonly string[], rate: number) => Promise<PerItem<string, unknown>>,
): Promise<PerItem<string, unknown>> {
  const outcomes = new Map<string, unknown>(
    [...rates].flatMap(([name, rate]) => (rate === 'none' ? [[name, 'done']] : [])),
  );
  for (const rate of new Set(rates.values())) {
    if (rate === 'none') continue;
    const names = [...rates].filter(([, of]) => of === rate).map(([name]) => name);
    for (const [name, outcome] of await call(names, rate)) outcomes.set(name, outcome);
  }
  return outcomes;
}
