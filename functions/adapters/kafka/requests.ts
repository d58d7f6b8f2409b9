/**
 * The Kafka requests we send, each at the one version we speak (design §8). All are flexible versions.
 *
 * @see https://github.com/apache/kafka/tree/trunk/clients/src/main/resources/common/message
 */
import type { Codec } from './wire.ts';
import { array, bool, i8, i16, i32, i64, nullableArray, nullableText, struct, text, uuid } from './wire.ts';

/** One request: `key` and `version` go into its header, both layouts are without header. */
export type Api<Request, Response> = {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
};

/** Every response of ours begins with the time (ms) for which the broker now mutes this connection (KIP-219). */
export type Throttled = { readonly throttleMs: number };

/** Types of config resources. */
export const topicResource = 2;
export const brokerResource = 4;

/** Operations of IncrementalAlterConfigs. */
export const configOperation = { set: 0, remove: 1 } as const;

/** ListOffsets: which offset, given in place of a time. */
export const offsetTime = { latest: -1n, earliest: -2n } as const;

/** An empty list of topics asks for the brokers only; null for all topics, which no pass ever does. */
export const metadata = {
  name: 'Metadata',
  key: 3,
  version: 12,
  request: struct({
    topics: nullableArray(struct({ id: uuid, name: nullableText })),
    autoCreate: bool,
    includeTopicOperations: bool,
  }),
  response: struct({
    throttleMs: i32,
    brokers: array(struct({ id: i32, host: text, port: i32, rack: nullableText })),
    clusterId: nullableText,
    controllerId: i32,
    topics: array(
      struct({
        code: i16,
        name: nullableText,
        id: uuid,
        internal: bool,
        partitions: array(
          struct({
            code: i16,
            index: i32,
            leader: i32,
            leaderEpoch: i32,
            replicas: array(i32),
            isr: array(i32),
            offline: array(i32),
          }),
        ),
        operations: i32,
      }),
    ),
  }),
} as const;

/** What the cluster lets us do, a bit for each operation (KIP-430, KIP-700). Only `doctor` asks. */
export const describeCluster = {
  name: 'DescribeCluster',
  key: 60,
  version: 0,
  request: struct({ includeOperations: bool }),
  response: struct({
    throttleMs: i32,
    code: i16,
    message: nullableText,
    clusterId: text,
    controllerId: i32,
    brokers: array(struct({ id: i32, host: text, port: i32, rack: nullableText })),
    operations: i32,
  }),
} as const;

/** Partitions and replicationFactor of -1 take the broker's defaults (KIP-464). The answer has the settings (KIP-525). */
export const createTopics = {
  name: 'CreateTopics',
  key: 19,
  version: 7,
  request: struct({
    topics: array(
      struct({
        name: text,
        partitions: i32,
        replicationFactor: i16,
        assignments: array(struct({ partition: i32, brokers: array(i32) })),
        configs: array(struct({ name: text, value: nullableText })),
      }),
    ),
    timeoutMs: i32,
    validateOnly: bool,
  }),
  response: struct({
    throttleMs: i32,
    topics: array(
      struct(
        {
          name: text,
          id: uuid,
          code: i16,
          message: nullableText,
          partitions: i32,
          replicationFactor: i16,
          configs: nullableArray(
            struct({ name: text, value: nullableText, readOnly: bool, source: i8, sensitive: bool }),
          ),
        },
        // why the settings are withheld from somebody who may create but not describe
        { configCode: [0, i16] },
      ),
    ),
  }),
} as const;

export const deleteTopics = {
  name: 'DeleteTopics',
  key: 20,
  version: 6,
  request: struct({ topics: array(struct({ name: nullableText, id: uuid })), timeoutMs: i32 }),
  response: struct({
    throttleMs: i32,
    topics: array(struct({ name: nullableText, id: uuid, code: i16, message: nullableText })),
  }),
} as const;

/** `total` is the number of partitions wanted in the end. */
export const createPartitions = {
  name: 'CreatePartitions',
  key: 37,
  version: 3,
  request: struct({
    topics: array(struct({ name: text, total: i32, assignments: nullableArray(struct({ brokers: array(i32) })) })),
    timeoutMs: i32,
    validateOnly: bool,
  }),
  response: struct({
    throttleMs: i32,
    topics: array(struct({ name: text, code: i16, message: nullableText })),
  }),
} as const;

/** `keys`: null, and the empty list too, means all. */
export const describeConfigs = {
  name: 'DescribeConfigs',
  key: 32,
  version: 4,
  request: struct({
    resources: array(struct({ type: i8, name: text, keys: nullableArray(text) })),
    includeSynonyms: bool,
    includeDocumentation: bool,
  }),
  response: struct({
    throttleMs: i32,
    resources: array(
      struct({
        code: i16,
        message: nullableText,
        type: i8,
        name: text,
        configs: array(
          struct({
            name: text,
            value: nullableText,
            readOnly: bool,
            source: i8,
            sensitive: bool,
            synonyms: array(struct({ name: text, value: nullableText, source: i8 })),
            type: i8,
            documentation: nullableText,
          }),
        ),
      }),
    ),
  }),
} as const;

export const incrementalAlterConfigs = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  version: 1,
  request: struct({
    resources: array(
      struct({ type: i8, name: text, configs: array(struct({ name: text, operation: i8, value: nullableText })) }),
    ),
    validateOnly: bool,
  }),
  response: struct({
    throttleMs: i32,
    resources: array(struct({ code: i16, message: nullableText, type: i8, name: text })),
  }),
} as const;

/** To be sent to the leader of each partition. `replica` -1 is a client; `isolation` 0 reads up to the high watermark. */
export const listOffsets = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  request: struct({
    replica: i32,
    isolation: i8,
    topics: array(struct({ name: text, partitions: array(struct({ index: i32, leaderEpoch: i32, time: i64 })) })),
  }),
  response: struct({
    throttleMs: i32,
    topics: array(
      struct({
        name: text,
        partitions: array(struct({ index: i32, code: i16, time: i64, offset: i64, leaderEpoch: i32 })),
      }),
    ),
  }),
} as const;

/** The answer lists only partitions that are moving (KIP-455). `topics: null` means all. */
export const listPartitionReassignments = {
  name: 'ListPartitionReassignments',
  key: 46,
  version: 0,
  request: struct({
    timeoutMs: i32,
    topics: nullableArray(struct({ name: text, partitions: array(i32) })),
  }),
  response: struct({
    throttleMs: i32,
    code: i16,
    message: nullableText,
    topics: array(
      struct({
        name: text,
        partitions: array(struct({ index: i32, replicas: array(i32), adding: array(i32), removing: array(i32) })),
      }),
    ),
  }),
} as const;

/** Starts and replaces moves; `replicas: null` cancels one (KIP-455). */
export const alterPartitionReassignments = {
  name: 'AlterPartitionReassignments',
  key: 45,
  version: 0,
  request: struct({
    timeoutMs: i32,
    topics: array(struct({ name: text, partitions: array(struct({ index: i32, replicas: nullableArray(i32) })) })),
  }),
  response: struct({
    throttleMs: i32,
    code: i16,
    message: nullableText,
    topics: array(struct({ name: text, partitions: array(struct({ index: i32, code: i16, message: nullableText })) })),
  }),
} as const;

/** Those that the functions send: brokers have to offer all of them. */
export const needed = [
  metadata,
  createTopics,
  deleteTopics,
  createPartitions,
  describeConfigs,
  incrementalAlterConfigs,
  listOffsets,
  listPartitionReassignments,
  alterPartitionReassignments,
] as const;
