import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldUp, meanwhile } from '../support/e2e/faults.ts';
import { withoutFinalizerPolicy } from '../support/e2e/finalizer-policy.ts';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

export function creation(world: World): void {
  const { a, admin, broker, clusterId, kafka, queues, requests } = world;

  test('K001: the simplest manifest makes the topic, and the status says what the broker says', async () => {
    await a.apply('my-topic', { numPartitions: 5, replicationFactor: 1 });
    const { metadata, status } = await a.ready('my-topic');
    const { id, partitions, replicas } = await broker.shape('my-topic');
    assert.deepEqual({ partitions, replicas }, { partitions: 5, replicas: [1, 1, 1, 1, 1] });
    const { conditions, ...said } = status ?? {};
    assert.deepEqual(said, {
      observedGeneration: metadata.generation,
      topicName: 'my-topic',
      topicId: id,
      clusterId,
      origin: 'Created',
      numPartitions: 5,
      replicationFactor: 1,
    });
    assert.deepEqual(
      conditions?.map(({ type, status }) => `${type}=${status}`),
      ['Ready=True'],
    );
  });

  test('K001: one config key beside the counts', async () => {
    await a.apply('k001', { numPartitions: 3, replicationFactor: 1, config: { 'segment.ms': 3600000 } });
    const { status, metadata } = await a.ready('k001');
    const { partitions, overrides } = await broker.shape('k001');
    assert.deepEqual([partitions, overrides], [3, { 'segment.ms': '3600000' }]);
    assert.equal(status?.observedGeneration, metadata.generation);
  });

  test('K047: config values of every type reach the broker as text', async () => {
    const config = {
      'cleanup.policy': ['compact', 'delete'],
      'min.cleanable.dirty.ratio': 0.25,
      preallocate: true,
      'retention.ms': 86400000,
      'segment.bytes': '1048576',
    };
    await a.apply('k047', { numPartitions: 1, config });
    const { status } = await a.ready('k047');
    const { overrides } = await broker.shape('k047');
    assert.deepEqual(overrides, {
      'cleanup.policy': 'compact,delete',
      'min.cleanable.dirty.ratio': '0.25',
      preallocate: 'true',
      'retention.ms': '86400000',
      'segment.bytes': '1048576',
    });
    assert.deepEqual(status?.config, overrides);
  });

  test("K002, K003: fields that are left out take the broker's defaults and stay unmanaged", async () => {
    const specs = {
      'k002-nothing': {},
      'k002-partitions': { numPartitions: 2 },
      'k002-replicas': { replicationFactor: 1 },
      'k002-config': { config: { 'segment.ms': 3600000 } },
    };
    for (const [name, spec] of Object.entries(specs)) await a.apply(name, spec);
    const partitions = [];
    for (const name of Object.keys(specs)) {
      await a.ready(name);
      partitions.push((await broker.shape(name)).partitions);
    }
    assert.deepEqual(partitions, [1, 2, 1, 1]);
    await broker.grow('k002-nothing', 3);
    await leavesAlone(world, ['k002-nothing'], async () => {
      for (let tick = 0; tick < 3; tick++) await queues.tick();
    });
    await a.apply('k002-nothing', { config: { 'segment.ms': 3600000 } });
    await a.ready('k002-nothing');
    assert.equal((await broker.shape('k002-nothing')).partitions, 3);
    assert.equal((await a.ready('k002-nothing')).status?.numPartitions, 3);
    assert.doesNotMatch(JSON.stringify((await a.get('k002-nothing'))?.status), /[:"]-1\b/);
  });

  test('K014, K016: a topic that is as specified is taken over without a write, foreign overrides included', async () => {
    const id = await broker.create('k014', 3, { 'retention.ms': '86400000', 'segment.ms': '3600000' });
    await leavesAlone(world, ['k014'], async () => {
      await a.apply('k014', { numPartitions: 3, config: { 'retention.ms': 86400000 } });
      const { status } = await a.ready('k014');
      assert.deepEqual([status?.topicId, status?.origin], [id, 'Adopted']);
      assert.deepEqual(status?.config, { 'retention.ms': '86400000' });
    });
    await isSettled(world, a, 'k014');
  });

  test('K015: a topic that differs is left as it is until somebody approves', async () => {
    await broker.create('k015', 3, { 'retention.ms': '86400000' });
    const before = await broker.shape('k015');
    await leavesAlone(world, ['k015'], async () => {
      await a.apply('k015', { numPartitions: 6, config: { 'retention.ms': 3600000 } });
      const object = await a.says('k015', 'ApprovalRequired');
      assert.equal(conditionOf(object, 'Ready')?.status, 'False');
      assert.equal(conditionOf(object, 'Stalled')?.reason, 'ApprovalRequired');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /grow from 3 to 6 partitions/);
      assert.equal(object.status?.topicId, undefined);
    });
    await isSettled(world, a, 'k015');
    assert.deepEqual(await broker.shape('k015'), before);
  });

  test('K017: a topic with more partitions than wanted says so, and is not touched', async () => {
    await broker.create('k017', 4);
    await a.apply('k017', { numPartitions: 2 });
    const object = await a.says('k017', 'PartitionsCannotShrink');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /\b4\b.*\b2\b/);
    assert.equal((await broker.shape('k017')).partitions, 4);
  });

  test('K016: what others have set is a difference to an Exact object, and is not touched', async () => {
    const overrides = { 'retention.ms': '86400000', 'segment.ms': '3600000' };
    await broker.create('k016', 1, overrides);
    await leavesAlone(world, ['k016'], async () => {
      await a.apply('k016', { numPartitions: 1, configMode: 'Exact', config: { 'retention.ms': 86400000 } });
      const object = await a.says('k016', 'ApprovalRequired');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /segment\.ms/);
      await queues.tick();
    });
    assert.deepEqual((await broker.shape('k016')).overrides, overrides);
  });

  test('K172: a creation costs the API server one read, one write of the status, and an Event', async () => {
    await a.apply('k172', { numPartitions: 1 });
    await a.ready('k172');
    await isSettled(world, a, 'k172');
    assert.deepEqual(await requests(a.namespace, 'k172'), ['get', 'patch status', 'create']);
  });

  test('K172: an edit costs the API server the same, a deletion two lists more', async () => {
    const calls = async (name: string, during: () => Promise<void>) => {
      await queues.drained();
      const before = (await requests(a.namespace, name)).length;
      await during();
      await queues.drained();
      return (await requests(a.namespace, name)).slice(before);
    };
    await a.apply('k172-edit', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.ready('k172-edit');
    const edit = await calls('k172-edit', async () => {
      await a.apply('k172-edit', { numPartitions: 2, deletionPolicy: 'Delete' });
      await a.ready('k172-edit');
    });
    assert.deepEqual(edit, ['get', 'patch status', 'create']);
    const deletion = await calls('k172-edit', async () => {
      await a.delete('k172-edit');
      await a.gone('k172-edit');
    });
    assert.deepEqual(deletion, ['get', 'list', 'list', 'patch', 'create']);
  });

  /** @returns the finalizers that are stored when the request that makes the topic arrives */
  async function finalizersAtCreation(name: string): Promise<readonly string[] | undefined> {
    const request = heldUp({ apiKey: apiKeys.createTopics, topic: name });
    return meanwhile(kafka, request.hooks, async () => {
      await a.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      await request.arrived;
      const stored = await a.get(name);
      request.letThrough();
      await a.ready(name);
      return stored?.metadata.finalizers;
    });
  }

  test('K004, K172: with Delete the finalizer is stored before the topic is made, by the API server itself', async () => {
    assert.deepEqual(await finalizersAtCreation('k004'), ['cache.example.com/topic']);
    assert.deepEqual(await requests(a.namespace, 'k004'), ['get', 'patch status', 'create']);
  });

  test('K004, K172: where the API server has no policy for it, by the function', async () => {
    await withoutFinalizerPolicy(admin, async () => {
      assert.deepEqual(await finalizersAtCreation('k004-alone'), ['cache.example.com/topic']);
    });
    assert.deepEqual(await requests(a.namespace, 'k004-alone'), ['get', 'patch', 'patch status', 'create']);
  });

  test('K133: kubectl get shows topic, live counts and the verdict', async () => {
    const rows = await a.table();
    const row = rows.find((cells) => cells.get('Name') === 'k002-nothing') ?? new Map();
    const { Age: _, ...shown } = Object.fromEntries(row);
    assert.deepEqual(shown, {
      Name: 'k002-nothing',
      Topic: 'k002-nothing',
      Partitions: 3,
      Replicas: 1,
      Ready: 'True',
      Reason: 'Synced',
      Mode: 'Enforce',
      Deletion: 'Retain',
      Message: 'the topic is as specified',
    });
  });

  test('K135: a new value of the annotation asks for a look, and is echoed', async () => {
    await a.apply('k135', { numPartitions: 1 });
    await a.ready('k135');
    const at = '2026-01-01T00:00:00Z';
    await a.apply('k135', { numPartitions: 1 }, { 'cache.example.com/reconcile-requested-at': at });
    const { metadata } = await a.holds('k135', ({ status }) => status?.lastHandledReconcileAt === at);
    assert.equal(metadata.generation, 1);
    await isSettled(world, a, 'k135');
  });
}
