/** `topicsmith doctor` from the bundle that ships, on a system of its own in which one thing after the other is broken. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { ApiError, kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import type { Checked } from '../../functions/doctor/check.ts';
import { definitionPath } from '../../functions/doctor/kube.ts';
import { type QueueName, queueNames } from '../../functions/doctor/queues.ts';
import type { Identity } from '../../infra/local/apiserver.ts';
import { applyFiles } from '../../infra/local/manifests.ts';
import { until } from '../../infra/local/process.ts';
import { root } from '../../infra/local/state.ts';
import { Broker } from '../support/e2e/broker.ts';
import { productHost, strictKafka } from '../support/e2e/strict-kafka.ts';
import { scratchDirectory, startParts } from '../support/e2e/world.ts';
import { userOf } from '../support/kube/real-api.ts';
import { makeQueue, testClient } from '../support/sqs/real-queues.ts';

const dir = scratchDirectory();
const kafka = await strictKafka(join(dir, 'kafka'));
const system = await startParts(join(dir, 'rest'), ['apiserver', 'elasticmq', 'forwarder']);
const { exports } = system;
const apiServer = system.apiServer ?? assert.fail('there is no API server');
const admin = kubeClient({ KUBECONFIG: apiServer.kubeconfigs.admin });
const broker = new Broker(kafka.others, kafka.data);
await broker.connect();
const sqs = testClient(exports.SQS_ENDPOINT);

after(async () => {
  sqs.destroy();
  await Promise.all([broker.close(), admin.close(), system.stop(), kafka.stop()]);
  rmSync(dir, { recursive: true });
});

const { PATH, HOME } = process.env;
const usual = { PATH, HOME, ...exports, KAFKA_BROKERS: kafka.product, KAFKA_CLUSTER_ID: kafka.clusterId };

/** Runs a command. @returns its exit code and what it said */
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'dist', 'cli.cjs'), ...args],
      { env: { ...usual, ...env } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

/** What doctor says, by the names of its checks. */
async function doctor(env: NodeJS.ProcessEnv = {}) {
  const { code, out, err } = await run(['doctor', '-o', 'json'], env);
  assert.equal(err, '');
  const { checks } = JSON.parse(out) as { checks: readonly Checked[] };
  const byName = new Map(checks.map((check) => [check.name, check]));
  return {
    code,
    /** `verdict: what it says` */
    of: (name: string): string => {
      const { verdict, says } = byName.get(name) ?? assert.fail(`there is no check ${name}`);
      return `${verdict}: ${says}`;
    },
    mend: (name: string): string => byName.get(name)?.mend ?? '',
    /** names of all that are not well */
    troubles: checks.filter(({ verdict }) => verdict !== 'ok').map(({ name, verdict }) => `${verdict} ${name}`),
  };
}

/** Requests that change something at the API server, reviews aside, which store nothing. */
function changesByAdmin(): readonly string[] {
  const lines = readFileSync(apiServer.auditLog, 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .filter(({ objectRef }) => !/reviews$/.test(objectRef?.resource ?? ''))
    .filter(({ user }) => user.username === 'topicsmith-admin')
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
}

/** Attributes of a queue, counts of its messages among them. */
async function attributesOf(queue: QueueName) {
  const command = new GetQueueAttributesCommand({ QueueUrl: exports[queue] ?? '', AttributeNames: ['All'] });
  return (await sqs.send(command)).Attributes ?? assert.fail(`${queue} has no attributes`);
}

const waiting = async (queue: QueueName) => Number((await attributesOf(queue)).ApproximateNumberOfMessages);

/** All that a command could have changed. */
const everything = async () => ({
  requests: changesByAdmin(),
  queues: await Promise.all(queueNames.map(attributesOf)),
  topics: await broker.topics(),
  orders: await broker.shape('orders'),
});

/** The administrator's kubeconfig with something else in it. @returns its path */
function kubeconfigWith(what: RegExp, instead: string): string {
  const file = join(dir, 'kubeconfig');
  writeFileSync(file, readFileSync(apiServer.kubeconfigs.admin, 'utf8').replace(what, instead), { mode: 0o600 });
  return file;
}

const kubeconfigOf = (who: Identity) => ({ KUBECONFIG: apiServer.kubeconfigs[who] });

describe('topicsmith doctor on real parts', () => {
  test('an installation that is well, exit 0, and nothing is changed anywhere', async () => {
    await userOf(admin).apply({ metadata: { namespace: 'default', name: 'orders' }, spec: {} });
    await broker.create('orders', 1);
    // one request and the first tick: until then the forwarder writes
    assert.ok(
      await until(async () => (await waiting('RECONCILE_QUEUE_URL')) + (await waiting('TICK_QUEUE_URL')) === 2, 30_000),
    );
    const before = await everything();
    const { code, troubles, of } = await doctor();
    assert.deepEqual([code, troubles], [0, []]);
    assert.match(of('API server'), /^ok: v1\.\d+\.\d+ at https:/);
    assert.equal(of('rights on topics'), 'ok: all that is needed, on 1 topic');
    assert.match(of('forwarder'), /^ok: ready; 1 objects/);
    assert.deepEqual(await everything(), before);
  });

  test('settings that cannot be read are named, and the rest is looked at', async () => {
    const { code, of } = await doctor({ APPROVAL_REQUIRED: 'nothing' });
    assert.equal(code, 1);
    assert.match(of('settings'), /^failed: APPROVAL_REQUIRED is "nothing": it has to be a comma list of /);
    assert.match(of('brokers'), /^ok/);
  });

  test('status shows the last tick and that the forwarder is ready', async () => {
    const { code, out } = await run(['status']);
    assert.equal(code, 0);
    assert.match(out, /^forwarder: ready; 0 names to send; last tick \d+[smh] ago$/m);
  });

  describe('at the API server', () => {
    test('somebody with rights in one namespace is told what they may not do and see', async () => {
      const everywhere = await doctor(kubeconfigOf('tenant-a'));
      assert.equal(everywhere.code, 1);
      assert.match(everywhere.of('your rights'), /^failed: tenant-a may not .*list.* kafkatopics in all namespaces$/);
      const here = await doctor({ ...kubeconfigOf('tenant-a'), WATCH_NAMESPACES: 'default' });
      assert.deepEqual(here.troubles, [
        'notChecked definition',
        'notChecked config rules',
        'notChecked rights of forwarder',
        'notChecked rights of resync',
        'notChecked rights of reconciler',
      ]);
      assert.equal(here.code, 0);
    });

    test('with the credentials of an identity it is asked itself', async () => {
      const { of } = await doctor({
        ...kubeconfigOf('tenant-a'),
        KUBECONFIG_RECONCILER: apiServer.kubeconfigs.reconciler,
        KUBECONFIG_RESYNC: apiServer.kubeconfigs.forwarder,
        KUBECONFIG_FORWARDER: apiServer.kubeconfigs.resync,
      });
      assert.equal(of('rights of reconciler'), 'ok: topicsmith-reconciler may do all that is needed');
      assert.equal(of('rights of resync'), 'ok: topicsmith-forwarder may do all that is needed');
      assert.equal(of('rights of forwarder'), 'failed: topicsmith-resync may not watch kafkatopics in all namespaces');
    });

    test('a role that nobody is bound to is missed, one that somebody else is bound to is judged for them', async () => {
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
      await admin.request('DELETE', `${path}/topicsmith-reconciler`);
      const gone = await doctor();
      assert.deepEqual(gone.troubles, ['failed rights of reconciler']);
      assert.match(gone.of('rights of reconciler'), /group topicsmith:reconciler may not get, list, patch kafkatopics/);
      const name = 'topicsmith-reconciler';
      const body = {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace: 'default' }],
      };
      await admin.request('POST', path, { body });
      const rebound = await doctor();
      assert.equal(rebound.of('rights of reconciler'), 'ok: service account default/worker may do all that is needed');
    });

    test('a server that nobody can reach, or with a certificate of somebody else, is named', async () => {
      const dead = kubeconfigWith(/server: .*/, 'server: https://127.0.0.1:1');
      const { of, code } = await doctor({ KUBECONFIG: dead });
      assert.equal(code, 1);
      assert.match(of('API server'), /^failed: The API server does not answer: .*ECONNREFUSED/);
      assert.equal(of('definition'), 'notChecked: needs: API server');
      assert.match(of('reconcile queue'), /^ok/);
      const stranger = kubeconfigWith(/certificate-authority-data: .*/, '');
      assert.match(
        (await doctor({ KUBECONFIG: stranger })).of('API server'),
        /^failed: The API server does not answer: TLS fails: .*CERT/,
      );
    });

    test('a clock that is an hour off is said', async () => {
      const clock = join(root, 'test', 'support', 'e2e', 'clock.cjs');
      const { of } = await doctor({ NODE_OPTIONS: `--require ${clock}`, CLOCK_SHIFT_MS: String(3_600_000) });
      for (const name of ['API server clock', 'queue clock'])
        assert.match(of(name), /^failed: the clock of the .* server is 3(599|600|601) s behind ours: AWS refuses/i);
    });
  });

  describe('at the queues', () => {
    test('a visibility timeout that is too short, and a dead-letter queue that is not the one', async () => {
      const deadLetters = await makeQueue(sqs);
      const set = (VisibilityTimeout: string) =>
        sqs.send(
          new SetQueueAttributesCommand({
            QueueUrl: exports.RECONCILE_QUEUE_URL ?? '',
            Attributes: { VisibilityTimeout },
          }),
        );
      await set('60');
      const short = await doctor({ TICK_DLQ_URL: deadLetters });
      assert.match(short.of('reconcile queue'), /^failed: VisibilityTimeout is 60: less than 180/);
      assert.match(
        short.of('tick queue'),
        /^failed: its dead letters go to .*:ticks-dlq\.fifo, and TICK_DLQ_URL names/,
      );
      assert.equal(short.code, 1);
      await set('180');
    });

    test('no dead-letter queue, no queue, no address', async () => {
      const { of, mend } = await doctor({
        RECONCILE_QUEUE_URL: await makeQueue(sqs),
        TICK_QUEUE_URL: `${exports.SQS_ENDPOINT}/000000000000/nowhere.fifo`,
        TICK_DLQ_URL: '',
      });
      assert.match(of('reconcile queue'), /^failed: .*it has no dead-letter queue/);
      assert.match(
        of('tick queue'),
        /^failed: The queue nowhere\.fifo refused the request: .*(NonExistent|DoesNotExist)/,
      );
      assert.equal(of('tick dead letters'), 'notChecked: TICK_DLQ_URL is not set');
      assert.match(mend('tick dead letters'), /ticks-dlq\.fifo/);
    });

    test('a server that nobody can reach', async () => {
      const url = 'http://127.0.0.1:1/000000000000/reconcile.fifo';
      const { of } = await doctor({ SQS_ENDPOINT: 'http://127.0.0.1:1', RECONCILE_QUEUE_URL: url });
      assert.equal(of('reconcile queue'), 'failed: The queue reconcile.fifo cannot be reached: ECONNREFUSED');
    });
  });

  describe('at the brokers', () => {
    test('K019: another cluster than KAFKA_CLUSTER_ID says', async () => {
      const { of, code } = await doctor({ KAFKA_CLUSTER_ID: 'AAAAAAAAAAAAAAAAAAAAAA' });
      assert.equal(code, 1);
      assert.equal(
        of('cluster id'),
        `failed: it is ${kafka.clusterId}, and KAFKA_CLUSTER_ID is AAAAAAAAAAAAAAAAAAAAAA: nothing is written (WrongCluster)`,
      );
    });

    test('a dead address beside a living one is a warning, alone it is a failure that hides nothing else', async () => {
      const dead = '127.0.0.1:1';
      const beside = await doctor({ KAFKA_BROKERS: `${dead},${kafka.product}` });
      assert.deepEqual(beside.troubles, ['warning brokers']);
      assert.match(beside.of('brokers'), /127\.0\.0\.1:1: Kafka cannot be reached: connection refused$/);
      const alone = await doctor({ KAFKA_BROKERS: dead });
      assert.match(alone.of('brokers'), /^failed: /);
      assert.equal(alone.of('cluster id'), 'notChecked: needs: brokers');
      assert.match(alone.of('forwarder'), /^ok/);
    });

    test('TLS to a port without it, and a login that is no login, are told apart from an outage', async () => {
      const tls = await doctor({ KAFKA_TLS: 'true' });
      assert.match(tls.of('brokers'), /^failed: .*TLS/);
      assert.match(tls.mend('brokers'), /KAFKA_TLS/);
      const unset = await doctor({ KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' });
      assert.equal(
        unset.of('brokers'),
        'failed: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE must be set for KAFKA_SASL_MECHANISM=SCRAM-SHA-512',
      );
    });

    test('a broker that takes connections and says nothing has failed, before doctor gives up on the check', async (t) => {
      const silent = createServer().listen(0, '127.0.0.1');
      const held = new Set<Socket>();
      silent.on('connection', (socket) => held.add(socket.on('error', () => {})));
      t.after(() => {
        silent.close();
        for (const socket of held) socket.destroy();
      });
      await once(silent, 'listening');
      const { port } = silent.address() as { port: number };
      const { of } = await doctor({ KAFKA_BROKERS: `127.0.0.1:${port}` });
      assert.match(
        of('brokers'),
        /^failed: 127\.0\.0\.1:\d+: Kafka (does not answer|cannot be reached: no connection in time)$/,
      );
      assert.ok(held.size > 0);
    });

    test('K012: brokers that create topics by themselves are one warning, exit 0, and are not made to by asking', async (t) => {
      await kafka.restart({ 'auto.create.topics.enable': 'true' });
      t.after(() => kafka.restart({}));
      await userOf(admin).apply({ metadata: { namespace: 'default', name: 'absent' }, spec: {} });
      t.after(() => admin.request('DELETE', topicsPath('default', 'absent')));
      const { code, troubles, of } = await doctor();
      assert.deepEqual([code, troubles], [0, ['warning broker configs']]);
      assert.match(of('broker configs'), /^warning: auto\.create\.topics\.enable is true at broker 1: /);
      assert.equal(
        of('rights on topics'),
        'ok: all that is needed, on 1 topic; 1 is not there yet, and may be created',
      );
      assert.deepEqual(await broker.topics(), ['orders']);
    });

    test('each right that is missing is named with the command that grants it', async () => {
      await broker.denyOnCluster('ALTER', productHost);
      await broker.denyOnCluster('DESCRIBE_CONFIGS', productHost);
      await broker.denyOnCluster('CREATE', productHost);
      await broker.deny('orders', 'ALTER_CONFIGS', productHost);
      const { of, mend, code } = await doctor();
      assert.equal(code, 1);
      assert.match(of('rights on the cluster'), /^warning: no right to Alter on the cluster: /);
      assert.match(of('broker configs'), /^notChecked: /);
      assert.equal(of('rights on topics'), 'failed: no right to AlterConfigs topic orders');
      assert.match(mend('rights on topics'), /^kafka-acls .*--operation AlterConfigs --topic orders$/);
      const others = await doctor({ WATCH_LABEL_SELECTOR: 'team=b' });
      assert.equal(others.of('rights on topics'), 'ok: no object names a topic yet');
      await userOf(admin).apply({ metadata: { namespace: 'default', name: 'new' }, spec: {} });
      await broker.deny('new', 'CREATE', productHost);
      assert.match((await doctor()).of('rights on topics'), /^failed: no right to Create topic new; /);
      assert.equal(await broker.exists('new'), false);
    });
  });

  test('a forwarder that is gone is missed by doctor and by status', async () => {
    await system.parts.get('forwarder')?.stop();
    const { of } = await doctor();
    assert.match(of('forwarder'), /^failed: the forwarder cannot be reached at http:.*: ECONNREFUSED$/);
    const { code, out } = await run(['status']);
    assert.equal(code, 1);
    assert.match(out, /^forwarder: the forwarder cannot be reached at /m);
    assert.equal((await doctor({ FORWARDER_URL: '' })).of('forwarder'), 'notChecked: FORWARDER_URL is not set');
  });

  test('a definition of another version is told by where it differs, and one that is gone by how to install it', async () => {
    const older = [{ op: 'replace', path: '/spec/versions/0/additionalPrinterColumns/0/name', value: 'Other' }];
    await admin.request('PATCH', definitionPath, { body: older, contentType: 'application/json-patch+json' });
    assert.match(
      (await doctor()).of('definition'),
      /^failed: .* is of another version than this program: it differs at spec\.versions\[0\]\.additionalPrinterColumns\[0\]\.name$/,
    );
    await admin.request('PATCH', definitionPath, { body: allowDeletion, contentType: 'application/merge-patch+json' });
    await admin.request('DELETE', definitionPath);
    assert.ok(await until(isDefinitionGone, 30_000));
    const { of, mend } = await doctor();
    assert.equal(of('definition'), 'failed: the API server has no kafkatopics.cache.example.com');
    assert.equal(mend('definition'), 'kubectl apply -f crds/');
    assert.match((await doctor(kubeconfigOf('tenant-b'))).of('definition'), /^failed: the API server has no /);
    assert.match(of('rights on topics'), /^notChecked: /);
    await applyFiles(admin, [join(root, 'crds', 'kafkatopic.yaml')]);
    assert.match((await doctor()).of('definition'), /^ok/);
  });
});

const allowDeletion = { metadata: { annotations: { 'cache.example.com/allow-deletion': 'true' } } };

async function isDefinitionGone(): Promise<boolean> {
  return admin.request('GET', definitionPath).then(
    () => false,
    (error) => error instanceof ApiError && error.code === 404,
  );
}
