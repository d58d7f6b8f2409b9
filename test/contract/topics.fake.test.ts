import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { topicsContract } from './topics.contract.ts';

topicsContract('in memory', async () => {
  const topics = new FakeTopics();
  return {
    topics,
    clusterId: topics.clusterId,
    requestCount: () => topics.calls.length,
    byHand: {
      create: async (name, numPartitions = 1, config = {}) => void topics.add(name, { numPartitions, config }),
      remove: async (name) => void topics.topics.delete(name),
      produce: async (name) => topics.produce(name),
      see: async (name) => {
        const topic = topics.topics.get(name);
        return topic && { numPartitions: topic.numPartitions, overrides: Object.fromEntries(topic.overrides) };
      },
    },
  };
});
