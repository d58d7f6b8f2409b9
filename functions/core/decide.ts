import { lookLines, planLines } from './account.ts';
import { type Look, look, type World } from './look.ts';
import { Failure } from './outcome.ts';
import { type Pass, startPass } from './pass.ts';
import type { TopicResource } from './resource.ts';
import { type Stage, untold } from './stages.ts';
import { keyOf } from './topic.ts';

/**
 * A broker may answer from a state that is older than what the controller has confirmed: a topic that was just created
 * can seem absent. What had been there counts as gone when it is still not there this much later (K007, K114).
 */
export const secondLookMillis = 2_000;

export const notLooked = (): Failure =>
  new Failure('InternalError', 'the object was not looked at', { retryable: true });

/** Looks once and decides: one pass per object, in their order, with nothing done yet. */
export async function decide(
  resources: readonly TopicResource[],
  world: World,
  signal: AbortSignal,
  stage: Stage = untold,
): Promise<readonly Pass[]> {
  if (resources.length === 0) return [];
  const looks = await stage('look', () => look(resources, world, signal), lookLines);
  const seen = (resource: TopicResource): Look => looks.get(keyOf(resource.key)) ?? notLooked();
  return stage('plan', async () => resources.map((resource) => startPass(resource, seen(resource))), planLines);
}

/**
 * What a pass over each object would decide now, its second look at topics that seem to be gone included. Reads only.
 *
 * @param pause waits so many ms, or until the signal is aborted
 */
export async function foresee(
  resources: readonly TopicResource[],
  world: World,
  pause: (ms: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<readonly Pass[]> {
  const first = await decide(resources, world, signal);
  const unsure = first.filter(({ plan }) => plan?.unsure);
  if (unsure.length === 0) return first;
  await pause(secondLookMillis, signal);
  const again = unsure.map(({ resource }) => resource);
  const second = new Map((await decide(again, world, signal)).map((pass) => [pass.resource, pass]));
  return first.map((pass) => second.get(pass.resource) ?? pass);
}
