import { annotations } from './api.ts';
import type { Claimant } from './ports.ts';
import type {
  Condition,
  DriftEntry,
  HeldAction,
  HeldPlan,
  Reassignment,
  TopicResource,
  TopicStatus,
} from './resource.ts';
import { configRules, configSize, configText, maxConfigSize, sizeRule } from './schema/config.ts';
import { isInternal, isTopicName, spec as specSchema, topicNameRule } from './schema/kafkatopic.ts';
import { isReason } from './schema/reasons.ts';
import type { KafkaTopicSpec } from './schema/types.generated.ts';
import { isObject, validate } from './schema/validate.ts';
import type { Mode, Refusal, TopicId, TopicSpec } from './topic.ts';

/**
 * Reads a KafkaTopic as the API server stores it. Never throws, whatever the object holds: an object stored under an
 * older schema becomes a resource whose `spec` is a Refusal.
 *
 * `spec` is accepted exactly when the API server accepts it, but for names of internal topics, which only we refuse.
 *
 * @param object parsed JSON
 */
export function parseResource(object: unknown): TopicResource {
  const { metadata, spec, status } = parts(object);
  const annotationOf = (name: string) => text(record(metadata.annotations)[name]);
  return {
    key: { namespace: text(metadata.namespace) ?? '', name: text(metadata.name) ?? '' },
    uid: text(metadata.uid) ?? '',
    resourceVersion: text(metadata.resourceVersion) ?? '',
    generation: integer(metadata.generation) ?? 0,
    createdAt: text(metadata.creationTimestamp) ?? '',
    deleting: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
    finalizers: list(metadata.finalizers).filter((name) => typeof name === 'string'),
    labels: new Map(Object.entries(texts(record(metadata.labels)))),
    reconcileRequestedAt: annotationOf(annotations.reconcileRequestedAt),
    approvedHash: annotationOf(annotations.approve),
    topicName: topicNameOf(metadata, spec),
    deletionPolicy: record(spec).deletionPolicy === 'Delete' ? 'Delete' : 'Retain',
    mode: modeOf(record(spec).mode),
    spec: parseSpec(topicNameOf(metadata, spec), spec ?? {}),
    status: isObject(status) ? parseStatus(status) : undefined,
  };
}

/** Reads a KafkaTopic as a claimant; one with a damaged spec claims all the same. */
export const parseClaimant = (object: unknown): Claimant => claimantOf(parseResource(object));

/** The same of an object that was read already. */
export function claimantOf({ key, uid, createdAt, deleting, mode, status }: TopicResource): Claimant {
  const { topicId, clusterId } = status ?? {};
  return {
    key,
    uid,
    createdAt,
    deleting,
    observeOnly: mode === 'Observe',
    boundTo: topicId !== undefined && clusterId !== undefined ? { topicId, clusterId } : undefined,
  };
}

const parts = (object: unknown) => {
  const { metadata, spec, status } = record(object);
  return { metadata: record(metadata), spec, status };
};

const topicNameOf = (metadata: Fields, spec: unknown): string =>
  text(record(spec).topicName) ?? text(metadata.name) ?? '';

const modeOf = (mode: unknown): Mode =>
  mode === undefined || mode === null ? 'Enforce' : (oneOf(['Enforce', 'Observe', 'Plan', 'Paused'], mode) ?? 'Paused');

function parseSpec(topicName: string, spec: unknown): TopicSpec | Refusal {
  if (!isTopicName(topicName))
    return { reason: 'InvalidTopicName', message: `The topic name is not allowed: ${topicNameRule}.` };
  const problem = validate(specSchema, spec, 'spec') ?? configProblem(spec as KafkaTopicSpec);
  if (problem !== undefined) return { reason: 'InvalidSpec', message: `${problem}.` };
  if (isInternal(topicName))
    return {
      reason: 'InternalTopic',
      message: "Topics whose names begin with '__' belong to Kafka and are left alone.",
    };
  return specOf(topicName, spec as KafkaTopicSpec);
}

function configProblem({ config, ignoredConfigs }: KafkaTopicSpec): string | undefined {
  const ignored = new Set(ignoredConfigs);
  const entries = Object.entries(config ?? {});
  for (const { breaks, message } of configRules) {
    const broken = entries.find(([key, value]) => breaks(value, key, ignored));
    if (broken) return `spec.config.${broken[0]}: ${message}`;
  }
  return configSize(config ?? {}) > maxConfigSize ? sizeRule.message : undefined;
}

const specOf = (topicName: string, spec: KafkaTopicSpec): TopicSpec => ({
  topicName,
  ...defined('numPartitions', spec.numPartitions ?? undefined),
  ...defined('replicationFactor', spec.replicationFactor ?? undefined),
  config: new Map(Object.entries(spec.config ?? {}).map(([key, value]) => [key, configText(value)])),
  ignoredConfigs: new Set(spec.ignoredConfigs),
  configMode: spec.configMode ?? 'Merge',
  deletionPolicy: spec.deletionPolicy ?? 'Retain',
  mode: spec.mode ?? 'Enforce',
});

/** Our own part of the status; what does not look as we write it is left out. */
const parseStatus = (status: Fields): TopicStatus => ({
  observedGeneration: integer(status.observedGeneration) ?? 0,
  conditions: list(status.conditions).flatMap(parseCondition),
  ...defined('topicName', text(status.topicName)),
  ...defined('topicId', text(status.topicId) as TopicId | undefined),
  ...defined('clusterId', text(status.clusterId)),
  ...defined('origin', oneOf(['Created', 'Adopted'], status.origin)),
  ...defined('numPartitions', integer(status.numPartitions)),
  ...defined('replicationFactor', integer(status.replicationFactor)),
  ...defined('config', isObject(status.config) ? texts(status.config) : undefined),
  ...defined('drift', Array.isArray(status.drift) ? status.drift.flatMap(parseDrift) : undefined),
  ...defined('plan', parsePlan(record(status.plan))),
  ...defined('reassignment', parseReassignment(record(status.reassignment))),
  ...defined('lastHandledReconcileAt', text(status.lastHandledReconcileAt)),
});

function parseCondition(value: unknown): Condition[] {
  const { type, status, reason, message, lastTransitionTime, observedGeneration } = record(value);
  const ours = oneOf(['Ready', 'Reconciling', 'Stalled'], type);
  const state = oneOf(['True', 'False', 'Unknown'], status);
  if (ours === undefined || state === undefined || !isReason(reason)) return [];
  return [
    {
      type: ours,
      status: state,
      reason,
      message: text(message) ?? '',
      lastTransitionTime: text(lastTransitionTime) ?? '',
      observedGeneration: integer(observedGeneration) ?? 0,
    },
  ];
}

function parseDrift(value: unknown): DriftEntry[] {
  const { field, desired, observed, since } = texts(record(value));
  if (field === undefined || desired === undefined || observed === undefined || since === undefined) return [];
  return [{ field, desired, observed, since }];
}

function parsePlan(plan: Fields): HeldPlan | undefined {
  const { hash, destructive, omitted } = plan;
  if (typeof hash !== 'string') return undefined;
  return {
    hash,
    destructive: destructive === true,
    actions: list(plan.actions).map(parseHeldAction),
    refusals: list(plan.refusals).flatMap(parseRefusal),
    ...defined('omitted', integer(omitted)),
  };
}

function parseHeldAction(value: unknown): HeldAction {
  const { type = '', field, from, to, why = '' } = texts(record(value));
  const destructive = record(value).destructive === true;
  return { type, ...defined('field', field), ...defined('from', from), ...defined('to', to), destructive, why };
}

function parseRefusal(value: unknown): Refusal[] {
  const { reason, message } = record(value);
  return isReason(reason) ? [{ reason, message: text(message) ?? '' }] : [];
}

/** One that does not look like ours is none: the move is then seen as somebody else's, and left alone. */
function parseReassignment(fields: Fields): Reassignment | undefined {
  const step = oneOf(['planned', 'submitted'], fields.step);
  const replicationFactor = integer(fields.replicationFactor);
  if (step === undefined || replicationFactor === undefined) return undefined;
  return {
    step,
    replicationFactor,
    ...defined('bytesPerSecond', integer(fields.bytesPerSecond)),
    partitionsDone: integer(fields.partitionsDone) ?? 0,
    partitionsTotal: integer(fields.partitionsTotal) ?? 0,
    assignment: texts(record(fields.assignment)),
    ...defined('replaces', isObject(fields.replaces) ? texts(fields.replaces) : undefined),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const record = (value: unknown): Fields => (isObject(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const integer = (value: unknown): number | undefined => (Number.isSafeInteger(value) ? (value as number) : undefined);
const oneOf = <const T extends string>(allowed: readonly T[], value: unknown): T | undefined =>
  allowed.find((option) => option === value);

/** Without a prototype, so that a key named `__proto__` is only a key. */
function texts(fields: Fields): Readonly<Record<string, string>> {
  const copy: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(fields)) if (typeof value === 'string') copy[key] = value;
  return copy;
}

const defined = <K extends string, const T>(name: K, value: T | undefined): { [name in K]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { [name in K]?: T };
