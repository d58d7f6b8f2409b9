import { maxConfigs } from './config.ts';
import type { Schema } from './schema.ts';

/**
 * The one source of what a KafkaTopic may hold. CRD, TypeScript types and reference page are generated from it
 * (`npm run generate`); the parser validates with it at run time.
 *
 * Defaults stand in the schema, so stored objects show them and `kubectl get -o wide` has no empty column.
 */

/** @see https://github.com/apache/kafka/blob/4.1.2/clients/src/main/java/org/apache/kafka/common/internals/Topic.java */
const maxTopicName = 249;
const topicNamePattern = `^[a-zA-Z0-9._-]{1,${maxTopicName}}$`;

/** Kafka's own rule. Twins that differ in `.` and `_` only are legal here; the brokers refuse the second. */
export const isTopicName = (name: string): boolean =>
  name !== '.' && name !== '..' && new RegExp(topicNamePattern).test(name);

/** What Kafka keeps for itself. */
export const isInternal = (topicName: string): boolean => topicName.startsWith('__');

export const topicNameRule = `a topic name is 1 to ${maxTopicName} of the characters a-z A-Z 0-9 . _ - and neither '.' nor '..'`;

const specSchema: Schema = {
  type: 'object',
  description: 'What the topic should be.',
  default: {},
  properties: {
    topicName: {
      type: 'string',
      description:
        'Name of the topic in Kafka, where it is not a legal object name. Default: metadata.name. It cannot be changed or removed.',
      maxLength: maxTopicName,
      rules: [
        {
          rule: `self.matches('${topicNamePattern}') && self != '.' && self != '..'`,
          message: topicNameRule,
          holds: (self) => isTopicName(self as string),
        },
      ],
    },
    numPartitions: {
      type: 'integer',
      description:
        "Number of partitions. It can grow, never shrink. Absent: the brokers' default at creation, then not managed.",
      minimum: 1,
      maximum: 100_000,
    },
    replicationFactor: {
      type: 'integer',
      description:
        "Replicas of each partition. A change moves replicas, without downtime. Absent: the brokers' default, not managed.",
      minimum: 1,
      maximum: 32_767,
    },
    config: {
      type: 'object',
      description:
        'Topic configs, for example retention.ms. A value is text, a number, true, false, or a list of these (joined by commas). ' +
        'Quote whole numbers beyond 9007199254740991. null is refused: list the key in ignoredConfigs instead.',
      maxProperties: maxConfigs,
      // nullable: else the API server drops null values before anything can refuse them
      additionalProperties: { nullable: true, 'x-kubernetes-preserve-unknown-fields': true },
    },
    ignoredConfigs: {
      type: 'array',
      description:
        'Names of configs to keep hands off, whatever their value. A name stands here or in config, not in both.',
      maxItems: maxConfigs,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      'x-kubernetes-list-type': 'set',
    },
    configMode: {
      type: 'string',
      description:
        'Merge: own the listed configs, and reset one that was listed before. Exact: any other config set on the topic is drift too.',
      enum: ['Merge', 'Exact'],
      default: 'Merge',
    },
    deletionPolicy: {
      type: 'string',
      description: 'Retain: the topic outlives this object. Delete: it is deleted with this object.',
      enum: ['Retain', 'Delete'],
      default: 'Retain',
    },
    mode: {
      type: 'string',
      description:
        'Enforce: keep the topic as the spec says. Observe: report differences, change nothing. Plan: every change waits ' +
        'for approval. Paused: do not look at all.',
      enum: ['Enforce', 'Observe', 'Plan', 'Paused'],
      default: 'Enforce',
    },
  },
};

const text = (description: string): Schema => ({ type: 'string', description });
const count = (description: string): Schema => ({ type: 'integer', description, minimum: 0 });
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description });

/** @see https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/apis/meta/v1/types.go (Condition) */
const conditionSchema: Schema = {
  type: 'object',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: { type: 'string', description: 'Ready, Reconciling or Stalled; others may add their own.', maxLength: 316 },
    status: { type: 'string', description: 'True, False or Unknown.', enum: ['True', 'False', 'Unknown'] },
    reason: {
      type: 'string',
      description: 'Why, as one word: crds/README.md lists the reasons.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    },
    message: { type: 'string', description: 'Why, as a sentence.', maxLength: 32_768 },
    lastTransitionTime: time('When status last changed.'),
    observedGeneration: count('The metadata.generation this is about.'),
  },
};

const planSchema: Schema = {
  type: 'object',
  description: 'What waits for approval, or was approved and is not finished.',
  required: ['hash', 'destructive', 'actions', 'refusals'],
  properties: {
    hash: text('Value for the approve annotation; it stands for exactly this plan.'),
    destructive: { type: 'boolean', description: 'Whether a held action can lose data.' },
    actions: {
      type: 'array',
      description: 'The held actions, in order.',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['type', 'destructive', 'why'],
        properties: {
          type: text('What would be done.'),
          field: text('What it is done to.'),
          from: text('Value now.'),
          to: text('Value afterwards.'),
          destructive: { type: 'boolean', description: 'Whether it can lose data.' },
          why: text('Why it is held.'),
        },
      },
    },
    refusals: {
      type: 'array',
      description: 'What will not be done, approved or not.',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['reason', 'message'],
        properties: { reason: text('Why, as one word.'), message: text('Why, as a sentence.') },
      },
    },
    omitted: count('Actions left out of this list because it would be too long; the hash covers them.'),
  },
};

const reassignmentSchema: Schema = {
  type: 'object',
  description: 'A change of the replication factor that is under way.',
  required: ['step', 'replicationFactor', 'partitionsDone', 'partitionsTotal', 'assignment'],
  properties: {
    step: {
      type: 'string',
      description: 'The last step that is finished.',
      enum: ['planned', 'submitted'],
    },
    replicationFactor: count('Replicas each partition will have.'),
    bytesPerSecond: count('Limit on the traffic, for each broker; absent when there is none.'),
    partitionsDone: count('Partitions that have them.'),
    partitionsTotal: count('Partitions to move.'),
    assignment: {
      type: 'object',
      description: 'Partition to broker ids, joined by commas; a restart goes on with the same.',
      additionalProperties: { type: 'string' },
    },
    replaces: {
      type: 'object',
      description: 'Until the move is asked for: where partitions may still be on their way to.',
      additionalProperties: { type: 'string' },
    },
  },
};

const statusSchema: Schema = {
  type: 'object',
  description: 'What is; written by topicsmith only.',
  properties: {
    observedGeneration: count('The metadata.generation that was last worked on.'),
    conditions: {
      type: 'array',
      description: 'Ready says whether the topic is as wanted. Reconciling and Stalled are present only while True.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: conditionSchema,
    },
    topicName: text('Name of the topic in Kafka.'),
    topicId: text("Kafka's id of the topic this object speaks for."),
    clusterId: text('Id of the Kafka cluster that topic is in.'),
    origin: { type: 'string', description: 'Whether we created that topic or found it.', enum: ['Created', 'Adopted'] },
    numPartitions: count('Live number of partitions.'),
    replicationFactor: count('Live replicas; absent while partitions differ.'),
    config: {
      type: 'object',
      description: 'Live values of the configs we own. A key here that leaves the spec is reset.',
      additionalProperties: { type: 'string' },
    },
    drift: {
      type: 'array',
      description: 'Where the topic differs from the spec, in mode Observe.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['field'],
      items: {
        type: 'object',
        required: ['field', 'desired', 'observed', 'since'],
        properties: {
          field: text('Name of the field or config.'),
          desired: text('Value in the spec.'),
          observed: text('Live value.'),
          since: time('When it was first seen.'),
        },
      },
    },
    plan: planSchema,
    reassignment: reassignmentSchema,
    lastHandledReconcileAt: text('Value of the reconcile-requested-at annotation that was last worked on.'),
  },
};

export const kafkaTopicSchema: Schema = {
  type: 'object',
  description: 'A Kafka topic, kept as its spec says.',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: specSchema,
    status: statusSchema,
  },
  rules: [
    {
      // at creation only: an object stored before this rule can still lose its finalizer
      rule: `oldSelf.hasValue() || has(self.spec.topicName) || self.metadata.name.size() <= ${maxTopicName}`,
      message: `metadata.name is longer than a topic name may be (${maxTopicName}); set spec.topicName`,
      optionalOldSelf: true,
      fieldPath: '.spec.topicName',
    },
    {
      rule: '!has(oldSelf.spec.topicName) || (has(self.spec.topicName) && self.spec.topicName == oldSelf.spec.topicName)',
      message: 'spec.topicName cannot be changed or removed; create another object for another topic',
      fieldPath: '.spec.topicName',
    },
    {
      rule: 'has(oldSelf.spec.topicName) || !has(self.spec.topicName) || self.spec.topicName == self.metadata.name',
      message: 'spec.topicName cannot be added unless it equals metadata.name; create another object for another topic',
      fieldPath: '.spec.topicName',
    },
  ],
};

export const spec = specSchema;
export const status = statusSchema;

/** Columns of `kubectl get`; priority 1 shows with `-o wide`. */
export const columns = [
  { name: 'Topic', type: 'string', jsonPath: '.status.topicName' },
  { name: 'Partitions', type: 'integer', jsonPath: '.status.numPartitions' },
  { name: 'Replicas', type: 'integer', jsonPath: '.status.replicationFactor' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Mode', type: 'string', jsonPath: '.spec.mode', priority: 1 },
  { name: 'Deletion', type: 'string', jsonPath: '.spec.deletionPolicy', priority: 1 },
  { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
] as const;
