/** The queue as an event source mapping uses it: long polls, and deletion of what succeeded. */
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';

export type Received = {
  readonly records: readonly SQSRecord[];
  /** ms since the epoch: from then on the queue may give these messages to somebody else */
  readonly visibleAt: number;
};

/** About how many messages there are; undefined where that may not be read. */
export type Depths = {
  readonly waiting: number | undefined;
  readonly in_flight: number | undefined;
  /** in the dead-letter queue */
  readonly dead: number | undefined;
};

export type Queue = {
  readonly visibilitySeconds: number;
  /** Never rejects. */
  depths(): Promise<Depths>;
  /**
   * Waits for messages. It cannot be called off: a server that does not notice may still hand messages to a poll that
   * nobody listens to any more, and hide them (ElasticMQ 1.7.1 does).
   *
   * @returns no records when none came. @throws the client's error
   */
  receive(maxMessages: number): Promise<Received>;
  /** @returns how many were not deleted: they come back. @throws the client's error */
  delete(records: readonly SQSRecord[]): Promise<number>;
};

/** @throws Error in one line when there is no such queue */
export async function queueUrl(sqs: SQSClient, name: string): Promise<string> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name })).catch((error: unknown) => {
    throw new Error(`the queue ${name} was not found: ${(error as Error).name}`, { cause: error });
  });
  return QueueUrl ?? '';
}

/**
 * Looks the queue up and keeps its visibility timeout.
 *
 * @param waitSeconds of a long poll, 20 at most
 * @throws Error in one line when it does not answer
 */
export async function openQueue(sqs: SQSClient, url: string, waitSeconds: number): Promise<Queue> {
  const AttributeNames = ['VisibilityTimeout', 'QueueArn', 'RedrivePolicy'] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...AttributeNames] });
  const { Attributes = {} } = await sqs.send(command).catch((error: unknown) => {
    throw new Error(`the queue ${url} does not answer: ${(error as Error).name}`, { cause: error });
  });
  const visibilitySeconds = Number(Attributes.VisibilityTimeout);
  const toRecord = recordFrom(Attributes.QueueArn ?? '');
  const deadLetters = await deadLetterUrl(sqs, Attributes.RedrivePolicy);
  return {
    visibilitySeconds,
    depths: async () => {
      const [[waiting, in_flight], [dead]] = await Promise.all([depth(sqs, url), depth(sqs, deadLetters)]);
      return { waiting, in_flight, dead };
    },
    async receive(maxMessages) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: maxMessages,
          WaitTimeSeconds: waitSeconds,
          MessageSystemAttributeNames: ['All'],
        }),
      );
      return { records: Messages.map(toRecord), visibleAt: Date.now() + visibilitySeconds * 1000 };
    },
    async delete(records) {
      const Entries = records.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      return Failed.length;
    },
  };
}

/** The runner's rights may end at its own queue. @param redrivePolicy names the dead-letter queue, where there is one */
async function deadLetterUrl(sqs: SQSClient, redrivePolicy = '{}'): Promise<string | undefined> {
  const arn: unknown = JSON.parse(redrivePolicy).deadLetterTargetArn;
  if (typeof arn !== 'string') return undefined;
  const name = arn.slice(arn.lastIndexOf(':') + 1);
  return queueUrl(sqs, name).catch(() => undefined);
}

/** @returns how many wait and how many are in flight; nothing when it cannot be read */
async function depth(sqs: SQSClient, url: string | undefined): Promise<readonly number[]> {
  if (url === undefined) return [];
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...AttributeNames] });
  const { Attributes = {} } = await sqs
    .send(command, { abortSignal: AbortSignal.timeout(scrapeMillis) })
    .catch(() => ({ Attributes: undefined }));
  return AttributeNames.map((name) => Attributes[name]).flatMap((text) => (text === undefined ? [] : [Number(text)]));
}

/** Prometheus gives up after 10 s by default. */
const scrapeMillis = 3_000;

/** The record as Lambda hands it to a function. @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
const recordFrom =
  (arn: string) =>
  (message: Message): SQSRecord => ({
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: (message.Attributes ?? {}) as unknown as SQSRecord['attributes'],
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: arn.split(':')[3] ?? '',
  });
