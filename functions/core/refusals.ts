import { refusal } from './action.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import type { ObservedTopic, Refusal, TopicSpec } from './topic.ts';

/** KRaft refuses a request of more records than this, with 1 record per topic, partition and config: client-facts 2.6. */
export const maxRecordsPerRequest = 10_000;

/** What is wrong with an object in itself, whatever the brokers say. */
export function specRefusal(resource: TopicResource): Refusal | undefined {
  const { spec, topicName } = resource;
  const name = bindingOf(resource)?.topicName;
  if (name !== undefined && name !== topicName)
    return refusal(
      'InvalidSpec',
      `this object speaks for topic ${name} and cannot be renamed to ${topicName}: set spec.topicName back to ${name}, or create another object`,
    );
  if ('reason' in spec) return spec;
  return minInsyncRefusal(spec, spec.replicationFactor);
}

/** A topic too large to be created: the broker would refuse it, and everything that shares its request (K173). */
export function creationLimit({ numPartitions = 1, config }: TopicSpec): Refusal | undefined {
  if (1 + numPartitions + config.size <= maxRecordsPerRequest) return undefined;
  return refusal(
    'InvalidSpec',
    `spec.numPartitions ${numPartitions} is more than Kafka takes in one request: a topic, its partitions and its configs may be ${maxRecordsPerRequest} records together`,
  );
}

/** A growth too large for one request: the broker answers with an error and grows the topic all the same (K028). */
export function growthLimit(from: number, to: number): Refusal | undefined {
  if (to - from < maxRecordsPerRequest) return undefined;
  return refusal(
    'InvalidSpec',
    `spec.numPartitions adds ${to - from} partitions: Kafka takes fewer than ${maxRecordsPerRequest} at a time; grow in steps`,
  );
}

/** More in-sync replicas asked for than there are replicas (K011); the broker would take it. */
export function minInsyncRefusal(
  spec: Pick<TopicSpec, 'config'>,
  replicationFactor: number | 'mixed' | undefined,
): Refusal | undefined {
  const wanted = spec.config.get('min.insync.replicas');
  if (wanted === undefined || typeof replicationFactor !== 'number' || !(Number(wanted) > replicationFactor))
    return undefined;
  return refusal(
    'InvalidSpec',
    `min.insync.replicas ${wanted} is above the replication factor ${replicationFactor}: producers with acks=all would stop; lower it, or raise spec.replicationFactor`,
  );
}

/** Another cluster behind the same address means: refuse everything (K019). */
export function clusterRefusal(
  resource: TopicResource,
  observed: ObservedTopic | undefined,
  pinned: string | undefined,
): Refusal | undefined {
  if (observed === undefined) return undefined;
  const expected = bindingOf(resource)?.clusterId ?? pinned;
  const wrong = [pinned, expected].some((id) => id !== undefined && id !== observed.clusterId);
  if (!wrong) return undefined;
  return refusal(
    'WrongCluster',
    `the brokers belong to cluster ${observed.clusterId}, not to ${expected}: nothing is done until the addresses lead to the right cluster`,
  );
}
