import type { ConfigSource, ConfigType } from '../../core/topic.ts';

/** DescribeConfigs' numbers for the type of a config (KIP-569). */
const typesByNumber: readonly ConfigType[] = [
  'string', // 0: unknown
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
];

export const typeOfNumber = (type: number): ConfigType => typesByNumber[type] ?? 'string';

/** 1: on the topic; 2 to 4: dynamic or static at the brokers; 5: Kafka's default (KIP-226). */
export function sourceOfNumber(source: number): ConfigSource {
  if (source === 1) return 'topic';
  return source === 5 ? 'default' : 'broker';
}

const typesByKey: ReadonlyMap<string, ConfigType> = new Map<string, ConfigType>([
  ['cleanup.policy', 'list'],
  ['compression.gzip.level', 'int'],
  ['compression.lz4.level', 'int'],
  ['compression.type', 'string'],
  ['compression.zstd.level', 'int'],
  ['delete.retention.ms', 'long'],
  ['file.delete.delay.ms', 'long'],
  ['flush.messages', 'long'],
  ['flush.ms', 'long'],
  ['follower.replication.throttled.replicas', 'list'],
  ['index.interval.bytes', 'int'],
  ['leader.replication.throttled.replicas', 'list'],
  ['local.retention.bytes', 'long'],
  ['local.retention.ms', 'long'],
  ['max.compaction.lag.ms', 'long'],
  ['max.message.bytes', 'int'],
  ['message.timestamp.after.max.ms', 'long'],
  ['message.timestamp.before.max.ms', 'long'],
  ['message.timestamp.type', 'string'],
  ['min.cleanable.dirty.ratio', 'double'],
  ['min.compaction.lag.ms', 'long'],
  ['min.insync.replicas', 'int'],
  ['preallocate', 'boolean'],
  ['remote.log.copy.disable', 'boolean'],
  ['remote.log.delete.on.disable', 'boolean'],
  ['remote.storage.enable', 'boolean'],
  ['retention.bytes', 'long'],
  ['retention.ms', 'long'],
  ['segment.bytes', 'int'],
  ['segment.index.bytes', 'int'],
  ['segment.jitter.ms', 'long'],
  ['segment.ms', 'long'],
  ['unclean.leader.election.enable', 'boolean'],
]);

/** The type of a topic config where the broker does not say it, as in its answer to CreateTopics. */
export const typeOfKey = (key: string): ConfigType => typesByKey.get(key) ?? 'string';
