import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { deleteTopics } from '../../../functions/adapters/kafka/requests.ts';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { heldUp, losingTheAnswer, meanwhile, passing } from '../../support/e2e/faults.ts';
import { conditionOf } from '../../support/e2e/kubectl.ts';
import { apiKeys } from '../../support/kafka/proxy.ts';

export function lateness(world: CrashWorld): void {
  const { user, broker, kafka } = world;

  const lost = [
    { id: 'K006', what: 'a creation', topic: 'k006', apiKey: apiKeys.createTopics, numPartitions: 1 },
    { id: 'K026', what: 'a growth', topic: 'k026', apiKey: apiKeys.createPartitions, numPartitions: 3 },
  ];
  for (const { id, what, topic, apiKey, numPartitions } of lost)
    test(`${id}: the answer to ${what} is lost: the message comes back, and the next look finds all done`, async () => {
      const worker = world.worker();
      if (numPartitions > 1) {
        await user.apply(topic, { numPartitions: 1 });
        await worker.deliver([topic]);
      }
      await user.apply(topic, { numPartitions });
      const fault = losingTheAnswer({ apiKey, topic });
      const back = await meanwhile(kafka, fault.hooks, () => worker.deliver([topic]));
      assert.deepEqual([fault.lost(), back], [true, [topic]]);
      const { id: made } = await broker.shape(topic);
      assert.deepEqual(await worker.deliver([topic]), []);
      const object = await user.get(topic);
      assert.equal(conditionOf(object, 'Ready')?.reason, 'Synced');
      const { id: now, partitions } = await broker.shape(topic);
      assert.deepEqual([now, object?.status?.topicId, partitions], [made, made, numPartitions]);
    });

  test('K077: a deletion that was on its way for long does not hit the topic of the same name made anew', async () => {
    const spec = { numPartitions: 1, deletionPolicy: 'Delete' };
    await user.apply('k077', spec);
    const worker = world.worker();
    await worker.deliver(['k077']);
    await user.delete('k077');
    const late = heldUp({ apiKey: apiKeys.deleteTopics, topic: idBytes(await broker.id('k077')) });
    await meanwhile(kafka, late.hooks, async () => {
      const dying = worker.deliver(['k077']).catch(() => 'killed');
      await late.arrived;
      await worker.end();
      assert.equal(await dying, 'killed');
    });
    const other = world.worker();
    assert.deepEqual(await other.deliver(['k077']), []);
    assert.equal(await user.get('k077'), undefined);
    await broker.vanished('k077');
    await user.apply('k077', spec);
    await other.deliver(['k077']);
    await broker.produce('k077', 3);
    const before = await broker.shape('k077');
    const deletion = passing(deleteTopics);
    const { topics } = await meanwhile(kafka, deletion.hooks, () => {
      late.letThrough();
      return deletion.answer;
    });
    assert.deepEqual(
      topics.map(({ code }) => code),
      [unknownTopicId],
    );
    assert.deepEqual(await broker.shape('k077'), before);
    assert.deepEqual(await broker.consume('k077', 3), ['record 0', 'record 1', 'record 2']);
  });

  test('K082: a broker that never confirms a deletion: the invocation ends in time, the message comes back', async () => {
    await user.apply('k082', { numPartitions: 1, deletionPolicy: 'Delete' });
    const worker = world.worker();
    await worker.deliver(['k082']);
    await user.delete('k082');
    const onResponse = ({ apiKey }: { apiKey: number }) => (apiKey === apiKeys.deleteTopics ? 'drop' : 'deliver');
    assert.deepEqual(await meanwhile(kafka, { onResponse }, () => worker.deliver(['k082'])), ['k082']);
    assert.deepEqual((await user.get('k082'))?.metadata.finalizers, ['cache.example.com/topic']);
    assert.deepEqual(await worker.deliver(['k082']), []);
    assert.equal(await user.get('k082'), undefined);
  });

  for (const hours of [-1, 1])
    test(`K089: with a clock that is wrong by ${hours} h a deletion is the same`, async () => {
      const name = `k089-${hours > 0 ? 'late' : 'early'}`;
      await user.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      const clock = join(import.meta.dirname, '..', '..', 'support', 'e2e', 'clock.cjs');
      const env = { NODE_OPTIONS: `--require ${clock}`, CLOCK_SHIFT_MS: String(hours * 3_600_000) };
      const worker = world.worker(env);
      assert.deepEqual(await worker.deliver([name]), []);
      const { lastTransitionTime = '' } = conditionOf(await user.get(name), 'Ready') ?? {};
      assert.equal(Math.round((Date.parse(lastTransitionTime) - Date.now()) / 3_600_000), hours);
      await user.delete(name);
      assert.deepEqual(await worker.deliver([name]), []);
      assert.equal(await user.get(name), undefined);
      await broker.vanished(name);
    });
}

const unknownTopicId = 100;

/** As they stand in a request. */
const idBytes = (id: string): Buffer => Buffer.from(id, 'base64url');
