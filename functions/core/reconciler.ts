/**
 * observe → plan → apply → report, for many objects at once and with one outcome each. No arrow goes back: a later stage
 * never reads again to decide. If the world moved meanwhile the write fails, and another pass looks again.
 */

import {
  applyLines,
  asked,
  countName,
  countPass,
  logChanges,
  logOutcome,
  named,
  readLines,
  type StatusWrite,
} from './account.ts';
import { apply } from './apply.ts';
import { decide, notLooked, secondLookMillis } from './decide.ts';
import { eventsOf } from './events.ts';
import type { Installation } from './installation.ts';
import type { Meter, PassOutcome } from './metrics.ts';
import { asFailure, Failure, isWaiting, type PerItem } from './outcome.ts';
import { outcomeOf, type Pass } from './pass.ts';
import type { Events, Logger, Replication, Resources, Topics } from './ports.ts';
import { groupOf, type Trigger } from './request.ts';
import type { TopicResource, TopicStatus } from './resource.ts';
import { queryOf } from './situation.ts';
import { type Stage, stages } from './stages.ts';
import { sameStatus, statusOf } from './status.ts';
import { type Key, keyOf, type Reason } from './topic.ts';

export type Ports = {
  readonly resources: Resources;
  readonly topics: Topics & Replication;
  readonly events: Events;
  readonly installation: Installation;
  readonly now: () => Date;
  /** waits so many ms, or until the signal is aborted; never rejects */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly meter: Meter;
};

/**
 * One object to look at. `groups`: the message groups it came in, where that is known. `lastReceive`: when this pass fails,
 * the message goes to the dead-letter queue. For logs: `id` is the request's own, `messageIds` the queue's (of all messages that
 * ask for this look), `requestId` the invocation's.
 */
export type Item = {
  readonly key: Key;
  readonly groups: readonly string[] | undefined;
  readonly lastReceive: boolean;
  readonly trigger: Trigger;
  readonly id: string;
  readonly messageIds?: readonly string[];
  readonly requestId?: string;
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
 * One pass over each object. Passes on one topic never overlap: of several objects that name one topic only the first is
 * worked on, the others come back.
 *
 * @param signal ends the work: nothing is sent to the brokers after it
 * @param reporting ends the report, later than `signal`, so that what was done can still be said
 * @returns one entry per item, by `keyOf`; never rejects because of one of them
 */
export async function reconcile(
  items: readonly Item[],
  ports: Ports,
  signal: AbortSignal,
  reporting = signal,
): Promise<ReadonlyMap<string, Settled>> {
  const startedAt = ports.now();
  const keys = items.map(({ key }) => key);
  const stage = stages(new Map(items.map((item) => [keyOf(item.key), asked(item)])), ports.now, ports.log);
  const read = await stage('read', () => ports.resources.read(keys, signal), readLines);
  const { chosen, settled } = choose(items, read, ports);
  const first = await decide(chosen, ports, signal, stage);
  const unsure = first.filter(({ plan }) => plan?.unsure);
  const sure = first.filter((pass) => !unsure.includes(pass));
  const report = reporter(items, ports, startedAt, reporting, stage);
  const applied = (passes: readonly Pass[]) => stage('apply', () => apply(passes, ports, signal), applyLines);
  const entries = await report(await applied(sure));
  if (unsure.length > 0) await ports.pause(secondLookMillis, signal);
  const again = unsure.map(({ resource }) => resource);
  const later = await report(await applied(await decide(again, ports, signal, stage)));
  return new Map([...settled, ...entries, ...later].map((entry) => [entry.key, entry]));
}

/** Sorts out what needs no look at a topic: objects that are gone, unread, in the wrong group, or second to another. */
function choose(
  items: readonly Item[],
  read: PerItem<string, TopicResource | 'gone'>,
  { log, meter }: Pick<Ports, 'log' | 'meter'>,
): { chosen: readonly TopicResource[]; settled: readonly Settled[] } {
  const chosen = new Map<string, TopicResource>();
  const settled: Settled[] = [];
  const end = (item: Item, outcome: PassOutcome, entry: Settled) => {
    countName(item, outcome, meter);
    settled.push(entry);
  };
  for (const item of items) {
    const [key, groups] = [keyOf(item.key), item.groups];
    const resource = read.get(key);
    if (resource === 'gone') end(item, 'Gone', { key, redeliver: false });
    else if (resource === undefined || resource instanceof Failure) end(item, 'Unread', unread(key, resource));
    else if (groups !== undefined && !groups.includes(groupOf(resource.topicName))) {
      // The object has been re-created for another topic: it has a message of its own in that topic's group.
      log.info('group-of-another-topic', { ...asked(item), topic: resource.topicName, groups });
      end(item, 'Elsewhere', { key, redeliver: false });
    } else if (chosen.has(queryOf(resource).topicName)) end(item, 'Busy', settle(key, [topicIsBusy(resource)]));
    else chosen.set(queryOf(resource).topicName, resource);
  }
  return { chosen: [...chosen.values()], settled };
}

const topicIsBusy = ({ topicName }: TopicResource): Failure =>
  new Failure('ObservationOutdated', `another object is being worked on for topic ${topicName}`, { retryable: true });

function reporter(items: readonly Item[], ports: Ports, startedAt: Date, signal: AbortSignal, stage: Stage) {
  const byKey = new Map(items.map((item) => [keyOf(item.key), item]));
  return (passes: readonly Pass[]): Promise<readonly Settled[]> =>
    Promise.all(
      passes.flatMap((pass) => {
        const item = byKey.get(keyOf(pass.resource.key));
        if (item === undefined) return [];
        const settled = () => report(item, pass, ports, startedAt, signal);
        return [stage('report', settled, ({ key, redeliver }) => [[key, { redeliver }]])];
      }),
    );
}

/** Says what happened, once and only if it differs from what the object says already. */
async function report(item: Item, pass: Pass, ports: Ports, startedAt: Date, signal: AbortSignal): Promise<Settled> {
  const tookMs = () => ports.now().getTime() - startedAt.getTime();
  const outcome = outcomeOf(pass, item.lastReceive);
  logChanges(item, pass, outcome.kind, tookMs(), ports.log);
  const failures = [...pass.failures, ...('failure' in outcome ? [outcome.failure] : [])];
  const status = statusOf(pass.resource, outcome, ports.now());
  const written = await write(pass.resource, status, ports, signal);
  if (written instanceof Failure) {
    failures.push(written);
    ports.log.warn('status-not-written', { ...named(item, pass), error: written.message });
  }
  const said = { status: written instanceof Failure ? 'not-written' : written, tookMs: tookMs() } as const;
  logOutcome(item, pass, { outcome: outcome.kind, ...said }, ports.log);
  countPass(item, pass, outcome, said, ports.meter);
  await ports.events.publish(pass.resource, eventsOf(pass, status, item.id), signal);
  return settle(keyOf(item.key), failures);
}

async function write(
  resource: TopicResource,
  status: TopicStatus | undefined,
  { resources }: Ports,
  signal: AbortSignal,
): Promise<Exclude<StatusWrite, 'not-written'> | Failure> {
  if (status === undefined || sameStatus(resource.status, status)) return 'unchanged';
  return resources.writeStatus(resource, status, signal).then(() => 'written' as const, asFailure);
}

function settle(key: string, failures: readonly Failure[]): Settled {
  const retryable = failures.find((failure) => failure.retryable && !isWaiting(failure));
  if (retryable === undefined) return { key, redeliver: false };
  const waits = failures.map(({ unanswered, retryAfterMs = 0 }) =>
    Math.max(unanswered ? requestLifetimeSeconds : 0, Math.ceil(retryAfterMs / 1000)),
  );
  const longest = Math.max(...waits);
  const { reason, message } = retryable;
  return { key, redeliver: true, hideSeconds: longest > 0 ? longest : undefined, reason, message };
}

/** An object that could not be read says nothing about itself: its message comes back, whatever the reason. */
function unread(key: string, entry: Failure | undefined): Settled {
  const { reason, message } = entry ?? notLooked();
  return { key, redeliver: true, hideSeconds: undefined, reason, message };
}
