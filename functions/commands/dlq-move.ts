/** Taking dead letters out of their queue: sent back where they came from, or saved to a file and deleted. */
import { harmless } from '../core/harmless.ts';
import { asFailure } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import { type ExitCode, Problem, type Shell, show, type Work } from './command.ts';
import { consent, refuseUnattended } from './consent.ts';
import { type Choice, type ChoiceOptions, choose, wholeNumber, withNamespaces } from './dlq-choice.ts';
import { look, objectsIn } from './dlq-look.ts';
import { openSave } from './dlq-save.ts';
import { carryOut, type Deed, type Moving, Tally, type Verb } from './dlq-take.ts';
import { type Pace, soon } from './dlq-walk.ts';

type MoveOptions = ChoiceOptions & { readonly dryRun?: boolean; readonly yes?: boolean };
export type ReplayOptions = MoveOptions & { readonly rate: string };
export type DropOptions = MoveOptions & { readonly save?: string };

export const replay: Work<ReplayOptions> = async (shell, options, names) => {
  const rate = wholeNumber('--rate', options.rate, 500);
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
    await carryOut(shell, choice, agreed.since, { lanes: 4, batch: 10 }, deed, tally);
  } finally {
    save.close();
  }
  return report(shell, options, { ...tally.result('drop'), ...(tally.done > 0 && { file: save.file }) });
};

async function chooseExplicitly(shell: Shell, options: ChoiceOptions, names: readonly string[], malformed: boolean) {
  const choice = await choose(shell, options, names, malformed);
  if (!choice.explicit) throw new Problem('say which ones: names, a filter such as --reason Gone, or --all');
  return choice;
}

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
  if (options.dryRun) {
    const value = { dryRun: true, verb, deadLetters: looked.found.map(({ letter }) => letter), others: looked.others };
    await show(shell, withNamespaces(options), { value, objects: objectsIn(looked), text });
    return undefined;
  }
  shell.err(text({ colour: false, wide: false, namespaces: options.namespace === undefined }));
  if (looked.found.length === 0) throw new Problem('nothing was changed: there is nothing to do');
  const question = verb === 'replay' ? 'Send them back?' : 'Save and delete them?';
  await consent(shell, options, { question, verb: `${verb}s`, refused: 'you did not agree' });
  return { since };
}

/**
 * What it does not move, or not all of it, is moved by hand afterwards: ElasticMQ says that it is done, and moves nothing.
 * However it ends, what it has moved is counted.
 */
async function moveByServer(shell: Shell, letters: DeadLetters, rate: number, tally: Tally): Promise<void> {
  let told = 0;
  const tell = (count: number) => {
    told = count;
    shell.progress(`moved ${count}`);
  };
  const { moved, problem } = await letters
    .moveAll(rate, tell, shell.pause, shell.signal)
    .catch((error) => ({ moved: told, problem: asFailure(error).message }));
  shell.progress(undefined);
  if (problem !== undefined && !shell.signal.aborted)
    shell.err(`SQS does not move them itself (${harmless(problem)}): going on message by message.\n`);
  tally.done += moved;
  tally.removed += moved;
}

/** At most so many a second: over any time, and not many at once. */
function paced(shell: Shell, rate: number): Omit<Pace, 'limit'> & { readonly take: (count: number) => Promise<void> } {
  let free = 0;
  return {
    lanes: Math.ceil(rate / 60),
    batch: Math.min(10, rate),
    async take(count) {
      const now = shell.now().getTime();
      const start = Math.max(free, now);
      free = start + (count * 1_000) / rate;
      if (start > now) await shell.pause(start - now, shell.signal);
    },
  };
}

async function report(shell: Shell, options: ChoiceOptions, moving: Moving): Promise<ExitCode> {
  const { movingText } = await import('./dlq-text.ts');
  await show(shell, options, { value: moving, objects: [], text: () => movingText(moving) });
  return moving.problem === undefined ? 0 : 1;
}
