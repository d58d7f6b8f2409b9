/** What an installation lists as dangerous, approved plans that fail in the middle, and Events of messages that come again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigs } from '../../../functions/adapters/kafka/requests.ts';
import { annotate, linesOf } from '../../support/e2e/approval.ts';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { toldAbout } from '../../support/e2e/events.ts';
import { answering, meanwhile } from '../../support/e2e/faults.ts';
import { conditionOf } from '../../support/e2e/kubectl.ts';
import { apiKeys, type Hooks } from '../../support/kafka/proxy.ts';

export function guard(world: CrashWorld): void {
  const { user, admin, broker, kafka, kube } = world;
  const one = { numPartitions: 1 };
  const reasonOf = async (name: string) => conditionOf(await user.get(name), 'Ready')?.reason;
  const finished = async (name: string) => (await user.get(name)) === undefined || (await reasonOf(name)) === 'Synced';

  /** This broker has no tiered storage: that it is on stands in a changed answer. */
  const tiered = (topic: string): Hooks =>
    answering(describeConfigs, topic, (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({
        ...resource,
        configs: resource.configs.map((entry) =>
          entry.name === 'remote.storage.enable' ? { ...entry, value: 'true' } : entry,
        ),
      })),
    }));

  type Danger = {
    readonly danger: string;
    /** what the object is made with; undefined: somebody else makes the topic first */
    readonly from?: object;
    /** what somebody else does then */
    readonly meanwhile?: (name: string) => Promise<unknown>;
    /** what it is edited to; undefined: it is deleted */
    readonly to?: object;
    readonly hooks?: (name: string) => Hooks;
    /** type of the first action that waits */
    readonly waits: string;
  };
  const setting = (key: string, value: unknown) => ({ ...one, config: { [key]: value } });
  const dangers: readonly Danger[] = [
    { danger: 'ShortenRetention', from: one, to: setting('retention.ms', 3600000), waits: 'SetConfig' },
    { danger: 'ChangeCleanupPolicy', from: one, to: setting('cleanup.policy', 'compact'), waits: 'SetConfig' },
    {
      danger: 'GrowCompacted',
      from: setting('cleanup.policy', 'compact'),
      to: { ...setting('cleanup.policy', 'compact'), numPartitions: 2 },
      waits: 'AddPartitions',
    },
    {
      danger: 'EnableUncleanElection',
      from: one,
      to: setting('unclean.leader.election.enable', true),
      waits: 'SetConfig',
    },
    {
      danger: 'DisableTieredStorage',
      from: one,
      to: setting('remote.storage.enable', false),
      hooks: tiered,
      waits: 'SetConfig',
    },
    {
      danger: 'ReduceMinInsync',
      from: setting('min.insync.replicas', 1),
      meanwhile: (name) => broker.setConfig(name, { 'min.insync.replicas': '2' }),
      to: setting('min.insync.replicas', 1),
      waits: 'SetConfig',
    },
    { danger: 'RecreateTopic', from: one, meanwhile: (name) => broker.delete(name), to: one, waits: 'CreateTopic' },
    {
      danger: 'RebindTopic',
      from: one,
      meanwhile: async (name) => {
        await broker.delete(name);
        await broker.create(name, 1);
      },
      to: one,
      waits: 'BindTopic',
    },
    {
      danger: 'TakeOver',
      meanwhile: (name) => broker.create(name, 1),
      to: { numPartitions: 2 },
      waits: 'BindTopic',
    },
    {
      danger: 'DeleteAdopted',
      meanwhile: async (name) => {
        await broker.create(name, 1);
        await broker.produce(name, 1);
        await user.apply(name, { ...one, deletionPolicy: 'Delete' });
        await world.work(name);
      },
      waits: 'DeleteTopic',
    },
  ];
  for (const { danger, from, meanwhile: act, to, hooks, waits } of dangers)
    test(`K113: ${danger} waits where the installation lists it, and is done where it lists nothing`, async () => {
      const name = `k113-${danger.toLowerCase()}`;
      const [listing, listingNothing] = [danger, 'none'].map((list) => world.worker({ APPROVAL_REQUIRED: list }));
      if (from !== undefined) {
        await user.apply(name, from);
        await world.work(name);
        await broker.produce(name, 2);
      }
      await act?.(name);
      if (to === undefined) await user.delete(name);
      else await user.apply(name, to);
      await meanwhile(kafka, hooks?.(name) ?? {}, async () => {
        await listing?.deliver([name]);
        const plan = (await user.get(name))?.status?.plan;
        assert.ok(plan?.destructive, `${name} shows no plan`);
        assert.equal(plan.actions[0]?.type, waits);
      });
      // a topic that is bound is changed in the next pass
      for (let passes = 0; passes < 2; passes++) await listingNothing?.deliver([name]);
      assert.ok(await finished(name), JSON.stringify(await user.get(name)));
      await Promise.all([listing?.end(), listingNothing?.end()]);
    });

  test('K122: an approved plan that fails in the middle goes on under the same approval', async () => {
    const worker = world.worker();
    await user.apply('k122', one);
    await worker.deliver(['k122']);
    await user.apply('k122', { numPartitions: 3, config: { 'segment.ms': 3600000 }, mode: 'Plan' });
    await worker.deliver(['k122']);
    const plan = (await user.get('k122'))?.status?.plan;
    assert.deepEqual(plan && linesOf(plan), [
      'SetConfig segment.ms 604800000 3600000',
      'AddPartitions numPartitions 1 3',
    ]);
    await annotate(user, 'k122', plan?.hash ?? '');
    const onRequest: Hooks['onRequest'] = ({ apiKey }) => {
      if (apiKey === apiKeys.createPartitions) throw new Error('the connection breaks');
      return 'forward';
    };
    await meanwhile(kafka, { onRequest }, async () => assert.deepEqual(await worker.deliver(['k122']), ['k122']));
    const { partitions, overrides } = await broker.shape('k122');
    assert.deepEqual([partitions, overrides], [1, { 'segment.ms': '3600000' }]);
    assert.equal(await reasonOf('k122'), 'BrokerUnavailable');
    assert.deepEqual(await worker.deliver(['k122'], 2), []);
    assert.deepEqual([await reasonOf('k122'), (await broker.shape('k122')).partitions], ['Synced', 3]);
    assert.equal((await user.get('k122'))?.status?.plan, undefined);
    const asked = (await toldAbout(admin, 'k122')).filter((line) => line.startsWith('Warning ApprovalRequired'));
    assert.equal(asked.length, 1);
  });

  test('K119: another worker, cold, finds the same hash and writes nothing', async () => {
    await user.apply('k119', setting('retention.ms', 7200000));
    await world.work('k119');
    await broker.produce('k119', 2);
    await user.apply('k119', setting('retention.ms', 3600000));
    await world.work('k119');
    const before = await user.get('k119');
    assert.ok(before?.status?.plan);
    for (let colds = 0; colds < 3; colds++) {
      const worker = world.worker();
      await broker.produce('k119', 1);
      assert.deepEqual(await worker.deliver(['k119']), []);
      await worker.end();
    }
    assert.deepEqual(await user.get('k119'), before);
  });

  test('K134: the last receive is told once as DeadLettered, and the creation that comes of a replay once', async () => {
    await user.apply('k134-dead', one);
    const worker = world.worker();
    const hangUp = () => {
      kafka.cutAll();
      return 'drop' as const;
    };
    await meanwhile(kafka, { onRequest: hangUp }, async () => {
      for (const receives of [1, 19, 20, 20]) await worker.deliver(['k134-dead'], receives);
    });
    const [dead = '', ...none] = await toldAbout(admin, 'k134-dead');
    assert.match(dead, /^Warning DeadLettered: gave up/);
    assert.deepEqual(none, []);
    for (let replays = 0; replays < 3; replays++) await worker.deliver(['k134-dead']);
    assert.deepEqual((await toldAbout(admin, 'k134-dead')).slice(1), [
      'Normal Created: created topic k134-dead (partitions 1, replication factor 1)',
    ]);
  });

  test('K134: a message that comes again because the answer to its status write was lost tells nothing twice', async () => {
    await user.apply('k134-again', one);
    const worker = world.worker();
    let lost = false;
    const onResponse = ({ method, url }: { method: string; url: string }) => {
      if (lost || method !== 'PATCH' || !url.includes('/status')) return 'deliver' as const;
      lost = true;
      return 'drop' as const;
    };
    await meanwhile(kube, { onResponse }, () => worker.deliver(['k134-again']));
    assert.ok(lost);
    for (const receives of [2, 3]) assert.deepEqual(await worker.deliver(['k134-again'], receives), []);
    assert.deepEqual(await toldAbout(admin, 'k134-again'), [
      'Normal Created: created topic k134-again (partitions 1, replication factor 1)',
    ]);
  });
}
