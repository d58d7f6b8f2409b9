/** What somebody else does between a look and a write, and brokers that are behind the times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadata } from '../../functions/adapters/kafka/requests.ts';
import { answering, heldUp, meanwhile } from '../support/e2e/faults.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

export function races(world: World): void {
  const { a, broker, kafka, queues } = world;

  /** Somebody is faster: acts while the product's own request is on its way. */
  async function overtaken(apiKey: number, topic: string, act: () => Promise<unknown>, other: () => Promise<unknown>) {
    const request = heldUp({ apiKey, topic });
    await meanwhile(kafka, request.hooks, async () => {
      await act();
      await request.arrived;
      await other();
      request.letThrough();
      await queues.drained();
    });
  }

  test('K006: a topic that somebody else made a moment earlier, as specified, is taken over', async () => {
    let id = '';
    await overtaken(
      apiKeys.createTopics,
      'k006-equal',
      () => a.apply('k006-equal', { numPartitions: 2 }),
      async () => {
        id = await broker.create('k006-equal', 2);
      },
    );
    const { status } = await a.ready('k006-equal');
    assert.deepEqual([status?.topicId, status?.origin], [id, 'Adopted']);
  });

  test('K006: a topic that somebody else made a moment earlier, and otherwise, is left as it is', async () => {
    const theirs = { 'segment.ms': '60000' };
    await overtaken(
      apiKeys.createTopics,
      'k006-other',
      () => a.apply('k006-other', { numPartitions: 2, config: { 'segment.ms': 3600000 } }),
      () => broker.create('k006-other', 1, theirs),
    );
    const { status } = await a.says('k006-other', 'ApprovalRequired');
    assert.equal(status?.topicId, undefined);
    const { partitions, overrides } = await broker.shape('k006-other');
    assert.deepEqual([partitions, overrides], [1, theirs]);
  });

  test('K007: a broker that does not know a new topic yet causes no second creation and no alarm', async () => {
    await a.apply('k007', { numPartitions: 1 });
    const { status } = await a.ready('k007');
    const readies: unknown[] = [];
    let denials = 0;
    const denying = answering(metadata, 'k007', (answer) => {
      const isBehind = denials++ === 0;
      return { ...answer, topics: answer.topics.map((topic) => (isBehind ? unknown(topic) : topic)) };
    });
    await leavesAlone(world, ['k007'], () =>
      meanwhile(kafka, denying, async () => {
        const at = { 'cache.example.com/reconcile-requested-at': 'now' };
        await a.apply('k007', { numPartitions: 1 }, at);
        const object = await a.holds('k007', (seen) => {
          readies.push(seen.status?.conditions.map(({ type, reason }) => `${type} ${reason}`).join());
          return seen.status?.lastHandledReconcileAt === 'now';
        });
        assert.equal(object.status?.topicId, status?.topicId);
      }),
    );
    assert.ok(denials >= 2, 'the broker denied it, and was asked again');
    assert.deepEqual([...new Set(readies)], ['Ready Synced']);
  });

  test('K026: partitions that somebody else added a moment earlier are no second growth', async () => {
    await a.apply('k026', { numPartitions: 1 });
    await a.ready('k026');
    await overtaken(
      apiKeys.createPartitions,
      'k026',
      () => a.apply('k026', { numPartitions: 3 }),
      () => broker.grow('k026', 3),
    );
    await a.ready('k026');
    assert.equal((await broker.shape('k026')).partitions, 3);
    await isSettled(world, a, 'k026');
  });
}

/** The topic as a broker shows it that has not heard of it. */
const unknown = <T extends { code: number; partitions: readonly unknown[] }>(topic: T): T => ({
  ...topic,
  code: 3,
  partitions: [],
});
