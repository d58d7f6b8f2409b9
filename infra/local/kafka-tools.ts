/** Kafka's own command line tools, under the names they have in Kafka's download, already pointed at the local brokers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { placeOf } from './artifacts.ts';
import { javaArgs } from './java.ts';
import { kafkaJars } from './kafka.ts';
import { quoted } from './state.ts';

const classes = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
};

const MEGABYTES = 128;

/** Writes one executable script per tool. @param brokers host:port, joined by commas */
export function writeKafkaTools(directory: string, brokers: string): void {
  mkdirSync(directory, { recursive: true });
  const java = [...javaArgs(placeOf(kafkaJars), MEGABYTES), '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  for (const [name, main] of Object.entries(classes)) {
    const words = ['java', ...java, main, '--bootstrap-server', brokers].map(quoted).join(' ');
    writeFileSync(join(directory, name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o700 });
  }
}
