/** A process with the adapter in it, to be stopped and continued: sets retention.ms of `orders` to each value it is sent. */
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { connectTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';

const topics = connectTopics(kafkaConfigFromEnv({ KAFKA_BROKERS: process.argv[2] }));

process.on('message', async (value: string) => {
  const changes = new Map([['orders', [{ key: 'retention.ms', value }]]]);
  const outcome = (await topics.alterConfigs(changes, new AbortController().signal)).get('orders');
  process.send?.(outcome instanceof Failure ? `${outcome.message}, in doubt: ${outcome.unanswered}` : outcome);
});
