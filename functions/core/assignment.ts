import { refusal } from './action.ts';
import type { Assignment, PartitionReplicas, Refusal, Replicas } from './topic.ts';

/** What decides about a place for a replica. `load` is kept up to date while places are chosen. */
type Places = {
  /** brokers that are up, in ascending order */
  readonly up: readonly number[];
  readonly rackOf: ReadonlyMap<number, string | undefined>;
  /** replicas of this topic by broker */
  readonly load: Map<number, number>;
};

/**
 * The brokers that shall hold each of `wanted` when the topic has `replicationFactor` replicas, with as little moved as
 * possible (K034, K037, K038). A partition begins with what it has, without what a running move adds; its leader counts as
 * something it has.
 *
 * More replicas: all stay, also on a broker that is down; new ones go only to brokers that are up, to the racks that the
 * partition has fewest replicas in, then to brokers that a running move copies to already, then to the least loaded.
 * Fewer: the leader stays; brokers that are down go first, then those of doubled racks, then those that a running move
 * removes already, then the most loaded.
 *
 * A broker that names no rack counts as one in the rack of all such brokers.
 *
 * @param wanted partitions to change; the others count for the load only
 * @returns kept replicas in their order, new ones behind them; the same for any order of brokers and partitions. A refusal
 *   when a partition finds too few brokers that are up
 */
export function assign(
  { brokers, partitions }: Replicas,
  wanted: readonly number[],
  replicationFactor: number,
): Assignment | Refusal {
  const places: Places = {
    up: brokers.map(({ id }) => id).sort(ascending),
    rackOf: new Map(brokers.map(({ id, rack }) => [id, rack])),
    load: new Map(),
  };
  const chosen = new Set(wanted);
  const changing = partitions.filter(({ partition }) => chosen.has(partition));
  const staying = partitions.filter(({ partition }) => !chosen.has(partition));
  for (const broker of [...changing.flatMap(base), ...staying.flatMap(remaining)]) add(places, broker, 1);
  const targets = changing
    .sort((a, b) => a.partition - b.partition)
    .map((partition) => [partition.partition, resize(places, partition, replicationFactor)] as const);
  if (targets.some(([, target]) => target.length < replicationFactor))
    return tooFewBrokers(replicationFactor, brokers.length);
  return new Map(targets);
}

const ascending = (a: number, b: number): number => a - b;

const base = ({ replicas, adding, leader }: PartitionReplicas): number[] =>
  replicas.filter((broker) => !adding.includes(broker) || broker === leader);

const remaining = ({ replicas, removing }: PartitionReplicas): number[] =>
  replicas.filter((broker) => !removing.includes(broker));

const tooFewBrokers = (wanted: number, up: number): Refusal =>
  refusal(
    'InvalidReplicationFactor',
    `spec.replicationFactor ${wanted} needs ${wanted} brokers and ${up} are up: lower it, or bring more brokers up`,
  );

/** Fewer than `size` when there are not enough brokers. */
function resize(places: Places, partition: PartitionReplicas, size: number): number[] {
  const targets = base(partition);
  while (targets.length > size) {
    const leaving = first(
      targets.filter((broker) => broker !== partition.leader),
      (broker) => reluctance(places, partition, targets, broker),
    );
    if (leaving === undefined) break;
    targets.splice(targets.indexOf(leaving), 1);
    add(places, leaving, -1);
  }
  while (targets.length < size) {
    const chosen = first(
      places.up.filter((broker) => !targets.includes(broker)),
      (broker) => cost(places, partition, targets, broker),
    );
    if (chosen === undefined) break;
    targets.push(chosen);
    add(places, chosen, 1);
  }
  return targets;
}

/** How much speaks against a new replica on `broker`, the weightiest first. */
const cost = (
  places: Places,
  { partition, replicas, adding }: PartitionReplicas,
  targets: readonly number[],
  broker: number,
) => [
  mates(places, targets, broker),
  // in the order of the running move, so that in the middle of a move of ours the answer is that same move
  adding.includes(broker) ? replicas.indexOf(broker) : replicas.length,
  places.load.get(broker) ?? 0,
  // equal brokers take turns, else the first would get them all
  (places.up.indexOf(broker) + places.up.length - (partition % places.up.length)) % places.up.length,
];

/** How much speaks for keeping the replica on `broker`, the weightiest first. */
const reluctance = (places: Places, { removing }: PartitionReplicas, targets: readonly number[], broker: number) => [
  places.rackOf.has(broker) ? 1 : 0,
  -mates(places, targets, broker),
  removing.includes(broker) ? 0 : 1,
  -(places.load.get(broker) ?? 0),
  -targets.indexOf(broker),
];

/** Replicas in the broker's rack, its own among them. */
const mates = ({ rackOf }: Places, targets: readonly number[], broker: number): number =>
  targets.filter((target) => rackOf.get(target) === rackOf.get(broker)).length;

function add({ load }: Places, broker: number, count: number): void {
  load.set(broker, (load.get(broker) ?? 0) + count);
}

/** The candidate with the least ranks, compared one after the other; no two have the same. */
function first(candidates: readonly number[], ranksOf: (candidate: number) => readonly number[]): number | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, ranks: ranksOf(candidate) }));
  return ranked.sort((a, b) => compare(a.ranks, b.ranks))[0]?.candidate;
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((rank, index) => rank !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
};
