/** A real broker of its own that is killed, frozen and restarted; T087 of the reliability campaign. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { obtain } from '../../../infra/local/artifacts.ts';
import { kafkaJars, startKafka } from '../../../infra/local/kafka.ts';
import type { Part } from '../../../infra/local/part.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import { apiKeys, type KafkaProxy, startKafkaProxy } from '../../support/kafka/proxy.ts';

const signal = new AbortController().signal;
const dir = mkdtempSync(join(tmpdir(), 'kafka-outages-'));
let broker: Part;
let proxy: KafkaProxy;
let topics: KafkaTopics;

before(async () => {
  const cluster = await startKafka({ dir, brokers: 1 }, await obtain(kafkaJars, () => {}));
  broker = cluster.parts[0] as Part;
  proxy = await startKafkaProxy(cluster.brokers);
  topics = connectTopics({ ...kafkaConfigFromEnv({ KAFKA_BROKERS: proxy.address }), requestTimeoutMs });
  // a broker that has just started takes its time for the first creation
  const patient = connectTopics(kafkaConfigFromEnv({ KAFKA_BROKERS: cluster.brokers }));
  const created = await patient.create([{ topicName: 'orders', config: new Map() }], signal);
  await patient.close();
  assert.ok(!(created.get('orders') instanceof Failure), String(created.get('orders')));
  await eventually(async () => assert.notEqual(await look(), 'absent'));
});

after(async () => {
  await topics?.close();
  await proxy?.close();
  await broker?.kill();
  rmSync(dir, { recursive: true, force: true });
});

const requestTimeoutMs = 3_000;
const look = async () => {
  const seen = (await topics.observe([{ topicName: 'orders', configs: ['retention.ms'] }], signal)).get('orders');
  if (seen instanceof Failure) return seen;
  return seen?.exists === true ? seen.config.get('retention.ms')?.value : 'absent';
};
const retain = async (value: string) =>
  (await topics.alterConfigs(new Map([['orders', [{ key: 'retention.ms', value }]]]), signal)).get('orders');
const inDoubt = (outcome: unknown, unanswered: boolean) => {
  assert.ok(outcome instanceof Failure, `no failure but ${String(outcome)}`);
  assert.deepEqual([outcome.reason, outcome.retryable, outcome.unanswered], ['BrokerUnavailable', true, unanswered]);
};
/** Sets the retention on a connection that was just heard of, however long the broker needs to be itself again. */
const settle = (value: string) =>
  eventually(async () => {
    assert.equal(await retain(value), 'done');
    assert.equal(await look(), value);
  }, 60_000);
/** Long enough for the connection to count as idle, so that its life is in question. */
const becomeIdle = () => delay(1_100);
/** Stops the broker and waits until none of its threads runs any more. */
const freeze = async () => {
  broker.pause();
  const tasks = `/proc/${broker.pid}/task`;
  await eventually(() => {
    for (const task of readdirSync(tasks)) assert.match(readFileSync(`${tasks}/${task}/stat`, 'utf8'), /\) T /);
  });
};

describe('a broker in trouble', () => {
  test('a thousand requests share one connection for looks and one for mutations', async () => {
    for (let n = 0; n < 500; n++) {
      assert.equal(typeof (await look()), 'string');
      if (n % 100 === 0) assert.equal(await retain(`${100_000 + n}`), 'done');
    }
    assert.equal(proxy.accepted(), 2);
  });

  test('connections cut between two calls are replaced without anybody noticing', async () => {
    await settle('200000');
    await becomeIdle();
    proxy.cutAll();
    assert.equal(await retain('210000'), 'done');
    await eventually(async () => assert.equal(await look(), '210000'));
  });

  test('a broker that was restarted is found again by itself', async () => {
    await broker.kill();
    inDoubt(await look(), false);
    await becomeIdle();
    inDoubt(await retain('310000'), false);
    await broker.start();
    await settle('320000');
  });

  test('a silent broker fails a look in time, and works again when it is back', async () => {
    await freeze();
    const began = Date.now();
    inDoubt(await look(), false);
    assert.ok(Date.now() - began < 2 * requestTimeoutMs);
    broker.resume();
    await settle('400000');
  });

  test('a mutation on a broker that fell silent is in doubt, and rightly so: it takes effect later', async () => {
    await settle('500000');
    await freeze();
    inDoubt(await retain('510000'), true);
    broker.resume();
    await eventually(async () => assert.equal(await look(), '510000'), 60_000);
  });

  test('a mutation whose broker was silent before it was sent is not in doubt, and never takes effect', async () => {
    await settle('600000');
    await becomeIdle();
    await freeze();
    inDoubt(await retain('610000'), false);
    broker.resume();
    await eventually(async () => assert.equal(await look(), '600000'), 60_000);
  });

  test('an answer that is lost leaves a mutation in doubt', async () => {
    await settle('700000');
    proxy.hooks.onResponse = ({ apiKey }) => (apiKey === apiKeys.incrementalAlterConfigs ? 'drop' : 'deliver');
    inDoubt(await retain('710000'), true);
    delete proxy.hooks.onResponse;
    await eventually(async () => assert.equal(await look(), '710000'));
  });
});

describe('a process that is frozen between two calls', () => {
  let client: ChildProcess;
  before(() => {
    client = fork(join(import.meta.dirname, '../../support/kafka/frozen-client.ts'), [proxy.address]);
  });
  after(() => client.kill('SIGKILL'));
  const retainThere = async (value: string) => {
    client.send(value);
    const [outcome] = await once(client, 'message');
    return outcome;
  };

  test('finds its connections dead after the thaw, and its first mutation is not in doubt', async () => {
    await settle('800000');
    await eventually(async () => assert.equal(await retainThere('810000'), 'done'), 60_000);
    client.kill('SIGSTOP');
    proxy.cutAll();
    await becomeIdle();
    client.kill('SIGCONT');
    assert.equal(await retainThere('820000'), 'done');
    await eventually(async () => assert.equal(await look(), '820000'));
  });
});
