/** TLS and logins against a real broker; K177, T086 and E33 of the campaign. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { inspectKafka } from '../../../functions/adapters/kafka/inspect.ts';
import { connectTopics, type KafkaTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { judgeReach } from '../../../functions/doctor/kafka.ts';
import { type SecureBroker, startSecureBroker } from '../../support/kafka/secure-broker.ts';

const dir = mkdtempSync(join(tmpdir(), 'kafka-login-'));
const passwordFile = join(dir, 'password');
let broker: SecureBroker;
before(async () => {
  broker = await startSecureBroker();
});
after(async () => {
  await broker?.stop();
  rmSync(dir, { recursive: true });
});

const login = (mechanism: string) => ({
  KAFKA_BROKERS: broker.address,
  KAFKA_TLS: 'true',
  KAFKA_CA_FILE: broker.caFile,
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: 'me',
  KAFKA_SASL_PASSWORD_FILE: passwordFile,
});

const look = async (topics: KafkaTopics): Promise<string> => {
  const seen = (await topics.observe([{ topicName: 't', configs: [] }], AbortSignal.timeout(30_000))).get('t');
  if (seen instanceof Failure) return `${seen.retryable ? 'retryable' : 'terminal'} ${seen.reason}: ${seen.message}`;
  return seen?.exists === false ? 'absent' : 'present';
};

async function once(env: Record<string, string | undefined>, password = 'right'): Promise<string> {
  writeFileSync(passwordFile, password);
  const topics = connectTopics(kafkaConfigFromEnv(env));
  try {
    return await look(topics);
  } finally {
    await topics.close();
  }
}

for (const mechanism of ['PLAIN', 'SCRAM-SHA-512']) {
  test(`${mechanism} over TLS lets us in`, async () => assert.equal(await once(login(mechanism)), 'absent'));

  test(`${mechanism}: a wrong password is said as such, and comes back as retryable`, async () =>
    assert.equal(
      await once(login(mechanism), 'wrong'),
      'retryable NotAuthenticated: Kafka does not accept our credentials or SASL mechanism',
    ));

  test(`${mechanism}: a password that was corrected is found without a restart`, async () => {
    writeFileSync(passwordFile, 'wrong');
    const topics = connectTopics(kafkaConfigFromEnv(login(mechanism)));
    assert.match(await look(topics), /NotAuthenticated/);
    writeFileSync(passwordFile, 'right');
    assert.equal(await look(topics), 'absent');
    await topics.close();
  });
}

test('a mechanism that the broker does not offer is said as such', async () =>
  assert.match(await once(login('SCRAM-SHA-256')), /^retryable NotAuthenticated/));

test('a password file that is gone is said as such', async () =>
  assert.equal(
    await once({ ...login('PLAIN'), KAFKA_SASL_PASSWORD_FILE: join(dir, 'gone') }),
    'retryable NotAuthenticated: the Kafka credentials cannot be read',
  ));

test('a certificate from an unknown authority is refused, whatever the environment says', async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    assert.match(
      await once({ ...login('PLAIN'), KAFKA_CA_FILE: undefined }),
      /^retryable BrokerUnavailable: TLS to Kafka fails: DEPTH_ZERO_SELF_SIGNED_CERT/,
    );
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
});

test('a certificate for another host is refused', async () =>
  assert.match(
    await once({ ...login('PLAIN'), KAFKA_BROKERS: `localhost:${broker.port}` }),
    /TLS to Kafka fails: ERR_TLS_CERT_ALTNAME_INVALID/,
  ));

test('plaintext to a TLS port is told apart from an outage', async () => {
  const said = await once({ KAFKA_BROKERS: broker.address });
  assert.match(said, /^retryable BrokerUnavailable: .*(KAFKA_TLS|check its TLS and SASL settings)/);
});

test('doctor names the login, and tells a refused one from trouble with TLS', async () => {
  const reach = async (env: Record<string, string | undefined>) => {
    const inspection = inspectKafka(kafkaConfigFromEnv(env));
    const outcome = await inspection.reach(broker.address, AbortSignal.timeout(30_000)).catch((error) => error);
    return judgeReach([{ address: broker.address, outcome }], inspection.login);
  };
  writeFileSync(passwordFile, 'right');
  const says = `${broker.address}: TLS, SCRAM-SHA-512 as me`;
  assert.deepEqual(await reach(login('SCRAM-SHA-512')), { verdict: 'ok', says });
  assert.match((await reach({ ...login('PLAIN'), KAFKA_CA_FILE: undefined })).mend ?? '', /KAFKA_CA_FILE/);
  writeFileSync(passwordFile, 'wrong');
  assert.match((await reach(login('PLAIN'))).mend ?? '', /KAFKA_SASL_USERNAME/);
});
