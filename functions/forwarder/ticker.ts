import { randomUUID } from 'node:crypto';
import type { Ticks } from '../core/ports.ts';
import { messageVersion } from '../core/request.ts';
import type { Link } from './link.ts';
import type { Metrics } from './metrics.ts';
import { Backoff, type Clock, jittered, type Random } from './time.ts';

/** Ticks that are asked for keep this distance, so that a watch that breaks again and again does not flood the resync. */
const spacingMs = 10_000;

export type TickerParts = {
  readonly ticks: Ticks;
  readonly link: Link;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalMs: number;
};

/** Sends a resync tick at a jittered interval from the first `soon` on, and tries each until the queue took it. */
export class Ticker {
  readonly #parts: TickerParts;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #dueAt = Number.POSITIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(parts: TickerParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(200, 10_000, parts.random);
  }

  /** Something may have been missed: a tick at once, unless one went out a moment ago. */
  soon(): void {
    this.#dueBy(Math.max(this.#parts.clock.now(), this.#sentAt + spacingMs));
  }

  stop(): void {
    this.#stop.abort();
    this.#cancel();
  }

  #dueBy(at: number): void {
    if (this.#stop.signal.aborted || at >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = at;
    const ms = Math.max(0, at - this.#parts.clock.now());
    this.#cancel = this.#parts.clock.after(ms, () => void this.#send());
  }

  async #send(): Promise<void> {
    const { ticks, link, metrics, clock, random, intervalMs } = this.#parts;
    this.#sentAt = clock.now();
    // One that is asked for from now on may be about something that this one is too early for.
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      await ticks.send({ v: messageVersion, tick: randomUUID() }, this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      link.down((error as Error).message);
      return this.#dueBy(clock.now() + this.#backoff.next());
    }
    link.up();
    metrics.ticks.inc();
    metrics.lastTick.set(clock.wallSeconds());
    this.#backoff.reset();
    this.#dueBy(clock.now() + jittered(intervalMs, random));
  }
}
