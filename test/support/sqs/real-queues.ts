/** Queues of one test file on the SQS server at `SQS_ENDPOINT`, and a consumer that owes nothing to the product. */
import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Received } from './fake-queue.ts';

/** @throws Error when `SQS_ENDPOINT` is not set: a missing server fails the tests, it does not skip them */
export function testClient(endpoint = process.env.SQS_ENDPOINT): SQSClient {
  if (!endpoint) throw new Error('SQS_ENDPOINT is not set: run the tests with npm test, or start the system first');
  return new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

/** Makes a FIFO queue with a name of its own. @returns its URL */
export async function makeQueue(
  sqs: SQSClient,
  deadLetters?: { url: string; maxReceiveCount: number },
): Promise<string> {
  const redrive = deadLetters && {
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: await arnOf(sqs, deadLetters.url),
      maxReceiveCount: deadLetters.maxReceiveCount,
    }),
  };
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: `test-${randomUUID()}.fifo`,
      Attributes: { FifoQueue: 'true', VisibilityTimeout: '30', ...redrive },
    }),
  );
  if (QueueUrl === undefined) throw new Error('CreateQueue answered without a URL');
  return QueueUrl;
}

/**
 * Receives at most `max` messages, waiting up to `waitSeconds`. By default a wait of one second: a short poll may come
 * back empty from a queue that is not (client-facts: when the head message moves to the dead letters).
 */
export async function receive(sqs: SQSClient, queueUrl: string, max: number, waitSeconds = 1): Promise<Received[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: max,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return Messages.map(({ MessageId = '', Body = '', ReceiptHandle = '', Attributes = {} }) => ({
    id: MessageId,
    sentAt: Number(Attributes.SentTimestamp),
    body: Body,
    receiptHandle: ReceiptHandle,
    group: Attributes.MessageGroupId ?? '',
    deduplicationId: Attributes.MessageDeduplicationId ?? '',
    receiveCount: Number(Attributes.ApproximateReceiveCount),
  }));
}

export const remove = (sqs: SQSClient, queueUrl: string, receiptHandle: string) =>
  sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));

export const hide = (sqs: SQSClient, queueUrl: string, receiptHandle: string, seconds: number) =>
  sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );

async function arnOf(sqs: SQSClient, queueUrl: string): Promise<string> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  );
  return Attributes?.QueueArn ?? '';
}
