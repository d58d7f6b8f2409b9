/** Which objects a command is about: by name, by label, or all. */
import type { Command } from 'commander';
import { group, kind, plural, shortName, singular } from '../core/api.ts';
import { Failure } from '../core/outcome.ts';
import type { TopicResource } from '../core/resource.ts';
import { parseSelector } from '../core/selector.ts';
import { slices } from '../core/slices.ts';
import { type Key, keyOf } from '../core/topic.ts';
import { type Kube, Problem } from './command.ts';

export type ChoiceOptions = { readonly selector?: string; readonly all?: boolean };

/** The flags behind {@link chosen}. */
export const withChoice = (command: Command): Command =>
  command
    .argument('[name...]', `names of ${kind} objects`)
    .option('-l, --selector <labels>', "objects with these labels, as in 'team=a,tier in (gold,silver)'")
    .option('--all', 'all objects of the namespace, or of all namespaces with -A');

const pageSize = 500;

/**
 * The objects that arguments and flags name, read live, in batches of at most 500. With neither names nor flags: all.
 *
 * @throws Problem for a name that is not there, or flags that do not go together
 * @throws Failure when the API server could not be read
 */
export async function* chosen(
  kube: Kube,
  names: readonly string[],
  { selector, all }: ChoiceOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly TopicResource[]> {
  if (names.length > 0) {
    if (selector !== undefined || all)
      throw new Problem('names do not go together with --selector or --all: use one of them');
    const keys = names.map((name) => keyIn(kube, name));
    for (const part of slices(keys, pageSize)) yield await readAll(kube, part, signal);
    return;
  }
  const selects = selectorOf(selector);
  let token: string | undefined;
  do {
    const page = await kube.page(pageSize, token, signal);
    yield page.items.filter(({ labels }) => selects(labels));
    token = page.continue;
  } while (token !== undefined);
}

/** @throws Problem that quotes what is no selector */
export function selectorOf(text = '') {
  try {
    return parseSelector(text);
  } catch (error) {
    throw new Problem(`--selector: ${(error as Error).message}`);
  }
}

const typePrefix = new RegExp(`^(${plural}|${singular}|${shortName})(\\.${group.replaceAll('.', '\\.')})?/`);

/** A name as people and `-o name` write it: with or without the type in front. */
export function keyIn({ namespace }: Kube, name: string): Key {
  if (namespace === undefined)
    throw new Problem('a name needs one namespace: use -n NAMESPACE in place of -A, or --all');
  return { namespace, name: name.replace(typePrefix, '') };
}

/** `type/name` as `-o name` writes it has a dot or is ours; anything else before the slash is a namespace. */
export function keyOfLine(kube: Kube, line: string): Key {
  const [first = '', second] = line.split('/');
  return second === undefined || first.includes('.') ? keyIn(kube, line) : { namespace: first, name: second };
}

/** Each once. */
export const distinct = (keys: readonly Key[]): readonly Key[] => [
  ...new Map(keys.map((key) => [keyOf(key), key])).values(),
];

/** From here on one listing of a page is cheaper than reading one by one. */
const listFrom = 50;

/** These objects as they are now, read one by one or listed. @throws Failure or Problem when they could not be listed */
export async function readMany(
  kube: Kube,
  keys: readonly Key[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TopicResource | 'gone' | Failure>> {
  const isListed = ({ namespace }: Key) => kube.namespace === undefined || kube.namespace === namespace;
  if (keys.length < listFrom || !keys.every(isListed)) return kube.read(keys, signal);
  const seen = new Map<string, TopicResource | 'gone' | Failure>(keys.map((key) => [keyOf(key), 'gone']));
  for await (const page of chosen(kube, [], {}, signal))
    for (const resource of page) if (seen.has(keyOf(resource.key))) seen.set(keyOf(resource.key), resource);
  return seen;
}

/** @throws Problem for one that is not there; Failure for one that could not be read */
export async function readAll(
  kube: Kube,
  keys: readonly Key[],
  signal: AbortSignal,
): Promise<readonly TopicResource[]> {
  const read = await kube.read(keys, signal);
  return keys.map((key) => {
    const resource = read.get(keyOf(key));
    if (resource instanceof Failure) throw resource;
    if (resource === undefined || resource === 'gone') throw notFound(key);
    return resource;
  });
}

const notFound = ({ namespace, name }: Key): Problem =>
  new Problem(`there is no ${kind} ${namespace}/${name}: kubectl get ${plural} -A shows those that are there`);
