/** Three brokers in three racks, the product in between with a limit on its moves, and people who move replicas by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alterPartitionReassignments } from '../../../functions/adapters/kafka/requests.ts';
import { behindTags, decode } from '../../../functions/adapters/kafka/wire.ts';
import { liveBrokers } from '../../../infra/local/kafka.ts';
import type { Part } from '../../../infra/local/part.ts';
import { apiKeys, type KafkaProxy } from '../kafka/proxy.ts';
import { type MovesByHand, type Placed, type ReplicasByHand, replicasByHand } from '../kafka/replicas-by-hand.ts';
import { type CrashWorld, crashWorldOn } from './crash-world.ts';
import { startParts, startWorld, type World } from './world.ts';

export type Moves = World & {
  readonly byHand: ReplicasByHand & MovesByHand;
  /** the function alone, before the same brokers, for objects in a namespace that the running product does not watch */
  readonly alone: CrashWorld;
  brokerPart(id: number): Part;
  /** how many brokers are up, as this one tells; 0 when it does not serve */
  liveBrokers(id: number): Promise<number>;
  /** the broker that is the controller now, by a file of its own */
  controller(): number;
};

/** Objects for the running product carry this label. */
export const ours = { team: 'moves' };
/** Bytes per second: a move of the records that are made by hand takes a few seconds. */
export const limit = '4000000';

export async function startMoves(): Promise<Moves> {
  let parts: ReadonlyMap<string, Part> = new Map();
  let data = '';
  let exports: Readonly<Record<string, string>> = {};
  const threeBrokers = async (dir: string) => {
    const system = await startParts(dir, ['kafka'], {}, 3);
    ({ parts, exports } = system);
    data = join(dir, 'data', 'kafka-1', 'data');
    const { KAFKA_BROKERS = '', KAFKA_CLUSTER_ID = '' } = system.exports;
    return {
      product: KAFKA_BROKERS,
      others: KAFKA_BROKERS.split(',')[0] ?? '',
      clusterId: KAFKA_CLUSTER_ID,
      data,
      stop: () => system.stop(),
    };
  };
  const world = await startWorld(threeBrokers, {
    REASSIGNMENT_BYTES_PER_SECOND: limit,
    WATCH_NAMESPACES: 'of-tenant-a,of-tenant-b',
    WATCH_LABEL_SELECTOR: 'team in (moves, a), !legacy',
  });
  const byHand = await replicasByHand(exports.KAFKA_BROKERS ?? '');
  const { dir, system } = world;
  const alone = await crashWorldOn(
    { dir, system, exports: { ...system.exports, ...exports } },
    { REASSIGNMENT_BYTES_PER_SECOND: limit },
  );
  return {
    ...world,
    byHand,
    alone,
    brokerPart: (id) => {
      const part = parts.get(`kafka-${id}`);
      if (part === undefined) throw new Error(`there is no broker ${id}`);
      return part;
    },
    liveBrokers: (id) => liveBrokers(exports.KAFKA_BROKERS?.split(',')[id - 1] ?? ''),
    controller: () =>
      JSON.parse(readFileSync(join(data, '__cluster_metadata-0', 'quorum-state'), 'utf8')).leaderId as number,
    stop: async () => {
      await Promise.all([byHand.close(), alone.stop()]);
      await world.stop();
    },
  };
}

/** Moves of a topic's partitions that the product has asked for: `null` is a cancellation. */
export function movesAskedFor({ requests }: KafkaProxy, topic: string) {
  const codec = behindTags(alterPartitionReassignments.request);
  return requests
    .filter(({ apiKey }) => apiKey === apiKeys.alterPartitionReassignments)
    .flatMap(({ body }) => decode(codec, body).topics.filter(({ name }) => name === topic))
    .flatMap(({ partitions }) => partitions.map(({ index, replicas }) => ({ partition: index, replicas })));
}

/** Brokers by partition, each partition's in ascending order. */
export const sorted = (placed: Placed): Placed => placed.map((brokers) => brokers.toSorted());
