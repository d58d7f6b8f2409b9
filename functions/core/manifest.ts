/** Live topics as KafkaTopics that somebody can apply. */
import { createHash } from 'node:crypto';
import { apiVersion, kind } from './api.ts';
import { throttleKeys } from './config.ts';
import type { LiveTopic, Mode } from './topic.ts';

type Texts = Readonly<Record<string, string>>;

/** A KafkaTopic as it is written into a file. What is absent is left to the API server's defaults. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Texts };
  readonly spec: {
    readonly topicName?: string;
    readonly numPartitions?: number;
    readonly replicationFactor?: number;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly deletionPolicy: 'Retain';
    readonly mode: Mode;
  };
};

/** What a manifest is about, beside its spec. */
export type Identity = {
  readonly topicName: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels?: Texts;
};

type Settings = Omit<Manifest['spec'], 'topicName' | 'deletionPolicy'>;

/** A manifest whose topic outlives it, and that names its topic only where the object's name is another. */
export const manifest = ({ topicName, name, namespace, labels = {} }: Identity, settings: Settings): Manifest => {
  const { mode, config = {}, ...counts } = settings;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    spec: {
      ...(topicName !== name && { topicName }),
      ...counts,
      ...(Object.keys(config).length > 0 && { config }),
      deletionPolicy: 'Retain',
      mode,
    },
  };
};

/** A manifest, and what of its origin it does not say: a line each, for people. */
export type Draft = { readonly topicName: string; readonly manifest: Manifest; readonly notes: readonly string[] };

/**
 * A live topic as a manifest that finds nothing to change: its counts, and what is set on the topic itself. Throttles of
 * moves are nobody's wish, and what the brokers withhold cannot be written down.
 *
 * @param live with all its configs
 */
export function manifestOf(identity: Identity, live: LiveTopic, mode: Mode): Draft {
  const overrides = [...live.config].filter(([key, { source }]) => source === 'topic' && !throttleKeys.has(key));
  const withheld = overrides.filter(([, { value }]) => value === null);
  const config = record(overrides.flatMap(([key, { value }]) => (value === null ? [] : [[key, asWritten(value)]])));
  const { numPartitions, replicationFactor } = live;
  const counts = { numPartitions, ...(replicationFactor !== 'mixed' && { replicationFactor }) };
  const notes = [
    ...(replicationFactor === 'mixed' ? ['partitions differ in their number of replicas: left out'] : []),
    ...withheld.map(([key]) => `config ${key}: the brokers withhold its value: left out`),
  ];
  return { topicName: identity.topicName, manifest: manifest(identity, { ...counts, config, mode }), notes };
}

/** A value as people write it, where that means exactly the same text: numbers and booleans without quotes. */
function asWritten(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  const number = Number(value);
  return Number.isSafeInteger(number) && !Object.is(number, -0) && String(number) === value ? number : value;
}

/** Without a prototype, so that a key named `__proto__` is only a key; in the order of the keys. */
export function record(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.assign(Object.create(null), Object.fromEntries(sorted));
}

/**
 * An object name for each topic: its own where that is legal, else one that reads like it. Where two would come out the
 * same, those that are not legal themselves get a part of a hash, so nobody's name depends on the order.
 *
 * @param topicNames all topics that could ever be asked for together, so that a choice among them changes no name
 * @param taken names that other objects have already
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS subdomain names, RFC 1123)
 */
export function objectNames(
  topicNames: readonly string[],
  taken: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, string> {
  const wanted = topicNames.map((topic): [string, string] => [topic, legalName(topic)]);
  const claims = new Map<string, number>();
  for (const [, name] of wanted) claims.set(name, (claims.get(name) ?? 0) + 1);
  const used = new Set([...taken, ...claims.keys()]);
  const free = ([topic, name]: readonly [string, string]): string => {
    const alone = topic === name || claims.get(name) === 1;
    if (alone && !taken.has(name)) return name;
    const found = hashLengths.map((length) => withHash(name, topic, length)).find((other) => !used.has(other)) ?? name;
    used.add(found);
    return found;
  };
  return new Map(wanted.map((claim) => [claim[0], free(claim)]));
}

/** With `.yaml` behind it a name is still one for a file. */
const longestName = 249;
const hashLengths = [8, 16, 32, 64] as const;

function legalName(topic: string): string {
  const labels = topic.toLowerCase().replaceAll('_', '-').split('.');
  const legal = labels.map((label) => label.replace(/^-+|-+$/g, '')).filter((label) => label !== '');
  return legal.join('.') || 'topic';
}

function withHash(name: string, topic: string, length: number): string {
  const hash = createHash('sha256').update(topic).digest('hex').slice(0, length);
  return `${name.slice(0, longestName - length - 1).replace(/[-.]+$/, '')}-${hash}`;
}
