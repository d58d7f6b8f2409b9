/** The example objects of `npm start -- --topics samples`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeClient, kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import type { KafkaTopic } from '../../functions/core/schema/types.generated.ts';
import type { Progress } from './artifacts.ts';
import { applyFiles } from './manifests.ts';
import { until } from './process.ts';
import { root } from './state.ts';

const folder = join(root, 'crds', 'examples', 'samples');
const TIMEOUT_MS = 60_000;

/**
 * Applies them to namespace `default`, and waits until each has a status.
 *
 * @param exports addresses, as the system has them
 * @throws ApiError when one is refused; Error when one is left without a status
 */
export async function applySamples(
  exports: Readonly<Record<string, string>>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const files = readdirSync(folder).toSorted();
  const kube = kubeClient(exports);
  try {
    await applyFiles(
      kube,
      files.map((file) => join(folder, file)),
    );
    let waiting = files;
    const done = async () => {
      waiting = await withoutStatus(kube, files);
      return waiting.length === 0;
    };
    if (!(await until(done, TIMEOUT_MS, signal)))
      throw new Error(`these samples have no status after ${TIMEOUT_MS / 1000} s: ${waiting.join(', ')}`);
  } finally {
    await kube.close();
  }
  progress(`samples: ${files.length} KafkaTopics applied`);
}

/** Each file has the name of its object. */
async function withoutStatus(kube: KubeClient, files: readonly string[]): Promise<string[]> {
  const { items } = (await kube.request('GET', topicsPath('default'))) as { items: KafkaTopic[] };
  const looked = items.filter(({ metadata, status }) => status?.observedGeneration === metadata.generation);
  return files.filter((file) => !looked.some(({ metadata }) => file === `${metadata.name}.yaml`));
}
