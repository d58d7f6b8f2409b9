/** Looking at dead letters: what is there, what its objects say, and what of it was chosen. */
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
} from '../core/dead-letter.ts';
import { asFailure, Failure } from '../core/outcome.ts';
import type { TopicResource } from '../core/resource.ts';
import { type Key, keyOf } from '../core/topic.ts';
import { Problem, type Shell } from './command.ts';
import type { Choice } from './dlq-choice.ts';
import { walk } from './dlq-walk.ts';
import { chosen, readMany } from './objects.ts';

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
  const { limit } = choice;
  const pace = { lanes: Math.min(8, Math.ceil(limit / 10)), batch: 10, limit };
  const others = await walk(shell, choice.letters, pace, async (messages) => {
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
    .sort((a, b) => a.letter.since.localeCompare(b.letter.since));
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

/** Each object once. */
export function objectsIn({ found }: Look): readonly Key[] {
  const keys = found.flatMap(({ letter: { namespace, name } }) =>
    namespace === undefined || name === undefined ? [] : [{ namespace, name }],
  );
  return [...new Map(keys.map((key) => [keyOf(key), key])).values()];
}
