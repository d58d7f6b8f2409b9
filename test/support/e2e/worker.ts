import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { groupOf } from '../../../functions/core/request.ts';
import type { Ending } from '../../../functions/runner/answer.ts';
import { ProcessPool } from '../../../functions/runner/process.ts';

const bundles = join(import.meta.dirname, '..', '..', '..', 'dist');

/** An object, and its topic where that has another name: messages of a topic are in its group. */
export type About = string | { readonly name: string; readonly topic: string };

/** A process of the built reconcile function, and another one for each invocation that overlaps. */
export class Worker {
  readonly #pool: ProcessPool;

  /** @param environment its whole environment */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#pool = new ProcessPool({
      child: join(bundles, 'runner-child.cjs'),
      bundle: join(bundles, 'reconcile.cjs'),
      exportName: 'handler',
      environment,
      memoryMegabytes: 512,
      timeoutSeconds: 30,
      freeze: false,
    });
  }

  /**
   * Delivers one batch of messages about objects.
   *
   * @param receives how often they have been delivered, with this time
   * @returns the names whose messages come back
   */
  async deliver(names: readonly About[], receives = 1): Promise<readonly string[]> {
    const { ending } = await this.#pool.invoke(eventAbout(names, receives));
    if (ending.kind !== 'returned') throw new Error(`the function ended otherwise: ${JSON.stringify(ending)}`);
    return failedOf(ending);
  }

  async end(): Promise<void> {
    await this.#pool.kill();
  }
}

/** What Lambda hands over; a message's id begins with the name. @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function eventAbout(names: readonly About[], receives: number): unknown {
  return { Records: names.map((about) => record(about, receives)) };
}

/** @returns the names that are reported as failed */
export function failedOf(ending: Extract<Ending, { kind: 'returned' }>): readonly string[] {
  const { batchItemFailures } = ending.value as { batchItemFailures: readonly { itemIdentifier: string }[] };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier.split('/')[0] as string);
}

function record(about: About, receives: number): unknown {
  const { name, topic } = typeof about === 'string' ? { name: about, topic: about } : about;
  const messageId = `${name}/${randomUUID()}`;
  return {
    messageId,
    receiptHandle: messageId,
    body: JSON.stringify({ v: 1, namespace: 'default', name, trigger: 'change', id: messageId }),
    attributes: { ApproximateReceiveCount: String(receives), MessageGroupId: groupOf(topic) },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:reconcile.fifo',
    awsRegion: 'us-east-1',
  };
}
