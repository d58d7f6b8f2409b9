import { Failure, type PerItem } from '../core/outcome.ts';
import type { Envelope, Requests } from '../core/ports.ts';
import type { Link } from './link.ts';
import type { Metrics } from './metrics.ts';
import { Backoff, type Clock, pause, type Random } from './time.ts';

const batchSize = 10;
const requestsAtOnce = 8;

export type OutboxParts = {
  readonly requests: Requests;
  readonly link: Link;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * Keys on their way to the queue, one entry per object however often it changes, so never more than there are objects.
 *
 * Sends at once when idle. While a request is under way the next batch gathers, as Nagle's algorithm gathers bytes;
 * full batches go beside it. What the queue did not take waits for a while and goes again under the same
 * deduplication id, so an answer that was lost costs nothing.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Envelope>();
  /** since when keys wait, ms; under way or not, in the order in which they came */
  readonly #since = new Map<string, number>();
  /** requests under way, and how many entries they hold */
  #requests = 0;
  #underWay = 0;
  #failing = false;
  #closing = false;
  #resume: (() => void) | undefined;
  #emptied: () => void = () => {};

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(200, 10_000, parts.random);
  }

  /** How many the queue has not taken yet. */
  get waiting(): number {
    return this.#waiting.size + this.#underWay;
  }

  /** How long the oldest of these has waited, ms; 0 without any. */
  get oldestMs(): number {
    const { value: since } = this.#since.values().next();
    return since === undefined ? 0 : this.#parts.clock.now() - since;
  }

  /** Takes the newest envelope of an object. One that waits already keeps its place in line. */
  add(key: string, envelope: Envelope): void {
    this.#waiting.set(key, envelope);
    this.#waitsFrom(key);
    this.#pump();
  }

  /** The object is gone: nobody has to look at it. */
  drop(key: string): void {
    this.#waiting.delete(key);
    this.#since.delete(key);
  }

  /** Sends what waits, without further pauses, for at most `boundMs`. @returns how many were left behind */
  async close(boundMs: number): Promise<number> {
    this.#closing = true;
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    this.#resume?.();
    this.#pump();
    await Promise.race([empty, pause(this.#parts.clock, boundMs, this.#stop.signal)]);
    const left = this.waiting;
    this.#stop.abort();
    return left;
  }

  #waitsFrom(key: string): void {
    if (!this.#since.has(key)) this.#since.set(key, this.#parts.clock.now());
  }

  #pump(): void {
    while (this.#mayStart()) void this.#send(this.#nextBatch());
    if (this.#closing && this.waiting === 0) this.#emptied();
  }

  #mayStart(): boolean {
    if (this.#resume !== undefined || this.#stop.signal.aborted || this.#waiting.size === 0) return false;
    // After a failure one request at a time finds out whether the queue is back.
    const most = this.#failing ? 1 : requestsAtOnce;
    return this.#requests === 0 || (this.#waiting.size >= batchSize && this.#requests < most);
  }

  #nextBatch(): Map<string, Envelope> {
    const batch = new Map<string, Envelope>();
    for (const [key, envelope] of this.#waiting) {
      if (batch.size === batchSize) break;
      batch.set(key, envelope);
      this.#waiting.delete(key);
    }
    return batch;
  }

  async #send(batch: ReadonlyMap<string, Envelope>): Promise<void> {
    this.#requests += 1;
    this.#underWay += batch.size;
    const outcomes = await this.#outcomes([...batch.values()]);
    this.#requests -= 1;
    this.#underWay -= batch.size;
    const failed = [...batch].filter(([, { deduplicationId }]) => outcomes.get(deduplicationId) !== 'sent');
    for (const key of batch.keys()) if (!failed.some(([left]) => left === key)) this.#since.delete(key);
    // An entry that was edited meanwhile has a newer envelope waiting: that one counts.
    for (const [key, envelope] of failed) if (!this.#waiting.has(key)) this.#waiting.set(key, envelope);
    for (const key of batch.keys()) if (this.#waiting.has(key)) this.#waitsFrom(key);
    this.#note(
      batch.size,
      failed.length,
      [...outcomes.values()].find((outcome) => outcome instanceof Failure),
    );
    this.#pump();
  }

  async #outcomes(envelopes: readonly Envelope[]): Promise<PerItem<string, 'sent'>> {
    try {
      return await this.#parts.requests.send(envelopes, this.#stop.signal);
    } catch (error) {
      const failure = new Failure('InternalError', String(error), { retryable: true, cause: error });
      return new Map(envelopes.map(({ deduplicationId }) => [deduplicationId, failure]));
    }
  }

  #note(sent: number, failed: number, failure: Failure | undefined): void {
    const { metrics, link } = this.#parts;
    metrics.sent.inc(sent - failed);
    metrics.sendFailures.inc(failed);
    this.#failing = failed === sent;
    if (this.#failing) link.down(failure?.message ?? 'no answer');
    else {
      this.#backoff.reset();
      link.up();
    }
    if (failed > 0) this.#holdOff();
  }

  /** Nothing is sent until the pause ends; on closing there is little time, so the pauses stay short. */
  #holdOff(): void {
    if (this.#resume !== undefined) return;
    const ms = this.#closing ? 200 : this.#backoff.next();
    const cancel = this.#parts.clock.after(ms, () => this.#resume?.());
    this.#resume = () => {
      cancel();
      this.#resume = undefined;
      this.#pump();
    };
  }
}
