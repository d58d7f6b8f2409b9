/** The function behind `ticks.fifo`: looks at one page of all KafkaTopics and asks for those that are out of sync. */
import { createHash } from 'node:crypto';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { requestQueue, sqsClient, tickQueue } from './adapters/sqs.ts';
import { fifoHandler, type Item, type Settled } from './batch.ts';
import { asFailure, Failure } from './core/outcome.ts';
import type { Envelope, Requests, Resources, Ticks } from './core/ports.ts';
import { parseTick, type Tick } from './core/request.ts';
import type { TopicResource } from './core/resource.ts';
import { outOfSync } from './core/resync.ts';
import { type Runtime, required, runtimeFromEnv } from './runtime.ts';

export type ResyncRuntime = Runtime & { readonly requests: Requests; readonly ticks: Ticks };

/** Objects that one tick message looks at: about a second's work, far from the function's timeout. */
const pageSize = 500;

/** The handler over given parts. It writes to the queues and to nothing else. */
export const resyncHandler = (runtime: ResyncRuntime) =>
  fifoHandler<Tick>({
    ...runtime,
    parse: parseTick,
    keyOf: ({ tick, continue: token = '' }) => `${tick} ${token}`,
    work: (items, signal) => workOff(items, runtime, signal),
  });

async function workOff(items: readonly Item<Tick>[], runtime: ResyncRuntime, signal: AbortSignal) {
  const settled = new Map<string, Settled>();
  for (const { key, value } of items) {
    const failure = await resyncPage(value, runtime, signal).then(() => undefined, asFailure);
    if (failure?.reason === 'InternalError') runtime.log.error('resync-failed', { error: failure });
    settled.set(
      key,
      failure === undefined
        ? { redeliver: false }
        : { redeliver: true, hideSeconds: undefined, reason: failure.reason, message: failure.message },
    );
  }
  return settled;
}

/**
 * One page: list, look, send the names that need a pass, then the next page as a message of its own. Sent twice, a name
 * or a page is the same message to the queue, so a page can be repeated.
 *
 * @throws Failure when the page could not be listed or a message not be sent
 */
export async function resyncPage(tick: Tick, runtime: ResyncRuntime, signal: AbortSignal): Promise<void> {
  const { ports, requests, ticks, log } = runtime;
  const page = await pageOf(ports.resources, tick.continue, signal);
  const needed = await outOfSync(page.items, ports, signal);
  const sent = await requests.send(
    needed.map((resource) => driftEnvelope(resource, tick)),
    signal,
  );
  const failure = [...sent.values()].find((outcome) => outcome instanceof Failure);
  if (failure !== undefined) throw failure;
  if (page.continue !== undefined) await ticks.send({ v: 1, tick: tick.tick, continue: page.continue }, signal);
  log.info('resync', {
    tick: tick.tick,
    objects: page.items.length,
    outOfSync: needed.length,
    more: page.continue !== undefined,
  });
}

/** A token lives for minutes only; with an expired one the listing starts again here, since the first tick is used up. */
async function pageOf(resources: Resources, token: string | undefined, signal: AbortSignal) {
  try {
    return await resources.page(pageSize, token, signal);
  } catch (error) {
    if (token === undefined || asFailure(error).reason !== 'ObservationOutdated') throw error;
    return resources.page(pageSize, undefined, signal);
  }
}

function driftEnvelope({ key, uid, topicName }: TopicResource, { tick }: Tick): Envelope {
  const deduplicationId = createHash('sha256').update(`${uid} ${tick}`).digest('hex');
  return { request: { v: 1, ...key, trigger: 'drift', id: tick }, topicName, deduplicationId };
}

function resyncRuntime(env: NodeJS.ProcessEnv): ResyncRuntime {
  const sqs = sqsClient(env);
  return {
    ...runtimeFromEnv(env, 'TICK_QUEUE_URL'),
    requests: requestQueue(sqs, required(env, 'RECONCILE_QUEUE_URL')),
    ticks: tickQueue(sqs, required(env, 'TICK_QUEUE_URL')),
  };
}

let warm: ReturnType<typeof resyncHandler> | undefined;

/** What Lambda calls. @throws Error one line when the environment is not complete: the whole batch comes back */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  warm ??= resyncHandler(resyncRuntime(process.env));
  return warm(event, context);
}
