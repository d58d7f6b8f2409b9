import { look } from './look.ts';
import { outcomeOf, startPass } from './pass.ts';
import type { Ports } from './reconciler.ts';
import type { TopicResource } from './resource.ts';
import { sameStatus, statusOf } from './status.ts';
import { keyOf } from './topic.ts';

/**
 * The objects of a page that need a pass: there is something to do, or their status is not what it would say now. What
 * could not be read is left to the next tick, so one broker that is away does not enqueue the whole fleet (T164).
 *
 * Reads only.
 */
export async function outOfSync(
  resources: readonly TopicResource[],
  ports: Pick<Ports, 'topics' | 'resources' | 'installation' | 'now'>,
  signal: AbortSignal,
): Promise<readonly TopicResource[]> {
  const looks = await look(resources, ports, signal);
  return resources.filter((resource) => {
    const seen = looks.get(keyOf(resource.key));
    if (seen === undefined || seen instanceof Error) return false;
    const pass = startPass(resource, seen);
    if (pass.todo.length > 0) return true;
    const status = statusOf(resource, outcomeOf(pass, false), ports.now());
    return status !== undefined && !sameStatus(resource.status, status);
  });
}
