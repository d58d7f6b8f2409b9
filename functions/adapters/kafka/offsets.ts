/** Whether topics hold records: ListOffsets, asked of the leader of each partition. */
import { Failure } from '../../core/outcome.ts';
import { slices } from '../../core/slices.ts';
import type { Records } from '../../core/topic.ts';
import { topicsPerLook } from './batches.ts';
import type { Cluster } from './cluster.ts';
import { judge } from './failure.ts';
import { foundAmong, lookUp } from './look.ts';
import { listOffsets, offsetTime } from './requests.ts';

/** One partition whose two ends could be read. */
type Range = { readonly topic: string; readonly empty: boolean };

/** `Topics.records`. What could not be read is asked for once more, since its leader may just have changed. */
export async function records(
  cluster: Cluster,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Records>> {
  const found = await recordsOnce(cluster, [...new Set(names)], signal);
  const unknown = [...found].filter(([, records]) => records === 'unknown').map(([name]) => name);
  return new Map([...found, ...(await recordsOnce(cluster, unknown, signal))]);
}

async function recordsOnce(cluster: Cluster, names: readonly string[], signal: AbortSignal) {
  const parts = await Promise.all(
    slices(names, topicsPerLook).map(async (part) => {
      const found = await recordsOfPart(cluster, part, signal).catch(asNothing);
      return part.map((name): [string, Records] => [name, found.get(name) ?? 'unknown']);
    }),
  );
  return new Map(parts.flat());
}

async function recordsOfPart(
  cluster: Cluster,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Records>> {
  const { brokers, topics } = await lookUp(cluster, names, signal);
  const found = foundAmong(topics);
  const byLeader = Map.groupBy(
    [...found].flatMap(([name, { partitions }]) => partitions.map(({ index, leader }) => ({ name, index, leader }))),
    ({ leader }) => leader,
  );
  const ranges = await Promise.all(
    [...byLeader].map(([leader, led]) => rangesAt(cluster, brokers.get(leader)?.address, led, signal)),
  );
  const byTopic = Map.groupBy(ranges.flat(), ({ topic }) => topic);
  return new Map([...found].map(([name, { partitions }]) => [name, sum(byTopic.get(name) ?? [], partitions.length)]));
}

/** One record anywhere is enough; for none, every partition must have been read. */
function sum(ranges: readonly Range[], partitions: number): Records {
  if (ranges.some(({ empty }) => !empty)) return 'some';
  return ranges.length === partitions ? 'none' : 'unknown';
}

type Led = readonly { readonly name: string; readonly index: number }[];

/** Both ends of the partitions that the broker at `address` leads; what cannot be read is left out. */
async function rangesAt(
  cluster: Cluster,
  address: string | undefined,
  led: Led,
  signal: AbortSignal,
): Promise<Range[]> {
  if (address === undefined) return [];
  const ends = [offsetTime.earliest, offsetTime.latest].map((time) => offsetsAt(cluster, address, led, time, signal));
  const [earliest, latest] = await Promise.all(ends.map((end) => end.catch(asNothing)));
  return led.flatMap(({ name, index }) => {
    const start = earliest?.get(`${name}/${index}`);
    const end = latest?.get(`${name}/${index}`);
    return start === undefined || end === undefined ? [] : [{ topic: name, empty: end <= start }];
  });
}

/** Offsets by `topic/partition`. @throws Failure */
async function offsetsAt(
  cluster: Cluster,
  address: string,
  led: Led,
  time: bigint,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, bigint>> {
  const topics = [...Map.groupBy(led, ({ name }) => name)].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ index }) => ({ index, leaderEpoch: -1, time })),
  }));
  const answer = await cluster.read(listOffsets, { replica: -1, isolation: 0, topics }, signal, address);
  const readable = answer.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter((partition) => judge('offsets', partition) === 'ok')
      .map(({ index, offset }): [string, bigint] => [`${name}/${index}`, offset]),
  );
  return new Map(readable);
}

/** Unreadable is an answer of its own here: it counts as "holds records". */
function asNothing(error: unknown): ReadonlyMap<string, never> {
  if (error instanceof Failure) return new Map<string, never>();
  throw error;
}
