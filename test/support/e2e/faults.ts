/** What goes wrong on the way between the product and Kafka, for as long as a test wants. */

import type { Api } from '../../../functions/adapters/kafka/requests.ts';
import { behindTags, decode, encode } from '../../../functions/adapters/kafka/wire.ts';
import type { WireRequest } from '../kafka/frames.ts';
import type { Hooks } from '../kafka/proxy.ts';

/** Requests of one kind that name a topic, or hold its id. */
export type Target = { readonly apiKey: number; readonly topic: string | Buffer };

const hits = ({ apiKey, topic }: Target, request: WireRequest): boolean =>
  request.apiKey === apiKey && request.body.includes(topic);

/** Lets something go wrong at a proxy while something happens, and never after it. */
export async function meanwhile<H extends object, T>(
  { hooks }: { readonly hooks: H },
  faults: H,
  during: () => Promise<T>,
): Promise<T> {
  const before = { ...hooks };
  Object.assign(hooks, faults);
  try {
    return await during();
  } finally {
    for (const name of Object.keys(faults) as (keyof H)[]) delete hooks[name];
    Object.assign(hooks, before);
  }
}

/** The first such request is on its way until it is let through. */
export function heldUp(target: Target): { hooks: Hooks; arrived: Promise<void>; letThrough(): void } {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isFirst = true;
  const onRequest = async (request: WireRequest) => {
    if (isFirst && hits(target, request)) {
      isFirst = false;
      arrived.resolve();
      await released.promise;
    }
    return 'forward' as const;
  };
  return { hooks: { onRequest }, arrived: arrived.promise, letThrough: () => released.resolve() };
}

/** The answer to the first such request is lost with its connection: it has taken effect, and nobody knows. */
export function losingTheAnswer(target: Target): { hooks: Hooks; lost(): boolean } {
  let lost = false;
  const onResponse = (request: WireRequest) => {
    if (lost || !hits(target, request)) return 'deliver' as const;
    lost = true;
    throw new Error('the connection breaks');
  };
  return { hooks: { onResponse }, lost: () => lost };
}

/** Waits for the first answer of one kind. @returns it, as the protocol has its fields */
export function passing<Request, Response>(api: Api<Request, Response>): { hooks: Hooks; answer: Promise<Response> } {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const onResponse = (request: WireRequest, answer: Buffer) => {
    if (request.apiKey === api.key) resolve(decode(behindTags(api.response), answer));
    return 'deliver' as const;
  };
  return { hooks: { onResponse }, answer: promise };
}

/** Brokers answer otherwise, item by item. @param change an answer, as the protocol has its fields */
export function answering<Request, Response>(
  api: Api<Request, Response>,
  topic: string,
  change: (answer: Response) => Response,
): Hooks {
  const codec = behindTags(api.response);
  return {
    onResponse: (request, answer) =>
      hits({ apiKey: api.key, topic }, request) ? encode(codec, change(decode(codec, answer))) : 'deliver',
  };
}

const apiVersions = 18;
const sizeOfRange = 6;

/** Brokers do not offer a kind of request. ApiVersions up to 2: an error code, a count, then key, least and most of each. */
export function withoutApi(apiKey: number): Hooks {
  return {
    onResponse: (request, answer) => {
      if (request.apiKey !== apiVersions) return 'deliver';
      const copy = Buffer.from(answer);
      const end = sizeOfRange + copy.readInt32BE(2) * sizeOfRange;
      for (let at = sizeOfRange; at < end; at += sizeOfRange)
        if (copy.readInt16BE(at) === apiKey) copy.writeInt16BE(-1, at);
      return copy;
    },
  };
}
