/**
 * An SQS FIFO batch as work on names: what is left of Lambda once messages, groups, retries and the clock are dealt with.
 *
 * Groups go side by side, one name of each at a time: the first name of every group makes one shared call, then the
 * second, and so on, so that names of different topics share requests to the brokers. Several messages for one name are
 * one look. When a name of a group fails, the rest of that group goes back untouched: whatever follows on that topic
 * waits until the failed message is visible again.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html partial batch responses, FIFO
 */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Delay } from './adapters/sqs.ts';
import { type Counted, countMessages, countWait, type FiguresOf } from './batch-figures.ts';
import type { InvocationMeter } from './core/metrics.ts';
import { Failure, type PerItem } from './core/outcome.ts';
import type { Logger } from './core/ports.ts';

/**
 * One name to work on, and the message groups that it came in. `lastReceive`: if it fails now, no message is left that asks
 * for it. `messageIds`: of all messages that ask for it; `requestId`: of the invocation.
 */
export type Item<T> = {
  readonly key: string;
  readonly value: T;
  readonly groups: readonly string[];
  readonly lastReceive: boolean;
  readonly messageIds: readonly string[];
  readonly requestId: string;
};

/** What became of a name. `hideSeconds`: keep its group locked for at least that long (reliability.md X1). */
export type Settled =
  | { readonly redeliver: false }
  | {
      readonly redeliver: true;
      readonly hideSeconds: number | undefined;
      readonly reason: string;
      readonly message: string;
    };

/** Says when messages become visible again (ChangeMessageVisibility). @returns per receipt handle `'done'` or a Failure */
export type Hide = (delays: readonly Delay[], signal: AbortSignal) => Promise<PerItem<string, 'done'>>;

export type BatchOptions<T> = FiguresOf & {
  /** reads one message body */
  readonly parse: (body: string) => T | { readonly malformed: string };
  /** messages with an equal key ask for the same look */
  readonly keyOf: (value: T) => string;
  /**
   * Works on distinct keys of distinct groups; a key without an entry, or a rejection, counts as failed. `signal` ends
   * the work, `reporting` a little later whatever is left to say about it.
   */
  readonly work: (
    items: readonly Item<T>[],
    signal: AbortSignal,
    reporting: AbortSignal,
  ) => Promise<ReadonlyMap<string, Settled>>;
  readonly hide: Hide;
  readonly log: Logger;
  readonly meter: InvocationMeter;
  /** ms since 1970 */
  readonly now: () => number;
  /** [0, 1), for jitter */
  readonly random?: () => number;
};

type Message = Counted & {
  readonly id: string;
  readonly group: string;
  readonly body: string;
  readonly receiptHandle: string;
};

type Turn<T> = { readonly key: string; readonly value: T; readonly messages: Message[] };

/** Work is told to stop this long before the function's end, and what it learnt then is still settled. */
const settleMillis = 3_000;
/** The answer leaves this long before the function's end, whatever the work does. */
const answerMillis = 1_000;
/** The edit that mends an object waits behind its hidden message, in one message group with it: so never for long. */
const longestBackoffSeconds = 10;

/**
 * A Lambda handler for an SQS FIFO queue with `ReportBatchItemFailures`. It never rejects: what did not demonstrably work
 * is reported as failed and comes back.
 */
export function fifoHandler<T>(options: BatchOptions<T>) {
  // middy asks for the early answer without arguments, and a process serves one invocation at a time
  let current = new Batch([], 0, '');
  return middy<SQSEvent, SQSBatchResponse>(
    async (event: SQSEvent, context: Context, { signal }: { signal: AbortSignal }) => {
      const batch = new Batch(messagesOf(event), options.now(), textOf(context.awsRequestId));
      current = batch;
      try {
        await serve(options, batch, AbortSignal.any([signal, endOfWork(context)]), signal);
        await hide(options, batch.delays, signal);
      } catch (error) {
        options.log.error('batch-failed', { error, requestId: batch.requestId });
      }
      return reported(options, batch);
    },
    {
      timeoutEarlyInMillis: answerMillis,
      timeoutEarlyResponse: () => {
        const unfinished = current.answer().batchItemFailures.length;
        options.log.error('batch-timeout', { unfinished, requestId: current.requestId });
        return reported(options, current);
      },
    },
  );
}

/**
 * Seconds a failed message stays hidden: 1, 2, 4, 8, 10 by its receive count, a quarter more or less at random, so that
 * messages that failed together do not come back together.
 */
export function backoffSeconds(receives: number, random: number): number {
  const base = Math.min(longestBackoffSeconds, 2 ** Math.max(0, receives - 1));
  return Math.max(1, Math.round(base * (0.75 + random / 2)));
}

/** What is still unfinished in one invocation, and when failed messages shall be seen again. */
class Batch {
  readonly messages: readonly Message[];
  readonly #unfinished: Set<string>;
  readonly delays: Delay[] = [];
  readonly startedAt: number;
  readonly requestId: string;
  reported = false;

  constructor(messages: readonly Message[], startedAt: number, requestId: string) {
    this.messages = messages;
    this.startedAt = startedAt;
    this.requestId = requestId;
    this.#unfinished = new Set(messages.map(({ id }) => id));
  }

  done(messages: readonly Message[]): void {
    for (const { id } of messages) this.#unfinished.delete(id);
  }

  comeBack(messages: readonly Message[], seconds: number): void {
    this.delays.push(...messages.map(({ receiptHandle }) => ({ receiptHandle, seconds })));
  }

  isDone({ id }: Message): boolean {
    return !this.#unfinished.has(id);
  }

  answer(): SQSBatchResponse {
    return { batchItemFailures: [...this.#unfinished].map((itemIdentifier) => ({ itemIdentifier })) };
  }
}

/** Works the groups off in rounds, then says when what failed, or was not reached, shall come back. */
async function serve<T>(
  options: BatchOptions<T>,
  batch: Batch,
  signal: AbortSignal,
  reporting: AbortSignal,
): Promise<void> {
  let groups = turnsByGroup(options, batch);
  while (groups.length > 0 && !signal.aborted) {
    const failed = await pass(options, batch, groups.map(firstOf), signal, reporting);
    const stopped = groups.filter((turns) => failed.has(firstOf(turns)));
    giveBack(batch, stopped.flatMap(restOf));
    groups = groups
      .filter((turns) => !stopped.includes(turns))
      .map(restOf)
      .filter(isFilled);
  }
  giveBack(batch, groups.flat());
}

/** Each group's names in the order of their first message. A name is one turn, even if a message has a foreign group. */
function turnsByGroup<T>({ parse, keyOf, log }: BatchOptions<T>, batch: Batch): Filled<Turn<T>>[] {
  const turns = new Map<string, Turn<T>>();
  const groups = new Map<string, Filled<Turn<T>>>();
  for (const message of batch.messages) {
    const value = parse(message.body);
    if (isMalformed(value)) {
      const { id: messageId, receives } = message;
      log.error('malformed', { messageId, requestId: batch.requestId, receives, message: value.malformed });
      batch.comeBack([message], 0); // nothing to wait for on its way to the dead-letter queue; it stops nobody
      continue;
    }
    const key = keyOf(value);
    const known = turns.get(key);
    if (known !== undefined) {
      known.messages.push(message);
      continue;
    }
    const turn = { key, value, messages: [message] };
    turns.set(key, turn);
    const group = groups.get(message.group);
    if (group === undefined) groups.set(message.group, [turn]);
    else group.push(turn);
  }
  return [...groups.values()];
}

/** One shared call for one name of each group. @returns the turns that failed */
async function pass<T>(
  options: BatchOptions<T>,
  batch: Batch,
  turns: readonly Turn<T>[],
  signal: AbortSignal,
  reporting: AbortSignal,
): Promise<ReadonlySet<Turn<T>>> {
  const items = turns.map(({ key, value, messages }) => {
    const groups = [...new Set(messages.map(({ group }) => group))];
    const lastReceive = isLastReceive(options, { messages });
    return { key, value, groups, lastReceive, messageIds: messages.map(({ id }) => id), requestId: batch.requestId };
  });
  for (const { messages } of turns) countWait(options, messages, options.now());
  const outcomes = await workOn(options, items, signal, reporting);
  return new Set(turns.filter((turn) => !settle(options, batch, turn, outcomes.get(turn.key))));
}

async function workOn<T>(
  { work, log }: BatchOptions<T>,
  items: readonly Item<T>[],
  signal: AbortSignal,
  reporting: AbortSignal,
) {
  try {
    return await work(items, signal, reporting);
  } catch (error) {
    log.error('pass-failed', { error, keys: items.map(({ key }) => key) });
    return new Map<string, Settled>();
  }
}

/** @returns whether the group may go on */
function settle<T>(options: BatchOptions<T>, batch: Batch, turn: Turn<T>, outcome: Settled | undefined): boolean {
  const { log, random = Math.random } = options;
  const { key, messages } = turn;
  const about = { key, messageIds: messages.map(({ id }) => id), requestId: batch.requestId };
  if (outcome?.redeliver === false) {
    batch.done(messages);
    return true;
  }
  if (outcome === undefined) {
    // nobody knows what it has sent: it stays hidden for the whole timeout of the queue (reliability.md X1)
    log.error('no-outcome', about);
    return false;
  }
  const receives = mostReceives(messages);
  // on its way to the dead-letter queue there is nothing to wait for but a request that may still take effect
  const backoff = isLastReceive(options, turn) ? 0 : backoffSeconds(receives, random());
  const seconds = Math.max(backoff, Math.ceil(outcome.hideSeconds ?? 0));
  batch.comeBack(messages, seconds);
  log.warn('redelivered', { ...about, reason: outcome.reason, message: outcome.message, receives, seconds });
  return false;
}

/** Whether no message is left that asks for this name, should it fail now. */
const isLastReceive = <T>({ maxReceiveCount }: BatchOptions<T>, { messages }: Pick<Turn<T>, 'messages'>): boolean =>
  messages.every(({ receives }) => receives >= maxReceiveCount);

const mostReceives = (messages: readonly Message[]): number => Math.max(...messages.map(({ receives }) => receives));

/** What was not reached goes back at once: its group's failed message, still hidden, keeps the order. */
const giveBack = <T>(batch: Batch, turns: readonly Turn<T>[]): void => {
  for (const { messages } of turns) batch.comeBack(messages, 0);
};

/** Gives out the figures of an invocation, once. @returns its answer */
function reported<T>(options: BatchOptions<T>, batch: Batch): SQSBatchResponse {
  if (!batch.reported) {
    batch.reported = true;
    countMessages(options, batch.messages, (message) => batch.isDone(message), batch.startedAt);
    options.meter.flush();
  }
  return batch.answer();
}

/** Best effort: where it does not work, the queue's own visibility timeout holds. Nothing after the answer has left. */
async function hide<T>({ hide, log }: BatchOptions<T>, delays: readonly Delay[], signal: AbortSignal): Promise<void> {
  if (delays.length === 0 || signal.aborted) return;
  const outcomes = await hide(delays, signal);
  const error = [...outcomes.values()].find((outcome) => outcome instanceof Failure);
  if (error !== undefined) log.warn('visibility-unchanged', { error });
}

type Filled<E> = [E, ...E[]];
const isFilled = <E>(list: readonly E[]): list is Filled<E> => list.length > 0;
const firstOf = <E>(list: Filled<E>): E => list[0];
const restOf = <E>(list: Filled<E>): E[] => list.slice(1);

const isMalformed = (value: unknown): value is { readonly malformed: string } =>
  typeof value === 'object' && value !== null && 'malformed' in value;

/** Aborts when the work has to stop; at once if that time has come already. */
function endOfWork(context: Partial<Context>): AbortSignal {
  const left = (context.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY) - settleMillis;
  if (left <= 0) return AbortSignal.abort();
  return left === Number.POSITIVE_INFINITY ? new AbortController().signal : AbortSignal.timeout(left);
}

/** Reads the event leniently: whatever it holds, each record can be reported. An id that is missing is the empty text,
 * which Lambda takes as a failure of the whole batch. */
function messagesOf(event: unknown): Message[] {
  const records = (event as { Records?: unknown } | null)?.Records;
  return (Array.isArray(records) ? records : []).map((record: Partial<SQSRecord> | null) => {
    const id = textOf(record?.messageId);
    const receives = Number(record?.attributes?.ApproximateReceiveCount);
    const sentAt = Number(record?.attributes?.SentTimestamp);
    return {
      id,
      group: textOf(record?.attributes?.MessageGroupId) || id,
      body: textOf(record?.body),
      receiptHandle: textOf(record?.receiptHandle),
      receives: Number.isSafeInteger(receives) && receives > 0 ? receives : 1,
      sentAt: Number.isSafeInteger(sentAt) && sentAt > 0 ? sentAt : undefined,
    };
  });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
