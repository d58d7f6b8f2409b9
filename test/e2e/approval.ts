/** What releases a plan that waits, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotate, annotation, approve, held, linesOf, messageOf, recordsIn } from '../support/e2e/approval.ts';
import type { KafkaTopic, Plan } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

const day = '86400000';
const hour = '3600000';
const week = '604800000';

export function approval(world: World): void {
  const { a, b, broker, queues, runner } = world;
  const { withRecords, writesDuring, overridesOf } = recordsIn(world);

  test('K102: with Plan a creation and a harmless edit wait, the right hash runs exactly that, and with nothing to do it is Ready', async () => {
    const spec = { numPartitions: 2, config: { 'segment.ms': hour }, mode: 'Plan' };
    await a.apply('k102-approved', spec);
    const creation = await held(a, 'k102-approved');
    assert.deepEqual([linesOf(creation), creation.destructive], [['CreateTopic'], false]);
    await isSettled(world, a, 'k102-approved');
    assert.equal(await broker.exists('k102-approved'), false);
    await approve(a, 'k102-approved');
    assert.equal((await a.ready('k102-approved')).status?.plan, undefined);
    assert.equal(await broker.exists('k102-approved'), true);
    await leavesAlone(world, ['k102-approved'], async () => {
      await a.apply('k102-approved', { ...spec, numPartitions: 3, config: { 'segment.ms': day } });
      const edit = await held(a, 'k102-approved');
      assert.deepEqual(linesOf(edit), [`SetConfig segment.ms ${hour} ${day}`, 'AddPartitions numPartitions 2 3']);
      await queues.tick();
    });
    const run = async () => {
      await approve(a, 'k102-approved');
      await a.ready('k102-approved');
    };
    assert.equal(await writesDuring('k102-approved', run), 2);
    const { partitions, overrides } = await broker.shape('k102-approved');
    assert.deepEqual([partitions, overrides], [3, { 'segment.ms': day }]);
    await isSettled(world, a, 'k102-approved');
  });

  test('K103: with Plan a deletion waits too: approved it goes by the id, with Retain it is let go', async () => {
    for (const name of ['k103-approved', 'k103-retained']) {
      await a.apply(name, { numPartitions: 1, deletionPolicy: 'Delete' });
      const { status } = await a.ready(name);
      await a.apply(name, { numPartitions: 1, deletionPolicy: 'Delete', mode: 'Plan' });
      await a.ready(name);
      await a.delete(name);
      const plan = await held(a, name);
      assert.deepEqual(linesOf(plan), [`DeleteTopic topicId ${status?.topicId}`, 'RemoveFinalizer']);
      await isSettled(world, a, name);
    }
    await approve(a, 'k103-approved');
    await a.gone('k103-approved');
    await broker.vanished('k103-approved');
    await a.patch('k103-retained', { spec: { deletionPolicy: 'Retain' } });
    await a.gone('k103-retained');
    assert.equal(await broker.exists('k103-retained'), true);
  });

  test('K108: what is held with Plan: Observe shows it as drift and holds nothing, Enforce does the harmless part', async () => {
    await withRecords('k108', { numPartitions: 1 });
    const spec = { numPartitions: 1, config: { 'retention.ms': hour, 'segment.ms': day } };
    await a.apply('k108', { ...spec, mode: 'Plan' });
    assert.equal((await held(a, 'k108')).actions.length, 2);
    await leavesAlone(world, ['k108'], async () => {
      await a.apply('k108', { ...spec, mode: 'Observe' });
      const { status } = await a.says('k108', 'DriftDetected');
      assert.equal(status?.plan, undefined);
      const fields = status?.drift?.map(({ field }) => field).toSorted();
      assert.deepEqual(fields, ['config.retention.ms', 'config.segment.ms']);
      await queues.drained();
    });
    await a.apply('k108', { ...spec, mode: 'Plan' });
    await held(a, 'k108');
    await a.apply('k108', { ...spec, mode: 'Enforce' });
    assert.deepEqual(linesOf(await held(a, 'k108')), [`SetConfig retention.ms ${week} ${hour}`]);
    assert.deepEqual(await overridesOf('k108'), { 'segment.ms': day });
  });

  /** Retention of a topic with records is to become shorter, which waits. */
  async function heldCut(name: string): Promise<Plan> {
    await withRecords(name, { numPartitions: 1, config: { 'retention.ms': day } });
    await a.apply(name, { numPartitions: 1, config: { 'retention.ms': hour } });
    return held(a, name);
  }

  test('K116: the right hash runs what was held, once, and within seconds of the last edit', async () => {
    await heldCut('k116');
    const begun = performance.now();
    const writes = await writesDuring('k116', async () => {
      await approve(a, 'k116');
      await a.ready('k116');
      assert.ok(performance.now() - begun < 5_000, 'the approval was noticed at once');
    });
    assert.equal(writes, 1);
    assert.deepEqual(await overridesOf('k116'), { 'retention.ms': hour });
    const { status, metadata } = (await a.get('k116')) as KafkaTopic;
    assert.deepEqual([status?.plan, status?.observedGeneration], [undefined, metadata.generation]);
    await isSettled(world, a, 'k116');
  });

  test('K117, T179: a wrong, old, malformed or empty hash, or that of another object, runs nothing and is told the right one', async () => {
    const { hash: others } = await heldCut('k117-other');
    await heldCut('k117');
    await a.apply('k117', { numPartitions: 1, config: { 'retention.ms': '7200000' } });
    const old = (await a.get('k117'))?.status?.plan?.hash ?? '';
    await a.apply('k117', { numPartitions: 1, config: { 'retention.ms': hour } });
    const { hash } = await held(a, 'k117');
    assert.notEqual(old, hash);
    const wrong = { old, another: others, malformed: '<script>\nyes', wrong: '0123456789abcdef', none: 'yes' };
    await leavesAlone(world, ['k117'], async () => {
      for (const [what, given] of Object.entries(wrong)) {
        await annotate(a, 'k117', given);
        const object = await a.holds('k117', (seen) => /does not match/.test(messageOf(seen)));
        await queues.drained();
        assert.match(messageOf(object), new RegExp(`${annotation}=${hash} `), what);
        assert.doesNotMatch(messageOf(await a.get('k117')), /script|\n/);
        if (/^[0-9a-f]+$/.test(given)) assert.match(messageOf(await a.get('k117')), new RegExp(given));
      }
      await annotate(a, 'k117', '');
      await queues.drained();
      const object = await a.says('k117', 'ApprovalRequired');
      assert.match(messageOf(object), new RegExp(`${annotation}=${hash} `));
    });
    assert.deepEqual(await overridesOf('k117'), { 'retention.ms': day });
  });

  test('K118: an approval is void once the spec has changed', async () => {
    const { hash } = await heldCut('k118-spec');
    await leavesAlone(world, ['k118-spec'], async () => {
      await a.patch('k118-spec', {
        metadata: { annotations: { [annotation]: hash } },
        spec: { config: { 'retention.ms': '1000' } },
      });
      const plan = await held(a, 'k118-spec');
      assert.notEqual(plan.hash, hash);
      assert.match(messageOf(await a.get('k118-spec')), /does not match/);
      await queues.tick();
    });
  });

  test('K118: an approval is void once a fact of the plan has changed', async () => {
    const { hash } = await heldCut('k118-fact');
    await broker.setConfig('k118-fact', { 'retention.ms': week });
    await leavesAlone(world, ['k118-fact'], async () => {
      await annotate(a, 'k118-fact', hash);
      const object = await a.holds('k118-fact', (seen) => /does not match/.test(messageOf(seen)));
      assert.deepEqual(linesOf(object.status?.plan as Plan), [`SetConfig retention.ms ${week} ${hour}`]);
      assert.notEqual(object.status?.plan?.hash, hash);
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k118-fact'), { 'retention.ms': week });
  });

  test('K119, K121: records, ten ticks, a cold start and another order of keys leave object and hash as they are', async () => {
    await withRecords('k119', { numPartitions: 1, config: { 'retention.ms': day } });
    await a.apply('k119', { numPartitions: 2, config: { 'retention.ms': hour, 'segment.ms': day } });
    const { hash } = await held(a, 'k119');
    assert.deepEqual(await overridesOf('k119'), { 'retention.ms': day, 'segment.ms': day });
    assert.equal((await broker.shape('k119')).partitions, 2, 'the harmless part was done beside it');
    await queues.drained();
    const before = await a.get('k119');
    await leavesAlone(world, ['k119'], async () => {
      for (let tick = 0; tick < 9; tick++) {
        await broker.produce('k119', 2);
        await queues.tick();
      }
      await runner.stop();
      await runner.start();
      await queues.tick();
      assert.deepEqual(await a.get('k119'), before);
      // the API server counts it as a write
      const config = { 'segment.ms': day, 'retention.ms': hour };
      const { metadata } = await a.apply('k119', { config, numPartitions: 2 });
      await queues.tick();
      const after = (await a.get('k119')) as KafkaTopic;
      assert.deepEqual([after.metadata.resourceVersion, after.status], [metadata.resourceVersion, before?.status]);
      assert.equal(after.status?.plan?.hash, hash);
    });
  });

  test('K120: cut, restored and cut again: the approval in place is an old one', async () => {
    await heldCut('k120');
    await approve(a, 'k120');
    await a.ready('k120');
    await a.apply('k120', { numPartitions: 1, config: { 'retention.ms': day } });
    await a.ready('k120');
    await leavesAlone(world, ['k120'], async () => {
      await a.apply('k120', { numPartitions: 1, config: { 'retention.ms': hour } });
      await held(a, 'k120');
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k120'), { 'retention.ms': day });
  });

  test('K120: an object that is made anew with the approval of its predecessor has none', async () => {
    const { hash } = await heldCut('k120-git');
    await a.delete('k120-git');
    await a.gone('k120-git');
    await leavesAlone(world, ['k120-git'], async () => {
      await a.apply('k120-git', { numPartitions: 1, config: { 'retention.ms': hour } }, { [annotation]: hash });
      const plan = await held(a, 'k120-git');
      assert.notEqual(plan.hash, hash);
      await queues.tick();
    });
    assert.deepEqual(await overridesOf('k120-git'), { 'retention.ms': day });
  });

  test('K178: a topic with records that was there before is deleted by its id once that is approved', async () => {
    const id = await broker.create('k178-approved', 1);
    await broker.produce('k178-approved', 2);
    await a.apply('k178-approved', { numPartitions: 1, deletionPolicy: 'Delete' });
    assert.equal((await a.ready('k178-approved')).status?.origin, 'Adopted');
    await a.delete('k178-approved');
    assert.deepEqual(linesOf(await held(a, 'k178-approved')), [`DeleteTopic topicId ${id}`, 'RemoveFinalizer']);
    assert.deepEqual((await a.get('k178-approved'))?.metadata.finalizers, ['cache.example.com/topic']);
    await approve(a, 'k178-approved');
    await a.gone('k178-approved');
    await broker.vanished('k178-approved');
  });

  test('K178: a topic that was made for its object is deleted at once, records and all', async () => {
    await withRecords('k178-created', { numPartitions: 1, deletionPolicy: 'Delete' });
    await a.delete('k178-created');
    await a.gone('k178-created');
    await broker.vanished('k178-created');
  });

  test('K090: who lost a topic gets no hash to approve, and an approval gives it nothing', async () => {
    await a.apply('k090-approved', { numPartitions: 1 });
    await a.ready('k090-approved');
    await leavesAlone(world, ['k090-approved'], async () => {
      await b.apply('k090-approved', { numPartitions: 5 }, { [annotation]: '0123456789abcdef' });
      const { status } = await b.says('k090-approved', 'ResourceConflict');
      assert.equal(status?.plan, undefined);
    });
  });
}
