/**
 * Strimzi's KafkaTopics as ours.
 *
 * @see https://strimzi.io/docs/operators/latest/configuring.html#type-KafkaTopicSpec-reference
 */
import { type Draft, manifest, record } from './manifest.ts';
import { configRules } from './schema/config.ts';
import { isObject } from './schema/validate.ts';
import type { Mode } from './topic.ts';

export const strimziGroup = 'kafka.strimzi.io';
export const strimziKind = 'KafkaTopic';
/** Names the Kafka cluster, a resource of Strimzi's. */
export const clusterLabel = 'strimzi.io/cluster';

/** `managed`: Strimzi acts on the topic, and deletes it with its object. `deleting`: somebody has deleted that object. */
export type StrimziDraft = Draft & {
  readonly cluster: string | undefined;
  readonly managed: boolean;
  readonly deleting: boolean;
};

/** Whether an object is one of Strimzi's KafkaTopics, of any version. */
export function isStrimziTopic(object: unknown): boolean {
  const { apiVersion, kind } = fields(object);
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${strimziGroup}/`) && kind === strimziKind;
}

/**
 * A KafkaTopic of Strimzi's as one of ours for the same topic, and what of it has no counterpart.
 *
 * Who has paused it there wants nobody to act here either, and what Strimzi was told to leave alone is only observed.
 *
 * @param object parsed JSON, or YAML with whole numbers as `bigint`
 * @param namespace in place of the object's own
 */
export function fromStrimzi(object: unknown, mode: Mode, namespace?: string): StrimziDraft {
  const metadata = fields(fields(object).metadata);
  const { topicName: ownName, partitions, replicas, config, ...unknown } = fields(fields(object).spec);
  const [labels, annotations] = [texts(metadata.labels), texts(metadata.annotations)];
  const name = text(metadata.name) ?? '';
  const topicName = text(ownName) ?? name;
  const paused = annotations['strimzi.io/pause-reconciliation'] === 'true';
  const managed = annotations['strimzi.io/managed'] !== 'false';
  const kept = record(Object.entries(labels).filter(([key]) => !isOfATool(key))) as Readonly<Record<string, string>>;
  const values = configOf(config);
  const settings = { ...count('numPartitions', partitions), ...count('replicationFactor', replicas) };
  return {
    topicName,
    manifest: manifest(
      { topicName, name, namespace: namespace ?? text(metadata.namespace), labels: kept },
      { ...settings, config: values.config, mode: paused ? 'Paused' : managed ? mode : 'Observe' },
    ),
    notes: [
      ...(paused ? ['strimzi.io/pause-reconciliation is true: spec.mode is Paused here'] : []),
      ...(managed ? [] : ['strimzi.io/managed is false: spec.mode is Observe here']),
      ...countNote('partitions', partitions),
      ...countNote('replicas', replicas),
      ...values.notes,
      ...Object.keys(unknown).map((field) => `spec.${field} has no counterpart: left out`),
      ...Object.entries(labels)
        .filter(([key]) => isOfATool(key))
        .map(([key, value]) => `label ${key}=${value} has no counterpart: left out`),
      ...Object.keys(annotations)
        .filter((key) => !isSpoken(key))
        .map((key) => `annotation ${key} has no counterpart: left out`),
      ...(Array.isArray(metadata.ownerReferences) ? ['metadata.ownerReferences have no counterpart: left out'] : []),
    ],
    cluster: labels[clusterLabel],
    managed,
    deleting: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
  };
}

/** By these, tools know objects that are theirs: with them they would delete ours, which they did not make. */
const isOfATool = (label: string): boolean =>
  label === 'app.kubernetes.io/managed-by' ||
  /^(strimzi\.io|argocd\.argoproj\.io|(kustomize|helm)\.toolkit\.fluxcd\.io)\//.test(label);

/** Annotations that have been told, or that kubectl keeps for itself. */
const isSpoken = (annotation: string): boolean =>
  [
    'strimzi.io/pause-reconciliation',
    'strimzi.io/managed',
    'kubectl.kubernetes.io/last-applied-configuration',
  ].includes(annotation);

/** Absent and -1 leave a count to the brokers. */
function count<K extends string>(field: K, value: unknown): { readonly [field in K]?: number } {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return (typeof number === 'number' && number !== -1 ? { [field]: number } : {}) as { readonly [field in K]?: number };
}

const countNote = (field: string, value: unknown): string[] =>
  value === undefined || value === null || ['number', 'bigint'].includes(typeof value)
    ? []
    : [`spec.${field} is not a number: left out`];

/** Values as they stand there; whole numbers that would lose digits as text. */
function configOf(config: unknown): { config: Readonly<Record<string, unknown>>; notes: readonly string[] } {
  const entries = Object.entries(fields(config)).map(([key, value]) => [key, exact(value)] as const);
  const broken = (key: string, value: unknown) => configRules.find(({ breaks }) => breaks(value, key, nothing));
  return {
    config: record(entries.filter(([key, value]) => broken(key, value) === undefined)),
    notes: entries.flatMap(([key, value]) => {
      const rule = broken(key, value);
      return rule === undefined ? [] : [`spec.config.${key} is left out: ${rule.message}`];
    }),
  };
}

const nothing: ReadonlySet<string> = new Set();

function exact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields => (isObject(value) ? value : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields(value)).filter((entry) => typeof entry[1] === 'string')) as Record<
    string,
    string
  >;
