import { randomUUID } from 'node:crypto';
import { keyOf } from '../core/topic.ts';
import { envelopeOf, type Sighting } from './objects.ts';
import type { Outbox } from './outbox.ts';
import { Backoff, type Clock, type Random } from './time.ts';

type Waiting = { readonly sighting: Sighting; readonly backoff: Backoff; cancel: () => void };

/**
 * Objects that wait (for a quota, for replicas that move) are asked for again, after about 2 s first and then ever later,
 * up to a minute: waiting ends its message, so it never uses up receives, and this is what goes on with it.
 */
export class Followups {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiting = new Map<string, Waiting>();

  constructor(outbox: Outbox, clock: Clock, random: Random) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Starts, goes on or ends asking, as the object's status says. An object that was edited starts anew. */
  see(sighting: Sighting): void {
    const key = keyOf(sighting.key);
    const waiting = this.#waiting.get(key);
    const same = waiting?.sighting.uid === sighting.uid && waiting.sighting.digest === sighting.digest;
    if (sighting.waiting && same) return;
    this.drop(key);
    if (sighting.waiting)
      this.#schedule(key, { sighting, backoff: new Backoff(2_000, 60_000, this.#random), cancel: () => {} });
  }

  drop(key: string): void {
    this.#waiting.get(key)?.cancel();
    this.#waiting.delete(key);
  }

  stop(): void {
    for (const key of [...this.#waiting.keys()]) this.drop(key);
  }

  #schedule(key: string, waiting: Waiting): void {
    this.#waiting.set(key, waiting);
    waiting.cancel = this.#clock.after(waiting.backoff.next(), () => {
      // The object may be as it was, so only an id of its own gets past the queue's deduplication.
      this.#outbox.add(key, envelopeOf(waiting.sighting, randomUUID()));
      this.#schedule(key, waiting);
    });
  }
}
