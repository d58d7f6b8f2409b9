/** Taking chosen messages out of a dead-letter queue: first something is done with each, then it is deleted. */
import { contentOf, type DeadMessage, isSelected } from '../core/dead-letter.ts';
import { asFailure, Failure, type PerItem } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import { Problem, type Shell } from './command.ts';
import type { Choice } from './dlq-choice.ts';
import { type Lookup, lookupFor, type Seen } from './dlq-look.ts';
import { type Pace, soon, walk } from './dlq-walk.ts';
import { bar } from './render.ts';

/** Messages that stayed, by why. `others`: about how many were not reached, or not counted: then it is absent. */
export type Left = {
  readonly malformed: number;
  readonly notChosen: number;
  /** came in after it began */
  readonly arrivedSince: number;
  readonly failed: number;
  readonly others?: number;
};

export type Verb = 'replay' | 'drop';

/**
 * What came of it. `done`: sent back, or saved; `removed`: taken out of the dead letters. More done than removed: some
 * are still there, and would be sent or saved again. `problem`: why it ended early.
 */
export type Moving = {
  readonly verb: Verb;
  readonly done: number;
  readonly removed: number;
  readonly left: Left;
  readonly file?: string;
  readonly problem?: string;
};

/** What is done with messages before they are deleted. @returns an outcome by id for each that it was tried with */
export type Deed = (messages: readonly DeadMessage[]) => Promise<PerItem<string, unknown>>;

/** Counts what comes of messages. */
export class Tally {
  done = 0;
  removed = 0;
  problem: string | undefined;
  others: number | undefined;
  readonly left = { malformed: 0, notChosen: 0, arrivedSince: 0, failed: 0 };

  /** The first problem is the one to tell. */
  fail(message: string): void {
    this.problem ??= message;
  }

  result(verb: Verb): Moving {
    const { done, removed, problem, others } = this;
    const left = { ...this.left, ...(others !== undefined && { others }) };
    return { verb, done, removed, left, ...(problem !== undefined && { problem }) };
  }
}

/** Goes through the queue, does the deed to each message that was chosen, and deletes those it was done to. */
export async function carryOut(
  shell: Shell,
  choice: Choice,
  since: number,
  pace: Omit<Pace, 'limit'>,
  deed: Deed,
  tally: Tally,
): Promise<void> {
  const { letters } = choice;
  const isOver = () => tally.problem !== undefined;
  const lookup = await lookupFor(shell, choice);
  try {
    const { waiting, inFlight } = await letters.depth(shell.signal);
    tally.others = await walk(shell, letters, { ...pace, limit: choice.limit, isOver }, async (messages) => {
      const seen = messages.map((message) => ({ message, content: contentOf(choice.queue, message.body) }));
      const meant = seen.filter(sorter(choice, await lookup(seen), since, tally)).map(({ message }) => message);
      const taken = await take(letters, meant, deed, tally);
      shell.progress(bar('done', tally.done, waiting + inFlight));
      return taken;
    });
  } catch (error) {
    tally.fail(wordsOf(error));
  }
  if (shell.signal.aborted) tally.problem = 'interrupted';
  shell.progress(undefined);
}

/** @returns whether a message is one to take, and counts it where it is not */
const sorter =
  ({ selection }: Choice, lookup: Lookup, since: number, tally: Tally) =>
  ({ message, content }: Seen) => {
    const left = leftBecause();
    if (left !== undefined) tally.left[left] += 1;
    return left === undefined;

    function leftBecause(): 'malformed' | 'notChosen' | 'arrivedSince' | undefined {
      const live = lookup(content);
      if (!isSelected({ ...selection, malformed: true }, message, content, live)) return 'notChosen';
      if (!selection.malformed && 'malformed' in content) return 'malformed';
      // what fails again at once would be sent back for ever
      return Date.parse(message.since) > since ? 'arrivedSince' : undefined;
    }
  };

/** First the deed, then the deletion, which nothing interrupts: a message is never in neither place. */
async function take(letters: DeadLetters, messages: readonly DeadMessage[], deed: Deed, tally: Tally) {
  if (messages.length === 0) return [];
  const outcomes = await deed(messages).catch((error) => {
    tally.fail(wordsOf(error));
    return new Map<string, unknown>();
  });
  const done = messages.filter(({ id }) => outcomes.has(id) && !(outcomes.get(id) instanceof Failure));
  for (const outcome of outcomes.values()) if (outcome instanceof Failure) tally.fail(outcome.message);
  tally.left.failed += messages.length - done.length;
  const removals = await letters.remove(done, soon());
  const removed = done.filter(({ id }) => removals.get(id) === 'done');
  for (const outcome of removals.values()) if (outcome instanceof Failure) tally.fail(outcome.message);
  tally.done += done.length;
  tally.removed += removed.length;
  return removed;
}

const wordsOf = (error: unknown): string => (error instanceof Problem ? error.message : asFailure(error).message);
