/** Many objects at once, and many that differ at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../support/e2e/world.ts';

const names = Array.from({ length: 150 }, (_, at) => `fleet-${at}`);
const wanted = { 'segment.ms': '3600000' };
const spec = { numPartitions: 1, config: { 'segment.ms': 3600000 } };

export function fleet(world: World): void {
  const { a, broker, queues } = world;

  test('K174: many objects at once are all made', async () => {
    // the API server turns away more than some hundred at the same moment
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => a.apply(name, spec)));
    for (const name of names) await a.ready(name);
    for (const overrides of (await broker.overrides(names)).values()) assert.deepEqual(overrides, wanted);
  });

  test('K146: an edit does not wait until all that has drifted is mended, and then it is', async () => {
    const drifted = async () =>
      [...(await broker.overrides(names))].filter(([, overrides]) => overrides['segment.ms'] !== wanted['segment.ms']);
    await a.apply('k146', spec);
    await a.ready('k146');
    await Promise.all(names.map((name) => broker.setConfig(name, { 'segment.ms': '60000' })));
    const ticking = queues.tick();
    await a.apply('k146', { ...spec, numPartitions: 2 });
    await a.ready('k146');
    assert.ok((await drifted()).length > 0, 'the edit was done before the rest of the drift');
    await ticking;
    for (let left = await drifted(); left.length > 0; ) {
      await queues.tick();
      const next = await drifted();
      assert.ok(next.length < left.length, `each tick mends some of ${left.length}`);
      left = next;
    }
  });
}
