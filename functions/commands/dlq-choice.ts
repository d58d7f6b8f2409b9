/** Which dead letters a command is about: by object, label, reason, age, id, or all. */
import { type Command, Option } from 'commander';
import { kind } from '../core/api.ts';
import {
  type Content,
  contentOf,
  type DeadLetter,
  type DeadMessage,
  isSelected,
  keyIn,
  type Live,
  letterOf,
  needsLive,
  reasonsOfLetters,
  type Selection,
} from '../core/dead-letter.ts';
import { asFailure, Failure } from '../core/outcome.ts';
import type { DeadLetters } from '../core/ports.ts';
import type { TopicResource } from '../core/resource.ts';
import { reasons } from '../core/schema/reasons.ts';
import { type Key, keyOf } from '../core/topic.ts';
import { type CommonOptions, type Kube, Problem, type Shell } from './command.ts';
import { walk } from './dlq-walk.ts';
import { duration } from './duration.ts';
import { chosen, keyOfLine, readMany, selectorOf } from './objects.ts';

export type ChoiceOptions = CommonOptions & {
  readonly queue: 'reconcile' | 'ticks';
  readonly selector?: string;
  readonly reason?: string;
  readonly olderThan?: string;
  readonly newerThan?: string;
  readonly id?: readonly string[];
  readonly malformed?: boolean;
  readonly all?: boolean;
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
};

/** @throws Problem for flags that do not go together, and names of reasons that there are not */
export async function choose(
  shell: Shell,
  options: ChoiceOptions,
  names: readonly string[],
  malformed: boolean,
): Promise<Choice> {
  const { queue, namespace, all } = options;
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
  const letters = (await shell.connect.queues(options)).deadLetters(queue);
  const everything = all === true && namespace === undefined && selection.malformed;
  return { selection, queue, letters, kube, explicit: filtered || all === true, everything };
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

/** A typing error would choose nothing without a word. */
function refuseUnknown(reason: string): void {
  const known = [...Object.keys(reasons), ...reasonsOfLetters];
  if (!known.includes(reason))
    throw new Problem(
      `--reason is "${reason}": there is no such reason; topicsmith dlq list shows those that are there`,
    );
}

/** Objects by name. One that was to be read and is not there is gone. */
export type Lookup = (content: Content) => Live;

const nobodyLooked: Lookup = () => 'unread';

/** What the choice needs to know of objects before anything is received. @throws Failure or Problem when they cannot be read */
export async function lookupFor(shell: Shell, { selection, kube }: Choice): Promise<Lookup> {
  if (!needsLive(selection)) return nobodyLooked;
  const reader = await kube();
  if (selection.objects !== undefined)
    return lookupIn(allRead(await readMany(reader, keysIn(selection.objects), shell.signal)));
  const all = new Map<string, TopicResource>();
  for await (const page of chosen(reader, [], {}, shell.signal)) for (const one of page) all.set(keyOf(one.key), one);
  return lookupIn(all);
}

/** One that could not be read might be one that is meant. @throws Failure */
function allRead(read: ReadonlyMap<string, Live>): ReadonlyMap<string, Live> {
  for (const live of read.values()) if (live instanceof Failure) throw live;
  return read;
}

const lookupIn =
  (read: ReadonlyMap<string, Live>): Lookup =>
  (content) => {
    const key = keyIn(content);
    return key === undefined ? 'unread' : (read.get(keyOf(key)) ?? 'gone');
  };

const keysIn = (objects: ReadonlySet<string>): readonly Key[] =>
  [...objects].map((object) => {
    const [namespace = '', name = ''] = object.split('/');
    return { namespace, name };
  });

export type Found = { readonly letter: DeadLetter; readonly message: DeadMessage };

/** What a look came to. `unchosen`: seen, and not what was asked for. `others`: about how many were not reached. */
export type Look = {
  readonly found: readonly Found[];
  readonly unchosen: number;
  readonly others: number | undefined;
};

/** Looks at all that can be reached, gives it back, and picks what was chosen. Nothing is taken out. */
export async function look(shell: Shell, choice: Choice): Promise<Look> {
  const seen: { readonly message: DeadMessage; readonly content: Content }[] = [];
  const others = await walk(shell, choice.letters, { lanes: 8, batch: 10, isOver: () => false }, async (messages) => {
    for (const message of messages) seen.push({ message, content: contentOf(choice.queue, message.body) });
    shell.progress(`looked at ${seen.length}`);
    return [];
  });
  shell.progress(undefined);
  shell.signal.throwIfAborted();
  const keys = new Map(seen.flatMap(({ content }) => keyIn(content) ?? []).map((key) => [keyOf(key), key]));
  const live = await liveOf(shell, choice, [...keys.values()]);
  const found = seen
    .filter(({ message, content }) => isSelected(choice.selection, message, content, live(content)))
    .map(({ message, content }) => ({ message, letter: letterOf(message, content, live(content)) }))
    .sort((a, b) => (a.letter.since < b.letter.since ? -1 : 1));
  return { found, unchosen: seen.length - found.length, others };
}

/** Without the API server dead letters can be looked at all the same, unless the choice depends on it. */
async function liveOf(shell: Shell, { kube, selection }: Choice, keys: readonly Key[]): Promise<Lookup> {
  if (keys.length === 0) return nobodyLooked;
  try {
    const read = await readMany(await kube(), keys, shell.signal);
    return lookupIn(needsLive(selection) ? allRead(read) : read);
  } catch (error) {
    if (needsLive(selection)) throw error;
    const failure = error instanceof Problem ? unread(error.message) : asFailure(error);
    return () => failure;
  }
}

const unread = (message: string): Failure => new Failure('InternalError', message, { retryable: true });
