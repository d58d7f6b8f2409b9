/** Against a real API server (KUBECONFIG) and a real queue (SQS_ENDPOINT), in a namespace and queues of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { topicsPath } from '../../functions/adapters/kube/client.ts';
import { annotations, apiVersion, finalizer, kind } from '../../functions/core/api.ts';
import { groupOf, parseRequest, parseTick, type Request } from '../../functions/core/request.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';
import { makeQueue, receive, remove, testClient } from '../support/sqs/real-queues.ts';
import { ForwarderProcess, namesUntil, until } from './process.ts';

const api = realApi();
const user = userOf(api);
const sqs = testClient();
const directory = mkdtempSync(join(tmpdir(), 'forwarder-process-'));

let namespace: string;
const processes: ForwarderProcess[] = [];

before(async () => {
  namespace = await createNamespace(api);
});
after(async () => {
  await Promise.all(processes.map((forwarder) => forwarder.stop()));
  await removeNamespace(api, namespace);
  await api.close();
  rmSync(directory, { recursive: true });
});

async function started(change: NodeJS.ProcessEnv = {}) {
  const [queue, ticks] = [await makeQueue(sqs), await makeQueue(sqs)];
  const env = { WATCH_NAMESPACES: namespace, RECONCILE_QUEUE_URL: queue, TICK_QUEUE_URL: ticks, ...change };
  const forwarder = new ForwarderProcess(env);
  processes.push(forwarder);
  return { forwarder, queue, ticks, env };
}

async function ready() {
  const here = await started();
  await here.forwarder.ready();
  return here;
}

const apply = (name: string, spec: object = {}, metadata: object = {}) =>
  user.apply({ metadata: { namespace, name, ...metadata }, spec } as Parameters<typeof user.apply>[0]);

const reports = (name: string, type: string, reason: Reason) =>
  api.request('PATCH', topicsPath(namespace, name, 'status'), {
    query: { fieldManager: 'topicsmith', force: true },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion,
      kind,
      metadata: { namespace, name },
      status: {
        observedGeneration: 1,
        conditions: [
          {
            type,
            status: 'True',
            reason,
            message: '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
            observedGeneration: 1,
          },
        ],
      },
    },
  });

const pick = (request: object) => {
  const { namespace, name, trigger } = request as Partial<Request>;
  return { namespace, name, trigger };
};

describe('forwarder process', { concurrency: 3 }, () => {
  test('an edit is in the queue well within a second, in the group of its topic', async () => {
    const { queue } = await ready();
    const took: number[] = [];
    for (let partitions = 1; partitions <= 5; partitions++) {
      const began = performance.now();
      await apply('edited', { topicName: 'shop.edited', numPartitions: partitions });
      const message = await until('the message', async () => {
        const messages = await receive(sqs, queue, 10, 5);
        for (const { receiptHandle } of messages) await remove(sqs, queue, receiptHandle);
        return messages.find(({ group }) => group === groupOf('shop.edited'));
      });
      took.push(performance.now() - began);
      assert.deepEqual(pick(parseRequest(message.body)), { namespace, name: 'edited', trigger: 'change' });
    }
    assert.ok(Math.min(...took) < 1_000, `took ${took.map(Math.round)} ms`);
  });

  test('our status write sends nothing; requests to reconcile, approvals and deletions do', async () => {
    const { queue } = await ready();
    const key = { namespace, name: 'steps' };
    const step = async (name: string, change: () => Promise<unknown>) => {
      await change();
      const seen = await namesUntil(sqs, queue, [name]);
      return seen.filter((seenName) => seenName === 'steps' || seenName === name);
    };
    const annotate = (name: string) => user.patch(key, { metadata: { annotations: { [name]: 'x' } } });
    assert.deepEqual(await step('steps', () => apply('steps', {}, { finalizers: [finalizer] })), ['steps']);
    await reports('steps', 'Ready', 'Synced');
    assert.deepEqual(await step('steps-marker', () => apply('steps-marker')), ['steps-marker']);
    assert.deepEqual(await step('steps', () => annotate(annotations.reconcileRequestedAt)), ['steps']);
    assert.deepEqual(await step('steps', () => annotate(annotations.approve)), ['steps']);
    assert.deepEqual(await step('steps', () => user.delete(key)), ['steps']);
    await user.patch(key, { metadata: { finalizers: [] } });
  });

  test('an object that waits is asked for again', async () => {
    const { queue } = await ready();
    await apply('waiting');
    await namesUntil(sqs, queue, ['waiting']);
    await reports('waiting', 'Reconciling', 'Throttled');
    await namesUntil(sqs, queue, ['waiting']);
    await namesUntil(sqs, queue, ['waiting']);
  });

  test('a start sends one tick and, however much changed before it, no request', async () => {
    await apply('older');
    const { queue, ticks } = await ready();
    const [tick] = await receive(sqs, ticks, 10, 5);
    assert.ok(!('malformed' in parseTick(tick?.body ?? '')));
    await apply('newer');
    assert.ok(!(await namesUntil(sqs, queue, ['newer'])).includes('older'));
  });

  test('K148: two at once make one message of a change', async () => {
    const { env, queue, forwarder } = await ready();
    const second = new ForwarderProcess(env);
    processes.push(second);
    await second.ready();
    const names = Array.from({ length: 20 }, (_, index) => `pair-${index}`);
    for (const name of names) await apply(name);
    const sent = async (one: ForwarderProcess) => (await one.metric('messages_sent_total')) >= names.length;
    await until('both have sent', async () => (await sent(forwarder)) && (await sent(second)));
    const seen = await namesUntil(sqs, queue, names);
    assert.deepEqual(seen.filter((name) => name.startsWith('pair-')).toSorted(), names.toSorted());
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`${signal} ends it with exit code 0`, async () => {
      const { forwarder } = await ready();
      assert.equal(await forwarder.stop(signal), 0);
    });

  test('health, metrics and what else is asked', async () => {
    const { forwarder } = await ready();
    assert.deepEqual(await forwarder.get('/healthz'), { status: 200, text: 'ok\n' });
    assert.equal((await forwarder.get('/other')).status, 404);
    const { text } = await forwarder.get('/metrics');
    for (const name of [
      'watch_age_seconds',
      'keys_waiting',
      'objects',
      'ticks_total 1',
      'last_tick_timestamp_seconds 1',
      'lists_total 1',
    ])
      assert.match(text, new RegExp(`^topicsmith_forwarder_${name}`, 'm'));
    assert.doesNotMatch(text, new RegExp(namespace));
  });

  const wrong: { what: string; env: NodeJS.ProcessEnv; says: RegExp }[] = [
    { what: 'no queue', env: { RECONCILE_QUEUE_URL: '' }, says: /RECONCILE_QUEUE_URL is not set/ },
    { what: 'no kubeconfig', env: { KUBECONFIG: join(directory, 'nowhere') }, says: /cannot read the kubeconfig/ },
    {
      what: 'a queue over plain http',
      env: { SQS_ENDPOINT: 'http://queue.example.com' },
      says: /SQS_ENDPOINT has plain http to another machine: use https, or SQS_ALLOW_HTTP=true/,
    },
  ];
  for (const { what, env, says } of wrong)
    test(`with ${what} it ends with one line that says what to do`, async () => {
      const { forwarder } = await started(env);
      assert.equal(await forwarder.exited(), 1);
      assert.equal(forwarder.logs.length, 1);
      assert.match(String(forwarder.logs[0]?.error), says);
    });

  test('with an API server that is not there it keeps trying, and says so once', async () => {
    const file = join(directory, 'closed');
    const cluster = { server: 'https://127.0.0.1:1', 'certificate-authority-data': '' };
    const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
    const users = [{ name: 'a', user: { token: 'canary' } }];
    writeFileSync(
      file,
      JSON.stringify({ clusters: [{ name: 'a', cluster }], contexts, users, 'current-context': 'a' }),
    );
    const { forwarder } = await started({ KUBECONFIG: file });
    assert.match(await forwarder.notReady(), /watch of namespace .*: lost, .*ECONNREFUSED/);
    const tries = async () =>
      (await forwarder.get('/metrics')).text.match(/interruptions_total\{reason="lost"\} (\d+)/)?.[1];
    await until('some tries', async () => Number(await tries()) >= 5);
    assert.equal(
      forwarder.logs.filter(({ event, link }) => event === 'link-down' && String(link).startsWith('watch')).length,
      1,
    );
    assert.equal((await forwarder.get('/healthz')).status, 200);
    assert.doesNotMatch(JSON.stringify(forwarder.logs), /canary/);
  });

  test('with a queue that does not exist it is not ready, and says so before the first edit', async () => {
    const { forwarder } = await started({
      RECONCILE_QUEUE_URL: `${process.env.SQS_ENDPOINT}/000000000000/nowhere.fifo`,
    });
    assert.match(await forwarder.notReady(), /reconcile queue: (not reached yet|The queue nowhere.fifo refused)/);
    await until('a line', () =>
      forwarder.logs.find(({ reason }) => /nowhere.fifo refused the request: QueueDoesNotExist/.test(String(reason))),
    );
  });
});
