/** Time and chance as the forwarder needs them, so that tests own both. */

export type Clock = {
  /** ms since some moment; never goes back */
  now(): number;
  /** seconds since 1970, for people and other machines */
  wallSeconds(): number;
  /** Runs `task` once after `ms`. @returns cancels it */
  after(ms: number, task: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  wallSeconds: () => Date.now() / 1000,
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** A number in [0, 1), as `Math.random`. */
export type Random = () => number;

/** Waits `ms`, or until the signal is aborted: never rejects. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end);
  });
}

/** `ms` give or take a tenth, so that replicas drift apart. */
export const jittered = (ms: number, random: Random): number => ms * (0.9 + 0.2 * random());

/** Delays that double from `firstMs` to `mostMs`, each cut by up to a half at random. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: Random;
  #tries = 0;

  constructor(firstMs: number, mostMs: number, random: Random) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
  }

  /** ms to wait before the next try */
  next(): number {
    const full = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#tries);
    if (full < this.#mostMs) this.#tries += 1;
    return full * (1 - 0.5 * this.#random());
  }

  reset(): void {
    this.#tries = 0;
  }
}
