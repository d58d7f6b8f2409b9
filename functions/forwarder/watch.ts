import { keyOf } from '../core/topic.ts';
import { Interrupted, type InterruptionReason } from './interrupted.ts';
import type { Link } from './link.ts';
import type { Metrics } from './metrics.ts';
import { type Selects, type Sighting, sightingOf } from './objects.ts';
import type { Source, WatchEvent } from './source.ts';
import { Backoff, type Clock, pause, type Random } from './time.ts';

/** Who wants to know. */
export type Observer = {
  /** An object as a list page or an event shows it. */
  seen(sighting: Sighting): void;
  gone(key: string): void;
  /** A list is complete: these are all the objects there are. */
  listed(keys: ReadonlySet<string>): void;
};

export type WatchParts = {
  readonly source: Source;
  readonly observer: Observer;
  readonly selects: Selects;
  readonly link: Link;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
};

/** After these the version is of no use, or events may be missing: only a new list tells what is there. */
const relistAfter: ReadonlySet<InterruptionReason> = new Set(['expired', 'garbled', 'silent', 'missing', 'refused']);

/** A watch that lived so long was a good one: the next try comes at once. */
const healthyMs = 5_000;
const listSpacingMs = 10_000;

/**
 * Lists, then watches from the list's version, for ever. A watch that ends, for whatever reason, is followed by another
 * from the last version seen, or by a new list where that version no longer helps.
 */
export class Watcher {
  readonly #parts: WatchParts;
  readonly #backoff: Backoff;
  /** lists are dear: where one after the other is needed, they keep more distance */
  readonly #listBackoff: Backoff;
  #version: string | undefined;
  #listedAt = Number.NEGATIVE_INFINITY;
  #heardAt: number;
  #triedAt: number;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(100, 5_000, parts.random);
    this.#listBackoff = new Backoff(1_000, 30_000, parts.random);
    this.#heardAt = this.#triedAt = parts.clock.now();
  }

  /** ms since the API server last said something, be it a bookmark. */
  get silentMs(): number {
    return this.#parts.clock.now() - this.#heardAt;
  }

  /** ms since anything happened, a failed try included: it grows only if the loop itself is stuck. */
  get stuckMs(): number {
    return this.#parts.clock.now() - Math.max(this.#heardAt, this.#triedAt);
  }

  /** Resolves once the signal is aborted; never rejects because of what the API server does. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      this.#triedAt = clock.now();
      const problem = await this.#once(signal);
      if (clock.now() - this.#triedAt >= healthyMs) this.#healthy();
      this.#triedAt = clock.now();
      await pause(clock, this.#waitMs(problem), signal);
    }
  }

  /** @returns the problem, or undefined when the server ended the watch as it does every few minutes */
  async #once(signal: AbortSignal): Promise<Interrupted | undefined> {
    try {
      this.#version ??= await this.#list(signal);
      await this.#follow(this.#version, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      if (signal.aborted) return undefined;
      if (relistAfter.has(error.reason)) this.#version = undefined;
      this.#parts.metrics.interruptions.inc({ reason: error.reason });
      this.#parts.link.down(`${error.reason}, ${error.message}`);
      return error;
    }
  }

  /** A version that expired tells of a server that answers, so the list that heals it need not wait; once. */
  #waitMs(problem: Interrupted | undefined): number {
    const listedLately = this.#parts.clock.now() - this.#listedAt < listSpacingMs;
    if (problem?.reason === 'expired' && !listedLately) return 0;
    const backoff = this.#version === undefined && problem?.reason !== 'lost' ? this.#listBackoff : this.#backoff;
    return Math.max(backoff.next(), problem?.retryAfterMs ?? 0);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { source, observer, metrics } = this.#parts;
    const keys = new Set<string>();
    this.#listedAt = this.#parts.clock.now();
    for (let token: string | undefined; ; ) {
      const page = await source.list(token, signal);
      this.#heard();
      for (const sighting of page.items.map((item) => readable(item, this.#parts.selects))) {
        keys.add(keyOf(sighting.key));
        observer.seen(sighting);
      }
      token = page.continue;
      if (token !== undefined) continue;
      metrics.relists.inc();
      observer.listed(keys);
      return page.resourceVersion;
    }
  }

  async #follow(version: string, signal: AbortSignal): Promise<void> {
    const events = await this.#parts.source.watch(version, signal);
    this.#parts.link.up();
    this.#heard();
    for await (const event of events) {
      this.#heard();
      this.#parts.metrics.events.inc({ type: event.type });
      this.#version = this.#handle(event);
    }
  }

  /** @returns the version to go on from */
  #handle({ type, object }: WatchEvent): string {
    if (type === 'BOOKMARK') return versionOf(object);
    const sighting = readable(object, this.#parts.selects);
    if (type === 'DELETED') this.#parts.observer.gone(keyOf(sighting.key));
    else this.#parts.observer.seen(sighting);
    return sighting.resourceVersion;
  }

  #healthy(): void {
    this.#backoff.reset();
    this.#listBackoff.reset();
  }

  #heard(): void {
    this.#heardAt = this.#parts.clock.now();
  }
}

function readable(object: unknown, selects: Selects): Sighting {
  const sighting = sightingOf(object, selects);
  if (sighting === undefined) throw new Interrupted('garbled', 'an object has no name, uid or version');
  return sighting;
}

function versionOf(bookmark: unknown): string {
  const version = (bookmark as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '') throw new Interrupted('garbled', 'a bookmark has no version');
  return version;
}
