/** Looking at dead letters: what is there, what its objects say, and what of it was chosen. */
import {
  type Content,
  contentOf,
  type DeadLetter,
  type DeadMessage,
  isCandidate,
  isSelected,
  keyIn,
  type Live,
  letterOf,
  needsLive,
} from '../core/dead-letter.ts';
import { asFailure, Failure } from '../core/outcome.ts';
import { type Key, keyOf } from '../core/topic.ts';
import { type Kube, Problem, type Shell } from './command.ts';
import type { Choice } from './dlq-choice.ts';
import { walk } from './dlq-walk.ts';
import { chosen, distinct, readMany } from './objects.ts';

/** The object that a message names, as far as somebody looked for it. */
export type Lookup = (content: Content) => Live;

const nobodyLooked: Lookup = () => 'unread';

/** A message that was received, and what it says. */
export type Seen = { readonly message: DeadMessage; readonly content: Content };

/**
 * What the choice needs to know of the objects of messages, as they come. Objects are read before anything is received;
 * those that were not there then, when their messages are: somebody may have made them since.
 *
 * @throws Failure or Problem when they cannot be read; so does what is returned
 */
export async function lookupFor(shell: Shell, choice: Choice): Promise<(seen: readonly Seen[]) => Promise<Lookup>> {
  if (!needsLive(choice.selection)) return async () => nobodyLooked;
  const kube = await choice.kube();
  const known = await present(kube, choice, shell.signal);
  return async (seen) => {
    const missing = keysOf(kube, choice, seen).filter((key) => !known.has(keyOf(key)));
    const read = allRead(await kube.read(missing, shell.signal));
    return lookupIn((key) => known.get(key) ?? read.get(key));
  };
}

async function present(kube: Kube, { selection }: Choice, signal: AbortSignal): Promise<ReadonlyMap<string, Live>> {
  const known = new Map<string, Live>();
  if (selection.objects === undefined)
    for await (const page of chosen(kube, [], {}, signal)) for (const one of page) known.set(keyOf(one.key), one);
  else
    for (const [key, live] of allRead(await readMany(kube, keysIn(selection.objects), signal)))
      if (live !== 'gone') known.set(key, live);
  return known;
}

/** The objects on which it depends whether these are chosen, each once, without those that nobody may look at. */
function keysOf(kube: Kube, { selection }: Choice, seen: readonly Seen[]): readonly Key[] {
  const candidates = seen.filter(({ message, content }) => isCandidate(selection, message, content));
  return distinct(candidates.flatMap(({ content }) => keyIn(content) ?? [])).filter(kube.isWatched);
}

/** One that could not be read might be one that is meant. @throws Failure */
function allRead(read: ReadonlyMap<string, Live>): ReadonlyMap<string, Live> {
  for (const live of read.values()) if (live instanceof Failure) throw live;
  return read;
}

const lookupIn =
  (find: (key: string) => Live | undefined): Lookup =>
  (content) => {
    const key = keyIn(content);
    return (key && find(keyOf(key))) ?? 'unread';
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
  const seen: Seen[] = [];
  const { limit } = choice;
  const pace = { lanes: Math.min(8, Math.ceil(limit / 10)), batch: 10, limit };
  const others = await walk(shell, choice.letters, pace, async (messages) => {
    for (const message of messages) seen.push({ message, content: contentOf(choice.queue, message.body) });
    shell.progress(`looked at ${seen.length}`);
    return [];
  });
  shell.progress(undefined);
  shell.signal.throwIfAborted();
  const live = await liveOf(shell, choice, seen);
  const found = seen
    .filter(({ message, content }) => isSelected(choice.selection, message, content, live(content)))
    .map(({ message, content }) => ({ message, letter: letterOf(message, content, live(content)) }))
    .sort((a, b) => a.letter.since.localeCompare(b.letter.since));
  return { found, unchosen: seen.length - found.length, others };
}

/** Without the API server dead letters can be looked at all the same, unless the choice depends on it. */
async function liveOf(shell: Shell, choice: Choice, seen: readonly Seen[]): Promise<Lookup> {
  if (seen.every(({ content }) => keyIn(content) === undefined)) return nobodyLooked;
  const matters = needsLive(choice.selection);
  try {
    const kube = await choice.kube();
    const read = await readMany(kube, keysOf(kube, choice, seen), shell.signal);
    if (matters) allRead(read);
    return lookupIn((key) => read.get(key));
  } catch (error) {
    if (matters) throw error;
    const failure = error instanceof Problem ? unread(error.message) : asFailure(error);
    return () => failure;
  }
}

const unread = (message: string): Failure => new Failure('InternalError', message, { retryable: true });

/** Each object once. */
export function objectsIn({ found }: Look): readonly Key[] {
  const keys = found.flatMap(({ letter: { namespace, name } }) =>
    namespace === undefined || name === undefined ? [] : [{ namespace, name }],
  );
  return distinct(keys);
}
