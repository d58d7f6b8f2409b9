/** What objects are told about in Events, each thing once. Events are read when nobody has anything left to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approve } from '../support/e2e/approval.ts';
import { eventsOf, toldAbout } from '../support/e2e/events.ts';
import type { World } from '../support/e2e/world.ts';

const hour = '3600000';
const week = '604800000';

export function events(world: World): void {
  const { a, b, admin, broker, queues } = world;

  /** What was told about an object of the first tenant, when all is done. */
  async function told(name: string): Promise<readonly string[]> {
    await queues.drained();
    return toldAbout(admin, name);
  }
  /** What was told since then. */
  async function since<T>(name: string, during: () => Promise<T>): Promise<readonly string[]> {
    const before = await told(name);
    await during();
    return (await told(name)).slice(before.length);
  }
  const ticks = async () => {
    for (let tick = 0; tick < 3; tick++) await queues.tick();
  };

  test('K134, K021, K061: creation, growth, change, correction and deletion are told once each, and nothing else is', async () => {
    const spec = { numPartitions: 3, config: { 'segment.ms': hour }, deletionPolicy: 'Delete' };
    await a.apply('k134', spec);
    const { metadata, status } = await a.ready('k134');
    await ticks();
    await a.apply('k134', spec, { 'cache.example.com/reconcile-requested-at': 'now' });
    await a.holds('k134', (object) => object.status?.lastHandledReconcileAt === 'now');
    assert.deepEqual(await told('k134'), ['Normal Created: created topic k134 (partitions 3, replication factor 1)']);
    const growth = await since('k134', async () => {
      await a.apply('k134', { ...spec, numPartitions: 6 });
      await a.ready('k134');
      await ticks();
    });
    assert.deepEqual(growth, ['Normal PartitionsAdded: 3 to 6: from now on keys map to other partitions than before']);
    const edited = { ...spec, numPartitions: 6, config: { 'segment.ms': '7200000' } };
    const change = await since('k134', async () => {
      await a.apply('k134', edited);
      await a.ready('k134');
      await ticks();
    });
    assert.deepEqual(change, [`Normal ConfigChanged: segment.ms from ${hour} to 7200000`]);
    const correction = await since('k134', async () => {
      await broker.setConfig('k134', { 'segment.ms': '60000' });
      await ticks();
    });
    assert.deepEqual(correction, ['Normal DriftCorrected: segment.ms: found 60000, wanted 7200000']);
    const deletion = await since('k134', async () => {
      await a.delete('k134');
      await a.gone('k134');
    });
    assert.deepEqual(deletion, [`Normal Deleted: deleted topic k134 with id ${status?.topicId}`]);
    const uids = new Set((await eventsOf(admin, 'k134')).map(({ regarding }) => regarding.uid));
    assert.deepEqual([...uids], [metadata.uid]);
  });

  test('K134, K014: a topic that is taken over as it is, is told as adopted', async () => {
    const id = await broker.create('k014-told', 2);
    await a.apply('k014-told', { numPartitions: 2 });
    await a.ready('k014-told');
    await ticks();
    assert.deepEqual(await told('k014-told'), [`Normal Adopted: took over topic k014-told with id ${id}`]);
  });

  test('K134: what is held is told once with the way to release it, and what was released as it was done', async () => {
    const id = await broker.create('k134-held', 1);
    await a.apply('k134-held', { numPartitions: 2, config: { 'segment.ms': hour } });
    await a.says('k134-held', 'ApprovalRequired');
    await ticks();
    const [held = '', ...none] = await told('k134-held');
    assert.match(held, /^Warning ApprovalRequired: .*kubectl annotate .*approve=[0-9a-f]+/);
    assert.deepEqual(none, []);
    const done = await since('k134-held', async () => {
      await approve(a, 'k134-held');
      await a.ready('k134-held');
      await ticks();
    });
    assert.deepEqual(done.toSorted(), [
      `Normal Adopted: took over topic k134-held with id ${id}`,
      `Normal ConfigChanged: segment.ms from ${week} to ${hour}`,
      'Normal PartitionsAdded: 1 to 2: from now on keys map to other partitions than before',
    ]);
  });

  test('K134: a refusal is told once for each edit that meets it', async () => {
    await a.apply('k134-refused', { numPartitions: 1, config: { 'no.such.key': 1 } });
    await a.says('k134-refused', 'InvalidConfig');
    await ticks();
    const [refusal = '', ...none] = await told('k134-refused');
    assert.match(refusal, /^Warning InvalidConfig: .*no\.such\.key/);
    assert.deepEqual(none, []);
    const again = await since('k134-refused', async () => {
      await a.apply('k134-refused', { numPartitions: 1, config: { 'no.such.key': 2 } });
      await a.says('k134-refused', 'InvalidConfig');
      await ticks();
    });
    assert.equal(again.length, 1);
  });

  test('K134: brokers that are away for a moment are told to nobody, and what is done at last is told once', async () => {
    await queues.drained();
    world.outage.begin();
    await a.apply('k134-later', { numPartitions: 1 });
    await a.says('k134-later', 'BrokerUnavailable');
    world.outage.end();
    await a.ready('k134-later');
    assert.deepEqual(await told('k134-later'), [
      'Normal Created: created topic k134-later (partitions 1, replication factor 1)',
    ]);
  });

  test('K134, K097: of two who want a topic the one is told of the conflict, and both of the handing over', async () => {
    await a.apply('k097-told', { numPartitions: 1, deletionPolicy: 'Delete' });
    const { status } = await a.ready('k097-told');
    await b.apply('k097-told', { numPartitions: 1 });
    await b.says('k097-told', 'ResourceConflict');
    await ticks();
    await a.delete('k097-told');
    await a.gone('k097-told');
    await queues.tick();
    await b.ready('k097-told');
    const ofA = await told('k097-told');
    assert.deepEqual(ofA.slice(1), [
      `Normal Retained: topic k097-told stays: KafkaTopic ${b.namespace}/k097-told uses it too`,
    ]);
    const inB = admin.in(b.namespace);
    const [conflict = '', ...adopted] = await toldAbout(inB, 'k097-told');
    inB.close();
    assert.match(conflict, new RegExp(`^Warning ResourceConflict: .*${a.namespace}/k097-told`));
    assert.deepEqual(adopted, [`Normal Adopted: took over topic k097-told with id ${status?.topicId}`]);
  });

  test('K057: Exact tells which foreign key it reset, and to what', async () => {
    await a.apply('k057-told', { numPartitions: 1, configMode: 'Exact' });
    await a.ready('k057-told');
    await broker.setConfig('k057-told', { 'max.message.bytes': '2000000' });
    const reset = await since('k057-told', ticks);
    assert.deepEqual(reset, [`Normal DriftCorrected: max.message.bytes: found 2000000, wanted the inherited 1048588`]);
  });

  test('K063: throttles that are listed are warned of when they are set, and not again', async () => {
    const key = 'leader.replication.throttled.replicas';
    await a.apply('k063-told', { numPartitions: 1 });
    await a.ready('k063-told');
    const warned = await since('k063-told', async () => {
      await a.apply('k063-told', { numPartitions: 1, config: { [key]: '0:1' } });
      await a.ready('k063-told');
      await ticks();
    });
    assert.deepEqual((await broker.shape('k063-told')).overrides, { [key]: '0:1' });
    const warnings = warned.filter((line) => line.startsWith('Warning'));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', new RegExp(`^Warning ConfigChanged: ${key} .*may disturb a rebalance`));
  });

  test('K073: who switches to Retain while the finalizer is there is told that the topic stays', async () => {
    await broker.create('k073-told', 1);
    await a.apply('k073-told', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.ready('k073-told');
    await broker.produce('k073-told', 1);
    await a.delete('k073-told');
    await a.says('k073-told', 'ApprovalRequired');
    const retained = await since('k073-told', async () => {
      await a.patch('k073-told', { spec: { deletionPolicy: 'Retain' } });
      await a.gone('k073-told');
    });
    assert.deepEqual(retained, ['Normal Retained: topic k073-told stays: spec.deletionPolicy is Retain']);
    assert.equal(await broker.exists('k073-told'), true);
  });

  test('K076: the object of a topic that was made anew is told both ids', async () => {
    await a.apply('k076-told', { numPartitions: 1, deletionPolicy: 'Delete' });
    const { status } = await a.ready('k076-told');
    await queues.drained();
    await broker.delete('k076-told');
    const id = await broker.create('k076-told', 1);
    const told = await since('k076-told', async () => {
      await a.delete('k076-told');
      await a.gone('k076-told');
    });
    assert.deepEqual(told, [
      `Normal Retained: topic k076-told stays: its id is ${id}, and this object was bound to ${status?.topicId}`,
    ]);
  });

  test('K095: a loser that goes is told that the topic is not its own', async () => {
    await b.apply('k095-told', { numPartitions: 1 });
    const { status } = await b.ready('k095-told');
    await a.apply('k095-told', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.says('k095-told', 'ResourceConflict');
    const told = await since('k095-told', async () => {
      await a.delete('k095-told');
      await a.gone('k095-told');
    });
    assert.deepEqual(told, [
      `Normal Retained: topic k095-told stays: it has id ${status?.topicId}, and this object was never bound to it`,
    ]);
  });

  for (const [id, again, reason] of [
    ['K114', false, 'TopicMissing'],
    ['K115', true, 'IdentityChanged'],
  ] as const)
    test(`${id}: a topic that was ${again ? 'made anew' : 'deleted'} by somebody else is warned of once`, async () => {
      const name = `${id.toLowerCase()}-told`;
      await a.apply(name, { numPartitions: 1 });
      const { status } = await a.ready(name);
      await queues.drained();
      await broker.delete(name);
      if (again) await broker.create(name, 1);
      const warned = await since(name, ticks);
      await a.says(name, reason);
      assert.equal(warned.length, 1);
      assert.match(warned[0] ?? '', new RegExp(`^Warning ${reason}: .*${status?.topicId}`));
    });
}
