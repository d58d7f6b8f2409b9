/** The dead-letter queues, over Amazon SQS: looked through, sent back, emptied. */
import { randomUUID } from 'node:crypto';
import {
  CancelMessageMoveTaskCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import type { DeadMessage } from '../core/dead-letter.ts';
import type { Failure } from '../core/outcome.ts';
import type { DeadLetters, Moved } from '../core/ports.ts';
import { changeVisibility, failureOf, inBatches, queueDepth, refusePlainHttp } from './sqs.ts';

/** A short poll may come back empty from a queue that is not (client-facts 8); one of a second asks all servers. */
const waitSeconds = 1;
/** What the messages of one SendMessageBatch may have together; one message may have as much. */
const batchBytes = 1_048_576;
const pollMillis = 1_000;

/**
 * The dead letters at `deadUrl`, which go back to `sourceUrl`.
 *
 * @throws Error for a URL that is not one, or plain HTTP and not on this machine
 */
export function deadLetterQueue(sqs: SQSClient, deadUrl: string, sourceUrl: string): DeadLetters {
  for (const url of [deadUrl, sourceUrl]) refusePlainHttp('the queue URL', url);
  return {
    depth: (signal) => queueDepth(sqs, deadUrl, signal),
    receive: (max, hiddenSeconds, signal) => receive(sqs, deadUrl, max, hiddenSeconds, signal),
    async hide(messages, seconds, signal) {
      const delays = messages.map(({ receiptHandle }) => ({ receiptHandle, seconds }));
      const outcomes = await changeVisibility(sqs, deadUrl, delays, signal);
      return new Map(messages.map(({ id, receiptHandle }) => [id, outcomes.get(receiptHandle) ?? 'done']));
    },
    async sendBack(messages, signal) {
      const outcomes = new Map<string, Failure | 'sent'>();
      for (const part of inParts(messages))
        for (const [id, outcome] of await sendAll(sqs, sourceUrl, part, signal)) outcomes.set(id, outcome);
      return outcomes;
    },
    async remove(messages, signal) {
      const outcomes = await inBatches(messages, deadUrl, signal, (batch) => {
        const Entries = batch.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
        return sqs.send(new DeleteMessageBatchCommand({ QueueUrl: deadUrl, Entries }), { abortSignal: signal });
      });
      return new Map([...outcomes].map(([{ id }, outcome]) => [id, outcome ?? 'done']));
    },
    moveAll: (perSecond, tell, pause, signal) => moveAll(sqs, deadUrl, { perSecond, tell, pause }, signal),
  };
}

async function receive(sqs: SQSClient, QueueUrl: string, max: number, hiddenSeconds: number, signal: AbortSignal) {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: max,
    VisibilityTimeout: hiddenSeconds,
    WaitTimeSeconds: waitSeconds,
    MessageSystemAttributeNames: [
      'ApproximateReceiveCount',
      'MessageDeduplicationId',
      'MessageGroupId',
      'SentTimestamp',
    ],
  });
  try {
    const { Messages = [] } = await sqs.send(command, { abortSignal: signal });
    return Messages.map(messageOf);
  } catch (error) {
    throw failureOf(error, QueueUrl);
  }
}

const messageOf = ({ MessageId = '', Body = '', ReceiptHandle = '', Attributes = {} }: Message): DeadMessage => ({
  id: MessageId,
  body: Body,
  group: Attributes.MessageGroupId ?? '',
  deduplicationId: Attributes.MessageDeduplicationId ?? '',
  since: new Date(Number(Attributes.SentTimestamp)).toISOString(),
  receives: Number(Attributes.ApproximateReceiveCount),
  receiptHandle: ReceiptHandle,
});

/** The old deduplication id may still be remembered, and then the message would be taken and never delivered. */
async function sendAll(sqs: SQSClient, QueueUrl: string, messages: readonly DeadMessage[], signal: AbortSignal) {
  const outcomes = await inBatches(messages, QueueUrl, signal, (batch) => {
    const Entries = batch.map(({ body, group }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: randomUUID(),
    }));
    return sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }), { abortSignal: signal });
  });
  return [...outcomes].map(([{ id }, outcome]) => [id, outcome ?? 'sent'] as const);
}

/** Neighbours that fit into one request together, in their order. */
function inParts(messages: readonly DeadMessage[]): readonly (readonly DeadMessage[])[] {
  const parts: DeadMessage[][] = [];
  let room = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.body);
    if (bytes > room) {
      parts.push([]);
      room = batchBytes;
    }
    parts.at(-1)?.push(message);
    room -= bytes;
  }
  return parts;
}

type Task = {
  readonly perSecond: number;
  readonly tell: (moved: number) => void;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
};

/**
 * Has SQS move all messages to the queues they came from.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
async function moveAll(sqs: SQSClient, queueUrl: string, task: Task, signal: AbortSignal): Promise<Moved> {
  try {
    const SourceArn = await arnOf(sqs, queueUrl, signal);
    const MaxNumberOfMessagesPerSecond = task.perSecond;
    const start = new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond });
    const { TaskHandle } = await sqs.send(start); // not to be interrupted: nobody would know whether it runs
    return await untilMoved(sqs, { ...task, SourceArn, TaskHandle }, signal);
  } catch (error) {
    throw failureOf(error, queueUrl);
  }
}

type Running = Task & { readonly SourceArn: string; readonly TaskHandle: string | undefined };

async function untilMoved(sqs: SQSClient, running: Running, signal: AbortSignal): Promise<Moved> {
  const { SourceArn, TaskHandle, tell, pause } = running;
  for (;;) {
    const { Results: [task] = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
    const moved = task?.ApproximateNumberOfMessagesMoved ?? 0;
    if (task?.Status !== 'RUNNING')
      return { moved, ...(task?.FailureReason !== undefined && { problem: task.FailureReason }) };
    if (signal.aborted) await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    signal.throwIfAborted();
    tell(moved);
    await pause(pollMillis, signal);
  }
}

async function arnOf(sqs: SQSClient, QueueUrl: string, abortSignal: AbortSignal): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  return (await sqs.send(command, { abortSignal })).Attributes?.QueueArn ?? '';
}
