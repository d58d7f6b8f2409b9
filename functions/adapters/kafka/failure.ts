/**
 * The one place that knows what Kafka's error codes and broken connections mean for a topic.
 *
 * Terminal is opt-in and means: sending this message again will not help. A code without a row is retryable.
 *
 * @see https://kafka.apache.org/protocol#protocol_error_codes
 */
import { oneLine } from '../../core/harmless.ts';
import { Failure } from '../../core/outcome.ts';
import { isTlsTrouble } from '../../core/tls.ts';
import type { Reason } from '../../core/topic.ts';
import { SecretError } from './credentials.ts';
import { TokenRefused } from './oauth-bearer.ts';
import { WireError } from './wire.ts';

/** What was asked of the broker. */
export type Operation = keyof typeof rights;

/** The right that each operation needs, in the words of Kafka's ACLs. */
const rights = {
  look: ['Describe', 'topic'],
  configs: ['DescribeConfigs', 'topic'],
  offsets: ['Describe', 'topic'],
  reassignments: ['Describe', 'cluster'],
  move: ['Alter', 'cluster'],
  rates: ['DescribeConfigs', 'cluster'],
  limit: ['AlterConfigs', 'cluster'],
  create: ['Create', 'topic'],
  growth: ['Alter', 'topic'],
  alter: ['AlterConfigs', 'topic'],
  delete: ['Delete', 'topic'],
} as const;

const mutations: ReadonlySet<Operation> = new Set<Operation>(['create', 'growth', 'alter', 'delete', 'move', 'limit']);

/** One item of an answer. `message` is the broker's own text, often absent; `name` that of the topic, where it is told. */
export type Answered = { readonly code: number; readonly message?: string | null; readonly name?: string | null };

/** `ok` and `absent` are no failures: it worked, or the topic is not there. */
export type Verdict = 'ok' | 'absent' | Failure;

type Class = 'absent' | 'terminal' | 'retryable' | 'uncertain' | 'throttled';
/** `uncertain`: retryable, and a mutation may still take effect. `on`: operations for which it means something else. */
type Row = {
  readonly name: string;
  readonly is: Class;
  readonly reason: Reason;
  readonly on?: Partial<Record<Operation, { readonly is: Class; readonly reason: Reason }>>;
};

const row = (name: string, is: Class, reason: Reason, on?: Row['on']): Row => ({ name, is, reason, ...(on && { on }) });
const gone = { is: 'absent', reason: 'ObservationOutdated' } as const;

export const codes: ReadonlyMap<number, Row> = new Map([
  [-1, row('UNKNOWN_SERVER_ERROR', 'uncertain', 'KafkaError')],
  [3, row('UNKNOWN_TOPIC_OR_PARTITION', 'retryable', 'ObservationOutdated', { look: gone })],
  [5, row('LEADER_NOT_AVAILABLE', 'retryable', 'BrokerUnavailable')],
  [6, row('NOT_LEADER_OR_FOLLOWER', 'retryable', 'BrokerUnavailable')],
  [7, row('REQUEST_TIMED_OUT', 'uncertain', 'BrokerUnavailable')],
  [8, row('BROKER_NOT_AVAILABLE', 'retryable', 'BrokerUnavailable')],
  [9, row('REPLICA_NOT_AVAILABLE', 'retryable', 'BrokerUnavailable')],
  [11, row('STALE_CONTROLLER_EPOCH', 'retryable', 'BrokerUnavailable')],
  [13, row('NETWORK_EXCEPTION', 'uncertain', 'BrokerUnavailable')],
  [17, row('INVALID_TOPIC_EXCEPTION', 'terminal', 'InvalidTopicName')],
  [29, row('TOPIC_AUTHORIZATION_FAILED', 'terminal', 'NotAuthorized')],
  [31, row('CLUSTER_AUTHORIZATION_FAILED', 'terminal', 'NotAuthorized')],
  [33, row('UNSUPPORTED_SASL_MECHANISM', 'retryable', 'NotAuthenticated')],
  [34, row('ILLEGAL_SASL_STATE', 'retryable', 'NotAuthenticated')],
  [35, row('UNSUPPORTED_VERSION', 'terminal', 'UnsupportedByBroker')],
  [36, row('TOPIC_ALREADY_EXISTS', 'retryable', 'ObservationOutdated')],
  [
    37,
    row('INVALID_PARTITIONS', 'terminal', 'InvalidSpec', {
      growth: { is: 'retryable', reason: 'ObservationOutdated' },
    }),
  ],
  [38, row('INVALID_REPLICATION_FACTOR', 'terminal', 'InvalidReplicationFactor')],
  [39, row('INVALID_REPLICA_ASSIGNMENT', 'retryable', 'ObservationOutdated')],
  [40, row('INVALID_CONFIG', 'terminal', 'InvalidConfig')],
  [41, row('NOT_CONTROLLER', 'retryable', 'BrokerUnavailable')],
  [42, row('INVALID_REQUEST', 'terminal', 'InternalError')],
  [44, row('POLICY_VIOLATION', 'terminal', 'PolicyViolation')],
  [56, row('KAFKA_STORAGE_ERROR', 'retryable', 'BrokerUnavailable')],
  [58, row('SASL_AUTHENTICATION_FAILED', 'retryable', 'NotAuthenticated')],
  [60, row('REASSIGNMENT_IN_PROGRESS', 'retryable', 'ReassignmentInProgress')],
  [73, row('TOPIC_DELETION_DISABLED', 'terminal', 'DeletionDisabled')],
  [85, row('NO_REASSIGNMENT_IN_PROGRESS', 'retryable', 'ObservationOutdated', { move: gone })],
  [89, row('THROTTLING_QUOTA_EXCEEDED', 'throttled', 'Throttled')],
  // asked by id, the answer is the same when Describe is denied: only a deletion may take it for "gone"
  [100, row('UNKNOWN_TOPIC_ID', 'retryable', 'ObservationOutdated', { delete: gone })],
  [103, row('INCONSISTENT_TOPIC_ID', 'retryable', 'IdentityChanged')],
  [129, row('REBOOTSTRAP_REQUIRED', 'retryable', 'BrokerUnavailable')],
]);

/** What to tell people where the broker has no text of its own. */
const sentences: ReadonlyMap<number, string> = new Map([
  [-1, 'the broker met an error that it does not explain'],
  [3, 'the topic is gone'],
  [7, 'the brokers did not finish in time'],
  [17, 'Kafka does not allow this topic name'],
  [36, 'the topic exists already'],
  [73, 'the brokers delete no topics, delete.topic.enable is false; deletionPolicy: Retain gives the topic up'],
  [89, 'the brokers limit how fast topics may change'],
  [100, 'the topic is gone'],
  [103, 'the topic is another one than before'],
]);

/**
 * What an item's code means for the operation.
 *
 * @param throttleMs the answer's throttle time: how long the broker wants us to wait after a code 89
 */
export function judge(operation: Operation, answered: Answered, throttleMs = 0): Verdict {
  if (answered.code === 0) return 'ok';
  const known = codes.get(answered.code);
  const { is, reason } = known?.on?.[operation] ?? known ?? { is: 'retryable', reason: 'KafkaError' };
  if (is === 'absent') return 'absent';
  return new Failure(reason, messageOf(operation, answered), {
    retryable: is !== 'terminal',
    unanswered: is === 'uncertain' && mutations.has(operation),
    code: codes.get(answered.code)?.name ?? 'UNKNOWN',
    ...(is === 'throttled' && { retryAfterMs: throttleMs }),
  });
}

function messageOf(operation: Operation, answered: Answered): string {
  const { code } = answered;
  return `${sentenceOf(operation, answered)} (Kafka: ${codes.get(code)?.name ?? 'UNKNOWN'}, code ${code})`;
}

function sentenceOf(operation: Operation, { code, message, name }: Answered): string {
  // with 31 the broker sends a dump of its insides, with 29 nothing that helps
  if (code === 29 || code === 31) return missing(operation, name);
  return (message && oneLine(message)) || sentences.get(code) || 'the broker refused the request';
}

/** The right, and the command that grants it; our user at the brokers is for those to know who set it up. */
function missing(operation: Operation, topic: string | null | undefined): string {
  const [right, on] = rights[operation];
  const [where, flag] =
    on === 'cluster'
      ? ['the cluster', '--cluster']
      : [topic ? `topic ${topic}` : 'the topic', `--topic ${topic || 'TOPIC'}`];
  const command = `kafka-acls --add --allow-principal User:NAME --operation ${right} ${flag}`;
  return `not authorized: ${right} on ${where} is needed; this grants it to our user NAME: ${command}`;
}

/** The broker left an item out of its answer. After a mutation nobody knows what became of it. */
export const unmentioned = (operation: Operation): Failure =>
  new Failure('KafkaError', 'the broker left this topic out of its answer', {
    retryable: true,
    unanswered: mutations.has(operation),
  });

/** The caller's time is up. `sent`: a mutation is under way. */
export const outOfTime = (sent: boolean): Failure =>
  new Failure(
    'BrokerUnavailable',
    sent ? 'Kafka did not answer before the time was up' : 'the time was up before Kafka was asked',
    { retryable: true, unanswered: sent },
  );

/** The broker does not speak the version we need. `offered` is absent when it does not know the request at all. */
export function unsupportedVersion(
  name: string,
  version: number,
  offered: { readonly minVersion: number; readonly maxVersion: number } | undefined,
): Failure {
  const range = offered === undefined ? 'none' : `${offered.minVersion} to ${offered.maxVersion}`;
  const advice =
    offered !== undefined && offered.minVersion > version
      ? 'a newer Topicsmith is needed'
      : 'Kafka 3.0 or newer is needed';
  return new Failure(
    'UnsupportedByBroker',
    `the broker does not offer ${name} version ${version} (it offers ${range}): ${advice}`,
    { retryable: false },
  );
}

/** The broker kept silent until the time was up. */
export const isTimeout = (error: unknown): boolean => nameOf(error) === 'KafkaJSRequestTimeoutError';

/** Our login is not accepted: the other brokers would not accept it either. */
export function isRefusedLogin(error: unknown): boolean {
  if (error instanceof SecretError || error instanceof TokenRefused) return true;
  if (nameOf(error) === 'KafkaJSSASLAuthenticationError') return true;
  const { code } = error as { code?: unknown };
  return nameOf(error) === 'KafkaJSProtocolError' && (code === 33 || code === 34 || code === 58);
}

/** The broker does not want us as we are, or we do not want it: other credentials may help, at either end. */
export const isRefused = (error: unknown): boolean =>
  isRefusedLogin(error) || isTlsTrouble((error as { code?: unknown }).code);

/**
 * Why there was no answer: connection refused, lost or silent, a name that does not resolve, TLS, login. The message
 * names no host and no port, so that it stays the same whichever broker was tried.
 */
export function unreachable(error: unknown, { unanswered = false } = {}): Failure {
  if (error instanceof Failure) return error;
  const reason = isRefusedLogin(error) ? 'NotAuthenticated' : 'BrokerUnavailable';
  return new Failure(reason, trouble(error), { retryable: true, unanswered, cause: error });
}

function trouble(error: unknown): string {
  if (error instanceof SecretError) return oneLine(error.message);
  if (isRefusedLogin(error)) return 'Kafka does not accept our credentials or SASL mechanism';
  if (error instanceof WireError) return `Kafka sent an answer that cannot be read: ${oneLine(error.message)}`;
  if (isTimeout(error)) return 'Kafka does not answer';
  const { code, message = '' } = error as { code?: unknown; message?: string };
  if (typeof code === 'string') return socketTroubles.get(code) ?? otherTrouble(code);
  if (message.includes('not the Kafka protocol'))
    return 'what answers is not Kafka, or it expects TLS: check KAFKA_TLS';
  if (/timeout/i.test(message)) return 'Kafka cannot be reached: no connection in time';
  return 'Kafka closed the connection; if this persists, check its TLS and SASL settings';
}

const socketTroubles: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Kafka cannot be reached: connection refused'],
  ['ECONNRESET', 'Kafka closed the connection; if this persists, check its TLS and SASL settings'],
  ['EPIPE', 'Kafka closed the connection; if this persists, check its TLS and SASL settings'],
  ['ENOTFOUND', 'Kafka cannot be reached: its host name is unknown'],
  ['EAI_AGAIN', 'Kafka cannot be reached: its host name cannot be looked up now'],
  ['ETIMEDOUT', 'Kafka cannot be reached: no connection in time'],
  ['EHOSTUNREACH', 'Kafka cannot be reached: no route to its host'],
  ['NOT_KAFKA', 'what answers is not Kafka, or it expects TLS: check KAFKA_TLS'],
  ['ENETUNREACH', 'Kafka cannot be reached: no route to its network'],
]);

const otherTrouble = (code: string): string =>
  `${isTlsTrouble(code) ? 'TLS to Kafka fails' : 'Kafka cannot be reached'}: ${oneLine(code)}`;

const nameOf = (error: unknown): unknown => (error as { name?: unknown } | null | undefined)?.name;

/** Turns a rejection with a Failure into a value; a defect of ours goes on as it is. */
export function failureOrThrow(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}
