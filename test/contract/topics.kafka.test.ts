import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../functions/adapters/kafka/topics.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka/proxy.ts';
import { type ByHand, byHand, realBroker } from '../support/kafka/real-kafka.ts';
import { topicsContract } from './topics.contract.ts';

let proxy: KafkaProxy;
let topics: KafkaTopics;
let hand: ByHand;

before(async () => {
  proxy = await startKafkaProxy(realBroker());
  topics = connectTopics(kafkaConfigFromEnv({ ...process.env, KAFKA_BROKERS: proxy.address }));
  hand = await byHand(realBroker());
});

after(async () => {
  await topics.close();
  await hand.close();
  await proxy.close();
});

topicsContract('real broker', async () => ({
  topics,
  byHand: hand,
  clusterId: await topics.clusterId(AbortSignal.timeout(10_000)),
  requestCount: () => proxy.requests.length,
}));

test('all of it took two connections, and nothing was sent that must never be', () => {
  assert.equal(proxy.accepted(), 2);
  assert.deepEqual(proxy.violations, []);
});
