/** The whole system on brokers that deny it single rights, come and go, and at last forbid deletion; in two namespaces. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, keepsStatus, leavesAlone } from '../support/e2e/quiet.ts';
import { productHost, type StrictKafka, strictKafka } from '../support/e2e/strict-kafka.ts';
import { startWorld } from '../support/e2e/world.ts';
import { eventually } from '../support/kafka/eventually.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

let cluster: StrictKafka | undefined;
const world = await startWorld(
  async (dir) => {
    cluster = await strictKafka(dir);
    return cluster;
  },
  { WATCH_NAMESPACES: 'of-tenant-a,of-tenant-b' },
);
after(() => world.stop());
const { a, b, admin, broker, kafka, queues } = world;
const kafkaCluster = cluster as StrictKafka;

// else the right on the cluster would do
for (const operation of ['CREATE', 'DELETE'] as const) await broker.denyOnCluster(operation, productHost);

const one = { numPartitions: 1 };
const deny = (topic: string, operation: Parameters<typeof broker.deny>[1]) =>
  broker.deny(topic, operation, productHost);
const messageOf = (object: Parameters<typeof conditionOf>[0]) => conditionOf(object, 'Ready')?.message ?? '';
const creationsOf = (topic: string) =>
  kafka.requests.filter(({ apiKey, body }) => apiKey === apiKeys.createTopics && body.includes(topic)).length;

test('K013: who may create but not read configs is bound, told the missing right, and creates nothing twice', async () => {
  await deny('k013', 'DESCRIBE_CONFIGS');
  await a.apply('k013', { ...one, config: { 'segment.ms': 3600000 } });
  const object = await a.says('k013', 'NotAuthorized');
  assert.equal(object.status?.topicId, await broker.id('k013'));
  assert.match(messageOf(object), /DescribeConfigs/);
  await queues.tick();
  await a.says('k013', 'NotAuthorized');
  assert.equal(creationsOf('k013'), 1);
  await broker.allow('k013');
  await queues.tick();
  await a.ready('k013');
});

test('K018, K176: a topic that may not be described is not taken for absent, and neighbours are looked after', async () => {
  await broker.create('k018', 1);
  await deny('k018', 'DESCRIBE');
  await a.apply('neighbour', { ...one, config: { 'segment.ms': 3600000 } });
  await a.ready('neighbour');
  await a.apply('k018', { numPartitions: 4 });
  await a.says('k018', 'NotAuthorized');
  assert.equal(creationsOf('k018'), 0);
  await broker.setConfig('neighbour', { 'segment.ms': '60000' });
  await queues.tick();
  assert.deepEqual((await broker.shape('neighbour')).overrides, { 'segment.ms': '3600000' });
  await isSettled(world, a, 'k018', 'neighbour');
});

const denials = [
  {
    operation: 'ALTER',
    names: /Alter on topic k027-alter is needed/,
    partitions: 1,
    overrides: { 'segment.ms': '3600000' },
  },
  {
    operation: 'ALTER_CONFIGS',
    names: /AlterConfigs on topic k027-alter-configs is needed/,
    partitions: 2,
    overrides: {},
  },
] as const;
for (const { operation, names, partitions, overrides } of denials)
  test(`K027: without the right to ${operation} the rest of the edit is done, and the right is named`, async () => {
    const name = `k027-${operation.toLowerCase().replace('_', '-')}`;
    await a.apply(name, one);
    await a.ready(name);
    await deny(name, operation);
    await a.apply(name, { numPartitions: 2, config: { 'segment.ms': 3600000 } });
    assert.match(messageOf(await a.says(name, 'NotAuthorized')), names);
    await queues.drained();
    const shape = await broker.shape(name);
    assert.deepEqual([shape.partitions, shape.overrides], [partitions, overrides]);
    await broker.allow(name);
    await queues.tick();
    await a.ready(name);
  });

test('K027: without the right to create there is no topic, the right is named, and neighbours are made', async () => {
  await deny('k027-create', 'CREATE');
  await a.apply('k027-create', one);
  await a.apply('k027-neighbour', one);
  assert.match(messageOf(await a.says('k027-create', 'NotAuthorized')), /Create on topic k027-create is needed/);
  await a.ready('k027-neighbour');
  await queues.drained();
  assert.equal(creationsOf('k027-create'), 1);
  assert.equal(await broker.exists('k027-create'), false);
  await broker.allow('k027-create');
  await queues.tick();
  await a.ready('k027-create');
});

test('K081: who may not delete keeps the object, and says so, until the right is there', async () => {
  for (const operation of ['DELETE', 'DESCRIBE'] as const) {
    const name = `k081-${operation.toLowerCase()}`;
    await a.apply(name, { ...one, deletionPolicy: 'Delete' });
    await a.ready(name);
    await deny(name, operation);
    await a.delete(name);
    const object = await a.holds(name, (seen) => conditionOf(seen, 'Stalled')?.reason === 'NotAuthorized');
    assert.deepEqual(object.metadata.finalizers, ['cache.example.com/topic']);
    await queues.tick();
    assert.equal(await broker.exists(name), true);
    await broker.allow(name);
    await queues.tick();
    await a.gone(name);
    await broker.vanished(name);
  }
});

test('K139: of three namespaces two are watched, and nothing is asked about the third', async () => {
  const c = admin.in('default');
  await Promise.all([a, b, c].map((user, at) => user.apply('k139', { topicName: `k139-${at}`, ...one })));
  await Promise.all([a.ready('k139'), b.ready('k139')]);
  await queues.tick();
  assert.equal((await c.get('k139'))?.status, undefined);
  assert.equal(await broker.exists('k139-2'), false);
  const namespaces = new Set((await world.apiCalls()).map(({ namespace }) => namespace));
  assert.deepEqual([...namespaces].toSorted(), ['of-tenant-a', 'of-tenant-b']);
  c.close();
});

test('K140: neither a forged message nor annotations that name other places are followed', async () => {
  const before = (await world.apiCalls()).length;
  const annotations = {
    'cache.example.com/namespace': 'default',
    secret: 'kube-system/admin',
    cluster: 'another:9092',
  };
  await a.apply('k140', one, annotations);
  await a.ready('k140');
  const message = { v: 1, namespace: 'default', name: 'k139', trigger: 'manual', id: '1' };
  await leavesAlone(world, ['k139-2'], () => queues.request(JSON.stringify(message)));
  await queues.drained();
  // the timer may have everything listed meanwhile, as it does every few minutes
  const calls = (await world.apiCalls()).slice(before).filter(({ who }) => who !== 'topicsmith-resync');
  assert.deepEqual(
    calls.filter(({ namespace, name }) => namespace !== a.namespace || !name.startsWith('k140')),
    [],
  );
  assert.ok(calls.length > 0);
});

test('K009: more replicas than brokers are refused, and made at a tick once another broker has joined', async () => {
  await a.apply('k009', { ...one, replicationFactor: 2 });
  const object = await a.says('k009', 'InvalidReplicationFactor');
  assert.equal(conditionOf(object, 'Stalled')?.status, 'True');
  assert.equal(await broker.exists('k009'), false);
  await kafkaCluster.addBroker();
  await broker.has(2);
  await queues.tick();
  await a.ready('k009');
  assert.deepEqual((await broker.shape('k009')).replicas, [2]);
});

test('K010: with one of the registered brokers down a topic with as many replicas is made all the same', async () => {
  await kafkaCluster.removeBroker();
  await broker.has(1);
  await a.apply('k010', { ...one, replicationFactor: 2 });
  await a.ready('k010');
  assert.deepEqual((await broker.shape('k010')).replicas, [2]);
  await kafkaCluster.addBroker();
  await broker.has(2);
});

test('K176, K110: a topic without a leader holds up nobody, and what may remove its records waits', async () => {
  await broker.createOn('k176', [2]);
  await broker.createOn('k176-neighbour', [1]);
  for (const name of ['k176', 'k176-neighbour']) {
    await a.apply(name, one);
    await a.ready(name);
  }
  await kafkaCluster.removeBroker();
  await broker.loses('k176');
  await a.apply('k176', { ...one, config: { 'retention.ms': 86400000 } });
  await a.apply('k176-neighbour', { numPartitions: 2, config: { 'segment.ms': 3600000 } });
  await a.says('k176', 'ApprovalRequired');
  const { status } = await a.ready('k176-neighbour');
  assert.deepEqual([status?.numPartitions, status?.config], [2, { 'segment.ms': '3600000' }]);
  await queues.tick();
  await kafkaCluster.addBroker();
  await broker.has(2);
  const { partitions, overrides } = await broker.shape('k176-neighbour');
  assert.deepEqual([partitions, overrides], [2, { 'segment.ms': '3600000' }]);
});

// behind the tests without the second broker: a partition of this topic may be there, and kafkajs fails without its leader
test('K043: without the right to move replicas the rest of the edit is done, and the right is named', async () => {
  await broker.denyOnCluster('ALTER', productHost);
  await broker.createOn('k043', [1]);
  await a.apply('k043', { ...one, replicationFactor: 1 });
  await a.ready('k043');
  await a.apply('k043', { numPartitions: 2, replicationFactor: 2, config: { 'segment.ms': 3600000 } });
  assert.match(messageOf(await a.says('k043', 'NotAuthorized')), /Alter on the cluster/);
  await queues.drained();
  const { partitions, replicas, overrides } = await broker.shape('k043');
  assert.deepEqual([partitions, replicas, overrides], [2, [1, 1], { 'segment.ms': '3600000' }]);
  await keepsStatus(world, a, 'k043');
  await a.apply('k043', { numPartitions: 2, replicationFactor: 1 });
  assert.equal((await a.ready('k043')).status?.reassignment, undefined);
});

test('K175: with a quota of two changes a second fifty objects are Ready at last, and config edits meanwhile', async () => {
  await a.apply('k175-edited', one);
  await a.ready('k175-edited');
  await kafkaCluster.limitMutations(2);
  const names = Array.from({ length: 50 }, (_, index) => `k175-${index}`);
  await Promise.all(names.map((name) => a.apply(name, one)));
  const throttled = async () =>
    (await a.list()).filter((object) => conditionOf(object, 'Ready')?.reason === 'Throttled').length;
  await eventually(async () => assert.ok((await throttled()) > 0), 30_000);
  await a.apply('k175-edited', { ...one, config: { 'segment.ms': 3600000 } });
  await a.ready('k175-edited');
  assert.ok((await throttled()) > 0, 'the edit did not wait for the others');
  for (const name of names) await a.ready(name);
  await kafkaCluster.limitMutations(null);
});

test('K177: after the broker was restarted the next pass goes on over a new connection, and nobody is marked failed', async () => {
  await a.apply('k177', one);
  await a.ready('k177');
  await queues.drained();
  await kafkaCluster.restart({});
  const before = (await world.requests(a.namespace, 'k177')).length;
  await a.apply('k177', { numPartitions: 2 });
  await a.ready('k177');
  await queues.drained();
  assert.deepEqual((await world.requests(a.namespace, 'k177')).slice(before), ['get', 'patch status', 'create']);
});

test('K079, K080: brokers that forbid deletion: said with a way out, and Retain frees the object', async () => {
  for (const name of ['k079', 'k079-gone']) {
    await a.apply(name, { ...one, deletionPolicy: 'Delete' });
    await a.ready(name);
  }
  await broker.delete('k079-gone');
  await queues.drained();
  await kafkaCluster.restart({ 'delete.topic.enable': 'false' });
  await Promise.all([a.delete('k079'), a.delete('k079-gone')]);
  await a.gone('k079-gone');
  const object = await a.holds('k079', (seen) => conditionOf(seen, 'Stalled')?.reason === 'DeletionDisabled');
  assert.match(messageOf(object), /deletionPolicy: Retain/);
  await queues.tick();
  assert.equal(await broker.exists('k079'), true);
  await a.apply('k079', { ...one, deletionPolicy: 'Retain' });
  await a.gone('k079');
  assert.equal(await broker.exists('k079'), true);
});
