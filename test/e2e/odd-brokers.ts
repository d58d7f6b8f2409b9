/** Brokers that are unlike the one under test: their answers are changed on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigs, incrementalAlterConfigs } from '../../functions/adapters/kafka/requests.ts';
import { answering, meanwhile, withoutApi } from '../support/e2e/faults.ts';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

const readyMessage = (object: Parameters<typeof conditionOf>[0]): string => conditionOf(object, 'Ready')?.message ?? '';

export function oddBrokers(world: World): void {
  const { a, broker, kafka, queues } = world;

  type Entry = { readonly name: string; readonly value: string | null };
  /** One key is shown otherwise. */
  const showing = (topic: string, key: string, change: (entry: Entry) => object) =>
    answering(describeConfigs, topic, (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({
        ...resource,
        configs: resource.configs.map((entry) => (entry.name === key ? { ...entry, ...change(entry) } : entry)),
      })),
    }));

  test('K064: a read-only key is in sync when equal, else refused without a request; other keys are applied', async () => {
    await a.apply('k064', { numPartitions: 1 });
    await a.ready('k064');
    const readOnly = showing('k064', 'segment.bytes', () => ({ readOnly: true }));
    await meanwhile(kafka, readOnly, async () => {
      await a.apply('k064', { numPartitions: 1, config: { 'segment.bytes': 1073741824, 'segment.ms': 3600000 } });
      await a.ready('k064');
      assert.deepEqual((await broker.shape('k064')).overrides, { 'segment.ms': '3600000' });
      const sent = kafka.requests.length;
      await a.apply('k064', { numPartitions: 1, config: { 'segment.bytes': 2000000, 'segment.ms': 7200000 } });
      const object = await a.says('k064', 'InvalidConfig');
      assert.match(readyMessage(object), /segment\.bytes.*1073741824/);
      const alterations = kafka.requests.slice(sent).filter(({ apiKey }) => apiKey === apiKeys.incrementalAlterConfigs);
      assert.equal(alterations.length, 1);
      assert.ok(!alterations[0]?.body.includes('segment.bytes'));
      assert.deepEqual((await broker.shape('k064')).overrides, { 'segment.ms': '7200000' });
    });
  });

  test('K065: a value that the broker withholds is no drift, is written once per generation, and shown nowhere', async () => {
    await a.apply('k065', { numPartitions: 1 });
    await a.ready('k065');
    const withheld = showing('k065', 'follower.replication.throttled.replicas', () => ({
      sensitive: true,
      value: null,
      synonyms: [],
    }));
    await meanwhile(kafka, withheld, async () => {
      for (const secret of ['7777:41', '7777:42']) {
        const config = { 'follower.replication.throttled.replicas': secret };
        const before = world.kafkaWrites(['k065'], []);
        await a.apply('k065', { numPartitions: 1, config });
        const { status } = await a.ready('k065');
        assert.deepEqual((await broker.shape('k065')).overrides, config);
        assert.doesNotMatch(JSON.stringify(status), new RegExp(secret));
        await isSettled(world, a, 'k065');
        assert.equal(world.kafkaWrites(['k065'], []) - before, 1);
        assert.doesNotMatch(world.log('runner'), new RegExp(secret));
      }
    });
  });

  test('K066: a broker that can only replace all configs of a topic gets no config edit', async () => {
    await a.apply('k066', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await a.ready('k066');
    await queues.drained();
    kafka.cutAll();
    await meanwhile(kafka, withoutApi(apiKeys.incrementalAlterConfigs), () =>
      leavesAlone(world, ['k066'], async () => {
        await a.apply('k066', { numPartitions: 1, config: { 'segment.ms': 7200000 } });
        await a.says('k066', 'UnsupportedByBroker');
        await queues.tick();
      }),
    );
    kafka.cutAll();
    await queues.tick();
    await a.ready('k066');
    assert.deepEqual((await broker.shape('k066')).overrides, { 'segment.ms': '7200000' });
  });

  test('K132: the text of a broker is one line, cut, and without escapes in the status', async () => {
    await a.apply('k132', { numPartitions: 1 });
    await a.ready('k132');
    const text = `first\nsecond\r\n\u001b[31mred\u0000\u202e${'long '.repeat(2_000)}`;
    const refusing = answering(incrementalAlterConfigs, 'k132', (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({ ...resource, code: 40, message: text })),
    }));
    await meanwhile(kafka, refusing, async () => {
      await a.apply('k132', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
      const message = readyMessage(await a.says('k132', 'InvalidConfig'));
      assert.match(message, /first second/);
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u);
      assert.ok(message.length < 500);
    });
    await queues.tick();
    await a.ready('k132');
  });

  test("K132: the dump that comes with code 31 is replaced by the product's own sentence", async () => {
    await a.apply('k132-dump', { numPartitions: 1 });
    await a.ready('k132-dump');
    const dump = 'Request Request(processor=1, principal=User:me, password=swordfish) is not authorized.';
    const refusing = answering(incrementalAlterConfigs, 'k132-dump', (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({ ...resource, code: 31, message: dump })),
    }));
    await meanwhile(kafka, refusing, async () => {
      await a.apply('k132-dump', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
      const object = await a.says('k132-dump', 'NotAuthorized');
      assert.doesNotMatch(JSON.stringify(object), /swordfish|processor/);
      assert.doesNotMatch(world.log('runner'), /swordfish/);
    });
    await queues.tick();
    await a.ready('k132-dump');
  });
}
