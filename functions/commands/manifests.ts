/** Objects from files, as they would be once they are applied. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { apiVersion, kind } from '../core/api.ts';
import { Failure } from '../core/outcome.ts';
import { claimantOf, parseResource } from '../core/parse.ts';
import type { TopicResource } from '../core/resource.ts';
import { keyOf } from '../core/topic.ts';
import { type Kube, Problem, type Shell } from './command.ts';

/** `source`: the file, for people. */
export type Document = { readonly source: string; readonly object: unknown };

/**
 * The KafkaTopics of files, directories (`.yaml`, `.yml`, `.json`) and `-` for standard input; what else stands there is
 * left out, and said.
 *
 * @throws Problem for a file that cannot be read, or an object that stands there twice
 */
export async function readManifests(
  shell: Shell,
  kube: Kube,
  paths: readonly string[],
  recursive: boolean,
): Promise<readonly TopicResource[]> {
  const ours = await readDocuments(shell, paths, recursive, apiVersion, isOurs);
  return eachOnce(ours.map((document) => ({ ...document, resource: resourceIn(kube, document) })));
}

/**
 * The objects of one kind of KafkaTopic in files, as they stand there; what else stands there is left out, and said.
 *
 * @param of whose kind it is, for people
 * @param bigIntegers whole numbers become `bigint`, which keeps all their digits
 * @throws Problem for a file that cannot be read, or when there is none
 */
export async function readDocuments(
  shell: Shell,
  paths: readonly string[],
  recursive: boolean,
  of: string,
  isWanted: (object: unknown) => boolean,
  bigIntegers = false,
): Promise<readonly Document[]> {
  const documents: Document[] = [];
  const read = async (source: string, text: string) => documents.push(...(await parsed(source, text, bigIntegers)));
  for (const path of paths) {
    if (path === '-') await read('standard input', await shell.input());
    else for (const file of filesIn(path, recursive)) await read(file, textOf(file));
  }
  const wanted = documents.filter(({ object }) => isWanted(object));
  const others = documents.length - wanted.length;
  if (others > 0) shell.err(`${others} ${others === 1 ? 'object is' : 'objects are'} no ${kind} of ${of}: left out\n`);
  if (wanted.length === 0)
    throw new Problem(
      `no ${kind} of ${of} in ${paths.join(', ')}: -f names files or directories with some; -R looks into subdirectories too`,
    );
  return wanted;
}

function filesIn(path: string, recursive: boolean): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path, { recursive, encoding: 'utf8' }).filter((name) => /\.(ya?ml|json)$/.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** A file's text. @throws Problem that names a file that cannot be read */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (path: string, error: unknown): Problem =>
  new Problem(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);

/** Every document of a YAML or JSON text; a `List` stands for its items. */
async function parsed(source: string, text: string, intAsBigInt: boolean): Promise<Document[]> {
  const { parseAllDocuments } = await import('yaml');
  const documents = [...parseAllDocuments(text, { intAsBigInt })];
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error !== undefined) throw new Problem(`${source} is not YAML: ${error.message.split('\n')[0]}`);
  return documents
    .map((document) => document.toJS() as unknown)
    .flatMap((object) => (isList(object) ? object.items : [object]))
    .filter((object) => object !== null)
    .map((object) => ({ source, object }));
}

const isList = (object: unknown): object is { items: readonly unknown[] } =>
  Array.isArray((object as { items?: unknown } | null)?.items);

const isOurs = (object: unknown): boolean => {
  const { apiVersion: theirs, kind: what } = (object ?? {}) as { apiVersion?: unknown; kind?: unknown };
  return theirs === apiVersion && what === kind;
};

function resourceIn({ namespace }: Kube, { source, object }: Document): TopicResource {
  const { status, ...written } = object as { status?: unknown };
  const resource = parseResource(written);
  if (resource.key.name === '') throw new Problem(`${source} has a ${kind} without metadata.name: give it one`);
  if (resource.key.namespace !== '') return resource;
  // `-A` names none, and a file is applied to one
  return { ...resource, key: { ...resource.key, namespace: namespace ?? 'default' } };
}

function eachOnce(all: readonly (Document & { resource: TopicResource })[]): readonly TopicResource[] {
  const seen = new Map<string, string>();
  for (const { source, resource } of all) {
    const key = keyOf(resource.key);
    const before = seen.get(key);
    if (before !== undefined)
      throw new Problem(`${kind} ${key} stands in ${before} and in ${source}: keep one of the two`);
    seen.set(key, source);
  }
  return all.map(({ resource }) => resource);
}

/**
 * Each object as the API server would have it after `kubectl apply`: what it keeps beside the spec comes from the live
 * one. An object that is new gets a uid of our own, and its claim is the youngest.
 *
 * @returns `resources`, and `claimants` that also has those who are not there yet
 * @throws Failure when the API server could not be read
 */
export async function asApplied(
  kube: Pick<Kube, 'read' | 'claimants'>,
  written: readonly TopicResource[],
  now: Date,
  signal: AbortSignal,
) {
  const read = await kube.read(
    written.map(({ key }) => key),
    signal,
  );
  const resources = written.map((resource) => {
    const live = read.get(keyOf(resource.key));
    if (live instanceof Failure) throw live;
    return live === undefined || live === 'gone' ? created(resource, now) : edited(resource, live);
  });
  const fresh = resources.filter(({ resourceVersion }) => resourceVersion === '');
  const claimants: Kube['claimants'] = async (topicName, until) => [
    ...(await kube.claimants(topicName, until)),
    ...fresh.filter((resource) => resource.topicName === topicName).map(claimantOf),
  ];
  return { resources, claimants };
}

const created = (resource: TopicResource, now: Date): TopicResource => ({
  ...resource,
  uid: `new ${keyOf(resource.key)}`,
  resourceVersion: '',
  generation: 1,
  createdAt: `${now.toISOString().slice(0, 19)}Z`,
});

function edited(written: TopicResource, live: TopicResource): TopicResource {
  const { uid, resourceVersion, createdAt, deleting, finalizers, status } = live;
  const unchanged = isDeepStrictEqual(written.spec, live.spec);
  const merged = {
    ...written,
    ...{ uid, resourceVersion, createdAt, deleting, finalizers, status },
    approvedHash: written.approvedHash ?? live.approvedHash,
    generation: unchanged ? live.generation : live.generation + 1,
  };
  if (written.topicName === live.topicName) return merged;
  const message = 'spec.topicName cannot be changed or removed; create another object for another topic';
  return { ...merged, spec: { reason: 'InvalidSpec', message } };
}
