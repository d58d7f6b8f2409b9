/** What would become of topics if their imported manifests were enforced, by the worker's own decision. */

import type { Manifest } from '../core/manifest.ts';
import { claimantOf, parseResource } from '../core/parse.ts';
import type { Pass } from '../core/pass.ts';
import type { TopicResource } from '../core/resource.ts';
import { slices } from '../core/slices.ts';
import { type Key, keyOf } from '../core/topic.ts';
import type { CommonOptions, Kube, Shell } from './command.ts';
import { foreseeAll, worldOf } from './foresee.ts';
import { asApplied } from './manifests.ts';
import { chosen } from './objects.ts';
import { type Foreseen, foreseen } from './plan.ts';

/** As a plan, without what only stores whose topic it is. `unchanged`: the topic is taken over as it is. */
export type Adoption = Pick<Foreseen, 'verdict' | 'changes' | 'refusals' | 'note'>;

/** Our KafkaTopics in all watched namespaces, and the namespace that the flags name. */
export async function knownObjects(shell: Shell, options: CommonOptions) {
  const { namespace } = await shell.connect.kube(options);
  const kube = await shell.connect.kube({ ...options, allNamespaces: true });
  const objects: TopicResource[] = [];
  for await (const page of chosen(kube, [], {}, shell.signal)) objects.push(...page);
  return { objects, namespace };
}

const pageSize = 500;

/**
 * What would be done about each manifest's topic if it were applied with mode Enforce. Reads only.
 *
 * @param existing our KafkaTopics in all watched namespaces
 * @returns in the manifests' order
 */
export async function adoptions(
  shell: Shell,
  manifests: readonly (Key & { readonly manifest: Manifest })[],
  existing: readonly TopicResource[],
): Promise<readonly Adoption[]> {
  const written = manifests.map(enforced);
  const { resources, claimants } = await asApplied(among(existing), written, shell.now(), shell.signal);
  const world = await worldOf(shell, { claimants });
  return foreseeAll(shell, world, pagesOf(resources), adoption);
}

const enforced = ({ namespace, manifest }: Key & { readonly manifest: Manifest }): TopicResource =>
  parseResource({
    ...manifest,
    metadata: { ...manifest.metadata, namespace },
    spec: { ...manifest.spec, mode: 'Enforce' },
  });

/** Objects that were listed answer for the API server: asked for each topic, it would be asked thousands of times. */
function among(existing: readonly TopicResource[]): Pick<Kube, 'read' | 'claimants'> {
  const byKey = new Map(existing.map((resource) => [keyOf(resource.key), resource]));
  return {
    read: async (keys) => new Map(keys.map((key) => [keyOf(key), byKey.get(keyOf(key)) ?? ('gone' as const)])),
    claimants: async (topicName) => existing.filter((resource) => resource.topicName === topicName).map(claimantOf),
  };
}

async function* pagesOf<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield* slices(items, pageSize);
}

const bookkeeping: ReadonlySet<string> = new Set(['BindTopic', 'AddFinalizer']);

function adoption(pass: Pass): Adoption {
  const { verdict, changes, refusals, note } = foreseen(pass);
  const real = changes.filter(({ type }) => !bookkeeping.has(type));
  const left = real.length > 0 ? 'changes' : refusals.length > 0 ? 'refused' : 'unchanged';
  return {
    verdict: verdict === 'changes' ? left : verdict,
    ...{ changes: real, refusals },
    ...(note !== undefined && { note }),
  };
}
