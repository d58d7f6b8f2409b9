import { createHash } from 'node:crypto';
import { isStates, plusStates, type States } from './states.ts';
import { isNamespaceName, isObjectName, type Key } from './topic.ts';

/** Why a request exists. It decides nothing: every trigger leads to the same look (reliability.md 6.1). */
export const triggers = ['change', 'drift', 'manual', 'replay'] as const;
export type Trigger = (typeof triggers)[number];

/** The body of a message in `reconcile.fifo`: a name to look at. `id` is for logs only. */
export type Request = Key & { readonly v: 1; readonly trigger: Trigger; readonly id: string };

/** The body of a message in `ticks.fifo`: one page of a resync. `continue` is what the page before ended with. */
export type Tick = { readonly v: 1; readonly tick: string; readonly continue?: string; readonly sums?: Sums };

const sumNames = ['startedAt', 'pages', 'lookedAt', 'enqueued', 'skipped', 'unread', 'unlisted', 'requests'] as const;

/**
 * What the pages of a tick have come to so far, for its summary. Counts, but for `startedAt`: ms since 1970. `states`: the
 * objects this installation is for, by what they say.
 */
export type Sums = Readonly<Record<(typeof sumNames)[number], number>> & { readonly states: States };

/** A page's own sums beside those of the pages before it. The tick started with its first page. */
export const plus = (before: Sums | undefined, page: Sums): Sums =>
  ({
    ...Object.fromEntries(
      sumNames.map((name) => [
        name,
        name === 'startedAt' && before ? before[name] : (before?.[name] ?? 0) + page[name],
      ]),
    ),
    states: plusStates(before?.states ?? {}, page.states),
  }) as Sums;

/**
 * SQS message group of a physical topic name: all work on one topic is serial, across objects and namespaces.
 *
 * @param topicName the physical name (`spec.topicName`, else `metadata.name`), never the object's key
 * @returns 32 hex characters, allowed in a MessageGroupId whatever the name holds
 */
export const groupOf = (topicName: string): string => createHash('sha256').update(topicName).digest('hex').slice(0, 32);

const maxBodyBytes = 2048;

export type Malformed = { readonly malformed: string };

/**
 * Reads a message body from `reconcile.fifo`. A message is a hint to look, never data: unknown fields, unknown
 * versions and names that cannot exist are refused.
 *
 * @returns the request, or `malformed` with the reason in one line (the body itself is not repeated)
 */
export function parseRequest(body: string): Request | Malformed {
  const json = parseObject(body, ['v', 'namespace', 'name', 'trigger', 'id']);
  if ('malformed' in json) return json as Malformed;
  const { namespace, name, trigger, id } = json;
  if (typeof namespace !== 'string' || !isNamespaceName(namespace))
    return malformed('namespace is not a namespace name');
  if (typeof name !== 'string' || !isObjectName(name)) return malformed('name is not an object name');
  if (typeof trigger !== 'string' || !isTrigger(trigger)) return malformed(`trigger is none of ${triggers.join(', ')}`);
  if (typeof id !== 'string' || id.length === 0 || id.length > 256) return malformed('id is not a text of 1 to 256');
  return { v: 1, namespace, name, trigger, id };
}

/** Reads a message body from `ticks.fifo`; as {@link parseRequest}. */
export function parseTick(body: string): Tick | Malformed {
  const json = parseObject(body, ['v', 'tick', 'continue', 'sums'], 64 * 1024);
  if ('malformed' in json) return json as Malformed;
  const { tick, continue: token, sums } = json;
  if (typeof tick !== 'string' || tick.length === 0 || tick.length > 256)
    return malformed('tick is not a text of 1 to 256');
  if (token !== undefined && typeof token !== 'string') return malformed('continue is not a text');
  if (sums !== undefined && !isSums(sums))
    return malformed(`sums are not states, and whole numbers of ${sumNames.join(', ')}`);
  return { v: 1, tick, ...(token !== undefined && { continue: token }), ...(sums !== undefined && { sums }) };
}

function isSums(value: unknown): value is Sums {
  if (typeof value !== 'object' || value === null) return false;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0;
  const { states, ...counts } = value as Sums;
  const areCounts = Object.keys(counts).length === sumNames.length && sumNames.every((name) => isCount(counts[name]));
  return areCounts && isStates(states);
}

const malformed = (why: string): Malformed => ({ malformed: why });
const isTrigger = (text: string): text is Trigger => (triggers as readonly string[]).includes(text);

function parseObject(body: string, fields: readonly string[], maxBytes = maxBodyBytes): Record<string, unknown> {
  if (Buffer.byteLength(body) > maxBytes) return malformed(`body is longer than ${maxBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return malformed('body is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return malformed('body is not a JSON object');
  const record = json as Record<string, unknown>;
  if (record.v !== 1) return malformed('version is not 1');
  const unknown = Object.keys(record).find((field) => !fields.includes(field));
  if (unknown !== undefined) return malformed('body has a field that version 1 does not know');
  return record;
}
