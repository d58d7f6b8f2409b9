/** The brokers as any administrator reaches them: the admin client of kafkajs. Shares no code with the product. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';

/** Of ConfigResourceTypes, which CommonJS hides from a named import. */
const topicType = 2;

/** Topics per request. */
export const topicsPerRequest = 100;

export type Expected = { readonly numPartitions: number; readonly config: Readonly<Record<string, string>> };

export class Brokers {
  readonly #admin: Admin;

  constructor(addresses: string) {
    this.#admin = new Kafka({
      brokers: addresses.split(','),
      clientId: 'bench',
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
  }

  connect(): Promise<void> {
    return this.#admin.connect();
  }

  close(): Promise<void> {
    return this.#admin.disconnect();
  }

  create(names: readonly string[], { numPartitions, config }: Expected): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    return inBatches(names, async (batch) => {
      const topics = batch.map((topic) => ({ topic, numPartitions, replicationFactor: 1, configEntries }));
      await this.#admin.createTopics({ topics, waitForLeaders: false });
    });
  }

  grow(names: readonly string[], count: number): Promise<void> {
    return inBatches(names, async (batch) => {
      await this.#admin.createPartitions({ topicPartitions: batch.map((topic) => ({ topic, count })) });
    });
  }

  configure(names: readonly string[], config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    return inBatches(names, async (batch) => {
      const resources = batch.map((name) => ({ type: topicType, name, configEntries }));
      await this.#admin.alterConfigs({ validateOnly: false, resources });
    });
  }

  delete(names: readonly string[]): Promise<void> {
    return inBatches(names, (batch) => this.#admin.deleteTopics({ topics: [...batch] }));
  }

  /** @throws Error that names a topic that is not as expected */
  check(names: readonly string[], expected: Expected): Promise<void> {
    return eventually(() =>
      inBatches(names, async (batch) => {
        await this.#checkPartitions(batch, expected.numPartitions);
        await this.#checkConfigs(batch, expected.config);
      }),
    );
  }

  /** How many of them have other configs, by what the brokers show. */
  async unlike(names: readonly string[], { config }: Expected): Promise<number> {
    let unlike = 0;
    await inBatches(names, async (batch) => {
      unlike += (await this.#configsOf(batch, config)).filter(({ isAsExpected }) => !isAsExpected).length;
    });
    return unlike;
  }

  /** @throws Error when one of them is still there */
  checkGone(names: readonly string[]): Promise<void> {
    return eventually(async () => {
      const there = new Set(await this.#admin.listTopics());
      const left = names.filter((name) => there.has(name));
      if (left.length > 0)
        throw new Error(`${left.length} topics of ${names.length} are still there, such as ${left[0]}`);
    });
  }

  async #checkPartitions(names: readonly string[], count: number): Promise<void> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [...names] });
    for (const { name, partitions } of topics)
      if (partitions.length !== count)
        throw new Error(`topic ${name} has ${partitions.length} partitions, not ${count}`);
  }

  async #checkConfigs(names: readonly string[], config: Expected['config']): Promise<void> {
    const wrong = (await this.#configsOf(names, config)).find(({ isAsExpected }) => !isAsExpected);
    if (wrong !== undefined)
      throw new Error(`topic ${wrong.name} has ${JSON.stringify(wrong.values)}, not ${JSON.stringify(config)}`);
  }

  /** What they have of these keys. */
  async #configsOf(names: readonly string[], config: Expected['config']) {
    const configNames = Object.keys(config);
    const { resources } = await this.#admin.describeConfigs({
      resources: names.map((name) => ({ type: topicType, name, configNames })),
      includeSynonyms: false,
    });
    return resources.map(({ resourceName: name, configEntries }) => ({
      name,
      values: Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      isAsExpected: configEntries.every(({ configName, configValue }) => configValue === config[configName]),
    }));
  }
}

async function inBatches(
  names: readonly string[],
  work: (batch: readonly string[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < names.length; from += topicsPerRequest)
    await work(names.slice(from, from + topicsPerRequest));
}

/** A broker shows a change a moment after the controller has confirmed it. @throws what is still wrong after half a minute */
async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(20);
  }
}
