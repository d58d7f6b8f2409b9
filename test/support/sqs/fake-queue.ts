import { Failure } from '../../../functions/core/outcome.ts';
import type { Requests, Ticks } from '../../../functions/core/ports.ts';
import { groupOf } from '../../../functions/core/request.ts';

export type Received = {
  readonly id: string;
  readonly body: string;
  readonly group: string;
  readonly deduplicationId: string;
  readonly receiveCount: number;
  readonly receiptHandle: string;
  /** ms since 1970: since when it is in this queue */
  readonly sentAt: number;
};

type Stored = {
  id: string;
  sentAt: number;
  body: string;
  group: string;
  deduplicationId: string;
  receiveCount: number;
  hiddenUntil: number;
  receiptHandle: string;
};

export type FakeQueueOptions = {
  readonly visibilityMs: number;
  /** after so many receives a message moves to `deadLetters` */
  readonly redrive?: { readonly maxReceiveCount: number; readonly deadLetters: FakeQueue };
  readonly now?: () => number;
};

const deduplicationMs = 5 * 60_000;

/**
 * A FIFO queue in memory with the rules of SQS that this project leans on: order and exclusion per message group,
 * five minutes of deduplication that outlive the message, visibility, receive counts, dead letters.
 */
export class FakeQueue {
  readonly #options: FakeQueueOptions;
  readonly #now: () => number;
  readonly #seenUntil = new Map<string, number>();
  #stored: Stored[] = [];
  #handles = 0;
  #ids = 0;

  constructor(options: FakeQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Accepts every message; one with a known deduplication id is not delivered again. */
  send(message: { body: string; group: string; deduplicationId: string }): void {
    const remembered = this.#seenUntil.get(message.deduplicationId) ?? 0;
    if (remembered > this.#now()) return;
    this.#seenUntil.set(message.deduplicationId, this.#now() + deduplicationMs);
    const { body, group, deduplicationId } = message;
    const [id, sentAt] = [`message-${++this.#ids}`, this.#now()];
    this.#stored.push({ id, sentAt, body, group, deduplicationId, receiveCount: 0, hiddenUntil: 0, receiptHandle: '' });
  }

  /** At most `max` messages in order; none of a group that had one in flight already. */
  receive(max: number, visibilityMs = this.#options.visibilityMs): Received[] {
    const locked = new Set(this.#stored.filter((message) => this.#inFlight(message)).map(({ group }) => group));
    const free = this.#stored.filter(({ group }) => !locked.has(group));
    return free
      .filter((message) => !this.#movedToDeadLetters(message))
      .slice(0, max)
      .map((message) => this.#take(message, visibilityMs));
  }

  delete(receiptHandle: string): void {
    const message = this.#held(receiptHandle);
    this.#stored = this.#stored.filter((stored) => stored !== message);
  }

  changeVisibility(receiptHandle: string, seconds: number): void {
    this.#held(receiptHandle).hiddenUntil = this.#now() + seconds * 1000;
  }

  depth(): { waiting: number; inFlight: number } {
    const inFlight = this.#stored.filter((message) => this.#inFlight(message)).length;
    return { waiting: this.#stored.length - inFlight, inFlight };
  }

  #inFlight(message: Stored): boolean {
    return message.hiddenUntil > this.#now();
  }

  #held(receiptHandle: string): Stored {
    const message = this.#stored.find((stored) => stored.receiptHandle === receiptHandle);
    if (message === undefined || !this.#inFlight(message)) throw new Error('ReceiptHandleIsInvalid');
    return message;
  }

  #movedToDeadLetters(message: Stored): boolean {
    const { redrive } = this.#options;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    this.#stored = this.#stored.filter((stored) => stored !== message);
    redrive.deadLetters.send(message);
    return true;
  }

  #take(message: Stored, visibilityMs: number): Received {
    message.receiveCount += 1;
    message.hiddenUntil = this.#now() + visibilityMs;
    message.receiptHandle = `handle-${++this.#handles}`;
    const { id, sentAt, body, group, deduplicationId, receiveCount, receiptHandle } = message;
    return { id, sentAt, body, group, deduplicationId, receiveCount, receiptHandle };
  }
}

/** The Requests port over a queue in memory. */
export const fakeRequests = (queue: FakeQueue): Requests => ({
  async send(envelopes, signal) {
    const outcome = (): 'sent' | Failure => (signal.aborted ? notAsked() : 'sent');
    for (const { request, topicName, deduplicationId } of signal.aborted ? [] : envelopes)
      queue.send({ body: JSON.stringify(request), group: groupOf(topicName), deduplicationId });
    return new Map(envelopes.map(({ deduplicationId }) => [deduplicationId, outcome()]));
  },
});

/** The Ticks port over a queue in memory. */
export const fakeTicks = (queue: FakeQueue): Ticks => ({
  async send(tick, signal) {
    if (signal.aborted) throw notAsked();
    const body = JSON.stringify(tick);
    const page = `${tick.tick} ${tick.sums?.pages ?? 0}`;
    queue.send({ body, group: groupOf(tick.tick), deduplicationId: groupOf(page) });
  },
});

const notAsked = () =>
  new Failure('InternalError', 'The queue was not asked: the time for it was over', { retryable: true });
