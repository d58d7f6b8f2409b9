/** The queues as anybody sees them who has the SQS API. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { slices } from '../../../functions/core/slices.ts';

const deadlineMs = 60_000;
const pollMs = 50;

type Put = { readonly body: string; readonly group: string };

type Urls = { readonly requests: string; readonly ticks: string; readonly deadRequests: string };

export class Queues {
  readonly #sqs: SQSClient;
  readonly #urls: Urls;

  constructor(exports: Readonly<Record<string, string>>) {
    const { AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', SQS_ENDPOINT = '' } = exports;
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    this.#sqs = new SQSClient({ endpoint: SQS_ENDPOINT, region: AWS_REGION, credentials });
    this.#urls = {
      requests: exports.RECONCILE_QUEUE_URL ?? '',
      ticks: exports.TICK_QUEUE_URL ?? '',
      deadRequests: exports.RECONCILE_DLQ_URL ?? '',
    };
  }

  /**
   * Has everything looked at, as the timer does every few minutes, and waits until all that came of it is done.
   *
   * @param token where to go on, as the API server names the next page of a list
   */
  async tick(token?: string): Promise<void> {
    await this.#send(this.#urls.ticks, JSON.stringify({ v: 1, tick: randomUUID(), continue: token }));
    await this.drained();
  }

  /** Waits until nobody has anything left to do: a tick is deleted after what it asked for was sent. */
  async drained(): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    for (const url of [this.#urls.ticks, this.#urls.requests])
      while ((await this.#count(url)) > 0) {
        if (performance.now() > deadline) throw new Error(`there is still work in ${url}`);
        await sleep(pollMs);
      }
  }

  /** Puts a body into the reconcile queue, in that message group or in one of its own. */
  async request(body: string, group?: string): Promise<void> {
    await this.#send(this.#urls.requests, body, group);
  }

  /** Waits for that many dead letters and takes them. @returns their bodies */
  async deadLetters(count: number): Promise<readonly string[]> {
    const QueueUrl = this.#urls.deadRequests;
    const bodies: string[] = [];
    const deadline = performance.now() + deadlineMs;
    while (bodies.length < count) {
      if (performance.now() > deadline) throw new Error(`${bodies.length} dead letters, not ${count}`);
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body = '', ReceiptHandle } of Messages) {
        bodies.push(Body);
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    return bodies;
  }

  /** Puts messages straight among the dead letters. */
  async bury(messages: readonly Put[]): Promise<void> {
    await this.#sendAll(this.#urls.deadRequests, messages);
  }

  /** Puts messages into the reconcile queue, ten with each request. */
  async flood(messages: readonly Put[]): Promise<void> {
    await this.#sendAll(this.#urls.requests, messages);
  }

  async #sendAll(QueueUrl: string, messages: readonly Put[]): Promise<void> {
    for (const part of slices(messages, 10)) {
      const Entries = part.map(({ body, group }, index) => {
        const id = randomUUID();
        return { Id: String(index), MessageBody: body, MessageGroupId: group, MessageDeduplicationId: id };
      });
      await this.#sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    }
  }

  /** Receives the one message that waits in the reconcile queue so many times, as if it had failed as often. */
  async useUp(receives: number): Promise<void> {
    const take = { QueueUrl: this.#urls.requests, VisibilityTimeout: 0, WaitTimeSeconds: 1 };
    const deadline = performance.now() + deadlineMs;
    for (let used = 0; used < receives; ) {
      if (performance.now() > deadline) throw new Error(`it was received ${used} times, not ${receives}`);
      const { Messages = [] } = await this.#sqs.send(new ReceiveMessageCommand(take));
      used += Messages.length;
    }
  }

  /** Waits until there are so many dead letters. */
  async buried(count: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    for (let found = -1; found !== count; found = await this.#count(this.#urls.deadRequests)) {
      if (performance.now() > deadline) throw new Error(`${found} dead letters, not ${count}`);
      await sleep(pollMs);
    }
  }

  /** What is in both queues, hidden or not. One that is sent to the second meanwhile may count twice, never not at all. */
  async counts(): Promise<{ readonly dead: number; readonly requests: number }> {
    const dead = await this.#count(this.#urls.deadRequests);
    return { dead, requests: await this.#count(this.#urls.requests) };
  }

  close(): void {
    this.#sqs.destroy();
  }

  async #send(QueueUrl: string, MessageBody: string, group?: string): Promise<void> {
    const id = randomUUID();
    const message = { QueueUrl, MessageBody, MessageGroupId: group ?? id, MessageDeduplicationId: id };
    await this.#sqs.send(new SendMessageCommand(message));
  }

  /** Messages that wait, and those that somebody works on or that come back later. */
  async #count(QueueUrl: string): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  }
}
