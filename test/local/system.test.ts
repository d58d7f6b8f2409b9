/** The local system as tests and the demo use it: real parts, reached by their addresses, killed and started again. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ApiError, kubeClient } from '../../functions/adapters/kube/client.ts';
import { type Identity, identities } from '../../infra/local/apiserver.ts';
import { liveBrokers } from '../../infra/local/kafka.ts';
import { applyFiles } from '../../infra/local/manifests.ts';
import { until } from '../../infra/local/process.ts';
import { createQueues, localAws, queueRequest, readQueues } from '../../infra/local/queues.ts';
import { type System, startSystem } from '../../infra/local/system.ts';
import { temporary } from './support.ts';

const topics = '/apis/cache.example.com/v1alpha1/namespaces/default/kafkatopics';
const manifest = (name: string) => ({
  apiVersion: 'cache.example.com/v1alpha1',
  kind: 'KafkaTopic',
  metadata: { name },
  spec: { numPartitions: 1, replicationFactor: 1 },
});

type KafkaTopic = { status?: { conditions: { type: string; status: string }[] } };

describe('the local system', () => {
  const dir = temporary();
  let system: System;
  before(async () => {
    system = await startSystem({ dir: dir.path, brokers: 3, parts: ['apiserver', 'kafka', 'elasticmq'], env: {} });
  });
  after(async () => {
    await system?.stop();
    dir.remove();
  });

  const part = (name: string) => system.parts.get(name) ?? assert.fail(`there is no ${name}`);
  const server = () => system.apiServer ?? assert.fail('there is no API server');
  const client = (identity: Identity = 'admin') => kubeClient({ KUBECONFIG: server().kubeconfigs[identity] });

  test('serves KafkaTopics, and knows who asks', async () => {
    for (const [name, { user, group }] of Object.entries(identities)) {
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const answer = await client(name as Identity).request('POST', path, { body: review });
      const { userInfo } = (answer as { status: { userInfo: { username: string; groups: string[] } } }).status;
      assert.equal(userInfo.username, user);
      assert.ok(userInfo.groups.includes(group));
      assert.equal(statSync(server().kubeconfigs[name as Identity]).mode & 0o777, 0o600);
    }
    await assert.rejects(client('tenant-a').request('GET', '/api/v1/secrets'), { code: 403 });
  });

  test('writes every request to the audit log, with bodies for KafkaTopics', async () => {
    await client().request('POST', topics, { body: manifest('audited') });
    const events = readFileSync(server().auditLog, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const create = events.find(({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'audited');
    assert.equal(create?.requestObject.spec.numPartitions, 1);
  });

  test('comes back at its address with its objects after it was killed, and without the versions it was to forget', async () => {
    const kube = client();
    const version = async () => {
      const list = await kube.request('GET', topics, { query: { limit: 1 } });
      return (list as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
    };
    const before = await version();
    await kube.request('POST', topics, { body: manifest('kept') });
    await server().compact();
    const after = await version();
    await part('apiserver').kill();
    await part('apiserver').start();
    const at = (resourceVersion: string) =>
      kube.request('GET', topics, { query: { resourceVersion, resourceVersionMatch: 'Exact' } });
    // a server that has just started answers 429 until its caches are filled
    const isFilled = () =>
      at(after).then(
        () => true,
        (error) => (error instanceof ApiError && error.code === 429 ? false : Promise.reject(error)),
      );
    assert.ok(await until(isFilled, 15_000));
    const { items } = (await at(after)) as { items: { metadata: { name: string } }[] };
    assert.ok(items.some(({ metadata }) => metadata.name === 'kept'));
    await assert.rejects(at(before), (error) => error instanceof ApiError && error.code === 410);
  });

  test('applies manifests again without a change, and samples with their definition at once', async () => {
    const file = join(dir.path, 'sample.yaml');
    writeFileSync(file, `${JSON.stringify(manifest('applied'))}\n---\n${JSON.stringify(manifest('applied-too'))}\n`);
    assert.deepEqual(await applyFiles(client(), [file]), []);
    const version = async () =>
      ((await client().request('GET', `${topics}/applied`)) as { metadata: { resourceVersion: string } }).metadata
        .resourceVersion;
    const first = await version();
    await applyFiles(client(), [file]);
    assert.equal(await version(), first);
  });

  test('says which kinds an API server does not have', async () => {
    const file = join(dir.path, 'unknown.yaml');
    writeFileSync(file, 'apiVersion: policy.k8s.io/v9\nkind: FuturePolicy\nmetadata: {name: later}\n');
    assert.deepEqual(await applyFiles(client(), [file]), ['FuturePolicy']);
  });

  test('has three brokers, of which one can be lost and comes back', async () => {
    const brokers = system.exports.KAFKA_BROKERS ?? '';
    assert.equal(await liveBrokers(brokers), 3);
    await part('kafka-3').kill();
    assert.ok(await until(async () => (await liveBrokers(brokers)) === 2, 30_000));
    await part('kafka-3').start();
    assert.equal(await liveBrokers(brokers), 3);
  });

  test('has the queues of infra/queues.yml, made once', async () => {
    const sqs = new SQSClient({
      endpoint: system.exports.SQS_ENDPOINT ?? '',
      region: localAws.AWS_REGION,
      credentials: { accessKeyId: localAws.AWS_ACCESS_KEY_ID, secretAccessKey: localAws.AWS_SECRET_ACCESS_KEY },
    });
    const urls = await createQueues(system.exports.SQS_ENDPOINT ?? '');
    assert.equal(urls.RECONCILE_QUEUE_URL, system.exports.RECONCILE_QUEUE_URL);
    const command = new GetQueueAttributesCommand({ QueueUrl: urls.RECONCILE_QUEUE_URL, AttributeNames: ['All'] });
    const { Attributes } = await sqs.send(command);
    const want = queueRequest('ReconcileQueue', readQueues()).Attributes;
    assert.equal(Attributes?.VisibilityTimeout, want.VisibilityTimeout);
    assert.deepEqual(JSON.parse(Attributes?.RedrivePolicy ?? ''), JSON.parse(want.RedrivePolicy ?? ''));
    sqs.destroy();
  });

  test('loses the messages but not the queues of an ElasticMQ that is killed and started again', async () => {
    await part('elasticmq').kill();
    await part('elasticmq').start();
    assert.deepEqual(
      await createQueues(system.exports.SQS_ENDPOINT ?? ''),
      Object.fromEntries(Object.entries(system.exports).filter(([name]) => name.endsWith('_URL'))),
    );
  });

  test('runs our own parts alone on an API server, brokers and queues from outside', async (t) => {
    const { TOPICSMITH_LOCAL, ...env } = { ...process.env, ...system.exports };
    const other = temporary();
    const ours = await startSystem({ dir: other.path, env });
    t.after(async () => {
      await ours.stop();
      other.remove();
    });
    assert.deepEqual([...ours.parts.keys()], ['forwarder', 'runner']);
    await client().request('POST', topics, { body: manifest('from-outside') });
    const isReady = async () => {
      const { status } = (await client().request('GET', `${topics}/from-outside`)) as KafkaTopic;
      return status?.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    };
    assert.ok(await until(isReady, 60_000));
  });

  test('counts no deliberate end as a crash', async () => {
    assert.equal(await Promise.race([system.crashed, 'no crash']), 'no crash');
  });
});
