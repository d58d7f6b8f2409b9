/** Going through a dead-letter queue: what is there is held while somebody looks, and given back when they have. */
import type { DeadMessage } from '../core/dead-letter.ts';
import { Failure } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import type { Shell } from './command.ts';

/** Should this process be killed, everything is there again so much later. */
const hiddenSeconds = 30;
const renewMillis = 10_000;

export type Pace = {
  /** how many requests go side by side */
  readonly lanes: number;
  /** messages in one request, 1 to 10 */
  readonly batch: number;
  /** no more are received while about so many are held: those have to be renewed in time */
  readonly limit: number;
  /** asked before each request; default: never */
  readonly isOver?: () => boolean;
};

/**
 * Receives until nothing new comes, as many are held as shall be, it is over, or the shell is interrupted. Each message is seen once. Those that stay
 * are hidden until the end, so that what lies behind other groups is reached, and are there again when this returns,
 * however it ends. Of a group no more than its first messages are reached, unless they are taken out.
 *
 * @param take works on messages that have just been received @returns those that it has taken out of the queue
 * @returns about how many messages were not reached; undefined when nobody could count
 * @throws Failure of a receive, or what `take` throws
 */
export async function walk(
  shell: Shell,
  letters: DeadLetters,
  { lanes, batch, limit, isOver = () => false }: Pace,
  take: (messages: readonly DeadMessage[]) => Promise<readonly DeadMessage[]>,
): Promise<number | undefined> {
  const held = new Held(letters, shell);
  let failed = false;
  const lane = async () => {
    while (!failed && !shell.signal.aborted && !isOver() && held.size < limit) {
      // not to be interrupted: what is received and not known of would stay hidden
      const fresh = held.add(await letters.receive(batch, hiddenSeconds, soon()));
      if (fresh.length === 0) return;
      held.forget(await take(fresh));
      await held.renew();
    }
  };
  const guarded = () =>
    lane().catch((error) => {
      failed = true;
      throw error;
    });
  try {
    const ends = await Promise.allSettled(Array.from({ length: lanes }, guarded));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return await held.others();
  } finally {
    await held.giveBack();
  }
}

/** What has to be finished whatever happens gets this long. */
export const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** Messages that this process hides from others. */
class Held {
  readonly #letters: DeadLetters;
  readonly #shell: Shell;
  readonly #messages = new Map<string, DeadMessage>();
  #renewedAt: number;

  constructor(letters: DeadLetters, shell: Shell) {
    this.#letters = letters;
    this.#shell = shell;
    this.#renewedAt = shell.now().getTime();
  }

  get size(): number {
    return this.#messages.size;
  }

  /** One that is received again has a new receipt handle. @returns those that are new */
  add(messages: readonly DeadMessage[]): readonly DeadMessage[] {
    const fresh = messages.filter(({ id }) => !this.#messages.has(id));
    for (const message of messages) this.#messages.set(message.id, message);
    return fresh;
  }

  forget(messages: readonly DeadMessage[]): void {
    for (const { id } of messages) this.#messages.delete(id);
  }

  async renew(): Promise<void> {
    const now = this.#shell.now().getTime();
    if (now - this.#renewedAt < renewMillis) return;
    this.#renewedAt = now;
    await this.#letters.hide([...this.#messages.values()], hiddenSeconds, soon());
  }

  /** By the sum: servers are late in telling those that are hidden from those that are not. */
  async others(): Promise<number | undefined> {
    const depth = await this.#letters.depth(soon()).catch(() => undefined);
    return depth && Math.max(0, depth.waiting + depth.inFlight - this.size);
  }

  /** Thousands take a while (ElasticMQ 1.7.1 sorts its queue for each); those it is too late for are there by themselves. */
  async giveBack(): Promise<void> {
    if (this.size > 1_000) this.#shell.progress(`giving ${this.size} back`);
    const untilShown = AbortSignal.timeout(hiddenSeconds * 1_000);
    const outcomes = await this.#letters.hide([...this.#messages.values()], 0, untilShown);
    this.#shell.progress(undefined);
    const lost = [...outcomes.values()].filter((outcome) => outcome instanceof Failure).length;
    if (lost > 0 && !untilShown.aborted)
      this.#shell.err(`topicsmith: ${lost} messages could not be given back: they are there again in half a minute\n`);
  }
}
