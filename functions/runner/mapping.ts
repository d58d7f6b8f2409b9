/** One event source mapping at work: long polls → batches → invocations → deletion of what succeeded. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent } from 'aws-lambda';
import type { Logger } from '../adapters/log.ts';
import { type Ending, failedIds } from './answer.ts';
import type { EndingName, FunctionMetrics } from './metrics.ts';
import type { Invocation } from './process.ts';
import type { Queue, Received } from './queue.ts';

export type MappingOptions = {
  readonly functionName: string;
  readonly queue: Queue;
  readonly invoke: (event: SQSEvent) => Promise<Invocation>;
  readonly batchSize: number;
  /** batches in work at the same time, each in a process of its own */
  readonly concurrency: number;
  readonly partialResponses: boolean;
  readonly log: Logger;
  readonly metrics: Omit<FunctionMetrics, 'printed'>;
};

export type RunningMapping = {
  /** resolves once it was told to stop and has */
  readonly stopped: Promise<unknown>;
  /** why the queue cannot be used now; undefined while it can, or before it was asked */
  problem(): string | undefined;
  /** ms since the poller that has been silent for longest began to wait for messages, or for a batch */
  silentMs(): number;
  /** Starts no more polls. @returns when those under way, and their batches, are finished */
  stop(): Promise<void>;
};

const longestPauseMillis = 10_000;

/**
 * Starts as many pollers as batches may be in work: each waits for messages, has them worked on, settles them, and waits
 * again. Per-group order and exclusion are the queue's: it gives out nothing of a group while a message of it is in
 * flight.
 */
export function startMapping(options: MappingOptions): RunningMapping {
  const stopping = new AbortController();
  const pollers = Array.from({ length: options.concurrency }, (): Poller => ({ turnedAt: Date.now() }));
  const stopped = Promise.all(pollers.map((poller) => poll(options, poller, stopping.signal)));
  return {
    stopped,
    problem: () => pollers.find(({ problem }) => problem !== undefined)?.problem,
    silentMs: () => Date.now() - Math.min(...pollers.map(({ turnedAt }) => turnedAt)),
    async stop() {
      stopping.abort();
      await stopped;
    },
  };
}

type Poller = { turnedAt: number; problem?: string | undefined };

async function poll(options: MappingOptions, poller: Poller, stopping: AbortSignal): Promise<void> {
  let pause = 0;
  while (!stopping.aborted) {
    poller.turnedAt = Date.now();
    try {
      const received = await options.queue.receive(options.batchSize);
      if (received.records.length > 0) await workOff(options, received);
      pause = 0;
      poller.problem = undefined;
    } catch (error) {
      options.metrics.queueFailed();
      poller.problem = `queue of ${options.functionName}: ${error instanceof Error ? error.name : 'no answer'}`;
      pause = Math.min(longestPauseMillis, pause * 2 || 500);
      options.log.error('queue-failed', { function: options.functionName, error, pauseMillis: pause });
      await sleep(pause, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

async function workOff(options: MappingOptions, received: Received): Promise<void> {
  const { records } = received;
  const startedAt = Date.now();
  options.metrics.begun(records.length);
  const invocation = await options.invoke({ Records: [...records] });
  const endedAt = Date.now();
  const failed = failedIds(
    invocation.ending,
    new Set(records.map(({ messageId }) => messageId)),
    options.partialResponses,
  );
  const succeeded = records.filter(({ messageId }) => !failed.has(messageId));
  // SQS refuses a deletion after the visibility timeout; ElasticMQ does not, so the runner does
  const late = endedAt >= received.visibleAt ? succeeded.length : 0;
  const { requestId, pid, coldStart, ending } = invocation;
  const outcome = outcomeOf(ending, failed.size);
  options.metrics.ended({ ending: outcome, ms: endedAt - startedAt, coldStart, failed: failed.size });
  options.log.info('invocation', {
    function: options.functionName,
    requestId,
    pid,
    coldStart,
    messages: records.length,
    groups: [...new Set(records.map(({ attributes }) => attributes.MessageGroupId ?? ''))],
    startedAt,
    ms: endedAt - startedAt,
    outcome,
    failures: failed.size,
    late,
    ...('message' in ending ? { message: ending.message } : {}),
  });
  if (late > 0 || succeeded.length === 0) return;
  const notDeleted = await options.queue.delete(succeeded);
  if (notDeleted > 0)
    options.log.warn('not-deleted', { function: options.functionName, requestId, messages: notDeleted });
}

const outcomeOf = (ending: Ending, failures: number): EndingName =>
  ending.kind !== 'returned' ? ending.kind : failures === 0 ? 'succeeded' : 'failures';
