import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Env, settingsIn } from '../../functions/settings/read.ts';
import { names, namesOf } from '../../functions/settings/table.ts';
import { table } from '../support/table.ts';

const kafka = namesOf('cli').filter((name) => name.startsWith('KAFKA_'));
const problems = (env: Env): readonly string[] =>
  settingsIn({ KAFKA_BROKERS: 'b-1:9092', ...env }, 'cli', kafka).problems;
const scram = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' };
const login = { KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD_FILE: '/password' };

table('rules', problems, [
  { reason: 'brokers alone are enough', given: {}, want: [] },
  { reason: 'a login is a mechanism with its parts', given: { ...scram, ...login }, want: [] },
  {
    reason: 'certificates are for TLS only, and all of them are named at once',
    given: { KAFKA_CA_FILE: '/ca', KAFKA_CERT_FILE: '/cert', KAFKA_KEY_FILE: '/key', KAFKA_TLS: 'false' },
    want: ['KAFKA_CA_FILE and KAFKA_CERT_FILE and KAFKA_KEY_FILE need KAFKA_TLS=true'],
  },
  {
    reason: 'a certificate is of no use without its key',
    given: { KAFKA_CERT_FILE: '/cert', KAFKA_TLS: 'true' },
    want: ['KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together: KAFKA_KEY_FILE is not set'],
  },
  {
    reason: 'nor a key without its certificate',
    given: { KAFKA_KEY_FILE: '/key', KAFKA_TLS: 'true' },
    want: ['KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together: KAFKA_CERT_FILE is not set'],
  },
  {
    reason: 'parts of a login without a mechanism would be ignored',
    given: login,
    want: ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE need KAFKA_SASL_MECHANISM'],
  },
  {
    reason: 'a mechanism asks for its parts',
    given: scram,
    want: ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE must be set for KAFKA_SASL_MECHANISM=SCRAM-SHA-512'],
  },
  {
    reason: 'a token is a login of its own',
    given: { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_TLS: 'true' },
    want: ['KAFKA_SASL_TOKEN_FILE must be set for KAFKA_SASL_MECHANISM=OAUTHBEARER'],
  },
  {
    reason: 'what is wrong by itself is told once, without what follows from it',
    given: { KAFKA_TLS: 'yes', KAFKA_CA_FILE: '/ca', KAFKA_SASL_MECHANISM: 'plain', ...login },
    want: [
      'KAFKA_TLS is "yes": it has to be true or false',
      'KAFKA_SASL_MECHANISM is "plain": it has to be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER',
    ],
  },
]);

test('a reader to whom a rule says nothing is not told of it', () => {
  const all = Object.fromEntries(names.map((name) => [name, '']));
  const queues = { RECONCILE_QUEUE_URL: 'https://q/1/a', TICK_QUEUE_URL: 'https://q/1/b' };
  assert.deepEqual(settingsIn({ ...all, ...queues, ...scram }, 'forwarder').problems, []);
});
