import { setImmediate } from 'node:timers/promises';
import { createLogger } from '../../functions/adapters/log.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Envelope, Requests, Ticks } from '../../functions/core/ports.ts';
import type { Tick } from '../../functions/core/request.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { Interrupted, type InterruptionReason } from '../../functions/forwarder/interrupted.ts';
import { Link } from '../../functions/forwarder/link.ts';
import type { Source, WatchEvent } from '../../functions/forwarder/source.ts';
import type { Clock } from '../../functions/forwarder/time.ts';

/** Time that passes when told to. */
export class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  /** It began at noon. */
  wallSeconds(): number {
    return Date.UTC(2026, 0, 1, 12) / 1000 + this.#now / 1000;
  }

  after(ms: number, task: () => void): () => void {
    if (!(ms >= 0)) throw new Error(`${ms} ms is no time to wait`);
    const timer = { at: this.#now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` pass, timer by timer, with everything that follows from each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      await settled();
    }
    this.#now = end;
  }

  #next(end: number) {
    return this.#timers.toSorted((a, b) => a.at - b.at).find(({ at }) => at <= end);
  }
}

/** Everything that can go on without time passing has gone on. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 4; round++) await setImmediate();
}

/** Chance that always takes the middle: jitter of ±10 % is none, a backoff is cut by a quarter. */
export const middle = () => 0.5;

export const silentLog = createLogger({ level: 'error', write: () => {} });
export const testLink = () => new Link('test', silentLog);

/** A reconcile queue that remembers, and refuses or holds what it is told to. */
export class FakeRequests implements Requests {
  readonly sent: Envelope[] = [];
  readonly batches: number[] = [];
  /** nothing is taken */
  away = false;
  /** deduplication ids that are not taken */
  readonly refused = new Set<string>();
  #held: (() => void)[] | undefined;

  /** Requests wait until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  get namesSent(): string[] {
    return this.sent.map(({ request }) => request.name);
  }

  async send(envelopes: readonly Envelope[], signal: AbortSignal) {
    this.batches.push(envelopes.length);
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    const taken = ({ deduplicationId }: Envelope) =>
      !this.away && !signal.aborted && !this.refused.has(deduplicationId);
    this.sent.push(...envelopes.filter(taken));
    return new Map(
      envelopes.map((envelope) => [envelope.deduplicationId, taken(envelope) ? ('sent' as const) : lost()]),
    );
  }
}

export class FakeTicks implements Ticks {
  readonly sent: Tick[] = [];
  away = false;
  /** sends wait for it */
  held: Promise<void> | undefined;

  async send(tick: Tick): Promise<void> {
    await this.held;
    if (this.away) throw lost();
    this.sent.push(tick);
  }
}

const lost = () => new Failure('InternalError', 'The queue cannot be reached: ECONNREFUSED', { retryable: true });

export type FakeObject = {
  metadata: {
    namespace: string;
    name: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    deletionTimestamp?: string;
    finalizers?: string[];
    annotations?: Record<string, string>;
  };
  spec: { topicName?: string; numPartitions?: number };
  status?: { conditions: { type: string; status: string; reason?: string }[] };
};

type Stream = { deliver(event: WatchEvent): void; end(error?: unknown): void };

/** An API server with objects, versions and watches that can be broken in every way the real one breaks. */
export class FakeApi implements Source {
  readonly objects = new Map<string, FakeObject>();
  lists = 0;
  watches = 0;
  /** errors the next lists or watches end with, in this order */
  readonly listErrors: Interrupted[] = [];
  readonly watchErrors: Interrupted[] = [];
  /** while true every list and watch is lost */
  away = false;
  readonly #pageSize: number;
  readonly #events: { version: number; event: WatchEvent }[] = [];
  readonly #streams = new Set<Stream>();
  #version = 100;
  #oldest = 0;
  #uids = 0;

  constructor(pageSize = 500) {
    this.#pageSize = pageSize;
  }

  /** Creates an object, or edits its spec: a new generation. */
  apply(name: string, spec: FakeObject['spec'] = {}): FakeObject {
    const old = this.objects.get(name);
    const uid = old?.metadata.uid ?? `uid-${++this.#uids}`;
    const metadata = {
      ...old?.metadata,
      namespace: 'shop',
      name,
      uid,
      generation: (old?.metadata.generation ?? 0) + 1,
    };
    return this.#store(old === undefined ? 'ADDED' : 'MODIFIED', {
      ...old,
      metadata: { ...metadata, resourceVersion: '' },
      spec,
    });
  }

  /** Changes whatever leaves the generation alone. */
  touch(
    name: string,
    change: { metadata?: Partial<FakeObject['metadata']>; status?: FakeObject['status'] },
  ): FakeObject {
    const old = this.objects.get(name);
    if (old === undefined) throw new Error(`there is no ${name}`);
    const status = change.status ?? old.status;
    const metadata = { ...old.metadata, ...change.metadata };
    return this.#store('MODIFIED', { ...old, metadata, ...(status && { status }) });
  }

  delete(name: string): void {
    const old = this.objects.get(name);
    if (old === undefined) return;
    this.objects.delete(name);
    this.#publish('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion: this.#next() } });
  }

  bookmark(): void {
    const event = { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } } as const;
    for (const stream of this.#streams) stream.deliver(event);
  }

  /** Versions up to now are forgotten, as after a compaction. */
  compact(): void {
    this.#oldest = this.#version;
  }

  /** Ends all watches: as the server does now and then, or with an error. */
  endWatches(error?: Interrupted): void {
    for (const stream of [...this.#streams]) stream.end(error);
  }

  /** Puts something on the wire that no object is behind. */
  inject(event: unknown): void {
    for (const stream of this.#streams) stream.deliver(event as WatchEvent);
  }

  /** What happens now is lost on the wire, as nobody notices. */
  unseen(change: () => void): void {
    const streams = [...this.#streams];
    this.#streams.clear();
    change();
    for (const stream of streams) this.#streams.add(stream);
  }

  async list(token: string | undefined, signal: AbortSignal) {
    signal.throwIfAborted();
    this.lists += 1;
    this.#failIf(this.listErrors.shift());
    const from = Number(token ?? 0);
    const items = [...this.objects.values()].slice(from, from + this.#pageSize);
    const next = from + this.#pageSize;
    return {
      items,
      resourceVersion: String(this.#version),
      continue: next < this.objects.size ? String(next) : undefined,
    };
  }

  async watch(resourceVersion: string, signal: AbortSignal) {
    signal.throwIfAborted();
    this.watches += 1;
    this.#failIf(this.watchErrors.shift());
    if (Number(resourceVersion) < this.#oldest) throw interrupted('expired');
    const missed = this.#events.filter(({ version }) => version > Number(resourceVersion)).map(({ event }) => event);
    return this.#stream(missed, signal);
  }

  #failIf(error: Interrupted | undefined): void {
    if (error !== undefined) throw error;
    if (this.away) throw interrupted('lost');
  }

  async *#stream(waiting: WatchEvent[], signal: AbortSignal): AsyncGenerator<WatchEvent> {
    let over: { error?: unknown } | undefined;
    let wake = () => {};
    const stream: Stream = {
      deliver: (event) => {
        waiting.push(event);
        wake();
      },
      end: (error) => {
        over = { error };
        wake();
      },
    };
    this.#streams.add(stream);
    signal.addEventListener('abort', () => stream.end(signal.reason), { once: true });
    try {
      for (;;) {
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
        if (over?.error !== undefined) throw over.error instanceof Interrupted ? over.error : interrupted('lost');
        if (over !== undefined) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#streams.delete(stream);
    }
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }

  #store(type: 'ADDED' | 'MODIFIED', object: FakeObject): FakeObject {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.#next() } };
    this.objects.set(object.metadata.name, stored);
    this.#publish(type, stored);
    return stored;
  }

  #publish(type: WatchEvent['type'], object: FakeObject): void {
    const event = { type, object };
    this.#events.push({ version: this.#version, event });
    for (const stream of this.#streams) stream.deliver(event);
  }
}

export const interrupted = (reason: InterruptionReason) => new Interrupted(reason, 'as the test wants it');

export const reconciling = (reason: Reason) => ({ conditions: [{ type: 'Reconciling', status: 'True', reason }] });
export const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
