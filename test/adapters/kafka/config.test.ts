import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { type Certified, selfSigned } from '../../support/certificates.ts';

const dir = mkdtempSync(join(tmpdir(), 'kafka-config-'));
after(() => rmSync(dir, { recursive: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};
const pem = (name: string) => file(name, `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`);
const brokers = { KAFKA_BROKERS: 'b-1:9092' };

const one = selfSigned('one');
const other = selfSigned('other');

test('brokers alone are enough: plaintext, no login', async () => {
  const { login, ...config } = kafkaConfigFromEnv({ KAFKA_BROKERS: ' b-1:9092, [::1]:9093 ,' });
  assert.deepEqual(config, {
    brokers: ['b-1:9092', '[::1]:9093'],
    clientId: 'topicsmith',
    tls: false,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
  });
  assert.deepEqual(await login.read(), {});
});

test('T143: certificates are read anew each time', async () => {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => join(dir, name)) as [string, string, string];
  const replace = (authority: string, own: Certified) => {
    writeFileSync(ca, authority);
    writeFileSync(cert, own.cert);
    writeFileSync(key, own.key);
  };
  replace(one.cert, one);
  const { tls, login } = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_TLS: 'true',
    KAFKA_CA_FILE: ca,
    KAFKA_CERT_FILE: cert,
    KAFKA_KEY_FILE: key,
  });
  assert.equal(tls, true);
  const pems = async () => Object.values(await login.read()).map((pem) => `${pem}\n`);
  assert.deepEqual(await pems(), [one.cert, one.cert, one.key]);
  replace(one.cert, other);
  assert.deepEqual(await pems(), [one.cert, other.cert, other.key]);
  writeFileSync(cert, one.cert);
  await assert.rejects(login.read(), {
    name: 'SecretError',
    message: 'certificate, key and passphrase for Kafka do not fit together (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
  });
});

test('T143: a password is read anew each time, without its line break', async () => {
  const passwordFile = file('password', 'one\n');
  const { username, login } = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD_FILE: passwordFile,
  });
  assert.equal(username, 'me');
  assert.deepEqual(await login.read(), { username: 'me', password: 'one' });
  writeFileSync(passwordFile, 'two');
  assert.deepEqual(await login.read(), { username: 'me', password: 'two' });
  writeFileSync(passwordFile, '\n');
  await assert.rejects(login.read(), /^SecretError: the Kafka credentials have no password, which SCRAM-SHA-512 needs/);
  rmSync(passwordFile);
  await assert.rejects(login.read(), /^SecretError: the Kafka credentials cannot be read$/);
});

test('T143: a token is read anew each time', async () => {
  const tokenFile = file('token', 'a.b.c\n');
  const { login } = kafkaConfigFromEnv({
    ...brokers,
    KAFKA_TLS: 'true',
    KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    KAFKA_SASL_TOKEN_FILE: tokenFile,
  });
  assert.deepEqual(await login.read(), { token: 'a.b.c' });
  writeFileSync(tokenFile, 'd.e.f');
  assert.deepEqual(await login.read(), { token: 'd.e.f' });
});

const iam = { ...brokers, KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', AWS_REGION: 'eu-central-1' };

test('T143: a token of IAM is signed anew each time, by the credentials of then', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAONE', AWS_SECRET_ACCESS_KEY: 'one' });
  const { login } = kafkaConfigFromEnv(iam);
  const signer = async () => {
    const { token = '', ...rest } = await login.read();
    assert.deepEqual(rest, {});
    return new URL(Buffer.from(token, 'base64url').toString()).searchParams.get('X-Amz-Credential')?.split('/')[0];
  };
  assert.equal(await signer(), 'AKIAONE');
  process.env.AWS_ACCESS_KEY_ID = 'AKIATWO';
  assert.equal(await signer(), 'AKIATWO');
});

const secrets = {
  PLAIN: { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD_FILE: '/secret' },
  OAUTHBEARER: { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_SASL_TOKEN_FILE: '/secret' },
};

for (const [mechanism, secret] of Object.entries(secrets))
  test(`${mechanism} is for TLS, or for this machine`, () => {
    const here = { KAFKA_BROKERS: 'localhost:9092,127.0.0.1:9093,[::1]:9094' };
    for (const env of [{ ...brokers, KAFKA_TLS: 'true' }, here])
      assert.equal(kafkaConfigFromEnv({ ...env, ...secret }).mechanism, mechanism);
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
    /^KAFKA_SASL_MECHANISM is "GSSAPI": it has to be PLAIN, .* or AWS_MSK_IAM$/,
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
