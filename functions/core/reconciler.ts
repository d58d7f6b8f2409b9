/**
 * observe → plan → apply → report, for many objects at once and with one outcome each. No arrow goes back: a later stage
 * never reads again to decide. If the world moved meanwhile the write fails, and another pass looks again.
 */

import { describe } from './action.ts';
import { apply } from './apply.ts';
import { look } from './look.ts';
import { asFailure, Failure } from './outcome.ts';
import { outcomeOf, type Pass, startPass } from './pass.ts';
import type { Logger, Resources, Topics } from './ports.ts';
import type { TopicResource } from './resource.ts';
import { sameStatus, statusOf } from './status.ts';
import { type Key, keyOf, type Reason } from './topic.ts';

export type Ports = {
  readonly resources: Resources;
  readonly topics: Topics;
  /** the cluster this installation is for; undefined when it pins none */
  readonly clusterId: string | undefined;
  readonly now: () => Date;
  readonly log: Logger;
};

/**
 * One object to look at. `receives`: how often its message was given out, this time included. `lastReceive`: when this
 * pass fails, the message goes to the dead-letter queue.
 */
export type Item = {
  readonly key: Key;
  readonly receives: number;
  readonly lastReceive: boolean;
  readonly trigger: string;
  readonly id: string;
};

/** What becomes of the message. `hideSeconds` is a lower bound for how long it must stay hidden. */
export type Settled =
  | { readonly key: string; readonly redeliver: false }
  | {
      readonly key: string;
      readonly redeliver: true;
      readonly hideSeconds: number | undefined;
      readonly reason: Reason;
      readonly message: string;
    };

/**
 * How long a request that was sent can still take effect: its own timeout at the broker and the broker's forwarding
 * timeout. Until then the topic stays locked (reliability.md X1).
 */
export const requestLifetimeSeconds = 60;

/**
 * One pass over each object. Distinct keys of distinct topics only: passes on one topic never overlap.
 *
 * @returns one entry per item, by `keyOf`; never rejects because of one of them
 */
export async function reconcile(
  items: readonly Item[],
  ports: Ports,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Settled>> {
  const keys = items.map(({ key }) => key);
  const read = await ports.resources.read(keys, signal);
  const resources = [...read.values()].filter(
    (entry): entry is TopicResource => entry !== 'gone' && !(entry instanceof Failure),
  );
  const looks = await look(resources, ports, signal);
  const again = new Set(items.filter(({ receives }) => receives > 1).map(({ key }) => keyOf(key)));
  const passes = resources.map((resource) => {
    const key = keyOf(resource.key);
    return startPass(resource, looks.get(key) ?? notLooked(), again.has(key));
  });
  const done = new Map((await apply(passes, ports, signal)).map((pass) => [keyOf(pass.resource.key), pass]));
  const settled = items.map(async (item) => {
    const pass = done.get(keyOf(item.key));
    return pass === undefined ? unread(keyOf(item.key), read.get(keyOf(item.key))) : report(item, pass, ports, signal);
  });
  return new Map((await Promise.all(settled)).map((entry) => [entry.key, entry]));
}

/** Says what happened, once and only if it differs from what the object says already. */
async function report(item: Item, pass: Pass, ports: Ports, signal: AbortSignal): Promise<Settled> {
  const outcome = outcomeOf(pass, item.lastReceive);
  logOutcome(item, pass, outcome.kind, ports.log);
  const failures = [...pass.failures, ...('failure' in outcome ? [outcome.failure] : [])];
  const status = statusOf(pass.resource, outcome, ports.now());
  try {
    if (status !== undefined && !sameStatus(pass.resource.status, status))
      await ports.resources.writeStatus(pass.resource, status, signal);
  } catch (error) {
    failures.push(asFailure(error));
    ports.log.warn('status-not-written', { ...named(item, pass), error: asFailure(error).message });
  }
  return settle(keyOf(item.key), failures);
}

function settle(key: string, failures: readonly Failure[]): Settled {
  const retryable = failures.find((failure) => failure.retryable);
  if (retryable === undefined) return { key, redeliver: false };
  const waits = failures.map(({ unanswered, retryAfterMs = 0 }) =>
    Math.max(unanswered ? requestLifetimeSeconds : 0, Math.ceil(retryAfterMs / 1000)),
  );
  const longest = Math.max(...waits);
  const { reason, message } = retryable;
  return { key, redeliver: true, hideSeconds: longest > 0 ? longest : undefined, reason, message };
}

/** An object that could not be read says nothing about itself: its message comes back, whatever the reason. */
function unread(key: string, entry: TopicResource | 'gone' | Failure | undefined): Settled {
  if (entry === 'gone') return { key, redeliver: false };
  const { reason, message } = entry instanceof Failure ? entry : notLooked();
  return { key, redeliver: true, hideSeconds: undefined, reason, message };
}

const notLooked = (): Failure => new Failure('InternalError', 'the object was not looked at', { retryable: true });

const named = (item: Item, { resource }: Pass) => ({
  object: keyOf(item.key),
  topic: resource.topicName,
  generation: resource.generation,
  trigger: item.trigger,
  message: item.id,
});

function logOutcome(item: Item, pass: Pass, outcome: string, log: Logger): void {
  for (const action of pass.applied)
    log.info('applied', { ...named(item, pass), action: action.type, what: describe(action) });
  const { failures } = pass;
  const failed = { reasons: failures.map(({ reason }) => reason), failed: failures };
  log.info('outcome', { ...named(item, pass), outcome, ...(failures.length > 0 && failed) });
}
