/** Where replicas are, and moving them: List- and AlterPartitionReassignments (KIP-455). */
import { Failure, type PerItem } from '../../core/outcome.ts';
import { slices } from '../../core/slices.ts';
import type { PartitionReplicas, Replicas } from '../../core/topic.ts';
import { done, inTurn, settle } from './answers.ts';
import { batches, topicsPerLook } from './batches.ts';
import type { Cluster } from './cluster.ts';
import { failureOrThrow, judge } from './failure.ts';
import { type Found, type LiveBroker, lookUp } from './look.ts';
import { alterPartitionReassignments, listPartitionReassignments } from './requests.ts';

type Placement = Pick<PartitionReplicas, 'replicas' | 'adding' | 'removing'>;
/** Running moves by topic and partition. */
type Moves = ReadonlyMap<string, ReadonlyMap<number, Placement>>;

/** All moves in the cluster. @throws Failure */
export async function movesUnderWay(cluster: Cluster, signal: AbortSignal): Promise<Moves> {
  const request = { timeoutMs: cluster.answerWithinMs, topics: null };
  const answer = await cluster.read(listPartitionReassignments, request, signal);
  const verdict = judge('reassignments', answer, answer.throttleMs);
  if (verdict instanceof Failure) throw verdict;
  return new Map(answer.topics.map(({ name, partitions }) => [name, new Map(partitions.map((p) => [p.index, p]))]));
}

/**
 * `Replication.replicas`. The listing of moves comes from the controller and is asked for first: a move that ends
 * meanwhile is shown as if it went on, and the next look sees its end.
 */
export async function replicas(
  cluster: Cluster,
  names: readonly string[],
  signal: AbortSignal,
): Promise<PerItem<string, Replicas>> {
  const distinct = [...new Set(names)];
  if (distinct.length === 0) return new Map();
  try {
    const moves = await movesUnderWay(cluster, signal);
    const looks = await Promise.all(slices(distinct, topicsPerLook).map((part) => lookUp(cluster, part, signal)));
    return new Map(
      looks.flatMap(({ brokers, topics }) =>
        [...topics].map(([name, topic]) => [name, replicasOf(topic, brokers, moves.get(name))] as const),
      ),
    );
  } catch (error) {
    const failure = failureOrThrow(error);
    return new Map(distinct.map((name) => [name, failure]));
  }
}

const unknownTopic = { code: 3 };

function replicasOf(
  topic: Found | 'absent' | Failure,
  brokers: ReadonlyMap<number, LiveBroker>,
  moves: ReadonlyMap<number, Placement> | undefined,
): Replicas | Failure {
  if (topic === 'absent') return judge('reassignments', unknownTopic) as Failure;
  if (topic instanceof Failure) return topic;
  const partitions = topic.partitions.map(({ index, leader, replicas: atRest }): PartitionReplicas => {
    const { replicas, adding, removing } = moves?.get(index) ?? { replicas: atRest, adding: [], removing: [] };
    return { partition: index, leader: leader < 0 ? undefined : leader, replicas, adding, removing };
  });
  return {
    brokers: [...brokers.values()].map(({ id, rack }) => ({ id, rack })),
    partitions: partitions.sort((a, b) => a.partition - b.partition),
  };
}

type Target = { readonly topic: string; readonly partition: number; readonly replicas: readonly number[] | null };

const keyOf = ({ topic, partition }: Pick<Target, 'topic' | 'partition'>): string => `${topic}/${partition}`;

/** `Replication.move`. */
export async function move(
  cluster: Cluster,
  moves: ReadonlyMap<string, ReadonlyMap<number, readonly number[] | null>>,
  signal: AbortSignal,
): Promise<PerItem<string, 'done'>> {
  const targets = [...moves].flatMap(([topic, partitions]) =>
    [...partitions].map(([partition, replicas]): Target => ({ topic, partition, replicas })),
  );
  const cleared = await clearTheWay(cluster, targets, signal);
  const submitted = await submit(
    cluster,
    targets.filter((target) => !(cleared.get(keyOf(target)) instanceof Failure)),
    signal,
  );
  const outcomes = new Map([...cleared, ...submitted]);
  const outcomeOf = (topic: string, partitions: Iterable<number>) =>
    worst([...partitions].map((partition) => outcomes.get(keyOf({ topic, partition })))) ?? done();
  return new Map([...moves].map(([topic, partitions]) => [topic, outcomeOf(topic, partitions.keys())]));
}

/** A partition that may still change decides how the whole topic is treated. */
function worst(outcomes: readonly (unknown | Failure)[]): Failure | undefined {
  const failures = outcomes.filter((outcome) => outcome instanceof Failure);
  return failures.find(({ unanswered }) => unanswered) ?? failures.find(({ retryable }) => retryable) ?? failures[0];
}

/**
 * Cancels running moves to other brokers, before they are replaced. Put over a running move, a new one inherits what that
 * adds: where it wants a broker less, it never ends, and where it wants one more, it ends while the others still lag
 * behind (Kafka 4.1.2).
 */
async function clearTheWay(cluster: Cluster, targets: readonly Target[], signal: AbortSignal) {
  if (targets.every(({ replicas }) => replicas === null)) return new Map<string, 'done' | Failure>();
  const running = await movesUnderWay(cluster, signal).catch(failureOrThrow);
  if (running instanceof Failure) return new Map(targets.map((target) => [keyOf(target), running]));
  const isInTheWay = ({ topic, partition, replicas }: Target) => {
    const move = running.get(topic)?.get(partition);
    return move !== undefined && replicas !== null && !leadsTo(move, replicas);
  };
  return submit(
    cluster,
    targets.filter(isInTheWay).map((target) => ({ ...target, replicas: null })),
    signal,
  );
}

function leadsTo({ replicas, adding, removing }: Placement, target: readonly number[]): boolean {
  const kept = replicas.filter((broker) => !removing.includes(broker));
  return kept.length === target.length && [...kept, ...adding].every((broker) => target.includes(broker));
}

/** One outcome per partition, by `keyOf`. Each is a record for the controller. */
function submit(cluster: Cluster, targets: readonly Target[], signal: AbortSignal) {
  return inTurn(
    batches(targets, () => 1),
    keyOf,
    'move',
    async (batch) => {
      const topics = [...Map.groupBy(batch, ({ topic }) => topic)].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, replicas }) => ({ index: partition, replicas })),
      }));
      const request = { timeoutMs: cluster.answerWithinMs, topics };
      const { answer } = await cluster.write(alterPartitionReassignments, request, signal);
      const verdict = judge('move', answer, answer.throttleMs);
      if (verdict instanceof Failure) throw verdict;
      const answers = answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ index, ...answered }) => ({ topic: name, partition: index, ...answered })),
      );
      return settle('move', answer.throttleMs, answers, keyOf, done);
    },
  );
}
