import { Failure } from './outcome.ts';
import type { Envelope, Requests } from './ports.ts';

/**
 * Messages in the reconcile queue up to which drift is added: half of what the workers hold at a time (`serverless.yml`:
 * 10 batches of 10). An edit that arrives meanwhile finds a worker and waits behind few.
 */
const fullAt = 50;
/**
 * What goes even if the queue is full: messages in a back-off count as well, for up to a quarter of an hour, and must not
 * keep others from being mended.
 */
const least = 10;
/** Between two looks at the queue. Its depth may be a minute old on AWS: `fullAt` per pause is the bound that holds then. */
const pauseMillis = 500;

/** `depth`: messages that wait in the reconcile queue or are in flight, as far as it knows. */
export type Feeding = {
  readonly requests: Requests;
  readonly depth: (signal: AbortSignal) => Promise<number>;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
};

/**
 * Sends messages in their order, as the queue has room for them.
 *
 * @param looks at the queue at most; it is not asked when there is nothing to send
 * @returns how many were sent
 * @throws Failure when the queue could not be asked or did not take a message
 */
export async function feed(
  envelopes: readonly Envelope[],
  { requests, depth, pause }: Feeding,
  looks: number,
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  for (let turn = 0; turn < looks && sent < envelopes.length; turn++) {
    if (turn > 0) await pause(pauseMillis, signal);
    const room = Math.max(fullAt - (await depth(signal)), turn === 0 ? least : 0);
    const next = envelopes.slice(sent, sent + room);
    await sendAll(next, requests, signal);
    sent += next.length;
  }
  return sent;
}

async function sendAll(envelopes: readonly Envelope[], requests: Requests, signal: AbortSignal): Promise<void> {
  const outcomes = await requests.send(envelopes, signal);
  const failure = [...outcomes.values()].find((outcome) => outcome instanceof Failure);
  if (failure !== undefined) throw failure;
}
