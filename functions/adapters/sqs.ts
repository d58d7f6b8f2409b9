/**
 * The queues, over Amazon SQS. Importing this file loads the SDK: functions that seldom need it import it when they do.
 * Nothing is sent or opened before the first call.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { isPrivateUrl } from '../core/address.ts';
import { clockSkewMs } from '../core/clock.ts';
import { Failure, type PerItem } from '../core/outcome.ts';
import type { Envelope, Logger, Requests, Ticks } from '../core/ports.ts';
import { groupOf, type Tick } from '../core/request.ts';
import { verifiedTls } from '../core/tls.ts';
import { keyOf } from '../core/topic.ts';

/** What one SQS batch request may hold, whatever it asks for. */
const batchSize = 10;
const requestsAtOnce = 8;

/** Clients that may speak plain HTTP to other machines. */
const plainHttp = new WeakSet<SQSClient>();

export type SqsSettings = {
  readonly SQS_ENDPOINT?: string | undefined;
  /** PEM of the authority that this server is trusted by, in place of the public ones */
  readonly SQS_CA_FILE?: string | undefined;
  /** for a queue server without TLS, in a network that is trusted */
  readonly SQS_ALLOW_HTTP?: boolean;
};

/**
 * A client for SQS, or for the server at `SQS_ENDPOINT` where that is set. Region and credentials come from the
 * SDK's usual chain. It tries twice at most (a connection that was kept alive may be dead): further retries are the
 * caller's.
 *
 * @param requestTimeoutMs longest wait for an answer; a long poll needs more than its own wait time
 * @throws Error for an endpoint that is plain HTTP and not on this machine, unless that is allowed
 */
export function sqsClient(
  { SQS_ENDPOINT, SQS_CA_FILE, SQS_ALLOW_HTTP = false }: SqsSettings,
  requestTimeoutMs = 5_000,
): SQSClient {
  const endpoint = SQS_ENDPOINT || undefined;
  const sqs = new SQSClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpsAgent: { ...verifiedTls, ...(SQS_CA_FILE ? { ca: readFileSync(SQS_CA_FILE) } : {}) },
    },
  });
  if (SQS_ALLOW_HTTP) plainHttp.add(sqs);
  if (endpoint !== undefined) refusePlainHttp(sqs, 'SQS_ENDPOINT', endpoint);
  return sqs;
}

/** Calls `tell` before each request of this client; one that the SDK sends again is told of again. */
export function onEachRequest(sqs: SQSClient, tell: () => void): void {
  sqs.middlewareStack.add(
    (next) => (args) => {
      tell();
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' }, // behind the SDK's own retries
  );
}

/**
 * The reconcile queue at `queueUrl`.
 *
 * @param log gets a `sent` line for each message that was taken, with the id it has in the queue
 * @throws Error for a URL that is not one, or plain HTTP and not on this machine
 */
export function requestQueue(sqs: SQSClient, queueUrl: string, log?: Pick<Logger, 'info'>): Requests {
  refusePlainHttp(sqs, 'the queue URL', queueUrl);
  return {
    async send(envelopes, signal) {
      const unique = [...new Map(envelopes.map((envelope) => [envelope.deduplicationId, envelope])).values()];
      const outcomes = await inBatches(unique, queueUrl, signal, async (batch) => {
        const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch.map(entryOf) });
        const answer = await sqs.send(command, { abortSignal: signal });
        for (const { Id, MessageId } of answer.Successful ?? [])
          log?.info('sent', { ...named(batch[Number(Id)]), messageId: MessageId });
        return answer;
      });
      return new Map([...outcomes].map(([envelope, outcome]) => [envelope.deduplicationId, outcome ?? 'sent']));
    },
  };
}

/**
 * The tick queue at `queueUrl`. Each tick is a message group of its own: its pages follow each other, a page that
 * keeps failing never holds up the next tick. A page has the same deduplication id whenever it is sent, by its number:
 * sums and token may be others when the page before it is worked on again.
 */
export function tickQueue(sqs: SQSClient, queueUrl: string): Ticks {
  refusePlainHttp(sqs, 'the queue URL', queueUrl);
  return {
    async send(tick, signal) {
      const outcomes = await inBatches([tick], queueUrl, signal, () =>
        sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [tickEntry(tick)] }), {
          abortSignal: signal,
        }),
      );
      const failure = outcomes.get(tick);
      if (failure !== undefined) throw failure;
    },
  };
}

export type Delay = { readonly receiptHandle: string /** 0 to 43,200 */; readonly seconds: number };

/**
 * Hides messages in flight for so many seconds from now (ChangeMessageVisibility), 0 shows them at once.
 *
 * @returns one entry per receipt handle: `'done'` or a retryable Failure (also when the message is no longer ours)
 */
export async function changeVisibility(
  sqs: SQSClient,
  queueUrl: string,
  delays: readonly Delay[],
  signal: AbortSignal,
): Promise<PerItem<string, 'done'>> {
  const outcomes = await inBatches(delays, queueUrl, signal, (batch) => {
    const Entries = batch.map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }));
    return sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }), { abortSignal: signal });
  });
  return new Map([...outcomes].map(([delay, outcome]) => [delay.receiptHandle, outcome ?? 'done']));
}

/**
 * How many messages wait and how many are in flight: approximate, as all queue attributes are. Also the cheapest proof
 * that a queue is there.
 *
 * @throws Failure retryable
 */
export async function queueDepth(
  sqs: SQSClient,
  queueUrl: string,
  signal: AbortSignal,
): Promise<{ readonly waiting: number; readonly inFlight: number }> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...AttributeNames] });
  try {
    const { Attributes = {} } = await sqs.send(command, { abortSignal: signal });
    return { waiting: Number(Attributes[AttributeNames[0]]), inFlight: Number(Attributes[AttributeNames[1]]) };
  } catch (error) {
    throw failureOf(error, queueUrl);
  }
}

/**
 * All attributes of a queue. `skewMs`: as `clockSkewMs`.
 *
 * @returns `'forbidden'` when we may not read them
 * @throws Failure retryable
 */
export async function queueAttributes(sqs: SQSClient, queueUrl: string, signal: AbortSignal) {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] });
  let skewMs: number | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = Date.now();
      const answer = await next(args);
      const { headers } = answer.response as { headers?: Readonly<Record<string, string>> };
      skewMs = clockSkewMs(headers?.date, sentAt, Date.now());
      return answer;
    },
    { step: 'deserialize', priority: 'low' }, // next to the wire
  );
  try {
    const { Attributes = {} } = await sqs.send(command, { abortSignal: signal });
    return { url: queueUrl, attributes: Attributes, skewMs };
  } catch (error) {
    if (/AccessDenied|NotAuthorized/.test((error as Error).name)) return 'forbidden';
    throw failureOf(error, queueUrl);
  }
}

const named = (envelope: Envelope | undefined) => {
  if (envelope === undefined) return {};
  const { request, topicName: topic, generation } = envelope;
  return { object: keyOf(request), topic, generation, trigger: request.trigger, message: request.id };
};

const entryOf = ({ request, topicName, deduplicationId }: Envelope, index: number) => ({
  Id: String(index),
  MessageBody: JSON.stringify(request),
  MessageGroupId: groupOf(topicName),
  MessageDeduplicationId: deduplicationId,
});

function tickEntry(tick: Tick) {
  const MessageBody = JSON.stringify(tick);
  const page = `${tick.tick} ${tick.sums?.pages ?? 0}`;
  const MessageDeduplicationId = createHash('sha256').update(page).digest('hex');
  return { Id: '0', MessageBody, MessageGroupId: groupOf(tick.tick), MessageDeduplicationId };
}

/** What SQS answers to any batch request. An entry that stands in neither list was not taken. */
type BatchAnswer = {
  readonly Successful?: readonly { Id?: string | undefined }[] | undefined;
  readonly Failed?: readonly { Id?: string | undefined; Code?: string | undefined }[] | undefined;
};

/** Sends items ten at a time, a few requests at once. @returns per item a Failure, or undefined where it was taken */
export async function inBatches<T>(
  items: readonly T[],
  queueUrl: string,
  signal: AbortSignal,
  send: (batch: readonly T[]) => Promise<BatchAnswer>,
): Promise<Map<T, Failure | undefined>> {
  const outcomes = new Map<T, Failure | undefined>();
  const starts = Array.from({ length: Math.ceil(items.length / batchSize) }, (_, batch) => batch * batchSize).values();
  const lane = async () => {
    for (const start of starts) {
      const batch = items.slice(start, start + batchSize);
      const failures = await batchFailures(batch, queueUrl, signal, send);
      for (const [index, item] of batch.entries()) outcomes.set(item, failures(index));
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, lane));
  return outcomes;
}

async function batchFailures<T>(
  batch: readonly T[],
  queueUrl: string,
  signal: AbortSignal,
  send: (batch: readonly T[]) => Promise<BatchAnswer>,
): Promise<(index: number) => Failure | undefined> {
  try {
    signal.throwIfAborted();
    const { Successful = [], Failed = [] } = await send(batch);
    const taken = new Set(Successful.map(({ Id }) => Id));
    const codes = new Map(Failed.map(({ Id, Code }) => [Id, Code]));
    return (index) => {
      const id = String(index);
      return taken.has(id) ? undefined : failure(queueUrl, `did not take a message: ${codes.get(id) ?? 'no answer'}`);
    };
  } catch (error) {
    const whole = failureOf(error, queueUrl);
    return () => whole;
  }
}

/** Errors of the SDK carry request details: only their code or name is passed on, and what it says of missing settings. */
export function failureOf(error: unknown, queueUrl: string): Failure {
  const {
    name = 'Error',
    message,
    code,
    $metadata,
  } = error as { name?: string; message?: string; code?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'AbortError') return failure(queueUrl, 'was not asked: the time for it was over');
  const answered = $metadata?.httpStatusCode !== undefined;
  if (message === 'Region is missing') return failure(queueUrl, 'cannot be asked: set AWS_REGION');
  return failure(queueUrl, answered ? `refused the request: ${name}` : `cannot be reached: ${code ?? name}`);
}

const failure = (queueUrl: string, what: string): Failure =>
  new Failure('InternalError', `The queue ${queueUrl.slice(queueUrl.lastIndexOf('/') + 1)} ${what}`, {
    retryable: true,
  });

/** Messages name objects and requests carry signatures, so they leave this machine over TLS only. */
export function refusePlainHttp(sqs: SQSClient, what: string, url: string): void {
  if (!URL.canParse(url)) throw new Error(`${what} is "${url}": it has to be a URL`);
  const { protocol, host, pathname } = new URL(url);
  if (isPrivateUrl(url) || (protocol === 'http:' && plainHttp.has(sqs))) return;
  throw new Error(
    `${what} is "${protocol}//${host}${pathname}": use https; plain http is for this machine, or with SQS_ALLOW_HTTP=true for a trusted network`,
  );
}
