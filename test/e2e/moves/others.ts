import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../../support/e2e/kubectl.ts';
import { keepsStatus } from '../../support/e2e/quiet.ts';
import { type Moves, movesAskedFor } from '../../support/e2e/three-brokers.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import { limited } from '../../support/kafka/replicas-by-hand.ts';
import { topicsOf, withHeldMoves } from './topics.ts';

export function othersMoves(world: Moves): void {
  const { a, byHand, kafka, queues } = world;
  const { apply, arrives, placed, settles } = topicsOf(world);

  /** A topic of one partition whose moves can be held, with its object. */
  async function heavy(name: string, replicas: readonly number[]): Promise<void> {
    await byHand.create(name, [replicas], limited);
    await apply(name, { replicationFactor: replicas.length });
    await a.ready(name);
  }
  const underWay = (name: string, adding: readonly number[]) =>
    eventually(async () => assert.deepEqual(await byHand.underWay(name), [{ partition: 0, adding }]));

  test("K039: somebody else's move is not replaced, and ours begins when it has ended", async () => {
    await heavy('k039', [1]);
    await withHeldMoves(world, async () => {
      await byHand.move('k039', 0, [3]);
      await underWay('k039', [3]);
      await apply('k039', { replicationFactor: 2 });
      const object = await a.says('k039', 'ReassignmentInProgress');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /somebody else/);
      assert.equal(object.status?.reassignment, undefined);
      await queues.tick();
      await underWay('k039', [3]);
      assert.deepEqual(movesAskedFor(kafka, 'k039'), []);
    });
    await settles('k039');
    const [after = []] = await placed('k039');
    assert.deepEqual([after[0], after.length], [3, 2]);
    await arrives('k039', [after]);
  });

  test("K040: somebody else's move to as many replicas is no drift", async () => {
    await heavy('k040-same', [1]);
    await withHeldMoves(world, async () => {
      await byHand.move('k040-same', 0, [2]);
      await underWay('k040-same', [2]);
      await keepsStatus(world, a, 'k040-same');
      assert.equal((await a.ready('k040-same')).status?.replicationFactor, 1);
      await underWay('k040-same', [2]);
    });
    await arrives('k040-same', [[2]]);
    await keepsStatus(world, a, 'k040-same');
    assert.deepEqual(movesAskedFor(kafka, 'k040-same'), []);
  });

  test("K040: somebody else's move to what is wanted does it for us", async () => {
    await heavy('k040-wanted', [1]);
    await withHeldMoves(world, async () => {
      await byHand.move('k040-wanted', 0, [1, 3]);
      await underWay('k040-wanted', [3]);
      await apply('k040-wanted', { replicationFactor: 2 });
      await queues.tick();
    });
    await settles('k040-wanted');
    await arrives('k040-wanted', [[1, 3]]);
    assert.deepEqual(movesAskedFor(kafka, 'k040-wanted'), []);
  });
}
