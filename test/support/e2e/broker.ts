/** Kafka as seen without the product: kafkajs' own admin and producer, and the broker's files on disk. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';
import { eventually } from '../kafka/eventually.ts';

/** Everything about a topic that the product could change. */
export type Shape = {
  readonly id: string;
  readonly partitions: number;
  readonly replicas: readonly number[];
  /** what is set on the topic itself */
  readonly overrides: Readonly<Record<string, string>>;
  /** offsets behind the last record and of the first one, by partition */
  readonly offsets: readonly string[];
};

const topicResource = kafkajs.ConfigResourceTypes.TOPIC;
/** DescribeConfigs: the value is set on the topic itself. */
const dynamicTopicConfig = 1;
const literally = { resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL };
const anybody = { principal: 'User:*' };
const { ALLOW: allow, DENY: deny } = kafkajs.AclPermissionTypes;
type Operation = keyof typeof kafkajs.AclOperationTypes;
const deadlineMs = 60_000;
const pollMs = 20;

export class Broker {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #data: string;

  /** @param data `log.dirs` of the broker, which knows the topic ids */
  constructor(address: string, data: string) {
    this.#kafka = new Kafka({ brokers: [address], clientId: 'bystander', logLevel: logLevel.NOTHING });
    this.#admin = this.#kafka.admin();
    this.#data = data;
  }

  async connect(): Promise<void> {
    await this.#admin.connect();
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }

  async exists(topic: string): Promise<boolean> {
    return (await this.topics()).includes(topic);
  }

  /** Names of all topics that are there. */
  async topics(): Promise<readonly string[]> {
    return (await this.#admin.listTopics()).sort();
  }

  /** @throws Error when there is no such topic */
  async shape(topic: string): Promise<Shape> {
    const id = await this.id(topic);
    // an admin of kafkajs 2.2 fails for all topics once one of those it has looked at is gone
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      const replicas = partitions.map((partition) => partition.replicas.length);
      const [overrides, offsets] = await Promise.all([this.overrides([topic]), offsetsOf(admin, topic)]);
      return { id, partitions: partitions.length, replicas, overrides: overrides.get(topic) ?? {}, offsets };
    } finally {
      await admin.disconnect();
    }
  }

  /** What is set on topics themselves, by name. */
  async overrides(topics: readonly string[]): Promise<Map<string, Record<string, string>>> {
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: topicResource, name })),
    });
    return new Map(
      resources.map(({ resourceName, configEntries }) => {
        const own = configEntries.filter(({ configSource }) => Number(configSource) === dynamicTopicConfig);
        return [resourceName, Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]))];
      }),
    );
  }

  /** The id that the broker wrote beside the topic's records, a moment after the creation. */
  async id(topic: string): Promise<string> {
    const file = join(this.#data, `${topic}-0`, 'partition.metadata');
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const [, id] = existsSync(file) ? (/^topic_id: (.+)$/m.exec(readFileSync(file, 'utf8')) ?? []) : [];
      if (id !== undefined) return id;
      if (performance.now() > deadline) throw new Error(`${file} holds no topic id`);
      await sleep(pollMs);
    }
  }

  /** Makes a topic of one partition on these brokers. */
  async createOn(topic: string, brokers: number[]): Promise<void> {
    const replicaAssignment = [{ partition: 0, replicas: brokers }];
    await this.#make([{ topic, replicaAssignment }]);
  }

  /** Waits until no broker leads the topic. Nearly everything of kafkajs fails then, whichever topic it is about. */
  async loses(topic: string): Promise<void> {
    const admin = this.#kafka.admin({ retry: { retries: 0 } });
    await admin.connect();
    const look = () => admin.fetchTopicMetadata({ topics: [topic] }).then(() => undefined, troubleOf);
    const deadline = performance.now() + deadlineMs;
    while ((await look()) !== 'LEADER_NOT_AVAILABLE') {
      if (performance.now() > deadline) throw new Error(`${topic} still has a leader`);
      await sleep(pollMs);
    }
    await admin.disconnect();
  }

  /** Waits until so many brokers are up. */
  async has(brokers: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while ((await this.#admin.describeCluster()).brokers.length !== brokers) {
      if (performance.now() > deadline) throw new Error(`there are not ${brokers} brokers`);
      await sleep(pollMs);
    }
  }

  async create(topic: string, numPartitions: number, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }];
    await this.#make(topics);
    return this.id(topic);
  }

  /** Makes topics of one partition each. */
  async createAll(topics: readonly string[]): Promise<void> {
    await this.#make(topics.map((topic) => ({ topic, numPartitions: 1 })));
  }

  /** Waits itself until the broker lists them: kafkajs 2.2 asks for the leaders once, when it may not have heard of them. */
  async #make(topics: ITopicConfig[]): Promise<void> {
    await this.#admin.createTopics({ topics, waitForLeaders: false });
    const listed = async () => {
      const there = new Set(await this.topics());
      assert.deepEqual(
        topics.filter(({ topic }) => !there.has(topic)),
        [],
        'topics are not listed',
      );
    };
    await eventually(listed, deadlineMs);
  }

  async delete(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] });
    await this.vanished(topic);
  }

  /** Waits until a topic is gone. */
  async vanished(topic: string): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    // a topic that is made again under this name must not find the directory of the old one
    while ((await this.exists(topic)) || existsSync(join(this.#data, `${topic}-0`))) {
      if (performance.now() > deadline) throw new Error(`${topic} is still there`);
      await sleep(pollMs);
    }
  }

  /** Replaces all overrides of a topic, as older tools do. */
  async setConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const resources = [{ type: topicResource, name: topic, configEntries }];
    await this.#admin.alterConfigs({ validateOnly: false, resources });
  }

  /** Denies a client, by its address, one operation on a topic; on everything else it may do what it could. */
  deny(topic: string, operation: Operation, host: string): Promise<void> {
    return this.#deny({ resourceType: kafkajs.AclResourceTypes.TOPIC, resourceName: topic }, operation, host);
  }

  /** Denies a client an operation on the cluster, which would stand for that operation on every topic. */
  denyOnCluster(operation: Operation, host: string): Promise<void> {
    const cluster = { resourceType: kafkajs.AclResourceTypes.CLUSTER, resourceName: 'kafka-cluster' };
    return this.#deny(cluster, operation, host);
  }

  async #deny(what: { resourceType: number; resourceName: string }, operation: Operation, host: string) {
    const resource = { ...what, ...literally };
    await this.#admin.createAcls({
      acl: [
        // where there is any rule, what no rule allows is denied
        { ...resource, ...anybody, host: '*', operation: kafkajs.AclOperationTypes.ALL, permissionType: allow },
        { ...resource, ...anybody, host, operation: kafkajs.AclOperationTypes[operation], permissionType: deny },
      ],
    });
  }

  /** Takes back all that was denied on a topic. */
  async allow(topic: string): Promise<void> {
    const { ANY: operation } = kafkajs.AclOperationTypes;
    const { ANY: permissionType } = kafkajs.AclPermissionTypes;
    const resource = { resourceType: kafkajs.AclResourceTypes.TOPIC, resourceName: topic };
    const resourcePatternType = literally.resourcePatternType;
    await this.#admin.deleteAcls({ filters: [{ ...resource, resourcePatternType, operation, permissionType }] });
  }

  /** Replaces the settings of broker 1 that were made while it runs. */
  async setDefaults(config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const resources = [{ type: kafkajs.ConfigResourceTypes.BROKER, name: '1', configEntries }];
    await this.#admin.alterConfigs({ validateOnly: false, resources });
  }

  /** Grows a topic by hand. */
  async grow(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  /** Writes numbered records into partition 0, each with its own key. */
  async produce(topic: string, count: number): Promise<void> {
    const messages = Array.from({ length: count }, (_, index) => ({
      key: `key ${index}`,
      value: `record ${index}`,
      partition: 0,
    }));
    // a producer of kafkajs 2.2 fails for all topics once one of those it has written to is gone
    const producer = this.#kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  /** Reads `count` records of a topic from the beginning. */
  async consume(topic: string, count: number): Promise<readonly string[]> {
    const consumer = this.#kafka.consumer({ groupId: `reader-of-${topic}` });
    const values: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value));
        if (values.length === count) resolve();
      },
    });
    await promise;
    await consumer.disconnect();
    return values;
  }
}

/** Partitions that were just made have no leader yet. */
async function offsetsOf(admin: Admin, topic: string): Promise<string[]> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, low, high }) => `${partition}: ${low}-${high}`).toSorted();
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable || performance.now() > deadline) throw error;
      await sleep(pollMs);
    }
  }
}

/** What the broker said, however often kafkajs has tried. */
const troubleOf = (error: { type?: string; cause?: { type?: string } }): string | undefined =>
  error.type ?? error.cause?.type;
