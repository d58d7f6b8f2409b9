/** What a KafkaTopic asks for and what the brokers say: the values every stage passes on. */

export type Key = { readonly namespace: string; readonly name: string };

/** `namespace/name`: the key as text, for maps and for people. */
export const keyOf = ({ namespace, name }: Key): string => `${namespace}/${name}`;

/** Whether a text can be a namespace: a label of RFC 1123. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export const isNamespaceName = (text: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);

/** Whether a text can be the name of an object: a DNS subdomain name of RFC 1123, so it has no `/` and is no `..`. */
export const isObjectName = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);

/** A topic id as the broker gave it: 16 bytes, base64url without padding (as Kafka's own tools print it). KIP-516. */
export type TopicId = string & { readonly kind: 'TopicId' };

export type Mode = 'Enforce' | 'Observe' | 'Plan' | 'Paused';

/** Desired: parsed once, every config value is text. An absent number is not managed. */
export type TopicSpec = {
  readonly topicName: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly config: ReadonlyMap<string, string>;
  readonly ignoredConfigs: ReadonlySet<string>;
  readonly configMode: 'Merge' | 'Exact';
  readonly deletionPolicy: 'Retain' | 'Delete';
  readonly mode: Mode;
};

/** The topic an object speaks for: that id in that cluster. `status.topicName`, `topicId`, `clusterId`, `origin`. */
export type Binding = {
  readonly topicName: string;
  readonly topicId: TopicId;
  readonly clusterId: string;
  readonly origin: 'Created' | 'Adopted';
};

/** A refusal is final until somebody edits something: we will not do it, and this is why. */
export type Refusal = { readonly reason: Reason; readonly message: string };

/** `status.conditions[].reason`, one table for everybody: conformance.md 1.3. */
export type Reason =
  | 'Synced'
  | 'Observed'
  | 'ApprovalRequired'
  | 'TopicMissing'
  | 'IdentityChanged'
  | 'DriftDetected'
  | 'Paused'
  | 'DeadLettered'
  | 'InvalidSpec'
  | 'InvalidTopicName'
  | 'InternalTopic'
  | 'InvalidReplicationFactor'
  | 'InvalidConfig'
  | 'PartitionsCannotShrink'
  | 'PolicyViolation'
  | 'NotAuthorized'
  | 'ResourceConflict'
  | 'WrongCluster'
  | 'UnsupportedByBroker'
  | 'DeletionDisabled'
  | 'BrokerUnavailable'
  | 'NotAuthenticated'
  | 'Throttled'
  | 'ObservationOutdated'
  | 'ReassignmentInProgress'
  | 'KafkaError'
  | 'InternalError';

/** Reasons of Events (conformance.md 1.3): what was done, and as warnings what stands in the way. */
export type EventReason =
  | 'Created'
  | 'Adopted'
  | 'PartitionsAdded'
  | 'ConfigChanged'
  | 'DriftCorrected'
  | 'ReassignmentStarted'
  | 'ReassignmentFinished'
  | 'Retained'
  | 'Deleted'
  | Reason;

/** Where a config value comes from (DescribeConfigs `source`): only `topic` is an override on the topic itself. */
export type ConfigSource = 'topic' | 'broker' | 'default';

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

export type ConfigEntry = {
  /** effective value; null when the broker withholds it (sensitive) */
  readonly value: string | null;
  readonly source: ConfigSource;
  /** what would hold without the override on the topic; null when unknown */
  readonly inherited: string | null;
  readonly type: ConfigType;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
};

/** A broker that is up. `rack` is undefined where the broker names none. */
export type Broker = { readonly id: number; readonly rack: string | undefined };

/** Where one partition is; all numbers but `partition` are broker ids. */
export type PartitionReplicas = {
  readonly partition: number;
  /** undefined while it has none */
  readonly leader: number | undefined;
  /** in order of preference; those that a running reassignment adds or removes are among them */
  readonly replicas: readonly number[];
  readonly adding: readonly number[];
  readonly removing: readonly number[];
};

/** Where a topic's replicas are, and which brokers are up to hold some. */
export type Replicas = { readonly brokers: readonly Broker[]; readonly partitions: readonly PartitionReplicas[] };

/** Partition to the brokers that shall hold it, the preferred leader first. */
export type Assignment = ReadonlyMap<number, readonly number[]>;

/** `unknown` counts as `some` wherever data could be lost. */
export type Records = 'none' | 'some' | 'unknown';

/** The settings of a live topic. `config` has an entry for each key that was asked for and that the broker knows. */
export type LiveTopic = {
  readonly numPartitions: number;
  readonly replicationFactor: number | 'mixed';
  readonly config: ReadonlyMap<string, ConfigEntry>;
};

/** Observed: what the brokers say now. `clusterId` is the cluster that said it. */
export type ObservedTopic = { readonly clusterId: string } & (
  | { readonly exists: false }
  | ({ readonly exists: true; readonly id: TopicId; readonly records: Records } & LiveTopic)
);
