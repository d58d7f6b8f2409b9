/** The dead-letter queues, over Amazon SQS: looked through, sent back, emptied. */
import { randomUUID } from 'node:crypto';
import {
  CancelMessageMoveTaskCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
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
/** A move that is not listed for so many polls may be listed late, or never. */
const pollsUnlisted = 10;

/**
 * The dead letters at `deadUrl`, which go back to `sourceUrl`.
 *
 * @throws Error for a URL that is not one, or plain HTTP and not on this machine
 */
export function deadLetterQueue(sqs: SQSClient, deadUrl: string, sourceUrl: string): DeadLetters {
  for (const url of [deadUrl, sourceUrl]) refusePlainHttp(sqs, 'the queue URL', url);
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
    const [newest] = await tasksOf(sqs, SourceArn);
    const MaxNumberOfMessagesPerSecond = task.perSecond;
    const start = new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond });
    const { TaskHandle } = await sqs.send(start); // not to be interrupted: nobody would know whether it runs
    return await untilMoved(sqs, { ...task, SourceArn, TaskHandle, after: newest?.StartedTimestamp ?? 0 }, signal);
  } catch (error) {
    throw failureOf(error, queueUrl);
  }
}

/** `after`: when the last of the moves began that were there before this one, ms since 1970 */
type Running = Task & {
  readonly SourceArn: string;
  readonly TaskHandle: string | undefined;
  readonly after: number;
};

async function untilMoved(sqs: SQSClient, running: Running, signal: AbortSignal): Promise<Moved> {
  const { SourceArn, TaskHandle, tell, pause } = running;
  let moved = 0;
  for (let unlisted = 0; unlisted < pollsUnlisted; ) {
    const task = oursIn(await tasksOf(sqs, SourceArn), running);
    moved = task?.ApproximateNumberOfMessagesMoved ?? moved;
    unlisted = task === undefined ? unlisted + 1 : 0;
    if (task?.Status === 'COMPLETED') return { moved };
    if (task?.Status === 'FAILED' || task?.Status === 'CANCELLED')
      return { moved, problem: task.FailureReason ?? `the move is ${task.Status}` };
    tell(moved);
    if (signal.aborted) {
      const cancelled = await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
      tell(cancelled.ApproximateNumberOfMessagesMoved ?? moved);
      signal.throwIfAborted();
    }
    await pause(pollMillis, signal);
  }
  return { moved, problem: 'nothing is known of the move' };
}

/** The newest ten, newest first. Not to be interrupted: one that runs has to be cancelled. */
async function tasksOf(sqs: SQSClient, SourceArn: string): Promise<readonly ListMessageMoveTasksResultEntry[]> {
  return (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 10 }))).Results ?? [];
}

/** Handles are those of moves that run. One that has ended is the first that began after all that had been there. */
const oursIn = (tasks: readonly ListMessageMoveTasksResultEntry[], { TaskHandle, after }: Running) =>
  tasks.find((task) => task.TaskHandle !== undefined && task.TaskHandle === TaskHandle) ??
  tasks.findLast(({ StartedTimestamp = 0 }) => StartedTimestamp > after);

async function arnOf(sqs: SQSClient, QueueUrl: string, abortSignal: AbortSignal): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  return (await sqs.send(command, { abortSignal })).Attributes?.QueueArn ?? '';
}
