/** The queues of `infra/queues.yml`, created through the SQS API: the file is their only definition. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parse } from 'yaml';

/** Queue URLs by the name that the functions' environment has for them. */
export type QueueUrls = Record<'RECONCILE_QUEUE_URL' | 'RECONCILE_DLQ_URL' | 'TICK_QUEUE_URL' | 'TICK_DLQ_URL', string>;

type Properties = Readonly<Record<string, unknown>> & { readonly QueueName: string };
export type QueueDefinitions = Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;

/** The functions' identity at a server that checks none. */
export const localAws = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
} as const;

const ACCOUNT = '000000000000';

const queuesFile = join(import.meta.dirname, '..', 'queues.yml');

export const readQueues = (file = queuesFile): QueueDefinitions => parse(readFileSync(file, 'utf8')).Resources;

/**
 * Creates the queues, or finds them as they are.
 *
 * @param endpoint of an SQS server that takes any credentials
 * @throws the SDK's error when the server refuses a queue, e.g. because it exists with other attributes
 */
export async function createQueues(endpoint: string, definitions = readQueues()): Promise<QueueUrls> {
  const sqs = new SQSClient({
    endpoint,
    region: localAws.AWS_REGION,
    credentials: { accessKeyId: localAws.AWS_ACCESS_KEY_ID, secretAccessKey: localAws.AWS_SECRET_ACCESS_KEY },
  });
  const urls = new Map<string, string>();
  try {
    for (const id of deadLetterQueuesFirst(definitions)) urls.set(id, await create(sqs, id, definitions));
  } finally {
    sqs.destroy();
  }
  return {
    RECONCILE_QUEUE_URL: urlOf(urls, 'ReconcileQueue'),
    RECONCILE_DLQ_URL: urlOf(urls, 'ReconcileDeadLetterQueue'),
    TICK_QUEUE_URL: urlOf(urls, 'TickQueue'),
    TICK_DLQ_URL: urlOf(urls, 'TickDeadLetterQueue'),
  };
}

/** A queue cannot name a dead-letter queue that does not exist. */
function deadLetterQueuesFirst(definitions: QueueDefinitions): string[] {
  const names = Object.keys(definitions).filter((id) => definitions[id]?.Type === 'AWS::SQS::Queue');
  const redrives = (id: string) => (definitions[id]?.Properties.RedrivePolicy === undefined ? 0 : 1);
  return names.sort((a, b) => redrives(a) - redrives(b));
}

async function create(sqs: SQSClient, id: string, definitions: QueueDefinitions): Promise<string> {
  const { QueueName, Attributes } = queueRequest(id, definitions);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  if (QueueUrl === undefined) throw new Error(`the SQS server gave no URL for ${QueueName}`);
  return QueueUrl;
}

/**
 * Properties of `AWS::SQS::Queue` as CreateQueue takes them: all values are text, policies are JSON. CloudFormation names
 * them as the API does, but for `SqsManagedSseEnabled` and the allow policy, which mean nothing on one machine.
 */
export function queueRequest(id: string, definitions: QueueDefinitions) {
  const definition = definitions[id];
  if (definition === undefined) throw new Error(`infra/queues.yml has no queue ${id}`);
  const { QueueName, SqsManagedSseEnabled, RedriveAllowPolicy, ...attributes } = definition.Properties;
  const text = (value: unknown) =>
    typeof value === 'object' ? JSON.stringify(resolve(value, definitions)) : String(value);
  const kept = Object.entries(attributes).filter(([name, value]) => !(name === 'FifoQueue' && value === false));
  return { QueueName, Attributes: Object.fromEntries(kept.map(([name, value]) => [name, text(value)])) };
}

/** Replaces `Fn::GetAtt: [queue, Arn]` by the ARN, at any depth. */
function resolve(value: unknown, definitions: QueueDefinitions): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => resolve(item, definitions));
  if ('Fn::GetAtt' in value) return arnOf(value['Fn::GetAtt'], definitions);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, definitions)]));
}

function arnOf(reference: unknown, definitions: QueueDefinitions): string {
  const [id, attribute] = Array.isArray(reference) ? reference : String(reference).split('.');
  const queue = definitions[id];
  if (queue === undefined || attribute !== 'Arn')
    throw new Error(`infra/queues.yml: cannot resolve ${id}.${attribute}`);
  return `arn:aws:sqs:${localAws.AWS_REGION}:${ACCOUNT}:${queue.Properties.QueueName}`;
}

function urlOf(urls: ReadonlyMap<string, string>, id: string): string {
  const url = urls.get(id);
  if (url === undefined) throw new Error(`infra/queues.yml has no queue ${id}`);
  return url;
}
