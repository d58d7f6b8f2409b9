/** Taking dead letters out of their queue: sent back where they came from, or saved to a file and deleted. */
import { type Content, contentOf, type DeadMessage, isSelected } from '../core/dead-letter.ts';
import { asFailure, Failure, type PerItem } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import { type ExitCode, Problem, type Shell, show, type Work } from './command.ts';
import { consent, refuseUnattended } from './consent.ts';
import { type Choice, type ChoiceOptions, choose, type Lookup, look, lookupFor } from './dlq-choice.ts';
import { openSave } from './dlq-save.ts';
import { type Pace, soon, walk } from './dlq-walk.ts';

type MoveOptions = ChoiceOptions & { readonly dryRun?: boolean; readonly yes?: boolean };
export type ReplayOptions = MoveOptions & { readonly rate: string };
export type DropOptions = MoveOptions & { readonly save?: string };

/** Messages that stayed, by why. `others`: about how many were not reached, or not counted: then it is absent. */
export type Left = {
  readonly malformed: number;
  readonly notChosen: number;
  /** came in after it began */
  readonly arrivedSince: number;
  readonly failed: number;
  readonly others?: number;
};

/**
 * What came of it. `done`: sent back, or saved; `removed`: taken out of the dead letters. More done than removed: some
 * are still there, and would be sent or saved again. `problem`: why it ended early.
 */
export type Moving = {
  readonly verb: 'replay' | 'drop';
  readonly done: number;
  readonly removed: number;
  readonly left: Left;
  readonly file?: string;
  readonly problem?: string;
};

/** What is done with messages before they are deleted. @returns an outcome by id for each that it was tried with */
type Deed = (messages: readonly DeadMessage[]) => Promise<PerItem<string, unknown>>;

export const replay: Work<ReplayOptions> = async (shell, options, names) => {
  const rate = rateIn(options.rate);
  const choice = await chooseExplicitly(shell, options, names, options.malformed ?? false);
  const agreed = await agree(shell, options, choice, 'replay');
  if (!agreed) return 0;
  const tally = new Tally();
  if (choice.everything) await moveByServer(shell, choice.letters, rate, tally);
  const pace = paced(shell, rate);
  const deed: Deed = async (messages) => {
    await pace.take(messages.length);
    // not to be interrupted: nobody would know what was sent
    return shell.signal.aborted ? new Map() : choice.letters.sendBack(messages, soon());
  };
  await carryOut(shell, choice, agreed.since, pace, deed, tally);
  return report(shell, options, tally.result('replay'));
};

export const drop: Work<DropOptions> = async (shell, options, names) => {
  const choice = await chooseExplicitly(shell, options, names, true);
  const agreed = await agree(shell, options, choice, 'drop');
  if (!agreed) return 0;
  const save = openSave(options.save, choice.queue, shell.now());
  const deed: Deed = async (messages) => {
    save.write(messages);
    return new Map(messages.map(({ id }) => [id, 'saved']));
  };
  const tally = new Tally();
  try {
    await carryOut(shell, choice, agreed.since, { lanes: 4, batch: 10, isOver: () => false }, deed, tally);
  } finally {
    save.close();
  }
  const { done } = tally.result('drop');
  return report(shell, options, { ...tally.result('drop'), ...(done > 0 && { file: save.file }) });
};

function rateIn(text: string): number {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 1 || rate > 500)
    throw new Problem(`--rate is "${text}": it has to be a whole number from 1 to 500, messages a second`);
  return rate;
}

async function chooseExplicitly(shell: Shell, options: ChoiceOptions, names: readonly string[], malformed: boolean) {
  const choice = await choose(shell, options, names, malformed);
  if (!choice.explicit) throw new Problem('say which ones: names, a filter such as --reason Gone, or --all');
  return choice;
}

type Verb = Moving['verb'];

/**
 * Shows what was chosen and asks, unless `--yes` says that somebody has.
 *
 * @returns since when a message is one that nobody has agreed to; undefined when it was only to be shown
 */
async function agree(
  shell: Shell,
  options: MoveOptions,
  choice: Choice,
  verb: Verb,
): Promise<{ readonly since: number } | undefined> {
  const since = shell.now().getTime();
  if (options.yes && !options.dryRun) return { since };
  if (!options.dryRun) refuseUnattended(shell.ask, `${verb}s`);
  const looked = await look(shell, choice);
  const { previewText } = await import('./dlq-text.ts');
  const text = (style: Parameters<typeof previewText>[3]) => previewText(looked, verb, shell.now(), style);
  const objects = looked.found.flatMap(({ letter: { namespace, name } }) =>
    namespace && name ? [{ namespace, name }] : [],
  );
  if (options.dryRun) {
    const value = { dryRun: true, verb, deadLetters: looked.found.map(({ letter }) => letter), others: looked.others };
    await show(shell, { ...options, allNamespaces: options.namespace === undefined }, { value, objects, text });
    return undefined;
  }
  shell.err(text({ colour: false, wide: false, namespaces: options.namespace === undefined }));
  if (looked.found.length === 0) throw new Problem('nothing was changed: there is nothing to do');
  const question = verb === 'replay' ? 'Send them back?' : 'Save and delete them?';
  await consent(shell, options, { question, verb: `${verb}s`, refused: 'you did not agree' });
  return { since };
}

/** Counts what comes of messages. */
class Tally {
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

/** What it does not move, or not all of it, is moved by hand afterwards: ElasticMQ says that it is done, and moves nothing. */
async function moveByServer(shell: Shell, letters: DeadLetters, rate: number, tally: Tally): Promise<void> {
  const tell = (moved: number) => shell.progress(`moved ${moved}`);
  const { moved, problem } = await letters.moveAll(rate, tell, shell.pause, shell.signal).catch((error) => {
    return { moved: 0, problem: asFailure(error).message };
  });
  shell.progress(undefined);
  shell.signal.throwIfAborted();
  if (problem !== undefined) shell.err(`SQS does not move them itself (${problem}): going on message by message.\n`);
  tally.done += moved;
  tally.removed += moved;
}

/** At most so many a second: over any time, and not many at once. */
function paced(shell: Shell, rate: number): Pace & { readonly take: (count: number) => Promise<void> } {
  let free = 0;
  return {
    lanes: Math.ceil(rate / 60),
    batch: Math.min(10, rate),
    isOver: () => false,
    async take(count) {
      const now = shell.now().getTime();
      const start = Math.max(free, now);
      free = start + (count * 1_000) / rate;
      if (start > now) await shell.pause(start - now, shell.signal);
    },
  };
}

/** Goes through the queue, does the deed to each message that was chosen, and deletes those it was done to. */
async function carryOut(
  shell: Shell,
  choice: Choice,
  since: number,
  pace: Pace,
  deed: Deed,
  tally: Tally,
): Promise<void> {
  const { letters } = choice;
  const lookup = await lookupFor(shell, choice);
  const { waiting, inFlight } = await letters.depth(shell.signal);
  const isOver = () => tally.problem !== undefined;
  try {
    tally.others = await walk(shell, letters, { ...pace, isOver }, async (messages) => {
      const taken = await take(letters, messages.filter(sorter(choice, lookup, since, tally)), deed, tally);
      shell.progress(`${tally.done} done of ${waiting + inFlight} that are there`);
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
  ({ selection, queue }: Choice, lookup: Lookup, since: number, tally: Tally) =>
  (message: DeadMessage) => {
    const content = contentOf(queue, message.body);
    const left = leftBecause(content);
    if (left !== undefined) tally.left[left] += 1;
    return left === undefined;

    function leftBecause(content: Content): 'malformed' | 'notChosen' | 'arrivedSince' | undefined {
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

async function report(shell: Shell, options: ChoiceOptions, moving: Moving): Promise<ExitCode> {
  const { movingText } = await import('./dlq-text.ts');
  await show(shell, options, { value: moving, objects: [], text: () => movingText(moving) });
  return moving.problem === undefined ? 0 : 1;
}
