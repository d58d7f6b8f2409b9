/** Topics with replicas in certain places, and objects that are bound to them. */
import assert from 'node:assert/strict';
import { conditionOf, type KafkaTopic, type Kubectl } from '../../support/e2e/kubectl.ts';
import { type Moves, ours, sorted } from '../../support/e2e/three-brokers.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import type { Placed } from '../../support/kafka/replicas-by-hand.ts';

export function topicsOf({ a, byHand, queues }: Moves) {
  const apply = (name: string, spec: object) => a.apply(name, spec, {}, ours);
  return {
    apply,
    /** Partition 0 holds records that take time to copy. */
    bound: async (name: string, replicas: Placed, spec: object = {}): Promise<KafkaTopic> => {
      await byHand.create(name, replicas);
      await apply(name, { ...spec, replicationFactor: replicas[0]?.length });
      return a.ready(name);
    },
    placed: async (name: string): Promise<Placed> => (await byHand.see(name)).replicas,
    /** Waits until the replicas are there and in sync, and nothing moves. */
    arrives: (name: string, wanted: Placed) =>
      eventually(async () => {
        const { replicas, inSync } = await byHand.see(name);
        assert.deepEqual([sorted(replicas), inSync, await byHand.underWay(name)], [sorted(wanted), sorted(wanted), []]);
      }, 30_000),
    /** Looks until the object is Ready: its follow-ups would come later each time. */
    settles: async (name: string): Promise<KafkaTopic> => {
      await eventually(async () => {
        await queues.tick();
        assert.equal(conditionOf(await a.get(name), 'Ready')?.reason, 'Synced');
      }, 30_000);
      return a.ready(name);
    },
    overrides: async (name: string) => (await byHand.see(name)).overrides,
  };
}

/** Waits until a move to so many replicas is under way, as the object tells. */
export async function moving(user: Kubectl, name: string, replicationFactor: number): Promise<KafkaTopic> {
  await user.says(name, 'ReassignmentInProgress');
  return user.holds(name, ({ status }) => status?.reassignment?.replicationFactor === replicationFactor);
}

/** What brokers may spend on copying, by broker. */
export const ratesOf = ({ byHand }: Moves) => Promise.all([1, 2, 3].map((broker) => byHand.rates(broker)));

/** While something happens, moves of topics that are limited get nowhere: somebody has set the rates so low. */
export async function withHeldMoves<T>({ byHand }: Moves, during: () => Promise<T>): Promise<T> {
  await byHand.holdMoves();
  try {
    return await during();
  } finally {
    await byHand.releaseMoves();
  }
}
