/**
 * Prints what the forwarder's bundle needs with 10,000 objects: after the first list, after every object was edited, and
 * some time later. `node test/forwarder/memory.bench.ts [objects]`; needs only SQS_ENDPOINT.
 */
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeQueue, testClient } from '../support/sqs/real-queues.ts';
import { ForwarderProcess, until } from './process.ts';

const count = Number(process.argv[2] ?? 10_000);
const watchers = new Set<ServerResponse>();

/** A KafkaTopic as long as one in the field: a dozen configs, their managedFields, a status. */
function object(index: number, generation: number, resourceVersion: number) {
  const keys = Array.from({ length: 12 }, (_, key) => `some.topic.config.number-${key}`);
  const config = Object.fromEntries(keys.map((key) => [key, '604800000']));
  const owned = Object.fromEntries(keys.map((key) => [`f:${key}`, {}]));
  const managed = { apiVersion: 'cache.example.com/v1alpha1', fieldsType: 'FieldsV1', time: '2026-01-01T00:00:00Z' };
  const metadata = {
    namespace: `team-${index % 50}`,
    name: `orders-${index}`,
    uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    resourceVersion: String(resourceVersion),
    generation,
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [
      { ...managed, manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:config': owned } } },
      { ...managed, manager: 'topicsmith', operation: 'Apply', fieldsV1: { 'f:status': { 'f:config': owned } } },
    ],
  };
  const ready = { type: 'Ready', status: 'True', reason: 'Synced', message: 'in sync', observedGeneration: generation };
  return { metadata, spec: { numPartitions: 6, config }, status: { config, conditions: [ready] } };
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '', 'http://x');
  if (searchParams.has('watch')) {
    watchers.add(response);
    response.flushHeaders();
    return;
  }
  const from = Number(searchParams.get('continue') ?? 0);
  const to = Math.min(count, from + Number(searchParams.get('limit')));
  const items = Array.from({ length: to - from }, (_, index) => object(from + index, 1, 1));
  response.end(JSON.stringify({ metadata: { resourceVersion: '1', continue: to < count ? String(to) : '' }, items }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');

const kubeconfig = join(tmpdir(), `forwarder-memory-${process.pid}`);
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const cluster = { server: address, 'insecure-skip-tls-verify': true };
const context = { name: 'a', context: { cluster: 'a', user: 'a' } };
const users = [{ name: 'a', user: { token: 'a' } }];
writeFileSync(
  kubeconfig,
  JSON.stringify({ clusters: [{ name: 'a', cluster }], contexts: [context], users, 'current-context': 'a' }),
);

const sqs = testClient();
const queues = { RECONCILE_QUEUE_URL: await makeQueue(sqs), TICK_QUEUE_URL: await makeQueue(sqs) };
const forwarder = new ForwarderProcess({ KUBECONFIG: kubeconfig, ...queues });
const report = (when: string) => {
  const status = readFileSync(`/proc/${forwarder.pid}/status`, 'utf8');
  const [now, peak] = ['VmRSS', 'VmHWM'].map(
    (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024,
  );
  console.log(`${when.padEnd(32)} ${now?.toFixed(0)} MiB, at most ${peak?.toFixed(0)} MiB so far`);
};

await forwarder.ready();
report(`${count} objects listed`);
const began = performance.now();
for (let index = 0; index < count; index++)
  for (const watcher of watchers)
    watcher.write(`${JSON.stringify({ type: 'MODIFIED', object: object(index, 2, index + 2) })}\n`);
await until('all are sent', async () => (await forwarder.metric('messages_sent_total')) >= count, 120_000);
report(`all edited, sent in ${((performance.now() - began) / 1000).toFixed(1)} s`);
await delay(10_000);
report('ten seconds later');
await forwarder.stop();
rmSync(kubeconfig);
server.close().closeAllConnections();
