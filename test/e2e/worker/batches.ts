import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { meanwhile } from '../../support/e2e/faults.ts';
import { withoutFinalizerPolicy } from '../../support/e2e/finalizer-policy.ts';
import { conditionOf } from '../../support/e2e/kubectl.ts';

export function batches(world: CrashWorld): void {
  const { user, admin, broker, kafka, kube } = world;

  test('K008, K151: of ten new objects in a batch two are bad: eight are Ready, only the broken one comes back', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `k008-${index}`);
    const [badKey, broken, ...good] = names as [string, string, ...string[]];
    for (const name of good) await user.apply(name, { numPartitions: 1 });
    await user.apply(badKey, { numPartitions: 1, config: { 'no.such.key': 1 } });
    await withoutFinalizerPolicy(admin, async () => {
      await user.apply(broken, { numPartitions: 1, deletionPolicy: 'Delete' });
    });
    const worker = world.worker();
    const isFinalizer = ({ method, url }: { method: string; url: string }) =>
      method === 'PATCH' && new URL(url, 'https://api').pathname.endsWith(`/${broken}`);
    const failing = {
      onRequest: (request: Parameters<typeof isFinalizer>[0]) => (isFinalizer(request) ? 'drop' : 'forward'),
    } as const;
    assert.deepEqual(await meanwhile(kube, failing, () => worker.deliver(names)), [broken]);
    const reasons = await Promise.all(names.map(async (name) => conditionOf(await user.get(name), 'Ready')?.reason));
    assert.deepEqual(reasons, ['InvalidConfig', 'InternalError', ...good.map(() => 'Synced')]);
    assert.deepEqual(await worker.deliver([broken]), []);
    assert.equal(conditionOf(await user.get(broken), 'Ready')?.reason, 'Synced');
  });

  test('K088: messages that are doubled or late, and one for an object that is gone, cost Kafka nothing', async () => {
    await user.apply('k088', { numPartitions: 1, deletionPolicy: 'Delete' });
    const worker = world.worker();
    await worker.deliver(['k088']);
    await user.delete('k088');
    assert.deepEqual(await worker.deliver(['k088', 'k088', 'k088']), []);
    assert.equal(await user.get('k088'), undefined);
    await broker.vanished('k088');
    const asked = kafka.requests.length;
    assert.deepEqual(await worker.deliver(['k088', 'never-was']), []);
    assert.equal(kafka.requests.length, asked);
  });

  test('K153, K124: the last receive says DeadLettered with the cause, the next success clears it', async () => {
    await user.apply('k153', { numPartitions: 1 });
    const worker = world.worker();
    const hangUp = () => {
      kafka.cutAll();
      return 'drop' as const;
    };
    await meanwhile(kafka, { onRequest: hangUp }, async () => {
      assert.deepEqual(await worker.deliver(['k153'], 19), ['k153']);
      assert.equal(conditionOf(await user.get('k153'), 'Ready')?.reason, 'BrokerUnavailable');
      assert.deepEqual(await worker.deliver(['k153'], 20), ['k153']);
    });
    const dead = await user.get('k153');
    const [ready, stalled] = [conditionOf(dead, 'Ready'), conditionOf(dead, 'Stalled')];
    assert.deepEqual([ready?.status, ready?.reason, stalled?.reason], ['False', 'DeadLettered', 'DeadLettered']);
    assert.match(ready?.message ?? '', /Kafka closed the connection/);
    assert.deepEqual(await worker.deliver(['k153']), []);
    assert.deepEqual(
      (await user.get('k153'))?.status?.conditions.map(({ type, reason }) => `${type} ${reason}`),
      ['Ready Synced'],
    );
  });

  test('K145: a message in the group of another topic does not use up the one beside it in the right group', async () => {
    await user.apply('k145', { topicName: 'k145-topic', numPartitions: 1 });
    const messages = [
      { name: 'k145', topic: 'another' },
      { name: 'k145', topic: 'k145-topic' },
    ];
    assert.deepEqual(await world.worker().deliver(messages), []);
    assert.equal(conditionOf(await user.get('k145'), 'Ready')?.reason, 'Synced');
  });

  test('K019: another cluster behind the addresses: no write, also for a deletion, and the finalizer stays', async () => {
    await user.apply('k019', { numPartitions: 1, deletionPolicy: 'Delete' });
    await world.worker().deliver(['k019']);
    const elsewhere = world.worker({ KAFKA_CLUSTER_ID: 'another-cluster' });
    const before = await broker.shape('k019');
    const isWrong = async () => {
      assert.deepEqual(await elsewhere.deliver(['k019', 'k019-new']), []);
      const reason = async (name: string) => conditionOf(await user.get(name), 'Ready')?.reason;
      assert.deepEqual([await reason('k019'), await reason('k019-new')], ['WrongCluster', 'WrongCluster']);
    };
    await user.apply('k019-new', { numPartitions: 1 });
    await user.apply('k019', { numPartitions: 2, deletionPolicy: 'Delete' });
    await isWrong();
    await user.delete('k019');
    await isWrong();
    assert.deepEqual((await user.get('k019'))?.metadata.finalizers, ['cache.example.com/topic']);
    assert.deepEqual(await broker.shape('k019'), before);
    assert.equal(await broker.exists('k019-new'), false);
  });
}
