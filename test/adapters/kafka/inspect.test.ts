/** What `doctor` asks of brokers, answered by one that says what a test tells it. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { inspectKafka } from '../../../functions/adapters/kafka/inspect.ts';
import { noId } from '../../../functions/adapters/kafka/wire.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { metadataAnswer, metadataTopic, type Script, startFakeBroker } from '../../support/kafka/fake-broker.ts';

const signal = new AbortController().signal;

async function inspection(t: TestContext, script: Script) {
  const broker = await startFakeBroker(script);
  t.after(() => broker.close());
  return { broker, ...inspectKafka(kafkaConfigFromEnv({ KAFKA_BROKERS: broker.address })) };
}

/** Bits of the operations, as Kafka's `AclOperation` has them. */
const bit = { create: 1 << 5, delete: 1 << 6, alter: 1 << 7, describe: 1 << 8 };

const failure = (reason: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
  return true;
};

describe('the cluster', () => {
  const answer = (fields: object) => ({
    throttleMs: 0,
    code: 0,
    message: null,
    clusterId: 'fake-cluster',
    controllerId: 1,
    brokers: [],
    operations: 0,
    ...fields,
  });

  test('has brokers at the addresses that they want to be reached at, and lets us do what its bits say', async (t) => {
    const brokers = [{ id: 7, host: 'inner', port: 9092, rack: null }];
    const operations = bit.create | bit.describe;
    const { cluster } = await inspection(t, { DescribeCluster: () => answer({ brokers, operations }) });
    const { brokers: found, allowed } = await cluster(signal);
    assert.deepEqual(found, [{ id: 7, address: 'inner:9092', rack: undefined }]);
    assert.deepEqual([...allowed].sort(), ['Create', 'Describe']);
  });

  test('that refuses to answer has failed, and is not one without brokers', async (t) => {
    const denied = await inspection(t, { DescribeCluster: () => answer({ code: 31 }) });
    await assert.rejects(denied.cluster(signal), failure('NotAuthorized', /Describe on the cluster/));
    const broken = await inspection(t, { DescribeCluster: () => answer({ code: -1, message: 'out of order' }) });
    await assert.rejects(broken.cluster(signal), failure('KafkaError', /out of order/));
  });

  test('that hangs up has failed', async (t) => {
    const { cluster } = await inspection(t, { DescribeCluster: () => 'close' });
    await assert.rejects(cluster(signal), failure('BrokerUnavailable', /closed the connection/));
  });
});

test('a request that a broker does not offer is a sentence', async (t) => {
  const { broker, reach } = await inspection(t, {});
  assert.deepEqual(await reach(broker.address, signal), { clusterId: 'fake-cluster', lacking: [] });
  broker.versions.set(44, [0, 0]);
  const { lacking } = await reach(broker.address, signal);
  assert.equal(lacking.length, 1);
  assert.match(lacking[0] ?? '', /^the broker does not offer IncrementalAlterConfigs version 1 /);
});

describe('topics', () => {
  test('are looked at without making them: absent, hidden, or what we may do', async (t) => {
    const asked: boolean[] = [];
    const { topics } = await inspection(t, {
      Metadata: ({ autoCreate }) => {
        asked.push(autoCreate);
        return metadataAnswer(9092, [
          metadataTopic('there', { operations: bit.alter | bit.delete }),
          metadataTopic('absent', { code: 3, partitions: [] }),
          metadataTopic('hidden', { code: 29, partitions: [] }),
          metadataTopic('a/b', { code: 17, partitions: [] }),
        ]);
      },
    });
    const found = await topics(['there', 'absent', 'hidden', 'a/b'], signal);
    assert.deepEqual(
      found,
      new Map<string, unknown>([
        ['there', new Set(['Delete', 'Alter'])],
        ['absent', 'absent'],
        ['hidden', 'hidden'],
        ['a/b', 'absent'],
      ]),
    );
    assert.deepEqual(asked, [false]);
  });
});

describe('creations', () => {
  test('are only tried out, for any number of names, and denied ones come back', async (t) => {
    const asked: { names: number; validateOnly: boolean }[] = [];
    const { mayNotCreate } = await inspection(t, {
      CreateTopics: ({ topics, validateOnly }) => {
        asked.push({ names: topics.length, validateOnly });
        return {
          throttleMs: 0,
          topics: topics.map(({ name }) => ({
            ...{ name, id: noId, message: null, partitions: 1, replicationFactor: 1, configs: null, configCode: 0 },
            // may not, is there already, may
            code: /9$/.test(name) ? 29 : /8$/.test(name) ? 36 : 0,
          })),
        };
      },
    });
    const names = Array.from({ length: 1_100 }, (_, index) => `topic-${index}`);
    assert.deepEqual(
      await mayNotCreate(names, signal),
      names.filter((name) => name.endsWith('9')),
    );
    assert.deepEqual(
      asked,
      [500, 500, 100].map((names) => ({ names, validateOnly: true })),
    );
  });
});

describe('configs of a broker', () => {
  const script = (code: number): Script => ({
    DescribeConfigs: ({ resources }) => ({
      throttleMs: 0,
      resources: resources.map(({ type, name }) => ({ code, message: null, type, name, configs: [] })),
    }),
  });

  test('that may not be read are forbidden, and no failure; other troubles are one', async (t) => {
    const forbidden = await inspection(t, script(31));
    assert.equal(await forbidden.configs({ id: 1, address: forbidden.broker.address }, ['a'], signal), 'forbidden');
    const broken = await inspection(t, script(-1));
    const asked = broken.configs({ id: 1, address: broken.broker.address }, ['a'], signal);
    await assert.rejects(asked, failure('KafkaError', /does not explain/));
  });
});
