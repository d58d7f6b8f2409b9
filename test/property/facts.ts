/** What holds of an object and a topic, read off the simulated world and never off the product's own reasoning. */
import { finalizer } from '../../functions/core/api.ts';
import type { TopicStatus } from '../../functions/core/resource.ts';
import { definitions } from '../support/kafka/broker-configs.ts';
import type { FakeTopic } from '../support/kafka/fake-topics.ts';
import type { StoredObject } from '../support/kube/objects.ts';
import type { Spec } from './steps.ts';

export const specOf = ({ spec }: StoredObject): Spec & { topicName: string } =>
  spec as unknown as Spec & { topicName: string };
export const statusOf = ({ status }: StoredObject): Partial<TopicStatus> => (status ?? {}) as Partial<TopicStatus>;
export const isOut = ({ metadata }: StoredObject): boolean => metadata.deletionTimestamp !== undefined;
export const isHeld = ({ metadata }: StoredObject): boolean => metadata.finalizers?.includes(finalizer) ?? false;
/** The installation of the histories is for one team. */
export const isSelected = ({ metadata }: StoredObject): boolean => metadata.labels?.team === 'a';
export const physicalName = ({ metadata, spec }: StoredObject): string => String(spec.topicName ?? metadata.name);
export const isOlder = (a: StoredObject, b: StoredObject): boolean =>
  a.metadata.creationTimestamp === b.metadata.creationTimestamp
    ? a.metadata.uid < b.metadata.uid
    : a.metadata.creationTimestamp < b.metadata.creationTimestamp;

/** Lists of limited replicas: whoever moves replicas sets them. */
export const throttleKeys = ['leader', 'follower'].map((side) => `${side}.replication.throttled.replicas`);

/** The value in force. */
export const effective = ({ overrides }: FakeTopic, key: string): string =>
  overrides.get(key) ?? definitions.get(key)?.default ?? '';

export const compacts = (topic: FakeTopic): boolean => effective(topic, 'cleanup.policy').includes('compact');

/** Whether records could be lost when a key gets this value; `null` takes the override away. */
export function loses(topic: FakeTopic, key: string, value: string | null): boolean {
  if (topic.recordCount === 0) return false;
  const [before, after] = [effective(topic, key), value ?? definitions.get(key)?.default ?? ''];
  if (key === 'cleanup.policy') return asSet(before) !== asSet(after);
  return key === 'retention.ms' && asLimit(after) < asLimit(before);
}

const asSet = (list: string): string => list.split(',').sort().join(',');
const asLimit = (text: string): number => (text === '-1' ? Number.POSITIVE_INFINITY : Number(text));

/** What of a topic is not as an object says; empty when all is. */
export function mismatches(object: StoredObject, topic: FakeTopic | undefined): string[] {
  if (topic === undefined) return ['there is no topic'];
  const { numPartitions, replicationFactor, config, configMode, ignoredConfigs = [] } = specOf(object);
  const others = [...topic.overrides.keys()].filter(
    (key) => !(key in config) && !ignoredConfigs.includes(key) && !throttleKeys.includes(key),
  );
  return [
    ...(numPartitions === undefined || topic.numPartitions === numPartitions ? [] : ['other partitions']),
    ...(replicationFactor === undefined || topic.replicationFactor === replicationFactor ? [] : ['other replicas']),
    ...Object.entries(config).flatMap(([key, value]) => (topic.overrides.get(key) === value ? [] : [`another ${key}`])),
    ...(configMode === 'Exact' ? others.map((key) => `an override of ${key}`) : []),
  ];
}

export type Ready = { readonly status: string; readonly reason: string; readonly observedGeneration: number };
export const readyOf = ({ conditions = [] }: Partial<TopicStatus>): Ready | undefined =>
  conditions.find(({ type }) => type === 'Ready');
