/** Parts of today and of a release to come, deployed in either order on one system: everything goes on. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { groupOf } from '../../functions/core/request.ts';
import { ProcessPool } from '../../functions/runner/process.ts';
import { forwarderPart, runnerPart } from '../../infra/local/functions.ts';
import { root } from '../../infra/local/state.ts';
import { Broker } from '../support/e2e/broker.ts';
import { Kubectl } from '../support/e2e/kubectl.ts';
import { Queues } from '../support/e2e/queues.ts';
import { type Release, release } from '../support/e2e/releases.ts';
import { scratchDirectory, startParts } from '../support/e2e/world.ts';
import { receive, remove, testClient } from '../support/sqs/real-queues.ts';

const dir = scratchDirectory();
const system = await startParts(join(dir, 'system'), ['apiserver', 'kafka', 'elasticmq']);
const { exports } = system;
const kubeconfigs = system.apiServer?.kubeconfigs ?? assert.fail('there is no API server');
const user = new Kubectl(kubeconfigs.admin, 'default');
const broker = new Broker(exports.KAFKA_BROKERS ?? '', join(dir, 'system', 'data', 'kafka-1', 'data'));
await broker.connect();
const queues = new Queues(exports);
const sqs = testClient(exports.SQS_ENDPOINT);
const today = await release('today', join(dir, 'today'));
const next = await release('next', join(dir, 'next'));
const env = { PATH: process.env.PATH, ...exports };

after(async () => {
  await Promise.all([user.close(), queues.close(), broker.close()]);
  sqs.destroy();
  await system.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts both, does the work, and ends them with nothing left in any queue. */
async function deployed(forwarders: Release, functions: Release, work: () => Promise<void>): Promise<void> {
  const place = { dir: join(dir, 'system') };
  const KUBECONFIG_RECONCILER = kubeconfigs.reconciler;
  const environment = { ...env, KUBECONFIG_RECONCILER, KUBECONFIG_RESYNC: kubeconfigs.resync };
  const runner = runnerPart(place, environment, functions.service);
  const watching = { ...env, KUBECONFIG: kubeconfigs.forwarder };
  const { part: forwarder } = await forwarderPart(place, watching, forwarders.bundle('forwarder'));
  await Promise.all([runner.start(), forwarder.start()]);
  try {
    await work();
    await queues.drained();
  } finally {
    await Promise.all([forwarder.stop(), runner.stop()]);
  }
  for (const url of [exports.RECONCILE_DLQ_URL, exports.TICK_DLQ_URL])
    assert.deepEqual(await receive(sqs, url ?? '', 10), []);
}

const pairs = [
  { name: 'a next forwarder before functions of today', forwarders: next, functions: today },
  { name: 'a forwarder of today before next functions', forwarders: today, functions: next },
  { name: 'both of the next release', forwarders: next, functions: next },
];

for (const [nth, { name, forwarders, functions }] of pairs.entries())
  test(`${name}: edits, drift and deletion are handled, and nothing is dead-lettered`, async () => {
    const topic = `upgrade-${nth}`;
    await deployed(forwarders, functions, async () => {
      await user.apply(topic, { numPartitions: 1, deletionPolicy: 'Delete', config: { 'segment.ms': 3600000 } });
      await user.ready(topic);
      await user.apply(topic, { numPartitions: 2, deletionPolicy: 'Delete', config: { 'segment.ms': 3600000 } });
      await user.ready(topic);
      await broker.setConfig(topic, { 'segment.ms': '60000' });
      await queues.drained();
      await queues.tick();
      assert.deepEqual((await broker.shape(topic)).overrides, { 'segment.ms': '3600000' });
      await user.delete(topic);
      await user.gone(topic);
      await broker.vanished(topic);
    });
  });

describe('a tick whose pages are worked on by both releases in turn', () => {
  const pool = (of: Release) =>
    new ProcessPool({
      child: join(root, 'dist', 'runner-child.cjs'),
      bundle: of.bundle('resync'),
      exportName: 'handler',
      environment: { ...exports, KUBECONFIG: kubeconfigs.resync, MAX_RECEIVE_COUNT: '5' },
      memoryMegabytes: 512,
      timeoutSeconds: 30,
      freeze: false,
    });
  const [RECONCILE_QUEUE_URL = '', TICK_QUEUE_URL = ''] = [exports.RECONCILE_QUEUE_URL, exports.TICK_QUEUE_URL];

  /** Works on a page and takes the next one out of the queue. @returns its body; undefined after the last one */
  async function turn(functions: ProcessPool, body: string): Promise<string | undefined> {
    const { ending } = await functions.invoke({ Records: [record(body)] });
    assert.deepEqual(ending, { kind: 'returned', value: { batchItemFailures: [] } });
    const [message] = await receive(sqs, TICK_QUEUE_URL, 1);
    if (message === undefined) return undefined;
    await remove(sqs, TICK_QUEUE_URL, message.receiptHandle);
    return message.body;
  }

  async function namesAskedFor(): Promise<readonly string[]> {
    const names: string[] = [];
    for (let batch = await take(); batch.length > 0; batch = await take()) names.push(...batch);
    return names.toSorted();
  }

  async function take(): Promise<readonly string[]> {
    const messages = await receive(sqs, RECONCILE_QUEUE_URL, 10);
    for (const { receiptHandle } of messages) await remove(sqs, RECONCILE_QUEUE_URL, receiptHandle);
    return messages.map(({ body }) => JSON.parse(body).name);
  }

  test('looks at every object once, and adds up what the other one has counted', async () => {
    const names = Array.from({ length: 7 }, (_, nth) => `paged-${nth}`);
    for (const name of names) await user.apply(name, { numPartitions: 1 });
    const releases = [pool(today), pool(next)];
    const pages: { v: number; sums?: { pages: number; lookedAt: number } }[] = [];
    let body: string | undefined = JSON.stringify({ v: 1, tick: randomUUID() });
    while (body !== undefined) {
      pages.push(JSON.parse(body));
      body = await turn(releases[pages.length % 2] as ProcessPool, body);
    }
    await Promise.all(releases.map((functions) => functions.kill()));
    assert.deepEqual(
      pages.map(({ v, sums }) => [v, sums?.pages, sums?.lookedAt]),
      [
        [1, undefined, undefined],
        [2, 1, 2],
        [1, 2, 4],
        [2, 3, 6],
      ],
    );
    assert.deepEqual(await namesAskedFor(), names);
  });
});

/** As Lambda hands it over. @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
const record = (body: string) => ({
  messageId: randomUUID(),
  receiptHandle: randomUUID(),
  body,
  attributes: { ApproximateReceiveCount: '1', MessageGroupId: groupOf('tick') },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:ticks.fifo',
  awsRegion: 'us-east-1',
});
