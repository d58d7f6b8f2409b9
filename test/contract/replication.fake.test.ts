import assert from 'node:assert/strict';
import type { Placement } from '../support/kafka/fake-placement.ts';
import { FakeTopics } from '../support/kafka/fake-topics.ts';
import type { Rates } from '../support/kafka/replicas-by-hand.ts';
import { replicationContract } from './replication.contract.ts';

const sides = ['leader', 'follower'] as const;
const rateOf = (side: string) => `${side}.replication.throttled.rate`;

replicationContract('in memory', async () => {
  const topics = new FakeTopics({ brokers: 3 });
  for (const [id, broker] of topics.cluster) broker.rack = `rack-${id}`;
  const brokerOf = (id: number) => topics.cluster.get(id) ?? assert.fail(`there is no broker ${id}`);
  const topicOf = (name: string) => topics.topics.get(name) ?? assert.fail(`there is no topic ${name}`);
  return {
    topics,
    stopBroker: async (id) => {
      brokerOf(id).up = false;
    },
    startBroker: async (id) => {
      brokerOf(id).up = true;
    },
    byHand: {
      create: async (name, replicas, config = {}) => void topics.add(name, { replicas, config }),
      remove: async (name) => void topics.topics.delete(name),
      move: async (name, partition, target) => topics.moveByHand(name, partition, target),
      see: async (name) => {
        const { placements, overrides } = topicOf(name);
        const replicas = placements.map((placement) => placement.replicas);
        return { replicas, inSync: placements.map(inSync), overrides: Object.fromEntries(overrides) };
      },
      rates: async (id): Promise<Rates> => {
        const { configs } = brokerOf(id);
        const set = sides.flatMap((side) => {
          const value = configs.get(rateOf(side));
          return value === undefined ? [] : [[side, value] as const];
        });
        return Object.fromEntries(set);
      },
      setRates: async (id, rates) => {
        for (const side of sides) brokerOf(id).configs.delete(rateOf(side));
        for (const [side, value] of Object.entries(rates)) brokerOf(id).configs.set(rateOf(side), value);
      },
      holdMoves: async () => {
        topics.holdMoves = true;
        for (const { configs } of topics.cluster.values()) for (const side of sides) configs.set(rateOf(side), '1000');
      },
      releaseMoves: async () => {
        topics.holdMoves = false;
        for (const { configs } of topics.cluster.values()) for (const side of sides) configs.delete(rateOf(side));
      },
    },
  };
});

const inSync = ({ replicas, adding }: Placement) => replicas.filter((id) => !adding.includes(id)).toSorted();
