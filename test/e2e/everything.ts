/** What holds for everything that the tests before have left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentsFrom } from '../support/e2e/environments.ts';
import { conditionOf, type KafkaTopic } from '../support/e2e/kubectl.ts';
import type { World } from '../support/e2e/world.ts';
import { assertSound } from './conditions.ts';

export function everything(world: World): void {
  const { a, b, broker, queues } = world;

  const all = async (): Promise<readonly KafkaTopic[]> => [...(await a.list()), ...(await b.list())];
  const reasonOf = (object: KafkaTopic) => conditionOf(object, 'Ready')?.reason;

  test('K128: everything stays as it is, tick after tick', async () => {
    const versions = async () => (await all()).map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
    await queues.drained();
    const before = await versions();
    for (let tick = 0; tick < 20; tick++) await queues.tick();
    assert.deepEqual(await versions(), before);
    assert.ok(before.length > 100);
  });

  test('K124: every object has sound conditions about its present generation', async () => {
    for (const object of await all()) assertSound(object);
  });

  test('K126: whoever is Ready has a topic that is as specified', async () => {
    const ready = (await all()).filter((object) => conditionOf(object, 'Ready')?.status === 'True');
    for (const { metadata, spec, status } of ready) {
      const { numPartitions, replicationFactor, config = {} } = spec;
      const live = await broker.shape(String(spec.topicName ?? metadata.name));
      assert.equal(live.partitions, numPartitions ?? live.partitions, metadata.name);
      if (replicationFactor !== undefined)
        assert.deepEqual(new Set(live.replicas), new Set([replicationFactor]), metadata.name);
      assert.deepEqual(
        Object.keys(config as object).filter((key) => !(key in live.overrides)),
        [],
        metadata.name,
      );
      assert.equal(status?.topicId ?? live.id, live.id, metadata.name);
    }
    assert.ok(ready.length > 50);
  });

  test('K147: of everything only the object that has drifted, and what is terminal, is asked for by a tick', async () => {
    await a.apply('k147', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await a.ready('k147');
    await queues.drained();
    const before = new Map((await all()).map((object) => [object.metadata.name, object]));
    await broker.setConfig('k147', { 'segment.ms': '60000' });
    const seen = (await world.apiCalls()).length;
    await queues.tick();
    const calls = (await world.apiCalls()).slice(seen).filter(({ who }) => who === 'topicsmith-reconciler');
    assert.equal(calls.filter(({ name }) => name === 'k147').length, 1);
    const others = new Set(calls.map(({ name }) => name));
    others.delete('k147');
    const settled = ['Synced', 'Observed', 'DriftDetected', 'Paused', 'ResourceConflict', 'ApprovalRequired'];
    for (const name of others) assert.ok(!settled.includes(reasonOf(before.get(name) as KafkaTopic) ?? ''), name);
    assert.deepEqual(
      calls.filter(({ what }) => what.startsWith('patch')),
      [],
    );
    assert.deepEqual((await broker.shape('k147')).overrides, { 'segment.ms': '3600000' });
  });

  test('T120: forwarder and functions have the credentials of their own identity, and no others', () => {
    const kubeconfigsFrom = (part: string): readonly string[][] =>
      environmentsFrom(world.system.parts.get(part)?.pid ?? 0).map((environment) =>
        [...environment.values()].flatMap((value) => /kubeconfig\S*$/.exec(value) ?? []),
      );
    assert.deepEqual(kubeconfigsFrom('forwarder'), [['kubeconfig.forwarder']]);
    const [, ...functions] = kubeconfigsFrom('runner');
    assert.deepEqual(new Set(functions.map(String)), new Set(['kubeconfig.reconciler', 'kubeconfig.resync']));
  });

  test('in all of this nothing was ever deleted by name, replaced as a whole, or listed as a whole', () => {
    assert.deepEqual(world.violations, []);
  });
}
