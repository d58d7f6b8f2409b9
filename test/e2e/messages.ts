import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigs } from '../../functions/adapters/kafka/requests.ts';
import { answering, meanwhile } from '../support/e2e/faults.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

const request = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ v: 1, namespace: 'of-tenant-a', name: 'nobody', trigger: 'change', id: '1', ...fields });

export function messages(world: World): void {
  const { a, broker, kafka, queues } = world;

  test('K152: messages that nobody can read end among the dead letters, and hold nobody up', async () => {
    const unreadable = [
      'not JSON',
      '[]',
      request({ v: 3 }),
      request({ v: 0 }),
      request({ name: '../../secrets' }),
      request({ namespace: 7 }),
      request({ name: '__proto__' }),
      request({ trigger: 'delete' }),
      request({ topicName: 'my-topic' }),
      'x'.repeat(200_000),
    ];
    await Promise.all(unreadable.map((body) => queues.request(body)));
    await a.apply('k152-neighbour', { numPartitions: 1 });
    await a.ready('k152-neighbour');
    const dead = await queues.deadLetters(unreadable.length);
    assert.deepEqual(dead.toSorted(), unreadable.toSorted());
    await queues.drained();
  });

  test('K150: a message for an object or a namespace that does not exist is done with, and nothing is written', async () => {
    await leavesAlone(world, ['never-was'], async () => {
      await queues.request(request({ name: 'never-was' }));
      await queues.request(request({ namespace: 'no-such-namespace' }));
      await queues.request(request({ namespace: 'kube-system', trigger: 'replay' }));
      await queues.drained();
    });
    assert.equal(await broker.exists('never-was'), false);
  });

  test('K150: an old message for an object that was made anew acts on the one of today', async () => {
    await a.apply('k150', { numPartitions: 1 });
    const { metadata } = await a.ready('k150');
    await a.delete('k150');
    await a.gone('k150');
    await a.apply('k150', { numPartitions: 1 });
    const again = await a.ready('k150');
    assert.notEqual(again.metadata.uid, metadata.uid);
    await queues.drained();
    await leavesAlone(world, ['k150'], async () => {
      for (let copy = 0; copy < 5; copy++) await queues.request(request({ name: 'k150', trigger: 'replay' }));
      await queues.drained();
    });
    assert.equal((await a.get('k150'))?.metadata.resourceVersion, again.metadata.resourceVersion);
    await isSettled(world, a, 'k150');
  });

  test('K154: an edit that comes when all is well again is handled though a failed message hides, and neighbours never wait', async () => {
    await a.apply('k154', { numPartitions: 1 });
    await a.ready('k154');
    let tries = 0;
    const fourth = Promise.withResolvers<void>();
    const failing = answering(describeConfigs, 'k154', (answer) => {
      tries++;
      if (tries === 4) fourth.resolve();
      return {
        ...answer,
        resources: answer.resources.map((entry) => (entry.name === 'k154' ? { ...entry, code: 56 } : entry)),
      };
    });
    await meanwhile(kafka, failing, async () => {
      await a.apply('k154', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
      await fourth.promise; // it hides for about eight seconds now
      await a.says('k154', 'BrokerUnavailable');
      await a.apply('k154-neighbour', { numPartitions: 1 });
      await a.ready('k154-neighbour');
    });
    await a.apply('k154', { numPartitions: 1, config: { 'segment.ms': 7200000 } });
    await a.ready('k154');
    assert.deepEqual((await broker.shape('k154')).overrides, { 'segment.ms': '7200000' });
    await isSettled(world, a, 'k154');
  });
}
