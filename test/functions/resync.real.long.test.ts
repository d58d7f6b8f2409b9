/** A tick over some pages of objects, on a real API server, broker and queue server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { KubeClient } from '../../functions/adapters/kube/client.ts';
import { kubeResources } from '../../functions/adapters/kube/resources.ts';
import { reconcile } from '../../functions/core/reconciler.ts';
import { parseRequest } from '../../functions/core/request.ts';
import type { TopicResource } from '../../functions/core/resource.ts';
import { keyOf } from '../../functions/core/topic.ts';
import { resyncHandler, resyncRuntime } from '../../functions/resync.ts';
import { until } from '../../infra/local/process.ts';
import { apiKeys, type KafkaProxy, startKafkaProxy } from '../support/kafka/proxy.ts';
import { type ByHand, byHand, realBroker } from '../support/kafka/real-kafka.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';
import { apiAs } from '../support/kube/real-events.ts';
import { makeQueue, receive, remove, testClient } from '../support/sqs/real-queues.ts';
import { context, recordOf } from './batch-world.ts';

const prefix = `r${randomUUID().slice(0, 8)}`;
const plain = Array.from({ length: 1_200 }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`);
const odd = { paused: `${prefix}-paused`, conflicting: `${prefix}-conflicting`, terminal: `${prefix}-terminal` };
const signal = new AbortController().signal;
const reading: readonly number[] = [apiKeys.metadata, apiKeys.describeConfigs, apiKeys.listOffsets];

const sqs = testClient();
const admin = realApi();
/** May only read: whatever else a tick tried would fail. */
const reader = apiAs('resync');
let proxy: KafkaProxy;
let hand: ByHand;
let world: Awaited<ReturnType<typeof makeWorld>>;

async function makeWorld() {
  const namespace = await createNamespace(admin);
  const [reconcileQueue, ticks] = [await makeQueue(sqs), await makeQueue(sqs)];
  const runtime = resyncRuntime({
    ...process.env,
    ...{ AWS_REGION: 'us-east-1', MAX_RECEIVE_COUNT: '5', LOG_LEVEL: 'error', METRICS_NAMESPACE: 'none' },
    ...{ KAFKA_BROKERS: proxy.address, RECONCILE_QUEUE_URL: reconcileQueue, TICK_QUEUE_URL: ticks },
  });
  const asked: string[] = [];
  const request: KubeClient['request'] = (method, path, options) => {
    asked.push(method);
    return reader.request(method, path, options);
  };
  const summaries: Readonly<Record<string, unknown>>[] = [];
  const log = { ...runtime.log, info: (_: string, fields = {}) => void summaries.push(fields) };
  const resources = kubeResources({ ...reader, request }, [namespace]);
  const handler = resyncHandler({ ...runtime, log, ports: { ...runtime.ports, resources } });
  const owner = { ...runtime.ports, resources: kubeResources(admin, [namespace]) };
  return { namespace, runtime, handler, owner, asked, summaries, reconcileQueue, ticks };
}

before(async () => {
  proxy = await startKafkaProxy(realBroker());
  hand = await byHand(realBroker());
  world = await makeWorld();
  const apply = (name: string, spec: object) =>
    userOf(admin).apply({ metadata: { namespace: world.namespace, name }, spec: { numPartitions: 1, ...spec } });
  for (let from = 0; from < plain.length; from += 16)
    await Promise.all(plain.slice(from, from + 16).map((name) => apply(name, { config: { 'segment.ms': 3600000 } })));
  await settle(plain);
  await hand.create(odd.terminal);
  await apply(odd.paused, { mode: 'Paused' });
  await apply(odd.conflicting, { topicName: plain[0] });
  await apply(odd.terminal, { config: { 'no.such.key': 1 } });
  await settle(Object.values(odd));
});

after(async () => {
  await removeNamespace(admin, world.namespace);
  await Promise.all([hand.close(), proxy.close(), reader.close(), admin.close()]);
});

/** What the reconcile function does, a hundred objects at a time. */
async function settle(names: readonly string[]): Promise<void> {
  const items = names.map((name) => ({
    key: { namespace: world.namespace, name },
    ...{ groups: undefined, lastReceive: false, trigger: 'change' as const, id: name },
  }));
  for (let from = 0; from < items.length; from += 100)
    for (const { key, redeliver } of (await reconcile(items.slice(from, from + 100), world.owner, signal)).values())
      assert.equal(redeliver, false, key);
}

/** Sends a tick and works off all its pages. @returns the names in the reconcile queue, and what it took */
async function tick() {
  const [asked, seen, said] = [world.asked.length, proxy.requests.length, world.summaries.length];
  await world.runtime.ticks.send({ v: 1, tick: randomUUID() }, signal);
  while (world.summaries.length === said) {
    const page = await receive(sqs, world.ticks, 1, 20);
    assert.equal(page.length, 1, 'the next page of the tick is not in its queue');
    for (const { body, group, receiptHandle } of page) {
      const record = recordOf({ id: 'm', receiptHandle, group, body, receives: '1' });
      assert.deepEqual(await world.handler({ Records: [record] }, context()), { batchItemFailures: [] });
      await remove(sqs, world.ticks, receiptHandle);
    }
  }
  const messages = await receive(sqs, world.reconcileQueue, 10);
  const names = messages.map(({ body }) => parseRequest(body)).map((parsed) => ('name' in parsed ? parsed.name : ''));
  const kafka = proxy.requests.slice(seen).map(({ apiKey }) => apiKey);
  return { names, api: world.asked.slice(asked), kafka, said: world.summaries.at(-1) ?? {} };
}

async function all(): Promise<readonly TopicResource[]> {
  const found: TopicResource[] = [];
  let next: string | undefined;
  do {
    const page = await world.owner.resources.page(500, next, signal);
    found.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return found;
}

const versions = async () => (await all()).map(({ key, resourceVersion }) => `${keyOf(key)} ${resourceVersion}`);

test('K171: a tick over 1,203 objects in sync takes three pages, some requests each, and no write anywhere', async () => {
  const untouched = await versions();
  const { names, api, kafka, said } = await tick();
  assert.deepEqual(names, []);
  assert.deepEqual(api.slice(0, 3), ['GET', 'GET', 'GET']);
  assert.deepEqual(new Set(api), new Set(['GET']));
  assert.deepEqual(
    kafka.filter((key) => key !== 18 && !reading.includes(key)), // 18: which versions the broker has
    [],
  );
  const { pages, lookedAt, inSync, enqueued, skipped, unread, unlisted } = said;
  assert.deepEqual(
    { pages, lookedAt, inSync, enqueued, skipped, unread, unlisted },
    { pages: 3, lookedAt: 1_203, inSync: 1_203, enqueued: 0, skipped: 0, unread: 0, unlisted: 0 },
  );
  assert.ok(Number(said.requests) <= 30, `${said.requests} requests`);
  assert.ok(Number(said.requests) >= kafka.filter((key) => reading.includes(key)).length + 2, `${said.requests}`);
  assert.deepEqual(await versions(), untouched);
});

test('K147: of objects in sync, paused, conflicting and terminal ones only the one that has drifted is asked for', async () => {
  const [gone] = plain.slice(700);
  assert.ok(gone);
  await hand.remove(gone);
  assert.ok(await until(async () => (await hand.see(gone)) === undefined, 60_000), `${gone} is still listed`);
  const untouched = await versions();
  const { names, said } = await tick();
  assert.deepEqual([names, said.enqueued, said.inSync], [[gone], 1, 1_202]);
  assert.deepEqual(await versions(), untouched);
});
