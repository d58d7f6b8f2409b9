/** Which dead letters a command is about: by object, label, reason, age, id, or all. */
import { type Command, Option } from 'commander';
import { kind } from '../core/api.ts';
import { reasonsOfLetters, type Selection } from '../core/dead-letter.ts';
import type { DeadLetters } from '../core/ports.ts';
import { reasons } from '../core/schema/reasons.ts';
import { keyOf } from '../core/topic.ts';
import { type CommonOptions, type Kube, Problem, type Shell } from './command.ts';
import { mostHeld } from './dlq-walk.ts';
import { duration } from './duration.ts';
import { keyOfLine, selectorOf } from './objects.ts';

export type ChoiceOptions = CommonOptions & {
  readonly queue: 'reconcile' | 'ticks';
  readonly selector?: string;
  readonly reason?: string;
  readonly olderThan?: string;
  readonly newerThan?: string;
  readonly id?: readonly string[];
  readonly malformed?: boolean;
  readonly all?: boolean;
  readonly limit: string;
};

/** The flags behind {@link choose}. */
export const withDlqChoice = (command: Command): Command =>
  command
    .argument('[name...]', `dead letters of these ${kind} objects, as NAME or NAMESPACE/NAME`)
    .option('-l, --selector <labels>', "those of objects with these labels, as in 'team=a,tier in (gold,silver)'")
    .option('--reason <reason>', 'those with this reason, as list shows it')
    .option('--older-than <time>', 'those that have been there for longer, as in 90s, 5m, 1h or 7d')
    .option('--newer-than <time>', 'those that have been there for less')
    .option('--id <id...>', 'those with these ids, as list -o wide shows them')
    .option('--limit <count>', 'hold about so many at a time, 1 to 10000; those that are to go do not count', '1000')
    .addOption(
      new Option('--queue <queue>', 'whose dead letters').choices(['reconcile', 'ticks']).default('reconcile'),
    );

/** What was chosen, and what the choice needs to know of objects. */
export type Choice = {
  readonly selection: Selection;
  readonly queue: 'reconcile' | 'ticks';
  readonly letters: DeadLetters;
  /** as the API server says it now; read when first asked for */
  readonly kube: () => Promise<Kube>;
  /** names, flags or `--all` were given, so that it is meant */
  readonly explicit: boolean;
  /** nothing is left out */
  readonly everything: boolean;
  /** about how many messages may be hidden from others at a time */
  readonly limit: number;
};

/**
 * Reads names and flags; of objects nothing is read yet.
 *
 * @param malformed whether what nobody can read is meant too; it is wherever it was asked for by reason or id
 * @throws Problem for flags that do not go together, names of reasons that there are not, and variables that are not set
 */
export async function choose(
  shell: Shell,
  options: ChoiceOptions,
  names: readonly string[],
  malformed: boolean,
): Promise<Choice> {
  const { queue, namespace, all } = options;
  const limit = wholeNumber('--limit', options.limit, mostHeld);
  const filters = filtersOf(options, shell.now());
  const filtered = names.length > 0 || Object.keys(filters).length > 0;
  if (all && filtered) throw new Problem('--all does not go together with names and filters: use one of them');
  if (queue === 'ticks' && (names.length > 0 || filters.labels !== undefined || namespace !== undefined))
    throw new Problem(
      'ticks are of no object: choose among them by --id, --reason, --older-than, --newer-than or --all',
    );
  let connected: Promise<Kube> | undefined;
  // dead letters are of the whole installation: only a name without one takes the context's namespace
  const allNamespaces = options.allNamespaces ?? (namespace === undefined && names.length === 0);
  const kube = () => {
    connected ??= shell.connect.kube({ ...options, allNamespaces });
    return connected;
  };
  const objects = names.length > 0 ? await objectsOf(await kube(), names) : undefined;
  const selection = {
    ...filters,
    ...(objects !== undefined && { objects }),
    ...(namespace !== undefined && objects === undefined && { namespace }),
    malformed: malformed || filters.reason === 'Malformed' || filters.ids !== undefined,
  };
  const letters = (await shell.connect.queues()).deadLetters(queue);
  const everything = all === true && namespace === undefined && selection.malformed;
  return { selection, queue, letters, kube, explicit: filtered || all === true, everything, limit };
}

const objectsOf = async (kube: Kube, names: readonly string[]): Promise<ReadonlySet<string>> =>
  new Set(names.map((name) => keyOf(keyOfLine(kube, name))));

function filtersOf({ selector, reason, olderThan, newerThan, id }: ChoiceOptions, now: Date): Partial<Selection> {
  if (reason !== undefined) refuseUnknown(reason);
  const ago = (flag: string, text: string) => now.getTime() - duration(flag, text);
  return {
    ...(selector !== undefined && { labels: selectorOf(selector) }),
    ...(reason !== undefined && { reason }),
    ...(olderThan !== undefined && { notAfter: ago('--older-than', olderThan) }),
    ...(newerThan !== undefined && { notBefore: ago('--newer-than', newerThan) }),
    ...(id !== undefined && { ids: new Set(id) }),
  };
}

/** @throws Problem that names the flag, for anything but 1 to `most` */
export function wholeNumber(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw new Problem(`${flag} is "${text}": it has to be a whole number from 1 to ${most}`);
  return number;
}

/** A typing error would choose nothing without a word. */
function refuseUnknown(reason: string): void {
  const known = [...Object.keys(reasons), ...reasonsOfLetters];
  if (!known.includes(reason))
    throw new Problem(
      `--reason is "${reason}": there is no such reason; topicsmith dlq list shows those that are there`,
    );
}

/** They are of any namespace, unless one was asked for. */
export const withNamespaces = <Options extends ChoiceOptions>(options: Options): Options => ({
  ...options,
  allNamespaces: options.namespace === undefined,
});
