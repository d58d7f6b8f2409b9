/** A real broker, and an independent client as the oracle: kafkajs' own admin, never our adapter. */
import assert from 'node:assert/strict';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { eventually } from './eventually.ts';

/** `host:port` of the broker under test. @throws Error when there is none: such a test fails, it is not skipped */
export function realBroker(): string {
  const [broker] = (process.env.KAFKA_BROKERS ?? '').split(',');
  if (!broker) throw new Error('KAFKA_BROKERS must name the broker to test against (npm test sets it)');
  return broker;
}

/** A topic as the oracle sees it; overrides are those on the topic itself. */
export type SeenTopic = { readonly numPartitions: number; readonly overrides: Readonly<Record<string, string>> };

/** What other people do to topics, and what they see. */
export type ByHand = {
  create(name: string, numPartitions?: number, config?: Record<string, string>): Promise<void>;
  remove(name: string): Promise<void>;
  produce(name: string, partition: number): Promise<void>;
  see(name: string): Promise<SeenTopic | undefined>;
  /** looks for offsets of a group, for which the brokers make their own topic. @returns its name */
  askForOffsets(): Promise<string>;
  close(): Promise<void>;
};

export async function byHand(broker: string): Promise<ByHand> {
  const kafka = new Kafka({ brokers: [broker], clientId: 'by-hand', logLevel: logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  return {
    create: async (topic, numPartitions = 1, config = {}) => {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      // kafkajs 2.2 asks for the leaders only once whether the broker has heard of the topic, and it may not have yet
      await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: false });
      await eventually(async () => assert.ok((await admin.listTopics()).includes(topic), `${topic} is not listed`));
    },
    remove: async (topic) => admin.deleteTopics({ topics: [topic] }),
    produce: async (topic, partition) => void (await producer.send({ topic, messages: [{ partition, value: 'x' }] })),
    see: async (name) => {
      if (!(await admin.listTopics()).includes(name)) return undefined;
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      return { numPartitions: topics[0]?.partitions.length ?? 0, overrides: await overridesOf(admin, name) };
    },
    askForOffsets: async () => {
      await admin.fetchOffsets({ groupId: 'by-hand' });
      return '__consumer_offsets';
    },
    close: async () => void (await Promise.all([admin.disconnect(), producer.disconnect()])),
  };
}

const topicResource = 2;
const topicSource = 1;

async function overridesOf(admin: Admin, name: string): Promise<Record<string, string>> {
  const resources = [{ type: topicResource, name }];
  const { resources: described } = await admin.describeConfigs({ includeSynonyms: false, resources });
  const entries = described[0]?.configEntries ?? [];
  // kafkajs names the field as version 1 of the protocol does
  const own = entries.filter((entry) => (entry as unknown as { configSource: number }).configSource === topicSource);
  return Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
}
