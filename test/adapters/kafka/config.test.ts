import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kafkaConfigFromEnv, SecretError } from '../../../functions/adapters/kafka/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'kafka-config-'));
after(() => rmSync(dir, { recursive: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};
const pem = (name: string) => file(name, `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`);
const brokers = { KAFKA_BROKERS: 'b-1:9092' };

test('brokers alone are enough: plaintext, no login', () =>
  assert.deepEqual(kafkaConfigFromEnv({ KAFKA_BROKERS: ' b-1:9092, [::1]:9093 ,' }), {
    brokers: ['b-1:9092', '[::1]:9093'],
    clientId: 'topicsmith',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
  }));

test('TLS takes its files as they are', () => {
  const config = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_CLIENT_ID: 'me',
    KAFKA_TLS: 'true',
    KAFKA_CA_FILE: pem('ca'),
    KAFKA_CERT_FILE: pem('cert'),
    KAFKA_KEY_FILE: pem('key'),
  });
  assert.equal(config.clientId, 'me');
  assert.match(config.tls?.ca ?? '', /\nca\n/);
  assert.match(config.tls?.cert ?? '', /\ncert\n/);
  assert.match(config.tls?.key ?? '', /\nkey\n/);
  assert.deepEqual(kafkaConfigFromEnv({ ...brokers, KAFKA_TLS: 'true' }).tls, {});
});

test('a password is read anew each time, without its line break', async () => {
  const passwordFile = file('password', 'one\n');
  const { sasl } = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD_FILE: passwordFile,
  });
  assert.ok(sasl?.mechanism === 'SCRAM-SHA-512');
  assert.equal(sasl.username, 'me');
  assert.equal(await sasl.password(), 'one');
  writeFileSync(passwordFile, 'two');
  assert.equal(await sasl.password(), 'two');
  rmSync(passwordFile);
  await assert.rejects(sasl.password(), SecretError);
});

test('a token is read anew each time', async () => {
  const { sasl } = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_TLS: 'true',
    KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    KAFKA_SASL_TOKEN_FILE: file('token', 'a.b.c\n'),
  });
  assert.ok(sasl?.mechanism === 'OAUTHBEARER');
  assert.equal(await sasl.token(), 'a.b.c');
});

const secrets = {
  PLAIN: { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD_FILE: '/secret' },
  OAUTHBEARER: { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_SASL_TOKEN_FILE: '/secret' },
};

for (const [mechanism, secret] of Object.entries(secrets))
  test(`${mechanism} is for TLS, or for this machine`, () => {
    const here = { KAFKA_BROKERS: 'localhost:9092,127.0.0.1:9093,[::1]:9094' };
    for (const env of [{ ...brokers, KAFKA_TLS: 'true' }, here])
      assert.equal(kafkaConfigFromEnv({ ...env, ...secret }).sasl?.mechanism, mechanism);
  });

const plain = { ...brokers, KAFKA_SASL_MECHANISM: 'PLAIN' };
for (const [env, message] of [
  [{}, /^KAFKA_BROKERS is not set: it has to be host:port of the brokers/],
  [{ KAFKA_BROKERS: ' , ' }, /^KAFKA_BROKERS is " , "/],
  [{ KAFKA_BROKERS: 'b-1' }, /^KAFKA_BROKERS is "b-1": it has to be host:port/],
  [{ KAFKA_BROKERS: 'b-2:1,b-1:0' }, /^KAFKA_BROKERS has "b-1:0"/],
  [{ KAFKA_BROKERS: 'b-1:65536' }, /^KAFKA_BROKERS is/],
  [{ KAFKA_BROKERS: 'kafka://b-1:9092' }, /^KAFKA_BROKERS is/],
  [{ ...brokers, KAFKA_TLS: 'yes' }, /^KAFKA_TLS is "yes": it has to be true or false$/],
  [{ ...brokers, KAFKA_CA_FILE: pem('ca') }, /^KAFKA_CA_FILE needs KAFKA_TLS=true/],
  [
    { ...brokers, KAFKA_TLS: 'true', KAFKA_CA_FILE: join(dir, 'none') },
    /^KAFKA_CA_FILE has to name a PEM file: .* cannot be read \(ENOENT\)$/,
  ],
  [
    { ...brokers, KAFKA_TLS: 'true', KAFKA_CA_FILE: file('text', 'hello') },
    /^KAFKA_CA_FILE has to name a PEM file: the one that is named is none$/,
  ],
  [
    { ...brokers, KAFKA_TLS: 'true', KAFKA_CERT_FILE: pem('cert') },
    /^KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together: KAFKA_KEY_FILE is not set$/,
  ],
  [
    { ...brokers, KAFKA_SASL_MECHANISM: 'GSSAPI' },
    /^KAFKA_SASL_MECHANISM is "GSSAPI": it has to be PLAIN, .* or OAUTHBEARER$/,
  ],
  [{ ...brokers, KAFKA_SASL_USERNAME: 'me' }, /^KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM/],
  [plain, /^KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE must be set for KAFKA_SASL_MECHANISM=PLAIN/],
  [{ ...plain, KAFKA_SASL_USERNAME: 'me' }, /^KAFKA_SASL_PASSWORD_FILE must be set/],
  [{ ...brokers, KAFKA_SASL_MECHANISM: 'OAUTHBEARER' }, /^KAFKA_SASL_TOKEN_FILE must be set/],
  [
    { ...brokers, ...secrets.PLAIN },
    /^KAFKA_SASL_MECHANISM=PLAIN would send its secret to b-1:9092 in the clear: set /,
  ],
  [{ ...brokers, ...secrets.OAUTHBEARER }, /^KAFKA_SASL_MECHANISM=OAUTHBEARER would send its secret to b-1:9092/],
  [{ KAFKA_BROKERS: 'localhost:1,127.evil.org:2', ...secrets.PLAIN }, /would send its secret to 127.evil.org:2 /],
] as const)
  test(`refused: ${message.source}`, () =>
    assert.throws(
      () => kafkaConfigFromEnv(env),
      (error: Error) => message.test(error.message) && !error.message.includes('\n'),
    ));
