import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { deadLetterQueue } from '../../functions/adapters/dead-letters.ts';
import { sqsClient } from '../../functions/adapters/sqs.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { hide, makeQueue, receive, testClient } from '../support/sqs/real-queues.ts';
import { deadLettersContract } from './dead-letters.contract.ts';

const consumer = testClient();
const product = sqsClient(process.env);

async function send(QueueUrl: string, MessageBody: string, MessageGroupId: string): Promise<void> {
  const message = { QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId: randomUUID() };
  await consumer.send(new SendMessageCommand(message));
}

deadLettersContract('on an SQS server', async () => {
  const dead = await makeQueue(consumer);
  const source = await makeQueue(consumer, { url: dead, maxReceiveCount: 1 });
  return {
    letters: deadLetterQueue(product, dead, source),
    put: (body, group) => send(dead, body, group),
    async fail(body, group) {
      await send(source, body, group);
      for (const { receiptHandle } of await receive(consumer, source, 1))
        await hide(consumer, source, receiptHandle, 0);
      await receive(consumer, source, 1);
    },
    receive: (max) => receive(consumer, source, max),
  };
});

const standardQueue = async (attributes: Record<string, string> = {}): Promise<string> =>
  (await consumer.send(new CreateQueueCommand({ QueueName: `test-${randomUUID()}`, Attributes: attributes })))
    .QueueUrl ?? '';

const pause = (ms: number) => sleep(ms);
const signal = new AbortController().signal;

const arnOf = async (QueueUrl: string): Promise<string> => {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  return (await consumer.send(command)).Attributes?.QueueArn ?? '';
};

/** Of FIFO queues this server says that it moves, and moves nothing; of standard queues it moves as SQS does. */
async function standardPair(messages: number) {
  const dead = await standardQueue();
  const policy = { deadLetterTargetArn: await arnOf(dead), maxReceiveCount: 1 };
  const source = await standardQueue({ RedrivePolicy: JSON.stringify(policy) });
  for (let index = 0; index < messages; index++)
    await consumer.send(new SendMessageCommand({ QueueUrl: dead, MessageBody: `m${index}` }));
  const depth = (url: string, other: string) => deadLetterQueue(product, url, other).depth(signal);
  return {
    dead,
    letters: deadLetterQueue(product, dead, source),
    depths: async () => [await depth(dead, source), await depth(source, dead)],
  };
}

test('a server that can move messages itself is asked to move all of them, and has moved them when it is done', async () => {
  const { letters, depths } = await standardPair(25);
  const { moved, problem } = await letters.moveAll(500, () => {}, pause, signal);
  assert.deepEqual([moved, problem], [25, undefined]);
  assert.deepEqual(await depths(), [
    { waiting: 0, inFlight: 0 },
    { waiting: 25, inFlight: 0 },
  ]);
});

test('a move that is interrupted ends at the server too', async () => {
  const { letters, dead, depths } = await standardPair(25);
  const interrupt = new AbortController();
  await assert.rejects(
    letters.moveAll(1, () => interrupt.abort(), pause, interrupt.signal),
    Failure,
  );
  const { Results = [] } = await consumer.send(new ListMessageMoveTasksCommand({ SourceArn: await arnOf(dead) }));
  assert.notEqual(Results[0]?.Status, 'RUNNING');
  const [left, moved] = await depths();
  assert.equal((left?.waiting ?? 0) + (moved?.waiting ?? 0), 25);
  assert.ok((left?.waiting ?? 0) > 0);
});

test('a server that moves nothing of a FIFO queue says how many it has moved', async () => {
  const dead = await makeQueue(consumer);
  const letters = deadLetterQueue(product, dead, await makeQueue(consumer, { url: dead, maxReceiveCount: 1 }));
  await send(dead, 'stays', 'a');
  const { moved } = await letters.moveAll(500, () => {}, pause, signal);
  assert.equal(moved + (await letters.depth(signal)).waiting, 1);
});

test('a queue that is not there, and a move that is refused, are failures in one line', async () => {
  const dead = await makeQueue(consumer);
  const letters = deadLetterQueue(product, `${dead}-gone.fifo`, dead);
  const isPlain = (error: unknown) =>
    error instanceof Failure && error.retryable && /^The queue .* refused the request: \w+$/.test(error.message);
  await assert.rejects(letters.receive(10, 30, signal), isPlain);
  await assert.rejects(
    letters.moveAll(500, () => {}, pause, signal),
    isPlain,
  );
});
