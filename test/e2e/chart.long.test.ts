/**
 * The chart from its installation to its end: Helm, the real API server and a real broker, and a process for each
 * container, started from what the pods' specs say. The tests follow each other as the life of a release does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { grants } from '../../infra/generate/rbac.ts';
import { readQueues } from '../../infra/local/queues.ts';
import { chart, namespace, succeeds, withoutAws } from '../support/cluster/helm.ts';
import { type Cluster, startCluster } from '../support/cluster/world.ts';
import { eventually } from '../support/kafka/eventually.ts';
import { testClient } from '../support/sqs/real-queues.ts';

/** The chart as it was released before this one. */
const previous = join(import.meta.dirname, '..', 'infra', 'topicsmith-0.1.0.tgz');
const [queues, ...others] = ['elasticmq', 'reconciler', 'resync', 'forwarder'].map((name) => `topicsmith-${name}`);
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkatopics.cache.example.com';
const certificate = `/api/v1/namespaces/${namespace}/secrets/topicsmith-elasticmq-tls`;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster.stop());

/** What Deployment controller and kubelet do: the queue server first, the others at the same time. */
async function rollOut(): Promise<void> {
  await cluster.kubelet.deploy(namespace, queues as string);
  await Promise.all(others.map((name) => cluster.kubelet.deploy(namespace, name)));
}

const uninstall = (...args: string[]) => {
  const { helm, kubelet } = cluster;
  const running = helm(['uninstall', 'topicsmith', '--namespace', namespace, '--timeout', '60s', ...args]);
  return kubelet.runJobsDuring(namespace, running);
};

describe('a cluster without AWS', () => {
  test('an installed chart brings a topic to Ready', async () => {
    const { helm, admin, brokers, broker } = cluster;
    await succeeds(helm(['install', 'topicsmith', previous, '--namespace', namespace], withoutAws(brokers)));
    await rollOut();
    await admin.apply('orders', { numPartitions: 3, deletionPolicy: 'Delete' });
    await admin.ready('orders');
    assert.equal((await broker.shape('orders')).partitions, 3);
  });

  test('its queue server has the queues of infra/queues.yml', async () => {
    // its own port, which nobody can reach from outside its pod
    const endpoint = `http://${cluster.kubelet.address('topicsmith-elasticmq')}:9325`;
    const sqs = testClient(endpoint);
    for (const { Properties } of Object.values(readQueues())) {
      const { QueueName, FifoQueue, VisibilityTimeout = 30, ContentBasedDeduplication, RedrivePolicy } = Properties;
      const has = await attributesOf(sqs, `${endpoint}/000000000000/${QueueName}`);
      assert.deepEqual(
        [has.FifoQueue, has.VisibilityTimeout, has.ContentBasedDeduplication, JSON.parse(has.RedrivePolicy ?? '{}')],
        [
          String(FifoQueue),
          String(VisibilityTimeout),
          String(ContentBasedDeduplication),
          RedrivePolicy === undefined ? {} : redriveOf(RedrivePolicy as Redrive),
        ],
      );
    }
    sqs.destroy();
  });

  test('an upgrade keeps objects, their statuses, topics, and the certificate of the queue server', async () => {
    const { helm, admin, brokers, broker } = cluster;
    const [object, topic, secret] = [await admin.get('orders'), await broker.id('orders'), await dataAt(certificate)];
    await succeeds(helm(['upgrade', 'topicsmith', chart, '--namespace', namespace], withoutAws(brokers)));
    await rollOut();
    const { metadata } = (await admin.call('GET', definition)) as { metadata: { labels: Record<string, string> } };
    assert.match(metadata.labels['helm.sh/chart'] ?? '', /^topicsmith-(?!0\.1\.0)/); // it is upgraded too
    await admin.apply('payments', { numPartitions: 1 });
    await admin.ready('payments'); // who was started anew has seen everything by now
    assert.deepEqual(await admin.get('orders'), object);
    assert.equal(await broker.id('orders'), topic);
    assert.deepEqual(await dataAt(certificate), secret);
  });

  test('an edit that waits in the queue outlives the queue server, and whoever sent it', async () => {
    const { admin, kubelet } = cluster;
    await Promise.all(['topicsmith-reconciler', 'topicsmith-resync'].map((name) => kubelet.stop(name)));
    const before = await sent();
    await admin.apply('payments', { numPartitions: 2 });
    await eventually(async () => assert.ok((await sent()) > before), 20_000);
    await kubelet.stop('topicsmith-forwarder');
    await kubelet.deploy(namespace, queues as string);
    await kubelet.deploy(namespace, 'topicsmith-reconciler');
    await admin.ready('payments');
    await Promise.all(['topicsmith-resync', 'topicsmith-forwarder'].map((name) => kubelet.deploy(namespace, name)));
  });

  test('its service accounts have asked the API server for what their roles allow, and nothing else', async () => {
    const allowed = Object.entries(grants).flatMap(([who, rules]) =>
      rules.flatMap(({ resources, verbs }) => resources.flatMap((of) => verbs.map((verb) => `${who} ${verb} ${of}`))),
    );
    const asked = requestsOfAccounts();
    assert.deepEqual(
      [...asked].filter((request) => !allowed.includes(request)),
      [],
    );
    for (const request of [
      'forwarder watch kafkatopics',
      'resync list kafkatopics',
      'reconciler patch kafkatopics/status',
    ])
      assert.ok(asked.has(request), request);
  });

  test('helm uninstall is refused while an object holds its topic, and its check says the way out', async () => {
    const { admin, kubelet } = cluster;
    const { code, err } = await uninstall();
    assert.equal(code, 1, err);
    const said = readFileSync(kubelet.log('topicsmith-uninstall-check', 'check'), 'utf8');
    assert.match(said, /^1 KafkaTopic has deletionPolicy Delete/);
    assert.match(
      said,
      /kubectl patch kafkatopics -n default orders --type=merge -p '{"spec":{"deletionPolicy":"Retain"}}'/,
    );
    await admin.apply('still', { numPartitions: 1 });
    await admin.ready('still'); // it goes on
  });

  test('after the way out it goes; definition, objects and topics stay', async () => {
    const { admin, broker } = cluster;
    await admin.patch('orders', { spec: { deletionPolicy: 'Retain' } });
    await admin.holds('orders', ({ metadata }) => metadata.finalizers === undefined);
    const { code, err } = await uninstall();
    assert.equal(code, 0, err);
    await assert.rejects(admin.call('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/topicsmith-forwarder`));
    assert.deepEqual(
      (await admin.list()).map(({ metadata }) => metadata.name),
      ['orders', 'payments', 'still'],
    );
    for (const topic of ['orders', 'payments', 'still']) assert.ok(await broker.exists(topic));
  });

  test('it can be installed again over what stayed', async () => {
    const { helm, admin, brokers } = cluster;
    const object = await admin.get('orders');
    await succeeds(helm(['install', 'topicsmith', chart, '--namespace', namespace], withoutAws(brokers)));
    await rollOut();
    await admin.apply('payments', { numPartitions: 3 });
    await admin.ready('payments');
    assert.deepEqual(await admin.get('orders'), object);
  });

  test('who knows better leaves out the check: --no-hooks', async () => {
    const { admin } = cluster;
    await admin.apply('ledger', { deletionPolicy: 'Delete' });
    await admin.holds('ledger', ({ metadata }) => metadata.finalizers !== undefined);
    assert.equal((await uninstall('--no-hooks')).code, 0);
    assert.ok(await admin.get('ledger'));
  });
});

const dataAt = async (path: string): Promise<unknown> =>
  ((await cluster.admin.call('GET', path)) as { data: unknown }).data;

async function attributesOf(sqs: SQSClient, url: string): Promise<Record<string, string>> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  return (await sqs.send(command)).Attributes ?? {};
}

type Redrive = { deadLetterTargetArn: { 'Fn::GetAtt': [string, string] }; maxReceiveCount: number };

const redriveOf = ({ deadLetterTargetArn, maxReceiveCount }: Redrive) => ({
  deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${readQueues()[deadLetterTargetArn['Fn::GetAtt'][0]]?.Properties.QueueName}`,
  maxReceiveCount,
});

/** Requests that the queue has taken from the forwarder. */
async function sent(): Promise<number> {
  const page = await fetch(`http://${cluster.kubelet.address('topicsmith-forwarder')}:8080/metrics`);
  return Number(/^topicsmith_forwarder_messages_sent_total (\d+)/m.exec(await page.text())?.[1]);
}

/** `identity verb resource`, of all service accounts of the release. */
function requestsOfAccounts(): Set<string> {
  const accounts = `system:serviceaccount:${namespace}:topicsmith-`;
  const events = readFileSync(cluster.auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes(accounts));
  const found = events.map((line) => JSON.parse(line)).filter(({ user }) => user.username.startsWith(accounts));
  return new Set(
    found.map(
      ({ user, verb, objectRef }) =>
        `${user.username.slice(accounts.length)} ${verb} ${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')}`,
    ),
  );
}
