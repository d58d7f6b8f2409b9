import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { listingContract } from './listing.contract.ts';

listingContract('in memory', async () => {
  const topics = new FakeTopics();
  return {
    topics,
    byHand: {
      create: async (name, numPartitions = 1) => void topics.add(name, { numPartitions }),
      remove: async (name) => void topics.topics.delete(name),
    },
    makeInternal: async () => {
      topics.add('__consumer_offsets');
      topics.internal.add('__consumer_offsets');
      return '__consumer_offsets';
    },
  };
});
