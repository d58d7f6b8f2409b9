/** The function behind `ticks.fifo`: looks at one page of all KafkaTopics and asks for those that are out of sync. */
import { createHash } from 'node:crypto';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { onEachRequest, queueDepth, requestQueue, sqsClient, tickQueue } from './adapters/sqs.ts';
import { fifoHandler, type Item, type Settled } from './batch.ts';
import { type Feeding, feed } from './core/feed.ts';
import type { Meter } from './core/metrics.ts';
import { asFailure } from './core/outcome.ts';
import type { Envelope, Ticks } from './core/ports.ts';
import { messageVersion, parseTick, plus, type Sums, type Tick } from './core/request.ts';
import type { TopicResource } from './core/resource.ts';
import { numberOf, outOfSync } from './core/resync.ts';
import { statesIn, statesOf } from './core/states.ts';
import { functionSettings, type Runtime, runtimeOf } from './runtime.ts';
import type { Env } from './settings/read.ts';

export type ResyncRuntime = Runtime &
  Pick<Feeding, 'requests' | 'depth'> & {
    readonly ticks: Ticks;
    /** how many requests this process has sent so far, to whomever */
    readonly requestsSent: () => number;
  };

/** Objects that one tick message looks at: about a second's work, far from the function's timeout. */
const pageSize = 500;

/** Half a second each: half of the function's timeout. */
const patientLooks = 60;

/** The handler over given parts. It writes to the queues and to nothing else. */
export const resyncHandler = (runtime: ResyncRuntime) =>
  fifoHandler<Tick>({
    ...runtime,
    name: 'resync',
    now: () => runtime.ports.now().getTime(),
    parse: parseTick,
    keyOf: ({ tick, continue: token = '' }) => `${tick} ${token}`,
    work: (items, signal) => workOff(items, runtime, signal),
  });

async function workOff(items: readonly Item<Tick>[], runtime: ResyncRuntime, signal: AbortSignal) {
  const settled = new Map<string, Settled>();
  for (const item of items) {
    const failure = await resyncPage(item, runtime, signal).then(() => undefined, asFailure);
    if (failure?.reason === 'InternalError') runtime.log.error('resync-failed', { error: failure });
    settled.set(
      item.key,
      failure === undefined
        ? { redeliver: false }
        : { redeliver: true, hideSeconds: undefined, reason: failure.reason, message: failure.message },
    );
  }
  return settled;
}

type Message = Pick<Item<Tick>, 'value' | 'lastReceive'>;

/**
 * One page: list, look, send the names that need a pass, then the next page as a message of its own, or the tick's
 * summary. Sent twice, a name or a page is the same message to the queue, so a page can be repeated.
 *
 * What the queue has no room for is left to the next tick, which begins each page at another place. A page waits for
 * room, but once a tick has left something none of its later pages does: then the workers are slower than it is.
 *
 * @throws Failure when the page could not be listed or a message not be sent
 */
export async function resyncPage(message: Message, runtime: ResyncRuntime, signal: AbortSignal): Promise<void> {
  const { ports, ticks, log, requestsSent } = runtime;
  const tick = message.value;
  const [startedAt, sentBefore] = [ports.now().getTime(), requestsSent()];
  const page = await pageOf(message, runtime, signal);
  const { needed, unread, because } = await outOfSync(page.items, ports, tick.tick, signal);
  if (unread > 0) log.warn('resync-unread', { tick: tick.tick, objects: unread, because });
  const envelopes = turned(needed, numberOf(tick.tick)).map((resource) => driftEnvelope(resource, tick));
  const enqueued = await feed(envelopes, { ...runtime, ...ports }, tick.sums?.skipped ? 1 : patientLooks, signal);
  const before = page.again && tick.sums ? { ...tick.sums, states: {} } : tick.sums;
  const sums = plus(before, {
    startedAt,
    pages: 1,
    lookedAt: page.items.length,
    enqueued,
    skipped: needed.length - enqueued,
    unread,
    unlisted: page.unlisted,
    requests: requestsSent() - sentBefore + (page.continue === undefined ? 0 : 1),
    states: statesOf(page.items.filter(({ labels }) => ports.installation.selects(labels))),
  });
  if (page.continue === undefined) {
    const summary = summaryOf(tick, sums, ports.now());
    log.info('resync', summary);
    countTick(sums, summary.tookMs, ports.meter);
  } else await ticks.send({ v: messageVersion, tick: tick.tick, continue: page.continue, sums }, signal);
}

/** `again`: the listing starts from its beginning. */
type Page = {
  readonly items: readonly TopicResource[];
  readonly continue?: string;
  readonly unlisted: number;
  readonly again?: true;
};

/**
 * A namespace that cannot be listed is tried again like any message, and then left out: the others behind it are not to
 * blame.
 */
async function pageOf(
  { value, lastReceive }: Message,
  { ports, log }: ResyncRuntime,
  signal: AbortSignal,
): Promise<Page> {
  const { resources } = ports;
  try {
    return { ...(await resources.page(pageSize, value.continue, signal)), unlisted: 0 };
  } catch (error) {
    // the first message of this tick is used up, so the listing starts again here
    const isOutdated = value.continue !== undefined && asFailure(error).reason === 'ObservationOutdated';
    if (isOutdated) return { ...(await resources.page(pageSize, undefined, signal)), unlisted: 0, again: true };
    if (!lastReceive || signal.aborted) throw error;
    const next = resources.pageBehind(value.continue);
    log.error('resync-unlisted', { tick: value.tick, page: value.continue, error });
    return { items: [], unlisted: 1, ...(next !== undefined && { continue: next }) };
  }
}

/** One line for each tick. `inSync`: nothing to do, also what waits for somebody or was refused and says so. */
function summaryOf({ tick }: Tick, { startedAt, states: _, ...counts }: Sums, now: Date) {
  const inSync = counts.lookedAt - counts.enqueued - counts.skipped - counts.unread;
  return { tick, ...counts, inSync, tookMs: Math.max(0, now.getTime() - startedAt) };
}

function countTick(sums: Sums, tookMs: number, meter: Meter): void {
  meter.add('Ticks', {});
  meter.add('TickTime', {}, tookMs);
  meter.add('TickLookedAt', {}, sums.lookedAt);
  meter.add('DriftFound', {}, sums.enqueued + sums.skipped);
  meter.add('TickSkipped', {}, sums.skipped);
  meter.add('TickUnread', {}, sums.unread);
  meter.add('TickUnlisted', {}, sums.unlisted);
  for (const [state, count] of statesIn(sums.states)) meter.add('Objects', state, count);
}

/** Beginning elsewhere, so that it is not always the same ones that are left. */
const turned = <T>(list: readonly T[], by: number): readonly T[] => {
  const start = by % Math.max(1, list.length);
  return [...list.slice(start), ...list.slice(0, start)];
};

function driftEnvelope({ key, uid, topicName, generation }: TopicResource, { tick }: Tick): Envelope {
  const deduplicationId = createHash('sha256').update(`${uid} ${tick}`).digest('hex');
  return { request: { v: messageVersion, ...key, trigger: 'drift', id: tick }, topicName, deduplicationId, generation };
}

/** The parts of this function as `env` says. @throws SettingsError with everything that is wrong */
export function resyncRuntime(env: Env): ResyncRuntime {
  const settings = functionSettings(env, 'resync');
  const { RECONCILE_QUEUE_URL: reconcileQueue, TICK_QUEUE_URL: ticksQueue } = settings;
  let requestsSent = 0;
  const count = () => void requestsSent++;
  const sqs = sqsClient(settings);
  onEachRequest(sqs, count);
  const runtime = runtimeOf(settings, ticksQueue, count);
  return {
    ...runtime,
    requests: requestQueue(sqs, reconcileQueue, runtime.log),
    ticks: tickQueue(sqs, ticksQueue),
    depth: async (signal) => {
      const { waiting, inFlight } = await queueDepth(sqs, reconcileQueue, signal);
      return waiting + inFlight;
    },
    requestsSent: () => requestsSent,
  };
}

let warm: ReturnType<typeof resyncHandler> | undefined;

/** What Lambda calls. @throws SettingsError when the environment is not as it has to be: the whole batch comes back */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  warm ??= resyncHandler(resyncRuntime(process.env));
  return warm(event, context);
}
