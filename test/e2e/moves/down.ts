/** A broker goes and comes back. To be run before there are topics on that broker alone: kafkajs cannot read them then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../../support/e2e/kubectl.ts';
import { type Moves, movesAskedFor } from '../../support/e2e/three-brokers.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import { moving, topicsOf, withHeldMoves } from './topics.ts';

export function brokersThatGo(world: Moves): void {
  const { a, broker, kafka, queues } = world;
  const { apply, arrives, bound, placed, settles } = topicsOf(world);

  test('K032, K038: while the controller is down its broker is no target; a move of before goes on when it is back', async () => {
    const down = world.controller();
    const [first = 0, second = 0] = [1, 2, 3].filter((id) => id !== down);
    const names = ['k038', 'k038-all'];
    for (const name of names) {
      await broker.createOn(name, [first]);
      await apply(name, { replicationFactor: 1 });
      await a.ready(name);
    }
    await bound('k032-brokers', [[first]]);
    await withHeldMoves(world, async () => {
      await apply('k032-brokers', { replicationFactor: 3 });
      const begun = await moving(a, 'k032-brokers', 3);
      await world.brokerPart(down).kill();
      try {
        await eventually(async () => assert.equal(await world.liveBrokers(second), 2), 30_000);
        await apply('k038', { replicationFactor: 2 });
        await settles('k038');
        assert.deepEqual(await placed('k038'), [[first, second]]);
        await apply('k038-all', { replicationFactor: 3 });
        const object = await a.says('k038-all', 'InvalidReplicationFactor');
        assert.equal(conditionOf(object, 'Stalled')?.status, 'True');
        await queues.tick();
        assert.deepEqual(movesAskedFor(kafka, 'k038-all'), []);
        const waiting = await a.says('k032-brokers', 'ReassignmentInProgress');
        assert.match(conditionOf(waiting, 'Ready')?.message ?? '', new RegExp(`waits for broker ${down}`));
      } finally {
        await world.brokerPart(down).start();
        await eventually(async () => assert.equal(await world.liveBrokers(down), 3), 30_000);
      }
      await settles('k038-all');
      await arrives('k038-all', [[1, 2, 3]]);
      const after = await moving(a, 'k032-brokers', 3);
      assert.deepEqual(after.status?.reassignment?.assignment, begun.status?.reassignment?.assignment);
    });
    await settles('k032-brokers');
    await arrives('k032-brokers', [[1, 2, 3]]);
  });
}
