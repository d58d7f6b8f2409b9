/** Waiting until objects say what came of a request. */
import { Failure } from '../core/outcome.ts';
import type { Condition, TopicResource } from '../core/resource.ts';
import { type Key, keyOf } from '../core/topic.ts';
import type { Kube, Shell } from './command.ts';
import { readMany } from './objects.ts';
import { bar } from './render.ts';

/** What an object says; `handled`: it says so since it was asked. `gone`: it was being deleted, and is. */
export type Awaited = Key & {
  readonly handled: boolean;
  readonly ready: Condition['status'] | 'Gone';
  readonly reason: string;
  readonly message: string;
};

/**
 * Looks again and again, less often by and by, until each object echoes its `reconcile-requested-at` and is not under way
 * any more, or is gone.
 *
 * @param asked with the annotation that the status has to echo
 * @param timeoutMs after which those that are left are reported as they are
 * @returns in the order of `asked`
 */
export async function awaitOutcomes(
  shell: Shell,
  kube: Kube,
  asked: readonly TopicResource[],
  timeoutMs: number,
): Promise<readonly Awaited[]> {
  const done = new Map<string, Awaited>();
  let open = asked;
  const end = shell.now().getTime() + timeoutMs;
  for (let pause = 200; ; pause = Math.min(pause * 1.5, 2_000)) {
    const late = shell.now().getTime() >= end;
    const seen = await readMany(
      kube,
      open.map(({ key }) => key),
      shell.signal,
    );
    for (const resource of open) {
      const outcome = outcomeOf(resource, seen.get(keyOf(resource.key)));
      if (outcome.handled || late) done.set(keyOf(resource.key), outcome);
    }
    open = open.filter(({ key }) => !done.has(keyOf(key)));
    if (open.length === 0) break;
    shell.progress(bar('done', done.size, asked.length));
    await shell.pause(pause, shell.signal);
    shell.signal.throwIfAborted();
  }
  shell.progress(undefined);
  return asked.flatMap(({ key }) => done.get(keyOf(key)) ?? []);
}

function outcomeOf({ key, uid }: TopicResource, seen: TopicResource | 'gone' | Failure | undefined): Awaited {
  if (seen instanceof Failure)
    return { ...key, handled: false, ready: 'Unknown', reason: seen.reason, message: seen.message };
  if (seen === undefined || seen === 'gone' || seen.uid !== uid)
    return { ...key, handled: true, ready: 'Gone', reason: 'Gone', message: 'the object is gone' };
  const { conditions = [], lastHandledReconcileAt } = seen.status ?? {};
  const { status = 'Unknown', reason = '', message = '' } = conditions.find(({ type }) => type === 'Ready') ?? {};
  const underWay = conditions.some(({ type }) => type === 'Reconciling');
  // its own annotation, not ours: somebody may have asked again since, and the status echoes the last one only
  const handled = lastHandledReconcileAt === seen.reconcileRequestedAt;
  if (!handled)
    return {
      ...key,
      handled,
      ready: status,
      reason,
      message: 'not looked at in that time: topicsmith status shows what waits',
    };
  return { ...key, handled: !underWay, ready: status, reason, message };
}
