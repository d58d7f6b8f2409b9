/** An installation in which everything is well, in memory; tests replace what they want to go wrong. */
import type { BrokerInspection, ForwarderHealth, KubeInspection, Operation } from '../../functions/core/inspection.ts';
import { definitionPath, policyPaths } from '../../functions/doctor/kube.ts';
import type { Inspections } from '../../functions/doctor/list.ts';
import { type QueueName, queueNames } from '../../functions/doctor/queues.ts';
import shipped from '../../functions/doctor/shipped.generated.json' with { type: 'json' };

const arn = (queue: QueueName): string => `arn:aws:sqs:us-east-1:000000000000:${shipped.queues[queue].name}`;

/** As SQS answers for a queue of `infra/queues.yml`. */
export function queueAttributes(queue: QueueName): Record<string, string> {
  const { attributes, ...definition } = shipped.queues[queue];
  const redrive = 'deadLetters' in definition && {
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: arn(definition.deadLetters as QueueName),
      maxReceiveCount: definition.maxReceiveCount,
    }),
  };
  const source = queueNames.find((name) => JSON.stringify(shipped.queues[name]).includes(`"deadLetters":"${queue}"`));
  const allow = source !== undefined && {
    RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [arn(source)] }),
  };
  return { ...attributes, QueueArn: arn(queue), ...redrive, ...allow };
}

export const everything: ReadonlySet<Operation> = new Set([
  'Create',
  'Delete',
  'Alter',
  'Describe',
  'DescribeConfigs',
  'AlterConfigs',
]);

/** What the API server has stored, by path. */
const stored: Record<string, object> = {
  [definitionPath]: { ...shipped.definition, status: { conditions: [{ type: 'Established', status: 'True' }] } },
  ...Object.fromEntries(policyPaths.map((path, index) => [path, shipped.policies[index] as object])),
};

export function healthy() {
  const kube: KubeInspection = {
    server: async () => ({ url: 'https://api.example.com', version: 'v1.36.3', skewMs: 200 }),
    stored: async (path) => stored[path] ?? 'absent',
    rights: async (who) => [{ as: who === 'you' ? 'ann' : `group topicsmith:${who}`, denied: [] }],
    topicNames: async () => ['orders', 'clicks'],
  };
  const attributes = Object.fromEntries(queueNames.map((queue) => [queue, queueAttributes(queue)]));
  const brokers: BrokerInspection = {
    addresses: ['broker-1:9092', 'broker-2:9092'],
    login: 'TLS, SCRAM-SHA-512 as topicsmith',
    user: 'topicsmith',
    reach: async () => ({ clusterId: 'cluster', lacking: [] }),
    cluster: async () => ({
      brokers: [1, 2].map((id) => ({ id, address: `broker-${id}:9092` })),
      allowed: everything,
    }),
    configs: async () =>
      new Map([
        ['auto.create.topics.enable', 'false'],
        ['delete.topic.enable', 'true'],
      ]),
    topics: async (names) => new Map(names.map((name) => [name, everything])),
    mayNotCreate: async () => [],
  };
  const health: ForwarderHealth = { problems: [], keysWaiting: 0, objects: 5, lastTick: '2026-01-01T00:58:00.000Z' };
  const parts = { kube, attributes, brokers, forwarder: async (): Promise<ForwarderHealth | undefined> => health };
  const inspections: Inspections = {
    kube: async () => parts.kube,
    queues: async () => ({
      attributes: async (variable) => {
        const found = parts.attributes[variable as QueueName];
        return found && { url: `https://sqs.example.com/${variable}`, attributes: found, skewMs: 0 };
      },
    }),
    brokers: async () => parts.brokers,
    forwarder: async () => parts.forwarder(),
  };
  return { parts, inspections };
}
