import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import type { Replication } from '../../functions/core/ports.ts';
import type { PartitionReplicas, Replicas } from '../../functions/core/topic.ts';
import { eventually } from '../support/kafka/eventually.ts';
import { limited, type Placed, type ReplicasByHand } from '../support/kafka/replicas-by-hand.ts';

/** Three brokers, 1 to 3, in three racks. `byHand` is another client. */
export type ReplicationWorld = {
  readonly topics: Replication;
  readonly byHand: ReplicasByHand;
  stopBroker(id: number): Promise<void>;
  startBroker(id: number): Promise<void>;
};

const signal = new AbortController().signal;
const freshName = () => `r-${randomUUID()}`;
const rate = 50_000_000;

/** The value of an item that must have succeeded. */
function success<T>(outcomes: ReadonlyMap<string, T | Failure>, item: string): T {
  const outcome = outcomes.get(item);
  if (outcome instanceof Failure) throw outcome;
  assert.ok(outcome !== undefined, `no outcome for ${item}`);
  return outcome;
}

const reasonOf = (outcome: unknown) => {
  assert.ok(outcome instanceof Failure, `not a failure: ${JSON.stringify(outcome)}`);
  assert.match(outcome.message, /^[^\n]{1,400}$/);
  return `${outcome.retryable ? 'retryable' : 'terminal'} ${outcome.reason}`;
};

const isMoving = ({ adding, removing }: PartitionReplicas) => adding.length + removing.length > 0;

/** What the Replication port promises. Brokers are shared, so the tests run one after the other. */
export function replicationContract(name: string, makeWorld: () => Promise<ReplicationWorld>): void {
  describe(`replication: ${name}`, () => {
    const withWorld = (fact: string, check: (world: ReplicationWorld) => Promise<void>) =>
      test(fact, async () => check(await makeWorld()));

    /** Moves of the topics that it creates are held until `check` has ended or releases them. */
    const withHeldMoves = (fact: string, check: (world: ReplicationWorld) => Promise<void>) =>
      withWorld(fact, async (world) => {
        await world.byHand.holdMoves();
        try {
          await check(world);
        } finally {
          await world.byHand.releaseMoves();
        }
      });

    const create = async ({ byHand }: ReplicationWorld, replicas: Placed, config: Record<string, string> = limited) => {
      const topicName = freshName();
      await byHand.create(topicName, replicas, config);
      return topicName;
    };
    const look = async ({ topics }: ReplicationWorld, topicName: string): Promise<Replicas> =>
      success(await topics.replicas([topicName], signal), topicName);
    const shown = async (world: ReplicationWorld, topicName: string, partition = 0) => {
      const { partitions } = await look(world, topicName);
      return partitions[partition] ?? assert.fail(`${topicName} has no partition ${partition}`);
    };
    const move = async ({ topics }: ReplicationWorld, topicName: string, target: readonly number[] | null) =>
      assert.equal(
        success(await topics.move(new Map([[topicName, new Map([[0, target]])]]), signal), topicName),
        'done',
      );
    /** Looks until nothing moves and the replicas are these, and asks somebody else whether they are in sync. */
    const atRest = (world: ReplicationWorld, topicName: string, wanted: Placed) =>
      eventually(async () => {
        const { partitions } = await look(world, topicName);
        assert.deepEqual(partitions.filter(isMoving), []);
        assert.deepEqual(
          partitions.map(({ replicas }) => replicas),
          wanted,
        );
        const seen = await world.byHand.see(topicName);
        assert.deepEqual(seen.replicas, wanted);
        assert.deepEqual(
          seen.inSync,
          wanted.map((replicas) => replicas.toSorted()),
        );
      }, 60_000);
    const moving = (world: ReplicationWorld, topicName: string, adding: readonly number[], replicas: number[]) =>
      eventually(async () => {
        const partition = await shown(world, topicName);
        assert.deepEqual(new Set(partition.adding), new Set(adding));
        assert.deepEqual(new Set(partition.replicas), new Set(replicas));
      });
    const overrides = (world: ReplicationWorld, topicName: string, wanted: Record<string, string>) =>
      eventually(async () => assert.deepEqual((await world.byHand.see(topicName)).overrides, wanted));
    const rates = ({ byHand }: ReplicationWorld, wanted: readonly (string | undefined)[]) =>
      eventually(async () => {
        for (const [index, value] of wanted.entries())
          assert.deepEqual(
            await byHand.rates(index + 1),
            value === undefined ? {} : { leader: value, follower: value },
          );
      });
    const none = [undefined, undefined, undefined];
    const ours = [String(rate), String(rate), String(rate)];

    describe('looking', () => {
      withWorld('tells the brokers with their racks, and each partition with its leader', async (world) => {
        const topicName = await create(world, [
          [2, 1],
          [3, 2],
          [1, 3],
        ]);
        const { brokers, partitions } = await eventually(() => look(world, topicName));
        assert.deepEqual(
          brokers.toSorted((a, b) => a.id - b.id),
          [1, 2, 3].map((id) => ({ id, rack: `rack-${id}` })),
        );
        const atRest = { adding: [], removing: [] };
        assert.deepEqual(partitions, [
          { partition: 0, leader: 2, replicas: [2, 1], ...atRest },
          { partition: 1, leader: 3, replicas: [3, 2], ...atRest },
          { partition: 2, leader: 1, replicas: [1, 3], ...atRest },
        ]);
      });

      withWorld('E3c: a topic that is not there asks for another look, and leaves others alone', async (world) => {
        const [topicName, missing] = [await create(world, [[1]]), freshName()];
        const outcomes = await world.topics.replicas([missing, topicName, topicName], signal);
        assert.equal(outcomes.size, 2);
        assert.equal(reasonOf(outcomes.get(missing)), 'retryable ObservationOutdated');
        assert.equal(success(outcomes, topicName).partitions.length, 1);
      });

      withHeldMoves('K039: somebody else’s move is seen, with what it adds and removes', async (world) => {
        const topicName = await create(world, [[1], [2]]);
        await world.byHand.move(topicName, 0, [3]);
        await moving(world, topicName, [3], [1, 3]);
        const [moved, resting] = (await look(world, topicName)).partitions;
        assert.deepEqual([moved?.leader, moved?.removing, resting?.adding, resting?.removing], [1, [1], [], []]);
        await world.byHand.releaseMoves();
        await atRest(world, topicName, [[3], [2]]);
      });
    });

    describe('moving', () => {
      withWorld('K030, K031: one replica becomes three, all in sync', async (world) => {
        const topicName = await create(world, [[1], [2]]);
        const targets = new Map([
          [0, [1, 2, 3]],
          [1, [2, 3, 1]],
        ]);
        assert.equal(success(await world.topics.move(new Map([[topicName, targets]]), signal), topicName), 'done');
        await atRest(world, topicName, [...targets.values()]);
      });

      withWorld('K034: three replicas become two, and the leader stays', async (world) => {
        const topicName = await create(world, [[1, 2, 3]]);
        await eventually(async () => assert.equal((await shown(world, topicName)).leader, 1));
        await move(world, topicName, [1, 3]);
        await atRest(world, topicName, [[1, 3]]);
        assert.equal((await shown(world, topicName)).leader, 1);
      });

      withHeldMoves('T007: the same move again goes on as if nothing had been', async (world) => {
        const topicName = await create(world, [[1]]);
        await move(world, topicName, [1, 2, 3]);
        await move(world, topicName, [1, 2, 3]);
        await moving(world, topicName, [2, 3], [1, 2, 3]);
        await world.byHand.releaseMoves();
        await atRest(world, topicName, [[1, 2, 3]]);
        await move(world, topicName, [1, 2, 3]);
        await atRest(world, topicName, [[1, 2, 3]]);
      });

      withHeldMoves('K041: a move that is cancelled leaves what was', async (world) => {
        const topicName = await create(world, [[1]]);
        await move(world, topicName, [1, 2, 3]);
        await moving(world, topicName, [2, 3], [1, 2, 3]);
        await move(world, topicName, null);
        await atRest(world, topicName, [[1]]);
      });

      withWorld('K041, E85: where nothing moves, a cancellation is done', async (world) => {
        const topicName = await create(world, [[1, 2]]);
        await move(world, topicName, null);
        await atRest(world, topicName, [[1, 2]]);
      });

      for (const [what, target] of [
        ['fewer brokers', [1, 2]],
        ['other brokers', [3, 2]],
        ['the one broker that it had', [1]],
      ] as const)
        withHeldMoves(`K041: a move that is redirected to ${what} ends there`, async (world) => {
          const topicName = await create(world, [[1]]);
          await move(world, topicName, [1, 2, 3]);
          await moving(world, topicName, [2, 3], [1, 2, 3]);
          await move(world, topicName, target);
          await world.byHand.releaseMoves();
          await atRest(world, topicName, [target]);
        });

      withHeldMoves('K041: a move that is redirected to more brokers ends there', async (world) => {
        const topicName = await create(world, [[1]]);
        await move(world, topicName, [1, 2]);
        await moving(world, topicName, [2], [1, 2]);
        await move(world, topicName, [1, 2, 3]);
        await world.byHand.releaseMoves();
        await atRest(world, topicName, [[1, 2, 3]]);
      });

      for (const [first, second] of [
        [
          [1, 2, 3],
          [1, 3],
        ],
        [
          [1, 2],
          [1, 2, 3],
        ],
      ] as const)
        withHeldMoves(
          `K041: a move to ${first}, redirected to ${second} and cancelled, leaves what was`,
          async (world) => {
            const topicName = await create(world, [[1]]);
            await move(world, topicName, first);
            await moving(world, topicName, first.slice(1), [...first]);
            await move(world, topicName, second);
            await move(world, topicName, null);
            await atRest(world, topicName, [[1]]);
          },
        );

      withWorld('E39, E3c: what cannot be done leaves the other topics alone', async (world) => {
        const [good, bad, missing] = [await create(world, [[1]]), await create(world, [[1], [1]]), freshName()];
        const outcomes = await world.topics.move(
          new Map([
            [missing, new Map([[0, [1]]])],
            [good, new Map([[0, [1, 2]]])],
            [bad, new Map([[0, [1, 9]]])],
          ]),
          signal,
        );
        assert.deepEqual(new Set(outcomes.keys()), new Set([good, bad, missing]));
        assert.equal(reasonOf(outcomes.get(missing)), 'retryable ObservationOutdated');
        assert.equal(reasonOf(outcomes.get(bad)), 'retryable ObservationOutdated');
        assert.match((outcomes.get(bad) as Failure).message, /broker 9/);
        assert.equal(success(outcomes, good), 'done');
        await atRest(world, good, [[1, 2]]);
        await atRest(world, bad, [[1], [1]]);
      });

      withWorld('one partition that cannot be moved is the topic’s outcome, the others move', async (world) => {
        const topicName = await create(world, [[1], [2]]);
        const targets = new Map([
          [0, [1, 3]],
          [1, [2, 2]],
        ]);
        const outcomes = await world.topics.move(new Map([[topicName, targets]]), signal);
        assert.equal(reasonOf(outcomes.get(topicName)), 'retryable ObservationOutdated');
        await atRest(world, topicName, [[1, 3], [2]]);
      });
    });

    describe('limits', () => {
      withWorld('K042: stand at topic and brokers while they are wanted, and other settings stay', async (world) => {
        const topicName = await create(world, [[1]], { 'segment.ms': '60000' });
        for (let times = 0; times < 2; times++) {
          assert.equal(success(await world.topics.limit([topicName], rate, signal), topicName), 'limited');
          await overrides(world, topicName, { ...limited, 'segment.ms': '60000' });
          await rates(world, ours);
        }
        for (let times = 0; times < 2; times++) {
          assert.equal(success(await world.topics.unlimit([topicName], rate, signal), topicName), 'done');
          await overrides(world, topicName, { 'segment.ms': '60000' });
          await rates(world, none);
        }
      });

      withWorld('K042, T083: a topic that somebody else limits is left, and no rate is set for it', async (world) => {
        const foreign = { 'leader.replication.throttled.replicas': '0:1' };
        const topicName = await create(world, [[1]], foreign);
        assert.equal(success(await world.topics.limit([topicName], rate, signal), topicName), 'left');
        await overrides(world, topicName, foreign);
        await rates(world, none);
        assert.equal(success(await world.topics.unlimit([topicName], rate, signal), topicName), 'done');
        await overrides(world, topicName, foreign);
      });

      withWorld('K042, T083: the rates of a broker that has some are left', async (world) => {
        const topicName = await create(world, [[1]], {});
        await world.byHand.setRates(2, { leader: '77000000', follower: '77000000' });
        await rates(world, [undefined, '77000000', undefined]);
        success(await world.topics.limit([topicName], rate, signal), topicName);
        await rates(world, [String(rate), '77000000', String(rate)]);
        success(await world.topics.unlimit([topicName], rate, signal), topicName);
        await rates(world, [undefined, '77000000', undefined]);
        await world.byHand.setRates(2, {});
        await rates(world, none);
      });

      withHeldMoves('K045: the rates stay while another topic moves, and go with the last one', async (world) => {
        const [done, other] = [await create(world, [[1]], {}), await create(world, [[1]])];
        await move(world, other, [1, 2]);
        await moving(world, other, [2], [1, 2]);
        const low = 1_000;
        success(await world.topics.limit([done], low, signal), done);
        success(await world.topics.unlimit([done], low, signal), done);
        await overrides(world, done, {});
        await rates(world, ['1000', '1000', '1000']);
        await move(world, other, null);
        await atRest(world, other, [[1]]);
        success(await world.topics.unlimit([other], low, signal), other);
        await overrides(world, other, {});
        await rates(world, none);
      });

      withHeldMoves('K044: the rates go although the topic itself still moves', async (world) => {
        const topicName = await create(world, [[1]]);
        await move(world, topicName, [1, 2]);
        await moving(world, topicName, [2], [1, 2]);
        success(await world.topics.unlimit([topicName], 1_000, signal), topicName);
        await overrides(world, topicName, {});
        await rates(world, none);
        await world.byHand.releaseMoves();
        await atRest(world, topicName, [[1, 2]]);
      });

      withWorld(
        'K044: of a topic that is gone there is nothing to limit, and its rates are taken away',
        async (world) => {
          const topicName = await create(world, [[1]], {});
          success(await world.topics.limit([topicName], rate, signal), topicName);
          await rates(world, ours);
          await world.byHand.remove(topicName);
          await eventually(async () =>
            assert.equal(
              reasonOf((await world.topics.limit([topicName], rate, signal)).get(topicName)),
              'retryable ObservationOutdated',
            ),
          );
          assert.equal(success(await world.topics.unlimit([topicName], rate, signal), topicName), 'done');
          await rates(world, none);
        },
      );
    });

    describe('calls as such', () => {
      withWorld('an empty list has no outcome', async ({ topics }) => {
        assert.equal((await topics.replicas([], signal)).size, 0);
        assert.equal((await topics.move(new Map(), signal)).size, 0);
        assert.equal((await topics.limit([], rate, signal)).size, 0);
        assert.equal((await topics.unlimit([], rate, signal)).size, 0);
      });

      withWorld('nothing happens once the signal is aborted, and every item says so', async (world) => {
        const { topics } = world;
        const topicName = await create(world, [[1]], {});
        const aborted = AbortSignal.abort();
        for (const outcomes of [
          await topics.replicas([topicName], aborted),
          await topics.move(new Map([[topicName, new Map([[0, [1, 2]]])]]), aborted),
          await topics.limit([topicName], rate, aborted),
          await topics.unlimit([topicName], rate, aborted),
        ]) {
          const outcome = outcomes.get(topicName);
          assert.equal(reasonOf(outcome), 'retryable BrokerUnavailable');
          assert.equal((outcome as Failure).unanswered, false);
        }
        await atRest(world, topicName, [[1]]);
        await overrides(world, topicName, {});
      });
    });

    withWorld(
      'K038: a broker that is down is not among those that are up, and a move to it waits for it',
      async (world) => {
        const topicName = await create(world, [[1]]);
        await world.stopBroker(3);
        try {
          await eventually(
            async () => assert.deepEqual((await look(world, topicName)).brokers.map(({ id }) => id).toSorted(), [1, 2]),
            60_000,
          );
          await move(world, topicName, [1, 2, 3]);
          await moving(world, topicName, [2, 3], [1, 2, 3]);
        } finally {
          await world.startBroker(3);
        }
        await atRest(world, topicName, [[1, 2, 3]]);
      },
    );
  });
}
