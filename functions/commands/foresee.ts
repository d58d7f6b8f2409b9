/** What the worker would decide about objects now: `plan` and `drift` are two views of it. */
import { foresee } from '../core/decide.ts';
import type { World } from '../core/look.ts';
import type { Pass } from '../core/pass.ts';
import type { TopicResource } from '../core/resource.ts';
import type { Kube, Shell } from './command.ts';

/** The worker's world, with reads only. @throws Error one line when a setting is missing or wrong */
export async function worldOf(shell: Shell, kube: Pick<Kube, 'claimants'>): Promise<World> {
  const installation = await shell.connect.installation();
  return { topics: await shell.connect.topics(), resources: kube, installation };
}

/** Decides batch by batch, and says how far it is. @returns what `report` makes of each object, in their order */
export async function foreseeAll<T>(
  shell: Shell,
  world: World,
  batches: AsyncIterable<readonly TopicResource[]>,
  report: (pass: Pass) => T,
): Promise<readonly T[]> {
  const reports: T[] = [];
  for await (const batch of batches) {
    const passes = await foresee(batch, world, shell.pause, shell.signal);
    reports.push(...passes.map(report));
    shell.progress(`looked at ${reports.length}`);
  }
  shell.progress(undefined);
  return reports;
}
