/** `topicsmith dlq`: the messages that were given up, looked at, sent back or dropped. */
import type { Command } from 'commander';
import { examples, Problem, type Register, type Run, show, type Work } from './command.ts';
import { type ChoiceOptions, choose, withDlqChoice, withNamespaces } from './dlq-choice.ts';
import { look, objectsIn } from './dlq-look.ts';
import { type DropOptions, drop, type ReplayOptions, replay } from './dlq-move.ts';

export const register: Register = (program, run) => {
  const dlq = program
    .command('dlq')
    .summary('look at dead letters, send them back or drop them')
    .description(
      'Dead letters are messages that failed too often. Without -n they are those of all namespaces. While one is looked at, it is hidden from others; it is there again at the end, at the latest half a minute later.',
    )
    .addHelpText('after', examples('topicsmith dlq list', 'topicsmith dlq replay --help'));
  registerList(dlq, run);
  registerShow(dlq, run);
  registerReplay(dlq, run);
  registerDrop(dlq, run);
};

function registerList(dlq: Command, run: Run): void {
  withDlqChoice(dlq.command('list'))
    .summary('list dead letters, and why they are there')
    .description(
      'Lists dead letters with the reason that their object gives now: Gone if there is none, Malformed if nobody can read the message.\n\nExit code: 0 listed, 1 the queue could not be read.',
    )
    .addHelpText(
      'after',
      examples(
        'topicsmith dlq list',
        'topicsmith dlq list -n shop -o wide',
        'topicsmith dlq list --reason BrokerUnavailable --older-than 1h',
      ),
    )
    .action(run(list));
}

function registerShow(dlq: Command, run: Run): void {
  withDlqChoice(dlq.command('show'))
    .summary('show dead letters with their bodies')
    .description(
      'Shows dead letters with their bodies, in which control characters are written as \\u001b.\n\nExit code: 0 shown, 1 there is none, or the queue could not be read.',
    )
    .option('--all', 'all of them, or all of a namespace with -n')
    .addHelpText(
      'after',
      examples(
        'topicsmith dlq show orders -n shop',
        'topicsmith dlq show --reason Malformed',
        'topicsmith dlq show --all -o json',
      ),
    )
    .action(run(showBodies));
}

function registerReplay(dlq: Command, run: Run): void {
  withDlqChoice(dlq.command('replay'))
    .summary('send dead letters back to the queue they came from')
    .description(
      'Sends messages back, then takes them out: they are never in neither queue. One that is sent twice does no harm. What nobody can read would only come back, and is left unless it is asked for. With --all --malformed, where everything is to go back, SQS moves it itself, and with it what comes in meanwhile; else that is left for the next time.\n\nExit code: 0 sent back, 1 something was not.',
    )
    .option('--all', 'all of them, or all of a namespace with -n')
    .option('--malformed', 'those too that nobody can read')
    .option('--rate <count>', 'at most so many a second, 1 to 500', '50')
    .option('--dry-run', 'only show what would be sent back')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'topicsmith dlq replay orders -n shop',
        'topicsmith dlq replay --reason BrokerUnavailable --dry-run',
        "topicsmith dlq replay -l 'team=a' --newer-than 1d --yes",
        'topicsmith dlq replay --all --rate 200',
      ),
    )
    .action(run<ReplayOptions>(replay));
}

function registerDrop(dlq: Command, run: Run): void {
  withDlqChoice(dlq.command('drop'))
    .summary('save dead letters to a file, and delete them')
    .description(
      'Writes each message to a file, a line of JSON each, and deletes it once it is on the disk.\n\nExit code: 0 dropped, 1 something was not.',
    )
    .option('--all', 'all of them, or all of a namespace with -n')
    .option('--save <file>', 'the file, which must not be there yet; default: named after queue and time')
    .option('--dry-run', 'only show what would be dropped')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'topicsmith dlq drop --reason Malformed',
        'topicsmith dlq drop --reason Gone --older-than 7d --save gone.jsonl --yes',
      ),
    )
    .action(run<DropOptions>(drop));
}

const list: Work<ChoiceOptions> = async (shell, options, names) => {
  const looked = await look(shell, await choose(shell, options, names, true));
  const { listText } = await import('./dlq-text.ts');
  const { found, others } = looked;
  await show(shell, withNamespaces(options), {
    value: { deadLetters: found.map(({ letter }) => letter), others },
    objects: objectsIn(looked),
    text: (style) => listText(looked, shell.now(), style),
  });
  return 0;
};

const showBodies: Work<ChoiceOptions> = async (shell, options, names) => {
  const choice = await choose(shell, options, names, true);
  if (!choice.explicit) throw new Problem('say which ones: names, a filter such as --reason Malformed, or --all');
  const looked = await look(shell, choice);
  const { bodiesText } = await import('./dlq-text.ts');
  await show(shell, withNamespaces(options), {
    value: {
      deadLetters: looked.found.map(({ letter, message: { body, deduplicationId } }) => ({
        ...letter,
        deduplicationId,
        body,
      })),
      others: looked.others,
    },
    objects: objectsIn(looked),
    text: (style) => bodiesText(looked, shell.now(), style),
  });
  return looked.found.length > 0 ? 0 : 1;
};
