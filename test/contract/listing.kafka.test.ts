import { after, before } from 'node:test';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../functions/adapters/kafka/topics.ts';
import { type ByHand, byHand, realBroker } from '../support/kafka/real-kafka.ts';
import { listingContract } from './listing.contract.ts';

let topics: KafkaTopics;
let hand: ByHand;

before(async () => {
  topics = connectTopics(kafkaConfigFromEnv(process.env));
  hand = await byHand(realBroker());
});

after(async () => {
  await topics.close();
  await hand.close();
});

listingContract('real broker', async () => ({ topics, byHand: hand, makeInternal: () => hand.askForOffsets() }));
