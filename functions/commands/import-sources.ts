/** What an import begins with: topics at the brokers, or KafkaTopics of Strimzi's. */
import { type Draft, type Manifest, manifestOf, objectNames } from '../core/manifest.ts';
import { Failure } from '../core/outcome.ts';
import type { TopicResource } from '../core/resource.ts';
import { isInternal } from '../core/schema/kafkatopic.ts';
import { slices } from '../core/slices.ts';
import { clusterLabel, fromStrimzi, isStrimziTopic, type StrimziDraft, strimziGroup } from '../core/strimzi.ts';
import { isNamespaceName, isObjectName, keyOf, type Mode } from '../core/topic.ts';
import { type CommonOptions, Problem, type Shell } from './command.ts';
import { readDocuments } from './manifests.ts';
import { selectorOf } from './objects.ts';

/** A topic that gets no manifest. `failed`: it should have got one. */
export type LeftOut = { readonly topic: string; readonly why: string; readonly failed: boolean };

/** `internal`: how many of Kafka's own topics were met; `strimzi`: how many of the drafts Strimzi still manages. */
export type Sourced = {
  readonly drafts: readonly Draft[];
  readonly leftOut: readonly LeftOut[];
  readonly internal: number;
  readonly strimzi: number;
};

type Given = CommonOptions & { readonly mode: Mode; readonly existing: readonly TopicResource[] };

const topicsAtOnce = 500;

/**
 * The live topics that patterns name.
 *
 * @param given `target`: the namespace that object names are chosen for
 * @throws Problem for a pattern that no topic matches
 * @throws Failure when there is no answer
 */
export async function liveTopics(
  shell: Shell,
  patterns: readonly string[],
  { namespace, mode, existing, target }: Given & { readonly target: string },
): Promise<Sourced> {
  const topics = await shell.connect.topics();
  const listed = await topics.list(shell.signal);
  const own = listed.filter(({ name, internal }) => !internal && !isInternal(name)).map(({ name }) => name);
  const internal = listed.length - own.length;
  const [fresh, leftOut] = withoutExisting(
    matching(patterns, own, (name) => name),
    (name) => name,
    existing,
  );
  const taken = new Set(existing.filter(({ key }) => key.namespace === target).map(({ key }) => key.name));
  const names = objectNames(own, taken);
  const drafts: Draft[] = [];
  for (const part of slices(fresh, topicsAtOnce)) {
    const queries = part.map((topicName) => ({ topicName, configs: 'all' as const }));
    const seen = await topics.observe(queries, shell.signal);
    for (const { topicName } of queries) {
      const live = seen.get(topicName);
      const identity = { topicName, namespace, name: names.get(topicName) ?? topicName };
      if (live instanceof Failure || live === undefined) leftOut.push(unread(topicName, live));
      else if (live.exists) drafts.push(manifestOf(identity, live, mode));
      else leftOut.push({ topic: topicName, why: 'it is gone since the topics were listed', failed: false });
    }
    shell.progress(`read ${drafts.length} topics`);
  }
  shell.progress(undefined);
  return { drafts, leftOut, internal, strimzi: 0 };
}

const unread = (topic: string, failure?: Failure): LeftOut => ({
  topic,
  why: failure === undefined ? 'the brokers did not answer for it' : `${failure.reason}: ${failure.message}`,
  failed: true,
});

type FromStrimzi = Given & {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
};

/**
 * Strimzi's KafkaTopics, from files or from the API server, whose topics patterns name.
 *
 * @throws Problem when there are none, one has a name that no object can have, they belong to several Kafka clusters, or
 *   a pattern matches none
 * @throws Failure when there is no answer
 */
export async function strimziTopics(shell: Shell, patterns: readonly string[], given: FromStrimzi): Promise<Sourced> {
  const all = await strimziDrafts(shell, given);
  const own = all.filter(({ topicName }) => !isInternal(topicName));
  const internal = all.length - own.length;
  const chosen = matching(patterns, own, ({ topicName }) => topicName);
  oneCluster(chosen);
  const [fresh, leftOut] = withoutExisting(chosen, ({ topicName }) => topicName, given.existing);
  const going = fresh.filter(({ deleting }) => deleting).map(({ topicName }) => topicName);
  const staying = fresh.filter(({ deleting }) => !deleting);
  return {
    drafts: staying.map(({ topicName, manifest, notes }) => ({ topicName, manifest, notes })),
    leftOut: [
      ...leftOut,
      ...going.map((topic) => ({ topic, why: "Strimzi's KafkaTopic is being deleted", failed: false })),
    ],
    internal,
    strimzi: staying.filter(({ managed }) => managed).length,
  };
}

async function strimziDrafts(shell: Shell, given: FromStrimzi): Promise<readonly StrimziDraft[]> {
  const { filename, recursive = false, selector = '', mode, namespace } = given;
  const selects = selectorOf(selector);
  const objects =
    filename === undefined
      ? await (await shell.connect.kube(given)).strimziTopics(shell.signal)
      : (await readDocuments(shell, filename, recursive, strimziGroup, isStrimziTopic, true)).map(
          ({ object }) => object,
        );
  const drafts = objects
    .filter((object) => selects(labelsOf(object)))
    // at the API server `-n` says where to look, and with files where they shall be
    .map((object) => fromStrimzi(object, mode, filename === undefined ? undefined : namespace));
  if (drafts.length === 0) throw new Problem(`no KafkaTopic of ${strimziGroup} there: -n, -A and -l say where to look`);
  for (const { manifest } of drafts) checkNames(manifest);
  return drafts;
}

/** Files are named after objects, and a file can name its object anything. @throws Problem */
function checkNames({ metadata: { name, namespace } }: Manifest): void {
  const what = `a KafkaTopic of ${strimziGroup}`;
  if (name === '') throw new Problem(`${what} has no metadata.name: give it one`);
  const rule = 'no name that Kubernetes takes (a-z 0-9 -, RFC 1123): mend the file';
  if (!isObjectName(name)) throw new Problem(`${what} has metadata.name "${name}", ${rule}`);
  if (namespace !== undefined && !isNamespaceName(namespace))
    throw new Problem(`${what} is for namespace "${namespace}", ${rule}, or the namespace of -n`);
}

const labelsOf = (object: unknown): ReadonlyMap<string, string> =>
  new Map(Object.entries((object as { metadata?: { labels?: Record<string, string> } }).metadata?.labels ?? {}));

/** An installation of ours is for one Kafka cluster: topics of another one would be made there, empty. */
function oneCluster(drafts: readonly StrimziDraft[]): void {
  const clusters = [...new Set(drafts.map(({ cluster }) => cluster))].filter((name) => name !== undefined);
  if (clusters.length > 1)
    throw new Problem(
      `these KafkaTopics are of several Kafka clusters (${clusters.sort().join(', ')}): choose one with -l ${clusterLabel}=${clusters[0]}`,
    );
}

/** Parts those for whose topic there is an object of ours, whatever its mode. */
function withoutExisting<T>(
  all: readonly T[],
  topicOf: (item: T) => string,
  existing: readonly TopicResource[],
): [readonly T[], LeftOut[]] {
  const keys = new Map(existing.map(({ topicName, key }) => [topicName, keyOf(key)]));
  const has = (item: T) => keys.has(topicOf(item));
  const leftOut = all.filter(has).map((item) => {
    const topic = topicOf(item);
    return { topic, why: `there is KafkaTopic ${keys.get(topic)} for it`, failed: false };
  });
  return [all.filter((item) => !has(item)), leftOut];
}

/** Those whose topics match any of the patterns; each pattern must match one. */
function matching<T>(patterns: readonly string[], all: readonly T[], topicOf: (item: T) => string): readonly T[] {
  if (patterns.length === 0) return all;
  const expressions = patterns.map(expressionOf);
  const useless = patterns.find((_, at) => !all.some((item) => expressions[at]?.test(topicOf(item))));
  if (useless !== undefined)
    throw new Problem(`no topic matches "${useless}": there are ${all.length} others, and Kafka's own are left alone`);
  return all.filter((item) => expressions.some((expression) => expression.test(topicOf(item))));
}

function expressionOf(pattern: string): RegExp {
  if (!/^[a-zA-Z0-9._*?-]+$/.test(pattern))
    throw new Problem(
      `"${pattern}" is no pattern for topics: their names have a-z A-Z 0-9 . _ -, and * and ? stand for any`,
    );
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
