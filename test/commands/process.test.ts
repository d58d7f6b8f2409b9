/** The command line as the process it is, from the bundle that ships, on a real API server, broker and queue server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics } from '../../functions/adapters/kafka/topics.ts';
import { kubeResources } from '../../functions/adapters/kube/resources.ts';
import { annotations, apiVersion, kind } from '../../functions/core/api.ts';
import { type Item, reconcile } from '../../functions/core/reconciler.ts';
import { parseRequest } from '../../functions/core/request.ts';
import { installationNames, installationOf } from '../../functions/installation.ts';
import { readSettings } from '../../functions/settings/read.ts';
import { buildChanged, dist } from '../../infra/build.ts';
import { noMeter } from '../support/figures.ts';
import { byHand, realBroker } from '../support/kafka/real-kafka.ts';
import { fakeEvents } from '../support/kube/fake-events.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';
import { makeQueue, receive, remove, testClient } from '../support/sqs/real-queues.ts';

await buildChanged();
const program = [process.execPath, join(dist, 'cli.cjs')];

const api = realApi();
const user = userOf(api);
const namespace = await createNamespace(api);
const kafka = await byHand(realBroker());
const topics = connectTopics(kafkaConfigFromEnv(process.env));
const consumer = testClient();
const queueUrl = await makeQueue(consumer);
const key = { namespace, name: `cli-${namespace}` };

after(async () => {
  await removeNamespace(api, namespace);
  if ((await kafka.see(key.name)) !== undefined) await kafka.remove(key.name);
  await Promise.all([kafka.close(), topics.close(), api.close()]);
  consumer.destroy();
});

type Settings = { readonly input?: string; readonly env?: NodeJS.ProcessEnv };

/** Runs it with pipes. */
const run = (args: readonly string[], settings?: Settings) => execute(program, [...args, '-n', namespace], settings);

/** Runs it in a pseudo-terminal; what it says there is one stream. */
const runInTerminal = (args: readonly string[], settings?: Settings) => {
  const command = [...program, ...args, '-n', namespace].map((word) => `'${word}'`).join(' ');
  return execute(['script', '--quiet', '--return', '--command', command, '/dev/null'], [], settings);
};

async function execute([command = '', ...before]: readonly string[], args: readonly string[], settings: Settings = {}) {
  // all that Node asks before it says that a terminal has colours
  const { NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, CI, TF_BUILD, ...inherited } = process.env;
  const env = { ...inherited, TERM: 'xterm', RECONCILE_QUEUE_URL: queueUrl, AWS_REGION: 'us-east-1', ...settings.env };
  const child = spawn(command, [...before, ...args], { env });
  child.stdin.end(settings.input ?? '');
  const ended = once(child, 'close');
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [code] = (await ended) as [number | null];
  return { code, out, err };
}

const textOf = async (stream: NodeJS.ReadableStream): Promise<string> =>
  (await (stream as NodeJS.ReadStream).setEncoding('utf8').toArray()).join('');

/** A pass of the worker over the one object. */
async function pass(): Promise<void> {
  const item: Item = { key, groups: undefined, lastReceive: false, trigger: 'change', id: 'test' };
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const ports = {
    resources: kubeResources(api, [namespace]),
    topics,
    events: fakeEvents(),
    installation: installationOf(readSettings({}, 'cli', installationNames)),
    now: () => new Date(),
    pause: async () => {},
    log: silent,
    meter: noMeter,
  };
  await reconcile([item], ports, AbortSignal.timeout(20_000));
}

/** Takes requests from the queue and works on them until `running` has ended. */
async function workUntil<T>(running: Promise<T>): Promise<T> {
  let done = false;
  const ended = running.finally(() => {
    done = true;
  });
  while (!done)
    for (const { body, receiptHandle } of await receive(consumer, queueUrl, 10)) {
      assert.deepEqual(parseRequest(body), { ...parseRequest(body), ...key, trigger: 'manual' });
      await pass();
      await remove(consumer, queueUrl, receiptHandle);
    }
  return ended;
}

const spec = (retention: number) => ({ numPartitions: 2, config: { 'retention.ms': retention } });
const long = 604_800_000;
const apply = (retention: number) => user.apply({ metadata: key, spec: spec(retention) });
const version = async () => (await user.get(key))?.metadata.resourceVersion;

describe('the command line on real parts', () => {
  test('K149: a file is planned before it is applied, exit 2, and nothing is there afterwards', async () => {
    const input = JSON.stringify({ apiVersion, kind, metadata: { name: key.name }, spec: spec(long) });
    const { code, out, err } = await run(['plan', '-f', '-'], { input });
    assert.deepEqual([code, err], [2, '']);
    assert.match(out, /^ {2}\+ numPartitions: 2$/m);
    assert.equal(await user.get(key), undefined);
    assert.equal(await kafka.see(key.name), undefined);
  });

  test('K158: reconcile --wait sends a manual request and shows what came of it, exit 0', async () => {
    await apply(long);
    const { code, out } = await workUntil(run(['reconcile', key.name, '--wait']));
    assert.match(out, / True +Synced /);
    assert.equal(code, 0);
    assert.equal((await kafka.see(key.name))?.numPartitions, 2);
    const again = await workUntil(run(['reconcile', key.name, '--wait']));
    assert.equal(again.code, 0);
  });

  test('K149: plan has nothing to do, drift is clean, exit 0; drift made by hand is exit 3; nothing is written', async () => {
    const before = await version();
    assert.equal((await run(['plan'])).code, 0);
    assert.equal((await run(['drift'])).code, 0);
    await topics.alterConfigs(
      new Map([[key.name, [{ key: 'retention.ms', value: String(2 * long) }]]]),
      AbortSignal.timeout(10_000),
    );
    const { code, out } = await run(['drift', '-o', 'json']);
    assert.equal(code, 3);
    assert.deepEqual(JSON.parse(out).objects[0].drift, [
      { field: 'config.retention.ms', desired: String(long), observed: String(2 * long) },
    ]);
    assert.equal((await run(['plan'])).code, 2);
    assert.equal(await version(), before);
    assert.equal((await kafka.see(key.name))?.overrides['retention.ms'], String(2 * long));
  });

  test('K123: approve asks at a terminal, in colour, and sets exactly the hash that waits', async () => {
    await topics.alterConfigs(
      new Map([[key.name, [{ key: 'retention.ms', value: String(long) }]]]),
      AbortSignal.timeout(10_000),
    );
    await kafka.produce(key.name, 0);
    await apply(3_600_000);
    await pass();
    const hash = (await user.get(key))?.status?.plan as { hash: string } | undefined;
    const unattended = await run(['approve', key.name]);
    assert.equal(unattended.code, 1);
    assert.match(unattended.err, /nothing was changed: there is no terminal/);
    const refused = await runInTerminal(['approve', key.name], { input: 'n\n' });
    assert.equal(refused.code, 1);
    assert.equal((await user.get(key))?.metadata.annotations?.[annotations.approve], undefined);
    const { code, out } = await runInTerminal(['approve', key.name], { input: 'y\n' });
    assert.equal(code, 0, out);
    assert.notEqual(stripVTControlCharacters(out), out);
    assert.match(stripVTControlCharacters(out), /HELD: older records would be removed/);
    assert.equal((await user.get(key))?.metadata.annotations?.[annotations.approve], hash?.hash);
  });

  test('NO_COLOR takes the colour away at a terminal, and a pipe has none', async () => {
    const colourful = await runInTerminal(['status']);
    assert.ok(colourful.out.includes('\x1b[3'));
    const plain = await runInTerminal(['status'], { env: { NO_COLOR: '1' } });
    assert.ok(!plain.out.includes('\x1b[3'));
    const piped = await run(['status']);
    assert.equal(stripVTControlCharacters(piped.out), piped.out);
    assert.equal(piped.err, '');
  });

  test('a reader that has enough ends it without a word', async () => {
    const command = `${program.join(' ')} --help | head -n 1`;
    const { code, out, err } = await execute(['sh', '-c', command], []);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^Usage: topicsmith/);
  });

  test('status reads the fleet and the queues', async () => {
    const env = { RECONCILE_DLQ_URL: queueUrl, TICK_QUEUE_URL: queueUrl, TICK_DLQ_URL: queueUrl };
    const { code, out } = await run(['status', '-o', 'json'], { env });
    assert.equal(code, 0);
    const { objects, queues } = JSON.parse(out);
    assert.equal(objects, 1);
    assert.deepEqual(queues[1], { queue: 'RECONCILE_DLQ_URL', depth: { waiting: 0, inFlight: 0 } });
  });

  for (const [what, args, env, problem] of [
    [
      'brokers that nobody named',
      ['plan'],
      { KAFKA_BROKERS: '' },
      /^topicsmith: KAFKA_BROKERS is not set: it has to be host:port .*\n$/,
    ],
    [
      'a queue that nobody named',
      ['reconcile', key.name],
      { RECONCILE_QUEUE_URL: '' },
      /^topicsmith: RECONCILE_QUEUE_URL is not set.*\n$/,
    ],
    [
      'a kubeconfig that is not there',
      ['plan', '--kubeconfig', '/nowhere'],
      {},
      /^topicsmith: cannot read the kubeconfig \/nowhere: .*--kubeconfig.*\n$/,
    ],
    [
      'a context that is not there',
      ['plan', '--context', 'other'],
      {},
      /^topicsmith: the kubeconfig has no context "other" .*\n$/,
    ],
    [
      'a namespace that is not watched',
      ['plan'],
      { WATCH_NAMESPACES: 'a,b' },
      /^topicsmith: namespace .* is not among those of WATCH_NAMESPACES \(a, b\).*\n$/,
    ],
  ] as const)
    test(`${what} is one line that names it, exit 1`, async () => {
      const { code, out, err } = await run(args, { env });
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, problem);
    });
});
