import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../functions/adapters/kafka/topics.ts';
import { type System, startSystem } from '../../infra/local/system.ts';
import { replicasByHand } from '../support/kafka/replicas-by-hand.ts';
import { replicationContract } from './replication.contract.ts';

const dir = mkdtempSync(join(tmpdir(), 'topicsmith-replication-'));
let system: System;
let topics: KafkaTopics;
let byHand: Awaited<ReturnType<typeof replicasByHand>>;

before(async () => {
  system = await startSystem({ dir, brokers: 3, parts: ['kafka'], env: {} });
  const { KAFKA_BROKERS = '' } = system.exports;
  topics = connectTopics(kafkaConfigFromEnv({ KAFKA_BROKERS }));
  byHand = await replicasByHand(KAFKA_BROKERS);
});

after(async () => {
  await topics?.close();
  await byHand?.close();
  await system?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const broker = (id: number) => system.parts.get(`kafka-${id}`) ?? assert.fail(`there is no broker ${id}`);

replicationContract('three real brokers', async () => ({
  topics,
  byHand,
  stopBroker: async (id) => broker(id).kill(),
  startBroker: async (id) => broker(id).start(),
}));
