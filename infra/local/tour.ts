/** What `npm run demo` shows: real objects and real topics, the latter read by a Kafka client that is not Topicsmith's. */
import kafkajs from 'kafkajs';
import { stringify } from 'yaml';
import { ApiError, kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import { sqsClient, tickQueue } from '../../functions/adapters/sqs.ts';
import { apiVersion, kind } from '../../functions/core/api.ts';
import type { KafkaTopic } from '../../functions/core/schema/types.generated.ts';
import { until } from './process.ts';
import type { System } from './system.ts';

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;
const waitMs = 60_000;
const namespace = 'default';
const name = 'my-topic';

export const heading = (text: string) => console.log(`\n▌ ${text}\n`);
const command = (text: string) => console.log(`$ ${text}`);
const indented = (text: string) => console.log(text.trimEnd().replaceAll(/^/gm, '    '));

/** What a visitor does, and what there is to see. */
export class Tour {
  readonly #kube;
  readonly #admin;
  readonly #ticks;
  readonly #sqs;

  constructor({ exports }: System) {
    this.#kube = kubeClient(exports);
    const brokers = (exports.KAFKA_BROKERS ?? '').split(',');
    this.#admin = new Kafka({ brokers, clientId: 'demo', logLevel: logLevel.NOTHING }).admin();
    this.#sqs = sqsClient(exports);
    this.#ticks = tickQueue(this.#sqs, exports.TICK_QUEUE_URL ?? '');
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#admin.disconnect(), this.#kube.close()]);
    this.#sqs.destroy();
  }

  async run(): Promise<void> {
    await this.#admin.connect();
    await this.#create();
    await this.#grow();
    await this.#driftByHand();
    await this.#badSpecs();
    await this.#retain();
    await this.#delete();
  }

  async #create(): Promise<void> {
    heading('1. A topic is an object: apply it, and it is there');
    await this.#apply({ numPartitions: 5, replicationFactor: 1 });
    await this.#whenReady();
    await this.#show();
  }

  async #grow(): Promise<void> {
    heading('2. An edit grows it, and sets a config');
    await this.#apply({ numPartitions: 8, replicationFactor: 1, config: { 'segment.ms': 3_600_000 } });
    await this.#whenReady();
    await this.#show();
  }

  async #driftByHand(): Promise<void> {
    heading('3. Somebody changes the config at the brokers; the next tick puts it back');
    const configEntries = [{ name: 'segment.ms', value: '60000' }];
    command(`kafka-configs --entity-type topics --entity-name ${name} --alter --add-config segment.ms=60000`);
    await this.#admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }],
    });
    command(`kafka-configs --entity-type topics --entity-name ${name} --describe`);
    indented(`segment.ms=${await this.#config('segment.ms')}`);
    await this.#ticks.send({ v: 1, tick: `demo-${Date.now()}` }, AbortSignal.timeout(waitMs));
    console.log('  (a tick is sent; by itself it comes every five minutes)');
    await this.#await('the config is put back', async () => (await this.#config('segment.ms')) === '3600000');
    indented(`segment.ms=${await this.#config('segment.ms')}`);
  }

  async #badSpecs(): Promise<void> {
    heading('4. A bad spec is refused, by the API server where it can know …');
    await this.#refused({ numPartitions: 0 });
    await this.#refused({ numPartitions: 8, topicName: 'another' });
    heading('   … and in the status where only the brokers can, with nothing lost');
    await this.#apply({ numPartitions: 2, replicationFactor: 1, config: { 'segment.ms': 3_600_000 } });
    await this.#await('the shrink is refused', async () => (await this.#ready())?.reason === 'PartitionsCannotShrink');
    await this.#show();
  }

  async #retain(): Promise<void> {
    heading('5. Deleting the object keeps the topic: deletionPolicy is Retain');
    await this.#remove();
    await this.#showTopics();
  }

  async #delete(): Promise<void> {
    heading('6. The same manifest again takes it over; with deletionPolicy Delete it goes with the object');
    await this.#apply({
      numPartitions: 8,
      replicationFactor: 1,
      config: { 'segment.ms': 3_600_000 },
      deletionPolicy: 'Delete',
    });
    await this.#whenReady();
    const topic = await this.#read();
    indented(`status.origin: ${topic?.status?.origin}, finalizers: ${topic?.metadata.finalizers}`);
    await this.#remove();
    await this.#await('the topic is gone', async () => !(await this.#admin.listTopics()).includes(name));
    await this.#showTopics();
  }

  async #apply(spec: Record<string, unknown>): Promise<void> {
    const manifest = { apiVersion, kind, metadata: { name, namespace }, spec };
    command('kubectl apply -f - <<EOF');
    indented(stringify({ ...manifest, metadata: { name } }));
    await this.#kube.request('PATCH', topicsPath(namespace, name), {
      body: manifest,
      query: { fieldManager: 'demo', force: true },
      contentType: 'application/apply-patch+yaml',
    });
  }

  async #refused(spec: Record<string, unknown>): Promise<void> {
    try {
      await this.#apply(spec);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return indented(error.message);
    }
    throw new Error('a bad spec was accepted');
  }

  async #remove(): Promise<void> {
    command(`kubectl delete kafkatopic ${name}`);
    await this.#kube.request('DELETE', topicsPath(namespace, name));
    await this.#await('the object is gone', async () => (await this.#read()) === undefined);
  }

  async #read(): Promise<KafkaTopic | undefined> {
    try {
      return (await this.#kube.request('GET', topicsPath(namespace, name))) as KafkaTopic;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  async #ready() {
    const topic = await this.#read();
    const ready = topic?.status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.observedGeneration === topic?.metadata.generation ? ready : undefined;
  }

  async #whenReady(): Promise<void> {
    const since = performance.now();
    await this.#await('the object is Ready', async () => (await this.#ready())?.status === 'True');
    console.log(`  (Ready after ${Math.round(performance.now() - since)} ms)`);
  }

  async #await(what: string, check: () => Promise<boolean>): Promise<void> {
    if (await until(check, waitMs)) return;
    throw new Error(`waited ${waitMs / 1000} s in vain: ${what}. The object: ${JSON.stringify(await this.#read())}`);
  }

  async #show(): Promise<void> {
    const status = (await this.#read())?.status;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    command(`kubectl get kafkatopic ${name} -o wide`);
    indented(`PARTITIONS ${status?.numPartitions}  READY ${ready?.status}  REASON ${ready?.reason}\n${ready?.message}`);
    await this.#showTopics();
  }

  async #showTopics(): Promise<void> {
    command('kafka-topics --describe');
    const { topics } = await this.#admin.fetchTopicMetadata();
    const rows = topics.map((topic) => `${topic.name}: ${topic.partitions.length} partitions`);
    indented(rows.join('\n') || '(no topics)');
  }

  async #config(key: string): Promise<string | undefined> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name, configNames: [key] }];
    const described = await this.#admin.describeConfigs({ includeSynonyms: false, resources });
    return described.resources[0]?.configEntries.find((entry) => entry.configName === key)?.configValue;
  }
}
