import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import protocol from 'kafkajs/src/protocol/error.js';
import { SecretError } from '../../../functions/adapters/kafka/credentials.ts';
import {
  codes,
  failureOrThrow,
  isRefused,
  judge,
  type Operation,
  outOfTime,
  unmentioned,
  unreachable,
  unsupportedVersion,
} from '../../../functions/adapters/kafka/failure.ts';
import { TokenRefused } from '../../../functions/adapters/kafka/oauth-bearer.ts';
import { WireError } from '../../../functions/adapters/kafka/wire.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { table } from '../../support/table.ts';

const looks: readonly Operation[] = ['look', 'configs', 'offsets', 'reassignments', 'rates'];
const mutations: readonly Operation[] = ['create', 'growth', 'alter', 'delete', 'move', 'limit'];
const all = [...looks, ...mutations];
const but = (...left: Operation[]) => all.filter((operation) => !left.includes(operation));

/** `terminal`, `retryable`, and `uncertain`: retryable, and a mutation may still take effect. */
type Want = `${'terminal' | 'retryable' | 'uncertain'} ${string}` | 'ok' | 'absent';
type Row = readonly [id: string, code: number, operations: readonly Operation[], want: Want];

/** conformance.md section 3, row by row. */
const rows: readonly Row[] = [
  ['no error', 0, all, 'ok'],
  ['E-1', -1, looks, 'retryable KafkaError'],
  ['E-1', -1, mutations, 'uncertain KafkaError'],
  ['E3a', 3, ['look'], 'absent'],
  ['E3c', 3, but('look'), 'retryable ObservationOutdated'],
  ['E5', 5, all, 'retryable BrokerUnavailable'],
  ['E6', 6, all, 'retryable BrokerUnavailable'],
  ['E7', 7, looks, 'retryable BrokerUnavailable'],
  ['E7', 7, mutations, 'uncertain BrokerUnavailable'],
  ['E8', 8, all, 'retryable BrokerUnavailable'],
  ['E8', 9, all, 'retryable BrokerUnavailable'],
  ['E8', 11, all, 'retryable BrokerUnavailable'],
  ['E8', 13, looks, 'retryable BrokerUnavailable'],
  ['E8', 13, mutations, 'uncertain BrokerUnavailable'],
  ['E8', 41, all, 'retryable BrokerUnavailable'],
  ['E8', 56, all, 'retryable BrokerUnavailable'],
  ['E17', 17, all, 'terminal InvalidTopicName'],
  ['E29', 29, all, 'terminal NotAuthorized'],
  ['E31', 31, all, 'terminal NotAuthorized'],
  ['E33', 33, all, 'retryable NotAuthenticated'],
  ['E33', 34, all, 'retryable NotAuthenticated'],
  ['E33', 58, all, 'retryable NotAuthenticated'],
  ['E35', 35, all, 'terminal UnsupportedByBroker'],
  ['E36', 36, ['create'], 'retryable ObservationOutdated'],
  ['E37a', 37, ['create'], 'terminal InvalidSpec'],
  ['E37b', 37, ['growth'], 'retryable ObservationOutdated'],
  ['E38', 38, ['create'], 'terminal InvalidReplicationFactor'],
  ['E39', 39, ['growth', 'move'], 'retryable ObservationOutdated'],
  ['E40', 40, ['create', 'alter', 'limit'], 'terminal InvalidConfig'],
  ['E42', 42, all, 'terminal InternalError'],
  ['E44a', 44, ['create', 'growth', 'alter'], 'terminal PolicyViolation'],
  ['E60', 60, ['growth', 'move'], 'retryable ReassignmentInProgress'],
  ['E73', 73, ['delete'], 'terminal DeletionDisabled'],
  ['E85', 85, ['move'], 'absent'],
  ['E89', 89, ['create', 'growth', 'delete'], 'retryable Throttled'],
  ['E100a', 100, ['delete'], 'absent'],
  ['E100b', 100, but('delete'), 'retryable ObservationOutdated'],
  ['E103', 103, all, 'retryable IdentityChanged'],
  ['E129', 129, all, 'retryable BrokerUnavailable'],
  ['EX known to nobody', 12345, all, 'retryable KafkaError'],
  ['EX negative', -77, all, 'retryable KafkaError'],
  ['EX known to Kafka, not to us', 87, all, 'retryable KafkaError'],
];

const inWords = (verdict: ReturnType<typeof judge>): string => {
  if (!(verdict instanceof Failure)) return verdict;
  const { reason, retryable, unanswered } = verdict;
  return `${unanswered ? 'uncertain' : retryable ? 'retryable' : 'terminal'} ${reason}`;
};

describe('every code for every operation', () => {
  for (const [id, code, operations, want] of rows)
    for (const operation of operations)
      test(`${id}: code ${code} on ${operation} is ${want}`, () =>
        assert.equal(inWords(judge(operation, { code })), want));

  test('every row of the table is tested', () => {
    const tested = new Set(rows.map(([, code]) => code));
    assert.deepEqual(
      [...codes.keys()].filter((code) => !tested.has(code)),
      [],
    );
  });

  test('the message tells the number and the name', () => {
    assert.match((judge('create', { code: 38 }) as Failure).message, /INVALID_REPLICATION_FACTOR, code 38/);
    assert.match((judge('create', { code: 12345 }) as Failure).message, /code 12345/);
  });

  test('names are Kafka’s own, of which its client knows the older ones', () => {
    const named = new Map(protocol.errorCodes.map(({ code, type }) => [code, type]));
    named.set(-1, 'UNKNOWN_SERVER_ERROR').set(6, 'NOT_LEADER_OR_FOLLOWER');
    named.set(89, 'THROTTLING_QUOTA_EXCEEDED').set(100, 'UNKNOWN_TOPIC_ID');
    named.set(103, 'INCONSISTENT_TOPIC_ID').set(129, 'REBOOTSTRAP_REQUIRED');
    for (const [code, { name }] of codes) assert.equal(name, named.get(code));
  });

  test('a code that nobody knows is counted as that, and told', () => {
    const { code, message } = judge('create', { code: 12345 }) as Failure;
    assert.equal(code, 'UNKNOWN');
    assert.equal(message, 'the broker refused the request (Kafka: UNKNOWN, code 12345)');
  });

  test('a throttled item knows how long to wait', () => {
    assert.equal((judge('create', { code: 89 }, 8963) as Failure).retryAfterMs, 8963);
    assert.equal((judge('create', { code: 7 }, 8963) as Failure).retryAfterMs, undefined);
  });
});

describe('texts for people', () => {
  const messageOf = (operation: Operation, code: number, message: string | null) =>
    (judge(operation, { code, message }) as Failure).message;

  test('the broker’s own words are kept', () =>
    assert.match(messageOf('alter', 40, 'Unknown topic config name: nope'), /^Unknown topic config name: nope /));
  test('E29, E31: a missing right is named by us, and the dump that comes with 31 is not shown', () => {
    const message = messageOf(
      'reassignments',
      31,
      'Request Request(processor=1, principal=User:secret) is not authorized',
    );
    assert.match(message, /^not authorized: Describe on the cluster is needed/);
    assert.doesNotMatch(message, /secret/);
    assert.match(messageOf('move', 31, null), /^not authorized: Alter on the cluster is needed/);
    assert.match(messageOf('rates', 31, null), /^not authorized: DescribeConfigs on the cluster is needed/);
    assert.match(messageOf('limit', 31, null), /^not authorized: AlterConfigs on the cluster is needed/);
    assert.match(messageOf('create', 29, null), /Create on the topic is needed.* --operation Create --topic TOPIC /);
    const { message: named } = judge('create', { code: 29, name: 'orders' }) as Failure;
    assert.equal(
      named,
      'not authorized: Create on topic orders is needed; this grants it to our user NAME: kafka-acls --add --allow-principal User:NAME --operation Create --topic orders (Kafka: TOPIC_AUTHORIZATION_FAILED, code 29)',
    );
    assert.match(messageOf('delete', 29, 'Topic authorization failed.'), /Delete on the topic/);
    assert.match(messageOf('limit', 31, null), / --operation AlterConfigs --cluster \(/);
  });
  test('a code without text still has a sentence', () => {
    for (const code of [...codes.keys(), 999]) {
      const verdict = judge('alter', { code, message: null });
      assert.match((verdict as Failure).message, /^[^(\n]{10,} \(Kafka: /);
    }
  });
});

table(
  'what a broker does not explain',
  (code: number) => (judge('alter', { code }) as Failure).message.replace(/ \(Kafka: .*/, ''),
  [
    { reason: 'nothing is known', given: -1, want: 'the broker met an error that it does not explain' },
    { reason: 'it may still be done', given: 7, want: 'the brokers did not finish in time' },
    { reason: 'gone by name', given: 3, want: 'the topic is gone' },
    { reason: 'gone by id', given: 100, want: 'the topic is gone' },
    { reason: 'made anew by somebody', given: 103, want: 'the topic is another one than before' },
    { reason: 'made meanwhile', given: 36, want: 'the topic exists already' },
    { reason: 'the owner has to choose another name', given: 17, want: 'Kafka does not allow this topic name' },
    { reason: 'a quota', given: 89, want: 'the brokers limit how fast topics may change' },
    {
      reason: 'there is a way out for the owner of the object',
      given: 73,
      want: 'the brokers delete no topics, delete.topic.enable is false; deletionPolicy: Retain gives the topic up',
    },
  ],
);

describe('no answer for a topic', () => {
  test('left out of the answer: after a mutation nobody knows, after a look nothing happened', () => {
    const { reason, message } = unmentioned('look');
    assert.deepEqual([reason, message], ['KafkaError', 'the broker left this topic out of its answer']);
    assert.equal(inWords(unmentioned('look')), 'retryable KafkaError');
    assert.equal(inWords(unmentioned('delete')), 'uncertain KafkaError');
  });

  test('the time was up: what was sent may still take effect, what was not sent does not', () => {
    assert.equal(inWords(outOfTime(true)), 'uncertain BrokerUnavailable');
    assert.equal(outOfTime(true).message, 'Kafka did not answer before the time was up');
    assert.equal(inWords(outOfTime(false)), 'retryable BrokerUnavailable');
    assert.equal(outOfTime(false).retryable, true);
    assert.equal(outOfTime(false).message, 'the time was up before Kafka was asked');
  });

  test('a lost connection is uncertain only where it was told so', () => {
    assert.equal(inWords(unreachable(socketError('ECONNRESET'))), 'retryable BrokerUnavailable');
    assert.equal(inWords(unreachable(socketError('ECONNRESET'), { unanswered: true })), 'uncertain BrokerUnavailable');
  });

  test('what is a Failure already stays what it is, and a defect goes on as it is', () => {
    const failure = outOfTime(true);
    assert.equal(unreachable(failure), failure);
    assert.equal(failureOrThrow(failure), failure);
    const defect = new TypeError('x');
    assert.throws(() => failureOrThrow(defect), defect);
  });
});

table('other credentials may help', isRefused, [
  { reason: 'a login that is refused', given: { name: 'KafkaJSSASLAuthenticationError' }, want: true },
  { reason: 'a mechanism that is refused', given: { name: 'KafkaJSProtocolError', code: 33 }, want: true },
  { reason: 'a login out of turn', given: { name: 'KafkaJSProtocolError', code: 34 }, want: true },
  { reason: 'a password that is refused', given: { name: 'KafkaJSProtocolError', code: 58 }, want: true },
  { reason: 'a certificate', given: { code: 'CERT_HAS_EXPIRED' }, want: true },
  { reason: 'another answer of the broker', given: { name: 'KafkaJSProtocolError', code: 7 }, want: false },
  { reason: 'the number of an error that is not the broker’s', given: { name: 'Error', code: 33 }, want: false },
  { reason: 'the network', given: { name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' }, want: false },
]);

const socketError = (code: string, message = 'x') =>
  Object.assign(new Error(message), { name: 'KafkaJSConnectionError', code });
const named = (name: string, fields: object = {}) => Object.assign(new Error('x'), { name, ...fields });

table(
  'trouble on the way to Kafka',
  (error: unknown) => {
    const { reason, retryable, message } = unreachable(error);
    return [reason, retryable, message];
  },
  [
    {
      reason: 'nobody listens',
      given: socketError('ECONNREFUSED'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: connection refused'],
    },
    {
      reason: 'the name is unknown',
      given: socketError('ENOTFOUND'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: its host name is unknown'],
    },
    {
      reason: 'the name cannot be looked up now',
      given: socketError('EAI_AGAIN'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: its host name cannot be looked up now'],
    },
    {
      reason: 'nobody picks up',
      given: socketError('ETIMEDOUT'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: no connection in time'],
    },
    {
      reason: 'no way to the host',
      given: socketError('EHOSTUNREACH'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: no route to its host'],
    },
    {
      reason: 'no way to the network',
      given: socketError('ENETUNREACH'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: no route to its network'],
    },
    {
      reason: 'a connection that is cut hints at the settings',
      given: socketError('ECONNRESET'),
      want: [
        'BrokerUnavailable',
        true,
        'Kafka closed the connection; if this persists, check its TLS and SASL settings',
      ],
    },
    {
      reason: 'a connection that is closed meanwhile too',
      given: socketError('EPIPE'),
      want: [
        'BrokerUnavailable',
        true,
        'Kafka closed the connection; if this persists, check its TLS and SASL settings',
      ],
    },
    {
      reason: 'something else listens there',
      given: socketError('NOT_KAFKA'),
      want: ['BrokerUnavailable', true, 'what answers is not Kafka, or it expects TLS: check KAFKA_TLS'],
    },
    {
      reason: 'something else listens there, and only the text says so',
      given: new Error('the answer is not the Kafka protocol'),
      want: ['BrokerUnavailable', true, 'what answers is not Kafka, or it expects TLS: check KAFKA_TLS'],
    },
    {
      reason: 'a thing without any text',
      given: {},
      want: [
        'BrokerUnavailable',
        true,
        'Kafka closed the connection; if this persists, check its TLS and SASL settings',
      ],
    },
    {
      reason: 'a certificate that nobody vouches for is named',
      given: socketError('DEPTH_ZERO_SELF_SIGNED_CERT'),
      want: ['BrokerUnavailable', true, 'TLS to Kafka fails: DEPTH_ZERO_SELF_SIGNED_CERT'],
    },
    {
      reason: 'a certificate of somebody else is named',
      given: socketError('ERR_TLS_CERT_ALTNAME_INVALID'),
      want: ['BrokerUnavailable', true, 'TLS to Kafka fails: ERR_TLS_CERT_ALTNAME_INVALID'],
    },
    {
      reason: 'an expired certificate is named',
      given: socketError('CERT_HAS_EXPIRED'),
      want: ['BrokerUnavailable', true, 'TLS to Kafka fails: CERT_HAS_EXPIRED'],
    },
    {
      reason: 'an unknown socket error keeps its code',
      given: socketError('EWHATEVER'),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: EWHATEVER'],
    },
    {
      reason: 'a closed connection hints at the settings',
      given: named('KafkaJSConnectionClosedError'),
      want: [
        'BrokerUnavailable',
        true,
        'Kafka closed the connection; if this persists, check its TLS and SASL settings',
      ],
    },
    {
      reason: 'no connection in time',
      given: Object.assign(new Error('Connection timeout'), { name: 'KafkaJSConnectionError' }),
      want: ['BrokerUnavailable', true, 'Kafka cannot be reached: no connection in time'],
    },
    {
      reason: 'no answer in time',
      given: named('KafkaJSRequestTimeoutError'),
      want: ['BrokerUnavailable', true, 'Kafka does not answer'],
    },
    {
      reason: 'E33: a wrong password',
      given: named('KafkaJSSASLAuthenticationError'),
      want: ['NotAuthenticated', true, 'Kafka does not accept our credentials or SASL mechanism'],
    },
    {
      reason: 'E33: a mechanism that is not offered',
      given: named('KafkaJSProtocolError', { code: 33 }),
      want: ['NotAuthenticated', true, 'Kafka does not accept our credentials or SASL mechanism'],
    },
    {
      reason: 'credentials that cannot be read are not a broken network',
      given: new SecretError(undefined, { cause: new Error('ENOENT /secret/path') }),
      want: ['NotAuthenticated', true, 'the Kafka credentials cannot be read'],
    },
    {
      reason: 'a token that is not good',
      given: new TokenRefused(),
      want: ['NotAuthenticated', true, 'Kafka does not accept our credentials or SASL mechanism'],
    },
    {
      reason: 'an answer that is none',
      given: new WireError('3 bytes are left over'),
      want: ['BrokerUnavailable', true, 'Kafka sent an answer that cannot be read: 3 bytes are left over'],
    },
  ],
);

table(
  'versions',
  ([version, offered]: [number, { minVersion: number; maxVersion: number } | undefined]) =>
    unsupportedVersion('DeleteTopics', version, offered).message,
  [
    {
      reason: 'a broker that is too old',
      given: [6, { minVersion: 0, maxVersion: 5 }],
      want: 'the broker does not offer DeleteTopics version 6 (it offers 0 to 5): Kafka 3.0 or newer is needed',
    },
    {
      reason: 'a broker that is too new',
      given: [6, { minVersion: 7, maxVersion: 9 }],
      want: 'the broker does not offer DeleteTopics version 6 (it offers 7 to 9): a newer Topicsmith is needed',
    },
    {
      reason: 'a broker that does not know the request',
      given: [6, undefined],
      want: 'the broker does not offer DeleteTopics version 6 (it offers none): Kafka 3.0 or newer is needed',
    },
  ],
);

test('a broker of another version is not asked again: the message is done', () =>
  assert.equal(inWords(unsupportedVersion('DeleteTopics', 6, undefined)), 'terminal UnsupportedByBroker'));
