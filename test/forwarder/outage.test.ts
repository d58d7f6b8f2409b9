/** What the forwarder outlives, on an API server and a queue of its own that it may break. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type KubeClient, kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import { queueDepth, requestQueue, sqsClient, tickQueue } from '../../functions/adapters/sqs.ts';
import { Forwarder } from '../../functions/forwarder/run.ts';
import { topicSource } from '../../functions/forwarder/source.ts';
import { systemClock } from '../../functions/forwarder/time.ts';
import type { ApiServer } from '../../infra/local/apiserver.ts';
import type { Part } from '../../infra/local/part.ts';
import { type System, startSystem } from '../../infra/local/system.ts';
import { userOf } from '../support/kube/real-api.ts';
import { makeQueue, testClient } from '../support/sqs/real-queues.ts';
import { silentLog } from './fakes.ts';
import { ForwarderProcess, namesUntil, until } from './process.ts';

const dir = mkdtempSync(join(tmpdir(), 'forwarder-outage-'));
const inherited = Object.fromEntries(['PATH', 'HOME', 'XDG_CACHE_HOME'].map((name) => [name, process.env[name]]));

let system: System;
let api: KubeClient;
let sqs: SQSClient;
let apiServer: ApiServer & { readonly part: Part };
let elasticMq: Part;
let queue: string;
const processes: ForwarderProcess[] = [];

before(async () => {
  system = await startSystem({ dir, parts: ['apiserver', 'elasticmq'], env: inherited });
  const [serverPart, queuePart] = [system.parts.get('apiserver'), system.parts.get('elasticmq')];
  assert.ok(system.apiServer && serverPart && queuePart);
  apiServer = { ...system.apiServer, part: serverPart };
  elasticMq = queuePart;
  api = kubeClient({ KUBECONFIG: apiServer.kubeconfigs.admin });
  sqs = testClient(system.exports.SQS_ENDPOINT);
  queue = system.exports.RECONCILE_QUEUE_URL ?? '';
  Object.assign(process.env, system.exports); // the SDK takes region and credentials from there
});
after(async () => {
  await Promise.all(processes.map((forwarder) => forwarder.stop()));
  await api.close();
  await system.stop();
  rmSync(dir, { recursive: true });
});

async function ready(change: NodeJS.ProcessEnv = {}): Promise<ForwarderProcess> {
  const forwarder = new ForwarderProcess({ ...system.exports, KUBECONFIG: apiServer.kubeconfigs.forwarder, ...change });
  processes.push(forwarder);
  await forwarder.ready();
  return forwarder;
}

const apply = (name: string, spec: object = {}) =>
  userOf(api).apply({ metadata: { namespace: 'default', name }, spec } as Parameters<
    ReturnType<typeof userOf>['apply']
  >[0]);

async function restartApiServer(): Promise<void> {
  await apiServer.part.kill();
  await apiServer.part.start();
}

/** A plain TCP way to the API server that can swallow what passes, without a word to either side. */
async function proxyTo(server: string) {
  const { hostname, port } = new URL(server);
  const pairs: Socket[][] = [];
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    pairs.push([client.pipe(upstream), upstream.pipe(client)]);
    for (const socket of [client, upstream]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  return {
    url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    /** connections that are open stay open and go silent; new ones pass */
    swallow: () => {
      for (const socket of pairs.flat()) socket.unpipe().pause();
    },
    close: () => {
      listener.close();
      for (const socket of pairs.flat()) socket.destroy();
    },
  };
}

describe('forwarder in an outage', () => {
  test('K142: API server killed and started again: edits made meanwhile arrive', async () => {
    const forwarder = await ready();
    await apply('before');
    await namesUntil(sqs, queue, ['before']);
    await apiServer.part.kill();
    assert.match(await forwarder.notReady(), /watch of all namespaces/);
    await apiServer.part.start();
    await apply('before', { numPartitions: 2 });
    await apply('while-away');
    await namesUntil(sqs, queue, ['before', 'while-away']);
    await forwarder.ready();
    assert.equal(await forwarder.stop(), 0);
  });

  test('K142: etcd compacted while the forwarder was away: it lists anew and sends what changed', async () => {
    const forwarder = await ready();
    await apply('unchanged');
    await namesUntil(sqs, queue, ['unchanged']);
    forwarder.send('SIGSTOP');
    await restartApiServer(); // else the events wait in the open connection
    await apply('compacted', { numPartitions: 1 });
    await apply('compacted', { numPartitions: 2 });
    await apiServer.compact();
    await restartApiServer();
    forwarder.send('SIGCONT');
    const seen = await namesUntil(sqs, queue, ['compacted']);
    assert.ok(!seen.includes('unchanged'));
    assert.equal(await forwarder.metric('lists_total'), 2);
    assert.equal(await forwarder.metric('watch_interruptions_total{reason="expired"}'), 1);
    assert.equal(await forwarder.stop(), 0);
  });

  test('K142: a watch that goes silent without being closed is noticed, and edits made meanwhile arrive', async () => {
    const proxy = await proxyTo(apiServer.server);
    const file = join(dir, 'kubeconfig.proxy');
    writeFileSync(file, readFileSync(apiServer.kubeconfigs.forwarder, 'utf8').replace(apiServer.server, proxy.url));
    const [client, product, requests] = [
      kubeClient({ KUBECONFIG: file }),
      sqsClient(system.exports),
      await makeQueue(sqs),
    ];
    const forwarder = new Forwarder({
      sources: new Map([['all namespaces', topicSource(client, { silenceMs: 3_000 })]]),
      selects: () => true,
      requests: requestQueue(product, requests),
      ticks: tickQueue(product, await makeQueue(sqs)),
      probe: (signal) => queueDepth(product, requests, signal),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      resyncMs: 300_000,
    });
    const running = forwarder.run();
    await until('ready', () => forwarder.problems().length === 0);
    proxy.swallow();
    await apply('in-silence');
    await namesUntil(sqs, requests, ['in-silence']);
    assert.match(await forwarder.metrics.text(), /interruptions_total\{reason="silent"\} [1-9]/);
    assert.equal(await forwarder.stop(1_000), 0);
    await running;
    proxy.close();
    await client.close();
  });

  test('K144: queue killed and started again: edits made meanwhile all arrive, each object once', async () => {
    const forwarder = await ready();
    const names = Array.from({ length: 30 }, (_, index) => `queued-${index}`);
    await elasticMq.kill();
    for (const numPartitions of [1, 2]) for (const name of names) await apply(name, { numPartitions });
    assert.match(await forwarder.notReady(), /reconcile queue: The queue reconcile.fifo cannot be reached/);
    await until('all keys wait', async () => (await forwarder.metric('keys_waiting')) === names.length);
    await elasticMq.start();
    assert.deepEqual((await namesUntil(sqs, queue, names)).toSorted(), names.toSorted());
    await forwarder.ready();
    const told = forwarder.logs
      .filter(({ link }) => link === 'reconcile queue')
      .map(({ event, reason = '' }) => `${event} ${reason}`);
    assert.ok(told.some((line) => line.startsWith('link-down')));
    // what the queue server says may change while it starts: a new reason is news
    assert.ok(
      told.every((line, at) => line !== told[at - 1]),
      `what is known already is not told again: ${told}`,
    );
    assert.equal(await forwarder.stop(), 0);
  });

  test('what is on its way when it is told to stop is sent before it ends', async () => {
    const forwarder = await ready();
    elasticMq.pause();
    for (const name of ['last', 'minute']) await apply(name);
    await until('the keys wait', async () => (await forwarder.metric('keys_waiting')) === 2);
    const stopped = forwarder.stop();
    elasticMq.resume();
    assert.equal(await stopped, 0);
    await namesUntil(sqs, queue, ['last', 'minute']);
  });

  test('K142: a token that is refused is told, and the renewed one is used without a restart', async () => {
    const tokens = join(dir, 'data', 'apiserver', 'tokens.csv');
    const [file, before] = [join(dir, 'kubeconfig.renewed'), readFileSync(tokens, 'utf8')];
    copyFileSync(apiServer.kubeconfigs.forwarder, file);
    const token = /token: (\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    const renewed = token.split('').toReversed().join('');
    const forwarder = await ready({ KUBECONFIG: file });
    writeFileSync(tokens, before.replace(token, renewed));
    await restartApiServer();
    await until('a refusal', async () => (await forwarder.notReady()).includes('unauthenticated'));
    await apply('unauthenticated');
    writeFileSync(file, readFileSync(file, 'utf8').replace(token, renewed));
    await namesUntil(sqs, queue, ['unauthenticated']);
    assert.doesNotMatch(JSON.stringify(forwarder.logs), new RegExp(`${token}|${renewed}`));
    assert.equal(await forwarder.stop(), 0);
    writeFileSync(tokens, before);
    await restartApiServer();
  });

  test('rights taken away are told, and given back they are used without a restart', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    const binding = (await api.request('GET', `${path}/topicsmith-forwarder`)) as { metadata: object };
    const forwarder = await ready();
    await api.request('DELETE', `${path}/topicsmith-forwarder`);
    await restartApiServer();
    await until('a refusal', async () => (await forwarder.notReady()).includes('forbidden'));
    await apply('forbidden');
    const { roleRef, subjects } = binding as unknown as Record<string, unknown>;
    await api.request('POST', path, { body: { metadata: { name: 'topicsmith-forwarder' }, roleRef, subjects } });
    await namesUntil(sqs, queue, ['forbidden']);
    assert.equal(await forwarder.stop(), 0);
  });

  test('the definition of KafkaTopic deleted and made again: new objects arrive', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const name = 'kafkatopics.cache.example.com';
    const { spec } = (await api.request('GET', `${path}/${name}`)) as { spec: unknown };
    const forwarder = await ready();
    const body = { metadata: { annotations: { 'cache.example.com/allow-deletion': 'true' } } };
    await api.request('PATCH', `${path}/${name}`, { body, contentType: 'application/merge-patch+json' });
    await api.request('DELETE', `${path}/${name}`);
    await until('the definition is gone', async () => (await forwarder.notReady()).includes('missing'));
    await api.request('POST', path, {
      body: { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name }, spec },
    });
    await until('the API is there', async () => api.request('GET', topicsPath('default')).then(Boolean, () => false));
    await apply('after-definition');
    await namesUntil(sqs, queue, ['after-definition']);
    // it may list once more when the definition has settled
    await until('one object is known, and none of before', async () => (await forwarder.metric('objects')) === 1);
    assert.equal(await forwarder.stop(), 0);
  });
});
