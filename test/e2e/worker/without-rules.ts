import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRules } from '../../support/e2e/admission.ts';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { conditionOf } from '../../support/e2e/kubectl.ts';
import { apiKeys } from '../../support/kafka/proxy.ts';

export function withoutRulesAtAll(world: CrashWorld): void {
  const { user, admin, broker, kafka } = world;

  const ready = async (name: string) => conditionOf(await user.get(name), 'Ready');
  const creations = () => kafka.requests.filter(({ apiKey }) => apiKey === apiKeys.createTopics).length;

  test('K068: an illegal topic name that was stored all the same is refused without asking Kafka', () =>
    withoutRules(admin, async () => {
      await user.apply('k068', { topicName: 'a b', numPartitions: 1 });
      const before = creations();
      await world.worker().deliver([{ name: 'k068', topic: 'a b' }]);
      assert.equal((await ready('k068'))?.reason, 'InvalidTopicName');
      assert.equal(creations(), before);
    }));

  test('K070: a rename that was stored all the same changes nothing, can be reverted, and holds up no deletion', () =>
    withoutRules(admin, async () => {
      const spec = (topicName: string) => ({ topicName, numPartitions: 1, deletionPolicy: 'Delete' });
      const about = (topic: string) => [{ name: 'k070', topic }];
      const worker = world.worker();
      await broker.create('k070-other', 1);
      await user.apply('k070', spec('k070-own'));
      await worker.deliver(about('k070-own'));
      const shapes = async () => [await broker.shape('k070-own'), await broker.shape('k070-other')];
      const before = await shapes();
      await user.apply('k070', spec('k070-other'));
      await worker.deliver(about('k070-other'));
      const renamed = await user.get('k070');
      assert.equal(conditionOf(renamed, 'Ready')?.reason, 'InvalidSpec');
      assert.equal(renamed?.status?.topicName, 'k070-own');
      assert.deepEqual(await shapes(), before);
      await user.apply('k070', spec('k070-own'));
      await worker.deliver(about('k070-own'));
      assert.equal((await ready('k070'))?.reason, 'Synced');
      await user.apply('k070', spec('k070-other'));
      await user.delete('k070');
      assert.deepEqual(await worker.deliver(about('k070-other')), []);
      assert.equal(await user.get('k070'), undefined);
      await broker.vanished('k070-own');
      assert.deepEqual(await broker.shape('k070-other'), before[1]);
    }));

  test('K166: an object as a config value, stored under an older schema, is wrong for itself alone', () =>
    withoutRules(admin, async () => {
      await user.apply('k166', { numPartitions: 1, config: { 'retention.ms': { days: 7 } } });
      await user.apply('k166-neighbour', { numPartitions: 1 });
      assert.deepEqual(await world.worker().deliver(['k166', 'k166-neighbour']), []);
      assert.equal((await ready('k166'))?.reason, 'InvalidSpec');
      assert.equal((await ready('k166-neighbour'))?.reason, 'Synced');
    }));

  test('K169: an object with Delete that an older schema let in goes, and its topic with it', () =>
    withoutRules(admin, async () => {
      const worker = world.worker();
      await user.apply('k169', { numPartitions: 1, deletionPolicy: 'Delete' });
      await worker.deliver(['k169']);
      await user.apply('k169', { numPartitions: '5', mode: 'Enforce', deletionPolicy: 'Delete', config: { a: null } });
      await user.delete('k169');
      assert.deepEqual(await worker.deliver(['k169']), []);
      assert.equal(await user.get('k169'), undefined);
    }));
}
