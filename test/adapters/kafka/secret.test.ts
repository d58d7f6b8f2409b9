import assert from 'node:assert/strict';
import { after, afterEach, before, mock, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { rememberedSecret } from '../../../functions/adapters/kafka/secret.ts';
import { type SecretServer, startSecretServer } from '../../support/aws/secrets-manager.ts';

const one = { username: 'me', password: 'one' };
const two = { username: 'me', password: 'two' };
const start = Date.now();
let server: SecretServer;
before(async () => {
  server = await startSecretServer(one);
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = server.endpoint;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
});
after(() => server.close());
afterEach(() => {
  mock.timers.reset();
  server.content = JSON.stringify(one);
});

test('T143: a secret is remembered for five minutes, and no longer', async () => {
  mock.timers.enable({ apis: ['Date'], now: start });
  const read = rememberedSecret(server.arn);
  assert.deepEqual(await read(false), one);
  server.content = JSON.stringify(two);
  mock.timers.setTime(start + 299_000);
  assert.deepEqual(await read(false), one);
  mock.timers.setTime(start + 300_000);
  assert.deepEqual(await read(false), two);
});

test('T143: a secret that was refused is read anew, but what has just been read is not', async () => {
  mock.timers.enable({ apis: ['Date'], now: start });
  const read = rememberedSecret(server.arn);
  await read(false);
  server.content = JSON.stringify(two);
  assert.deepEqual(await read(true), one);
  mock.timers.setTime(start + 1_000);
  assert.deepEqual(await read(true), two);
  assert.deepEqual(await read(false), two);
});

test('all who ask at the same time share one answer; an error is not remembered', async () => {
  const read = rememberedSecret(server.arn);
  const before = server.reads();
  server.content = '';
  const refusals = await Promise.allSettled([read(false), read(false), read(true)]);
  assert.deepEqual(new Set(refusals.map(({ status }) => status)), new Set(['rejected']));
  assert.equal(server.reads(), before + 1);
  server.content = JSON.stringify(one);
  assert.deepEqual(await Promise.all([read(false), read(false)]), [one, one]);
  assert.equal(server.reads(), before + 2);
});

test('every field has its place, and what others keep in the secret is left alone', async () => {
  const others = { engine: 'kafka', constructor: 'x', ca: null };
  const all = { ...one, certificate: 'c', privateKey: 'k', privateKeyPassphrase: 'p', ca: 'a' };
  const read = rememberedSecret(server.arn);
  server.content = JSON.stringify({ ...others, ...all });
  assert.deepEqual(await read(false), { ...one, cert: 'c', key: 'k', passphrase: 'p', ca: 'a' });
});

test('T143: a secret that lacks something is read again at the next login, though it is remembered', async () => {
  mock.timers.enable({ apis: ['Date'], now: start });
  const { login } = kafkaConfigFromEnv({
    KAFKA_BROKERS: 'b-1:9096',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SECRET_ARN: server.arn,
  });
  server.content = JSON.stringify({ username: 'me' });
  await assert.rejects(login.read(), {
    name: 'SecretError',
    message: 'the Kafka credentials have no password, which SCRAM-SHA-512 needs',
  });
  server.content = JSON.stringify(two);
  mock.timers.setTime(start + 1_000);
  assert.deepEqual(await login.read(), two);
});

for (const [reason, secret, message] of [
  [
    'a password without a mechanism',
    one,
    'the Kafka credentials have a password, and no mechanism for it: set KAFKA_SASL_MECHANISM',
  ],
  ['a certificate without TLS', { ca: 'x' }, 'the Kafka credentials have a certificate: set KAFKA_TLS=true'],
] as const)
  test(`${reason} would be ignored, so it is told`, async () => {
    server.content = JSON.stringify(secret);
    const { login } = kafkaConfigFromEnv({ KAFKA_BROKERS: 'b-1:9096', KAFKA_SECRET_ARN: server.arn });
    await assert.rejects(login.read(), { message });
  });
