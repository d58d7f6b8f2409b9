/** Going through a dead-letter queue: what is there is held while somebody looks, and given back when they have. */
import type { DeadMessage } from '../core/dead-letter.ts';
import { Failure } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import { Problem, type Shell } from './command.ts';

/** Should this process be killed, everything is there again so much later. */
const hiddenSeconds = 30;
const renewMillis = 10_000;

/**
 * So many can be held: to renew them takes 1,000 requests, and a FIFO queue serves 300 a second of each kind.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
export const mostHeld = 10_000;

export type Pace = {
  /** how many requests go side by side */
  readonly lanes: number;
  /** messages in one request, 1 to 10 */
  readonly batch: number;
  /** no more are received while about so many are held, up to {@link mostHeld}: those have to be renewed in time */
  readonly limit: number;
  /** asked before each request; default: never */
  readonly isOver?: () => boolean;
};

/**
 * Receives until nothing comes, as many are held as shall be, it is over, or the shell is interrupted. Each message is
 * seen once. Those that stay are hidden until the end, so that what lies behind other groups is reached, and are there
 * again when this returns, however it ends. Of a group no more than its first messages are reached, unless they are taken
 * out.
 *
 * @param take works on messages that have just been received @returns those that it has taken out of the queue
 * @returns about how many messages were not reached; undefined when nobody could count
 * @throws Failure of a receive, Problem when messages did not stay hidden, or what `take` throws
 */
export async function walk(
  shell: Shell,
  letters: DeadLetters,
  { lanes, batch, limit, isOver = () => false }: Pace,
  take: (messages: readonly DeadMessage[]) => Promise<readonly DeadMessage[]>,
): Promise<number | undefined> {
  const held = new Held(letters, shell, limit);
  let failed = false;
  const lane = async () => {
    while (!failed && !shell.signal.aborted && !isOver() && held.size < limit) {
      // not to be interrupted: what is received and not known of would stay hidden
      const messages = await letters.receive(batch, hiddenSeconds, soon());
      if (messages.length === 0) return;
      held.add(messages);
      held.settle(messages, await take(messages));
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
  readonly #limit: number;
  readonly #messages = new Map<string, DeadMessage>();
  /** those that are worked on, and may be deleted at any moment: to renew them may fail */
  readonly #busy = new Set<string>();
  #renewedAt: number;

  constructor(letters: DeadLetters, shell: Shell, limit: number) {
    this.#letters = letters;
    this.#shell = shell;
    this.#limit = limit;
    this.#renewedAt = shell.now().getTime();
  }

  get size(): number {
    return this.#messages.size;
  }

  /** They are to be worked on. @throws Problem for one that should be hidden; it is held by its new receipt handle */
  add(messages: readonly DeadMessage[]): void {
    const again = messages.some(({ id }) => this.#messages.has(id));
    for (const message of messages) this.#messages.set(message.id, message);
    for (const { id } of messages) this.#busy.add(id);
    if (again) throw this.#notHidden('they were received a second time');
  }

  /** Work on them is over. `gone`: those of them that are no longer in the queue. */
  settle(messages: readonly DeadMessage[], gone: readonly DeadMessage[]): void {
    for (const { id } of messages) this.#busy.delete(id);
    for (const { id } of gone) this.#messages.delete(id);
  }

  /** @throws Problem when one could not be renewed */
  async renew(): Promise<void> {
    const now = this.#shell.now().getTime();
    if (now - this.#renewedAt < renewMillis) return;
    this.#renewedAt = now;
    const busy = new Set(this.#busy);
    const outcomes = await this.#letters.hide([...this.#messages.values()], hiddenSeconds, soon());
    for (const [id, outcome] of outcomes)
      if (outcome instanceof Failure && !busy.has(id)) throw this.#notHidden(outcome.message);
  }

  #notHidden(why: string): Problem {
    return new Problem(`messages did not stay hidden (${why}): try again, with a --limit of less than ${this.#limit}`);
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
