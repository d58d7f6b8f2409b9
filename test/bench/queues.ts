/** The queues from outside: how much waits in them, and ticks of our own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

export class Queues {
  readonly #sqs: SQSClient;
  readonly #tickQueue: string;
  readonly #all: readonly string[];
  readonly #deadLetters: readonly string[];

  constructor(env: Readonly<Record<string, string>>) {
    const { AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', SQS_ENDPOINT = '' } = env;
    const { RECONCILE_QUEUE_URL = '', TICK_QUEUE_URL = '', RECONCILE_DLQ_URL = '', TICK_DLQ_URL = '' } = env;
    this.#sqs = new SQSClient({
      endpoint: SQS_ENDPOINT,
      region: AWS_REGION,
      credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    });
    this.#tickQueue = TICK_QUEUE_URL;
    this.#all = [TICK_QUEUE_URL, RECONCILE_QUEUE_URL];
    this.#deadLetters = [RECONCILE_DLQ_URL, TICK_DLQ_URL];
  }

  /**
   * Returns when no message waits and none is being worked on. First the ticks, since they make other messages.
   *
   * @param pollMs between two looks, which cost the queue server something
   * @throws Error when one of them went to a dead-letter queue
   */
  async settled(pollMs = 5): Promise<void> {
    for (const queue of this.#all) while ((await this.#depth(queue)) > 0) await delay(pollMs);
    for (const queue of this.#deadLetters) {
      const lost = await this.#depth(queue);
      if (lost > 0) throw new Error(`${lost} messages went to ${queue}: see the runner's log`);
    }
  }

  /** Asks for a look at all objects, as the forwarder does every few minutes. */
  async tick(): Promise<void> {
    const tick = randomUUID();
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: this.#tickQueue,
        MessageBody: JSON.stringify({ v: 1, tick }),
        MessageGroupId: tick,
        MessageDeduplicationId: tick,
      }),
    );
  }

  close(): void {
    this.#sqs.destroy();
  }

  async #depth(QueueUrl: string): Promise<number> {
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    return Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
  }
}
