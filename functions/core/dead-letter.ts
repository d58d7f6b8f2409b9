/** What a message among the dead letters asks for, why it may be there, and which ones a person has chosen. */
import { Failure } from './outcome.ts';
import { type Malformed, parseRequest, parseTick, type Request, type Tick, type Trigger } from './request.ts';
import { conditionIn, type Labels, type TopicResource } from './resource.ts';
import { type Key, keyOf } from './topic.ts';

/** A message of a dead-letter queue, as it was received. It stays hidden for a while, and is then there again. */
export type DeadMessage = {
  /** the queue's own, the same for as long as the message lies there */
  readonly id: string;
  readonly body: string;
  readonly group: string;
  readonly deduplicationId: string;
  /** RFC 3339: since when it lies there (FIFO queues count anew for each queue) */
  readonly since: string;
  /** by anybody, looks at it included */
  readonly receives: number;
  /** of this receive only: what deletes the message, or changes how long it is hidden */
  readonly receiptHandle: string;
};

export type Content = Request | Tick | Malformed;

/** `queue`: whose dead letters they are. */
export const contentOf = (queue: 'reconcile' | 'ticks', body: string): Content =>
  queue === 'ticks' ? parseTick(body) : parseRequest(body);

/** The object that a message names; undefined for a tick and for what nobody can read. */
export const keyIn = (content: Content): Key | undefined =>
  'name' in content ? { namespace: content.namespace, name: content.name } : undefined;

/** The object as it is now; `unread`: nobody looked, since the installation is not for its namespace, or it makes no difference. */
export type Live = TopicResource | 'gone' | 'unread' | Failure;

/** Why a message lies there: a reason of conditions, or `Malformed`, `Gone`, `Unhandled`, `Unread`, `Tick`. */
export type Why = { readonly reason: string; readonly message: string };

export const reasonsOfLetters = ['Malformed', 'Gone', 'Unhandled', 'Unread', 'Tick'] as const;

/** What a person gets to see of a dead letter, but for its body. `bytes`: of the body. */
export type DeadLetter = Partial<Key> &
  Why & {
    readonly id: string;
    readonly trigger?: Trigger;
    readonly since: string;
    readonly receives: number;
    readonly group: string;
    readonly bytes: number;
  };

export function letterOf({ id, since, receives, group, body }: DeadMessage, content: Content, live: Live): DeadLetter {
  const asked = 'name' in content ? { ...keyIn(content), trigger: content.trigger } : {};
  return { id, ...asked, ...whyOf(content, live), since, receives, group, bytes: Buffer.byteLength(body) };
}

function whyOf(content: Content, live: Live): Why {
  if ('malformed' in content) return { reason: 'Malformed', message: content.malformed };
  if ('tick' in content) return { reason: 'Tick', message: 'part of a periodic look: the next one does its work' };
  if (live === 'gone') return { reason: 'Gone', message: 'there is no such object any more' };
  if (live === 'unread')
    return { reason: 'Unread', message: 'nobody looked for the object: WATCH_NAMESPACES leaves out its namespace' };
  if (live instanceof Failure) return { reason: 'Unread', message: live.message };
  const ready = conditionIn(live.status, 'Ready');
  if (ready === undefined) return { reason: 'Unhandled', message: 'the object says nothing yet' };
  return ready.reason === 'DeadLettered' ? causeIn(ready.message) : { reason: ready.reason, message: ready.message };
}

const gaveUp = 'gave up until the next edit, tick or replay: ';

/** The condition's message of an object whose last receive failed: it keeps the cause, {@link causeIn} finds it again. */
export const gaveUpBecause = ({ reason, message }: Why): string => `${gaveUp}${reason}: ${message}`;

/** The cause in a message of {@link gaveUpBecause}. One that reads otherwise is a cause by itself. */
export function causeIn(text: string): Why {
  const [, reason, message = ''] = /^([A-Z][A-Za-z]*): (.*)$/s.exec(text.slice(gaveUp.length)) ?? [];
  return text.startsWith(gaveUp) && reason !== undefined
    ? { reason, message }
    : { reason: 'DeadLettered', message: text };
}

/** Which dead letters a person means: those that fit all that is given. Times are ms since 1970, ends included. */
export type Selection = {
  readonly ids?: ReadonlySet<string>;
  /** as `keyOf` writes them */
  readonly objects?: ReadonlySet<string>;
  readonly namespace?: string;
  readonly labels?: (labels: Labels) => boolean;
  /** of the cause, or `DeadLettered` where the object says that */
  readonly reason?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** false leaves out what nobody can read */
  readonly malformed: boolean;
};

/** Whether the choice depends on the object as it is now. */
export const needsLive = ({ labels, reason }: Selection): boolean =>
  labels !== undefined || (reason !== undefined && reason !== 'Malformed' && reason !== 'Tick');

/** Whether it is chosen as far as can be told without its object, and is worth a look at that. */
export const isCandidate = (
  { labels, reason, ...others }: Selection,
  message: DeadMessage,
  content: Content,
): boolean => isSelected(others, message, content, 'unread');

export function isSelected(selection: Selection, message: DeadMessage, content: Content, live: Live): boolean {
  const { ids, malformed, notBefore = 0, notAfter = Number.POSITIVE_INFINITY } = selection;
  const since = Date.parse(message.since);
  return (
    (malformed || !('malformed' in content)) &&
    (ids === undefined || ids.has(message.id)) &&
    since >= notBefore &&
    since <= notAfter &&
    isObjectSelected(selection, keyIn(content), live) &&
    isReasonSelected(selection, content, live)
  );
}

/** A message that names no object is of no namespace and has no labels. */
function isObjectSelected({ objects, namespace, labels }: Selection, key: Key | undefined, live: Live): boolean {
  if (key === undefined) return objects === undefined && namespace === undefined && labels === undefined;
  return (
    (objects === undefined || objects.has(keyOf(key))) &&
    (namespace === undefined || namespace === key.namespace) &&
    (labels === undefined || (isRead(live) && labels(live.labels)))
  );
}

function isReasonSelected({ reason }: Selection, content: Content, live: Live): boolean {
  if (reason === undefined || reason === whyOf(content, live).reason) return true;
  return isRead(live) && live.status?.conditions.some((condition) => condition.reason === reason) === true;
}

const isRead = (live: Live): live is TopicResource => typeof live === 'object' && !(live instanceof Failure);
