import type { Logger } from '../adapters/log.ts';
import type { Requests, Ticks } from '../core/ports.ts';
import { keyOf } from '../core/topic.ts';
import { Followups } from './followups.ts';
import { Link } from './link.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { envelopeOf, Objects, type Selects } from './objects.ts';
import { Outbox } from './outbox.ts';
import type { Source } from './source.ts';
import { Ticker } from './ticker.ts';
import { Backoff, type Clock, pause, type Random } from './time.ts';
import { type Observer, Watcher } from './watch.ts';

/** A loop that did nothing at all for so long, not even fail, is stuck: longer than any single try may take. */
const stuckMs = 5 * 60_000;

export type ForwarderParts = {
  /** by the name that logs and readiness call it */
  readonly sources: ReadonlyMap<string, Source>;
  readonly selects: Selects;
  readonly requests: Requests;
  readonly ticks: Ticks;
  /** throws while the reconcile queue cannot be reached */
  readonly probe: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resyncMs: number;
};

type Scope = { readonly watcher: Watcher; readonly link: Link; readonly objects: Objects; listed: boolean };

/** Watches objects and turns what somebody has to look at into messages. It knows names and versions, not topics. */
export class Forwarder {
  readonly metrics: Metrics = createMetrics();
  readonly #parts: ForwarderParts;
  readonly #requestsLink: Link;
  readonly #ticksLink: Link;
  readonly #outbox: Outbox;
  readonly #followups: Followups;
  readonly #ticker: Ticker;
  readonly #scopes: Scope[];
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: ForwarderParts) {
    const { clock, random, log, requests, ticks, resyncMs, sources } = parts;
    const shared = { metrics: this.metrics, clock, random };
    this.#parts = parts;
    this.#requestsLink = new Link('reconcile queue', log);
    this.#ticksLink = new Link('tick queue', log);
    this.#outbox = new Outbox({ ...shared, requests, link: this.#requestsLink });
    this.#followups = new Followups(this.#outbox, clock, random);
    this.#ticker = new Ticker({ ...shared, ticks, link: this.#ticksLink, intervalMs: resyncMs });
    this.#scopes = [...sources].map(([name, source]) => this.#scope(name, source));
    this.#gauges();
  }

  /** Begins to work. @returns settles when it ends; it rejects only for a fault of its own */
  run(): Promise<unknown> {
    const { signal } = this.#stop;
    this.#running = Promise.all([this.#reachQueue(signal), ...this.#scopes.map(({ watcher }) => watcher.run(signal))]);
    return this.#running;
  }

  /** Stops watching, then sends what waits, for at most `boundMs`. @returns how many keys the next start's tick has to find */
  async stop(boundMs: number): Promise<number> {
    this.#stop.abort();
    this.#followups.stop();
    this.#ticker.stop();
    await this.#running;
    return this.#outbox.close(boundMs);
  }

  /** A loop that no longer turns calls for a restart; an API server that is away does not. */
  stuck(): string | undefined {
    return this.#scopes.some(({ watcher }) => watcher.stuckMs >= stuckMs) ? 'the watch loop is stuck' : undefined;
  }

  /** What keeps it from doing its work now, a line each; empty when ready. */
  problems(): string[] {
    const links = [...this.#scopes.map(({ link }) => link), this.#requestsLink, this.#ticksLink];
    return links.map(({ problem }) => problem).filter((problem) => problem !== undefined);
  }

  #scope(name: string, source: Source): Scope {
    const { clock, random, log, selects } = this.#parts;
    const link = new Link(`watch of ${name}`, log);
    const objects = new Objects();
    const scope: Omit<Scope, 'watcher'> = { link, objects, listed: false };
    const watcher = new Watcher({
      source,
      selects,
      link,
      clock,
      random,
      metrics: this.metrics,
      observer: this.#observer(scope),
    });
    return Object.assign(scope, { watcher });
  }

  #observer(scope: Omit<Scope, 'watcher'>): Observer {
    const gone = (key: string) => {
      scope.objects.forget(key);
      this.#outbox.drop(key);
      this.#followups.drop(key);
    };
    return {
      gone,
      seen: (sighting) => {
        // Of the first list nothing is sent: the tick that follows it finds what is out of sync.
        const asks = scope.objects.see(sighting) && sighting.concerns;
        if (asks && scope.listed) this.#outbox.add(keyOf(sighting.key), envelopeOf(sighting));
        if (sighting.concerns) this.#followups.see(sighting);
        else this.#followups.drop(keyOf(sighting.key));
      },
      listed: (keys) => {
        for (const key of scope.objects.keysBut(keys)) gone(key);
        scope.listed = true;
        // Not only once all are listed: one namespace that cannot be must not hold up the others.
        this.#ticker.soon();
      },
    };
  }

  /** So that a wrong queue URL shows at the start, and not with the first edit. */
  async #reachQueue(signal: AbortSignal): Promise<void> {
    const { probe, clock, random } = this.#parts;
    const backoff = new Backoff(200, 10_000, random);
    while (!signal.aborted && this.#requestsLink.problem !== undefined) {
      try {
        await probe(signal);
        this.#requestsLink.up();
      } catch (error) {
        if (!signal.aborted) this.#requestsLink.down((error as Error).message);
        await pause(clock, backoff.next(), signal);
      }
    }
  }

  #gauges(): void {
    const silentMs = () => Math.max(...this.#scopes.map(({ watcher }) => watcher.silentMs));
    const objects = () => this.#scopes.reduce((sum, scope) => sum + scope.objects.size, 0);
    this.metrics.gauge('ready', () => (this.problems().length === 0 ? 1 : 0));
    this.metrics.gauge('watch_age_seconds', () => silentMs() / 1000);
    this.metrics.gauge('objects', objects);
    this.metrics.gauge('keys_waiting', () => this.#outbox.waiting);
    this.metrics.gauge('oldest_waiting_seconds', () => this.#outbox.oldestMs / 1000);
    this.metrics.gauge('followups', () => this.#followups.size);
  }
}
