import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SecretError } from '../../../functions/adapters/kafka/credentials.ts';
import {
  codes,
  judge,
  type Operation,
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
  });
  test('a code without text still has a sentence', () => {
    for (const code of [...codes.keys(), 999]) {
      const verdict = judge('alter', { code, message: null });
      assert.match((verdict as Failure).message, /^[^(\n]{10,} \(Kafka: /);
    }
  });
});

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
