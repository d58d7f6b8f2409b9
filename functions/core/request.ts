import { createHash } from 'node:crypto';
import { plusStates, readStates, type States } from './states.ts';
import { isNamespaceName, isObjectName, type Key } from './topic.ts';

/**
 * The version of the messages that are sent. Forwarder, functions and command line are deployed one after the other, in any
 * order, and messages wait in queues meanwhile: so those of every older version are read, and those of the next one too.
 *
 * A change of what is sent makes a version, in which every field of the one before stays and means the same: what is new
 * may be missing when it is read, and what has become useless is still sent. Only the version after the next may leave
 * it out.
 */
export const messageVersion: number = 1;

/** Why a request exists. It decides nothing: every trigger leads to the same look (reliability.md 6.1). */
export const triggers = ['change', 'drift', 'manual', 'replay'] as const;
export type Trigger = (typeof triggers)[number];

/** The body of a message in `reconcile.fifo`: a name to look at. `id` is for logs only. */
export type Request = Key & { readonly v: number; readonly trigger: Trigger; readonly id: string };

/** The body of a message in `ticks.fifo`: one page of a resync. `continue` is what the page before ended with. */
export type Tick = { readonly v: number; readonly tick: string; readonly continue?: string; readonly sums?: Sums };

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
 * Reads a message body from `reconcile.fifo`. A message is a hint to look, never data: unknown versions and names that
 * cannot exist are refused, and fields that its version does not have. Of the next version what is new is left out, and a
 * trigger that only it knows counts as a change.
 *
 * @returns the request, or `malformed` with the reason in one line (the body itself is not repeated)
 */
export function parseRequest(body: string): Request | Malformed {
  const json = parseObject(body, ['v', 'namespace', 'name', 'trigger', 'id']);
  if (isMalformed(json)) return json;
  const { v, namespace, name, id } = json;
  const trigger =
    isFromNext(v) && typeof json.trigger === 'string' && !isTrigger(json.trigger) ? 'change' : json.trigger;
  if (typeof namespace !== 'string' || !isNamespaceName(namespace))
    return malformed('namespace is not a namespace name');
  if (typeof name !== 'string' || !isObjectName(name)) return malformed('name is not an object name');
  if (typeof trigger !== 'string' || !isTrigger(trigger)) return malformed(`trigger is none of ${triggers.join(', ')}`);
  if (typeof id !== 'string' || id.length === 0 || id.length > 256) return malformed('id is not a text of 1 to 256');
  return { v, namespace, name, trigger, id };
}

/** Reads a message body from `ticks.fifo`; as {@link parseRequest}. */
export function parseTick(body: string): Tick | Malformed {
  const json = parseObject(body, ['v', 'tick', 'continue', 'sums'], 64 * 1024);
  if (isMalformed(json)) return json;
  const { v, tick, continue: token } = json;
  if (typeof tick !== 'string' || tick.length === 0 || tick.length > 256)
    return malformed('tick is not a text of 1 to 256');
  if (token !== undefined && typeof token !== 'string') return malformed('continue is not a text');
  const sums = json.sums === undefined ? undefined : readSums(json.sums, isFromNext(v));
  if (sums === 'malformed') return malformed(`sums are not states, and whole numbers of ${sumNames.join(', ')}`);
  return { v, tick, ...(token !== undefined && { continue: token }), ...(sums !== undefined && { sums }) };
}

/**
 * Only for the tick's summary. A page of an older version lacks what has come since: that is 0 then, but for the time it
 * started. `isLoose`: counts that nobody knows are left out.
 */
function readSums(value: unknown, isLoose: boolean): Sums | 'malformed' {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed';
  const { states: given = {}, ...counts } = value as Record<string, unknown>;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0;
  const read = Object.fromEntries(sumNames.map((name) => [name, counts[name] ?? 0]));
  const areKnown = Object.keys(counts).every((name) => sumNames.some((known) => known === name));
  const states = readStates(given);
  if (counts.startedAt === undefined || !Object.values(read).every(isCount)) return 'malformed';
  return states === undefined || !(areKnown || isLoose) ? 'malformed' : ({ ...read, states } as Sums);
}

const isFromNext = (v: number): boolean => v === messageVersion + 1;

const isMalformed = (body: Body | Malformed): body is Malformed => 'malformed' in body && !('v' in body);
const malformed = (why: string): Malformed => ({ malformed: why });
const isTrigger = (text: string): text is Trigger => (triggers as readonly string[]).includes(text);

type Body = Record<string, unknown> & { readonly v: number };

/** Of any version that is read, its fields are left to the caller. */
function parseObject(body: string, fields: readonly string[], maxBytes = maxBodyBytes): Body | Malformed {
  if (Buffer.byteLength(body) > maxBytes) return malformed(`body is longer than ${maxBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return malformed('body is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return malformed('body is not a JSON object');
  const record = json as Record<string, unknown>;
  const v = Number.isInteger(record.v) ? Number(record.v) : 0;
  if (v < 1 || v > messageVersion + 1) return malformed(`version is none of 1 to ${messageVersion + 1}`);
  const unknown = Object.keys(record).find((field) => !fields.includes(field));
  if (unknown !== undefined && !isFromNext(v)) return malformed(`body has a field that version ${v} does not know`);
  return { ...record, v };
}
