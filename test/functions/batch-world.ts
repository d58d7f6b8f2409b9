/** Batches as short texts, and what a handler made of them. */
import { mock } from 'node:test';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { emfMeter } from '../../functions/adapters/emf.ts';
import { fifoHandler, type Hide, type Item, type Settled } from '../../functions/batch.ts';
import type { Logger } from '../../functions/core/ports.ts';

/** What a test says of a message; the rest of a record is the same for all. */
export type Message = {
  readonly id: string;
  readonly receiptHandle: string;
  readonly group: string;
  readonly body: string;
  readonly receives: string;
};

export const recordOf = ({ id, receiptHandle, group, body, receives }: Message): SQSRecord => ({
  messageId: id,
  receiptHandle,
  body,
  attributes: {
    ApproximateReceiveCount: receives,
    MessageGroupId: group,
    SentTimestamp: '0',
    SenderId: '',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test.fifo',
  awsRegion: 'us-east-1',
});

/** `group:name` or `group:name*receives`; the message id is the position, the receipt handle is that with an `r`. */
export const event = (messages: readonly string[]): SQSEvent => ({
  Records: messages.map((text, index) => {
    const [, group = '', body = '', receives = '1'] = /^([^:]*):([^*]*)(?:\*(\d+))?$/.exec(text) ?? [];
    return recordOf({ id: String(index), receiptHandle: `r${index}`, group, body, receives });
  }),
});

/** @param remaining ms until the function's end */
export const context = (remaining?: number): Context => {
  const end = Date.now() + (remaining ?? 0);
  const left = remaining === undefined ? {} : { getRemainingTimeInMillis: () => end - Date.now() };
  return { awsRequestId: 'request', ...left } as Context;
};

export const failed = (hideSeconds?: number): Settled => ({
  redeliver: true,
  hideSeconds,
  reason: 'BrokerUnavailable',
  message: 'no broker answers',
});
export const done: Settled = { redeliver: false };

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

type Work = (items: readonly Item<string>[], signal: AbortSignal) => Promise<ReadonlyMap<string, Settled>>;

/** A handler over `work` whose queue gives messages up after three receives, without jitter; `bad` is malformed. */
export function handlerOver(work: Work, hide: Hide = async () => new Map()) {
  const calls: (readonly Item<string>[])[] = [];
  const delays: Record<string, number> = {};
  const log = { ...silent, error: mock.fn(), warn: mock.fn() };
  /** metric lines, an entry for each */
  const metricLog: string[] = [];
  const handler = fifoHandler<string>({
    parse: (body) => (body === 'bad' ? { malformed: 'it is bad' } : body),
    keyOf: (name) => name,
    work: (items, signal) => {
      calls.push(items);
      return work(items, signal);
    },
    hide: (asked, signal) => {
      for (const { receiptHandle, seconds } of asked) delays[receiptHandle] = seconds;
      return hide(asked, signal);
    },
    maxReceiveCount: 3,
    log,
    name: 'reconcile',
    meter: emfMeter({ write: (line) => void metricLog.push(line) }),
    now: () => 100_000,
    random: () => 0.5,
  });
  return { handler, calls, delays, log, metricLog };
}

/** Work with a given outcome per name; `done` where nothing is said, no outcome where it is null. */
export const outcomes =
  (given: Readonly<Record<string, Settled | null>>): Work =>
  async (items) =>
    new Map(
      items.flatMap(({ key }) => {
        const outcome = key in given ? given[key] : done;
        return outcome === null || outcome === undefined ? [] : [[key, outcome] as const];
      }),
    );
