/** What other people do to replicas and their limits, and what they see: kafkajs' own admin, never our adapter. */
import { type Admin, Kafka, logLevel } from 'kafkajs';

/** Brokers of each partition, the preferred leader first. */
export type Placed = readonly (readonly number[])[];
export type Rates = { readonly leader?: string; readonly follower?: string };

export type ReplicasByHand = {
  /** A topic whose partition 0 takes time to copy while moves are held. */
  create(name: string, replicas: Placed, config?: Readonly<Record<string, string>>): Promise<void>;
  remove(name: string): Promise<void>;
  move(name: string, partition: number, target: readonly number[]): Promise<void>;
  /** replicas and those in sync, by partition; overrides on the topic */
  see(name: string): Promise<{ replicas: Placed; inSync: Placed; overrides: Readonly<Record<string, string>> }>;
  rates(broker: number): Promise<Rates>;
  setRates(broker: number, rates: Rates): Promise<void>;
  /** From now on, moves of topics whose lists of limited replicas are `*` get nowhere. */
  holdMoves(): Promise<void>;
  releaseMoves(): Promise<void>;
};

export type MovesByHand = {
  /** partitions of a topic that are on their way, with what they get */
  underWay(name: string): Promise<readonly { partition: number; adding: readonly number[] }[]>;
  close(): Promise<void>;
};

/** Lists of limited replicas: what makes a topic one whose moves can be held. */
export const limited = {
  'leader.replication.throttled.replicas': '*',
  'follower.replication.throttled.replicas': '*',
} as const;

/** More than brokers send at once, however low the rate. */
const heavyRecords = 6;
const heavyRecord = Buffer.alloc(900_000);
const nearlyNothing = { leader: '1000', follower: '1000' };
const brokerResource = 4;
const topicResource = 2;
const topicSource = 1;

/** @param brokers `host:port`, joined by commas; their ids are 1 and up */
export async function replicasByHand(brokers: string): Promise<ReplicasByHand & MovesByHand> {
  const addresses = brokers.split(',');
  const kafka = new Kafka({ brokers: addresses, clientId: 'by-hand', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const setRates = async (broker: number, rates: Rates) => {
    const configEntries = Object.entries(rates).map(([side, value]) => ({ name: rateOf(side), value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: brokerResource, name: String(broker), configEntries }],
    });
  };
  const setAll = async (rates: Rates) => {
    for (const index of addresses.keys()) await setRates(index + 1, rates);
  };
  return {
    create: async (topic, replicas, config = {}) => {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      const replicaAssignment = replicas.map((brokers, partition) => ({ partition, replicas: [...brokers] }));
      // kafkajs 2.2 asks for the leaders only once whether the broker has heard of the topic; its producer asks again
      await admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment, configEntries }] });
      // one of its own: kafkajs' producers ask for topics of earlier messages too, and fail when one is gone
      const producer = kafka.producer();
      await producer.connect();
      for (let sent = 0; sent < heavyRecords; sent++)
        await producer.send({ topic, messages: [{ partition: 0, value: heavyRecord }] });
      await producer.disconnect();
    },
    remove: (topic) => admin.deleteTopics({ topics: [topic] }),
    move: (topic, partition, target) =>
      admin.alterPartitionReassignments({
        topics: [{ topic, partitionAssignment: [{ partition, replicas: [...target] }] }],
      }),
    see: (name) => see(admin, name),
    underWay: async (name) => {
      const { topics } = await admin.listPartitionReassignments({});
      // kafkajs 2.2.4 has other names than its types say
      const named = topics as unknown as readonly { name: string; partitions: readonly Placement[] }[];
      const partitions = named.find((topic) => topic.name === name)?.partitions ?? [];
      return partitions.map(({ partition, addingReplicas }) => ({ partition, adding: addingReplicas.toSorted() }));
    },
    rates: async (broker) => {
      const entries = await configsOf(admin, brokerResource, String(broker));
      return Object.fromEntries(
        ['leader', 'follower'].flatMap((side) => {
          const entry = entries.find(({ configName }) => configName === rateOf(side));
          return entry === undefined ? [] : [[side, entry.configValue]];
        }),
      );
    },
    setRates,
    holdMoves: () => setAll(nearlyNothing),
    releaseMoves: () => setAll({}),
    close: () => admin.disconnect(),
  };
}

type Placement = { readonly partition: number; readonly addingReplicas: readonly number[] };

const rateOf = (side: string): string => `${side}.replication.throttled.rate`;

async function see(admin: Admin, name: string) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const partitions = (topics[0]?.partitions ?? []).toSorted((a, b) => a.partitionId - b.partitionId);
  const entries = await configsOf(admin, topicResource, name);
  // kafkajs names the field as version 1 of the protocol does
  const own = entries.filter((entry) => (entry as unknown as { configSource: number }).configSource === topicSource);
  return {
    replicas: partitions.map(({ replicas }) => replicas),
    inSync: partitions.map(({ isr }) => isr.toSorted()),
    overrides: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
  };
}

async function configsOf(admin: Admin, type: number, name: string) {
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] });
  return resources[0]?.configEntries ?? [];
}
