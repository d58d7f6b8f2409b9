/** Full, valid values of the core's types: a test names only what matters to it. */
import { finalizer } from '../../functions/core/api.ts';
import { defaultApprovals, type Installation } from '../../functions/core/installation.ts';
import type { Claimant } from '../../functions/core/ports.ts';
import type { TopicResource, TopicStatus } from '../../functions/core/resource.ts';
import type { LiveObservation, Situation } from '../../functions/core/situation.ts';
import type { ConfigEntry, ConfigType, ObservedTopic, TopicId, TopicSpec } from '../../functions/core/topic.ts';

export const theId = 'AAAAAAAAAAAAAAAAAAAAAQ' as TopicId;
export const anotherId = 'AAAAAAAAAAAAAAAAAAAAAg' as TopicId;
export const theCluster = 'cluster-one';

type SpecFields = Partial<Omit<TopicSpec, 'config' | 'ignoredConfigs'>> & {
  readonly config?: Readonly<Record<string, string>>;
  readonly ignoredConfigs?: readonly string[];
};

export function spec(fields: SpecFields = {}): TopicSpec {
  const { config = {}, ignoredConfigs = [], ...rest } = fields;
  return {
    topicName: 'orders',
    configMode: 'Merge',
    deletionPolicy: 'Retain',
    mode: 'Enforce',
    ...rest,
    config: new Map(Object.entries(config)),
    ignoredConfigs: new Set(ignoredConfigs),
  };
}

/** An object that nobody has worked on yet. */
export function topic(fields: SpecFields = {}, object: Partial<TopicResource> = {}): TopicResource {
  const parsed = spec(fields);
  return {
    key: { namespace: 'shop', name: 'orders' },
    uid: 'uid-1',
    resourceVersion: '7',
    generation: 1,
    createdAt: '2026-01-01T00:00:00Z',
    deleting: false,
    finalizers: [],
    labels: new Map(),
    reconcileRequestedAt: undefined,
    approvedHash: undefined,
    topicName: parsed.topicName,
    deletionPolicy: parsed.deletionPolicy,
    mode: parsed.mode,
    spec: parsed,
    status: undefined,
    ...object,
  };
}

export const boundStatus = (fields: Partial<TopicStatus> = {}): TopicStatus => ({
  observedGeneration: 1,
  conditions: [],
  topicName: 'orders',
  topicId: theId,
  clusterId: theCluster,
  origin: 'Created',
  ...fields,
});

/** An object that speaks for the topic with `theId`. */
export const boundTopic = (
  fields: SpecFields = {},
  status: Partial<TopicStatus> = {},
  object: Partial<TopicResource> = {},
): TopicResource => topic(fields, { status: boundStatus(status), ...object });

/** A bound object on its way out, held by our finalizer. */
export const deletedTopic = (
  fields: SpecFields = {},
  status: Partial<TopicStatus> = {},
  object: Partial<TopicResource> = {},
): TopicResource =>
  boundTopic({ deletionPolicy: 'Delete', ...fields }, status, { deleting: true, finalizers: [finalizer], ...object });

const types: Readonly<Record<string, ConfigType>> = {
  'cleanup.policy': 'list',
  'retention.ms': 'long',
  'retention.bytes': 'long',
  'segment.ms': 'long',
  'min.insync.replicas': 'int',
  'min.cleanable.dirty.ratio': 'double',
  'unclean.leader.election.enable': 'boolean',
  'remote.storage.enable': 'boolean',
  'leader.replication.throttled.replicas': 'list',
};
const defaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'segment.ms': '604800000',
  'min.insync.replicas': '1',
  'min.cleanable.dirty.ratio': '0.5',
  'unclean.leader.election.enable': 'false',
  'remote.storage.enable': 'false',
  'leader.replication.throttled.replicas': '',
};

export const entry = (key: string, override?: string, more: Partial<ConfigEntry> = {}): ConfigEntry => ({
  value: override ?? defaults[key] ?? '',
  source: override === undefined ? 'default' : 'topic',
  inherited: defaults[key] ?? '',
  type: types[key] ?? 'string',
  readOnly: false,
  sensitive: false,
  ...more,
});

type LiveFields = Partial<Omit<LiveObservation, 'config'>> & {
  readonly overrides?: Readonly<Record<string, string>>;
  readonly entries?: Readonly<Record<string, ConfigEntry>>;
};

/** A live topic with the broker's defaults and these overrides; it holds records unless said otherwise. */
export function live({ overrides = {}, entries = {}, ...fields }: LiveFields = {}): LiveObservation {
  const keys = [...new Set([...Object.keys(defaults), ...Object.keys(overrides)])];
  const config = new Map(keys.map((key) => [key, entry(key, overrides[key])]));
  for (const [key, value] of Object.entries(entries)) config.set(key, value);
  return {
    clusterId: theCluster,
    exists: true,
    id: theId,
    numPartitions: 3,
    replicationFactor: 1,
    records: 'some',
    ...fields,
    config,
  };
}

export const absent: ObservedTopic = { clusterId: theCluster, exists: false };

export const claimant = (fields: Partial<Claimant> = {}): Claimant => ({
  key: { namespace: 'shop', name: 'orders' },
  uid: 'uid-1',
  createdAt: '2026-01-01T00:00:00Z',
  deleting: false,
  observeOnly: false,
  boundTo: undefined,
  ...fields,
});

/** A rival in another namespace, older than the object that `topic()` makes. */
export const rival = (fields: Partial<Claimant> = {}): Claimant =>
  claimant({
    key: { namespace: 'billing', name: 'orders' },
    uid: 'uid-0',
    createdAt: '2025-01-01T00:00:00Z',
    ...fields,
  });

/** For one cluster, all objects, with the usual approvals and no limit on moves. */
export const installation = (fields: Partial<Installation> = {}): Installation => ({
  clusterId: theCluster,
  approvals: defaultApprovals,
  moveBytesPerSecond: undefined,
  selects: () => true,
  ...fields,
});

export const situation = (
  resource: TopicResource,
  observed?: ObservedTopic,
  more: Partial<Situation> = {},
): Situation => ({
  resource,
  observed,
  claimants: [claimant()],
  replicas: undefined,
  installation: installation(),
  ...more,
});
