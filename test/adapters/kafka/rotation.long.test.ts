/** Credentials that are replaced under way, against a real broker. Its logins with SCRAM are good for two seconds. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type KafkaConfig, kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { type MskJudge, startMskJudge } from '../../support/aws/msk-judge.ts';
import { type SecretServer, startSecretServer } from '../../support/aws/secrets-manager.ts';
import { type Certified, selfSigned } from '../../support/certificates.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import { type SecureBroker, startSecureBroker } from '../../support/kafka/secure-broker.ts';

const role = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a+secret/of=ours', sessionToken: 'a/session+token==' };
const sessionMs = 2_000;
const dir = mkdtempSync(join(tmpdir(), 'rotation-'));
const [known, unknown] = [selfSigned('topicsmith', 'open'), selfSigned('topicsmith', 'open')];
let judge: MskJudge;
let secret: SecretServer;
let broker: SecureBroker;

before(async () => {
  judge = await startMskJudge(role);
  secret = await startSecretServer({});
  broker = await startSecureBroker({
    settings: [`listener.name.secure.scram-sha-512.connections.max.reauth.ms=${sessionMs}`],
    trusted: known.cert,
    judge: judge.url,
  });
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secret.endpoint;
});
after(async () => {
  await broker?.stop();
  judge?.close();
  secret?.close();
  rmSync(dir, { recursive: true });
});
beforeEach(() => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: role.accessKeyId,
    AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
    AWS_SESSION_TOKEN: role.sessionToken,
  });
});

const tls = () => ({ KAFKA_BROKERS: broker.address, KAFKA_TLS: 'true', KAFKA_CA_FILE: broker.caFile });
const iam = () => ({ ...tls(), KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', AWS_REGION: 'eu-central-1' });
const bySecret = () => ({ ...tls(), KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SECRET_ARN: secret.arn });
const certified = () => ({ ...tls(), KAFKA_BROKERS: broker.certified, KAFKA_SECRET_ARN: secret.arn });

async function look(topics: KafkaTopics): Promise<string> {
  const seen = (await topics.observe([{ topicName: 't', configs: [] }], AbortSignal.timeout(30_000))).get('t');
  if (seen instanceof Failure) return `${seen.retryable ? 'retryable' : 'terminal'} ${seen.reason}: ${seen.message}`;
  return seen?.exists === false ? 'absent' : 'present';
}

const fieldsOf = ({ cert, key }: Certified) => ({
  certificate: cert,
  privateKey: key,
  privateKeyPassphrase: 'open',
});
const named = (name: string, message: string) => Object.assign(new Error(message), { name });

/** `logins` says how often credentials were looked for. */
async function withTopics(
  env: NodeJS.ProcessEnv,
  work: (look: () => Promise<string>, logins: () => number) => Promise<void>,
): Promise<void> {
  let logins = 0;
  const { login, ...rest } = kafkaConfigFromEnv(env);
  const read = () => {
    logins++;
    return login.read();
  };
  const config: KafkaConfig = { ...rest, login: { ...login, read } };
  const topics = connectTopics(config);
  try {
    await work(
      () => look(topics),
      () => logins,
    );
  } finally {
    await topics.close();
  }
}

/** Looks at least once, and never fails, until a condition holds. */
async function looksUntil(look: () => Promise<string>, done: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  do {
    assert.equal(await look(), 'absent');
    assert.ok(Date.now() < end, 'it never came to that');
  } while (!done());
}

const refused = 'retryable NotAuthenticated: Kafka does not accept our credentials or SASL mechanism';

describe('MSK IAM', () => {
  test('a token of ours lets us in', () =>
    withTopics(iam(), async (look) => {
      const before = judge.accepted.length;
      assert.equal(await look(), 'absent');
      assert.equal(judge.accepted.length, before + 1);
    }));

  for (const [reason, change, complaint] of [
    ['a secret that is not ours', { AWS_SECRET_ACCESS_KEY: 'guessed' }, /^the signature does not match$/],
    ['a key that nobody knows', { AWS_ACCESS_KEY_ID: 'ASIASTRANGER' }, /^unknown access key/],
  ] as const)
    test(`${reason} does not`, () => {
      Object.assign(process.env, change);
      return withTopics(iam(), async (look) => {
        assert.equal(await look(), refused);
        assert.match(judge.complaints.at(-1) ?? '', complaint);
      });
    });

  test('no credentials at all are told as such', async () => {
    const before = process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: '', AWS_PROFILE: 'nobody', AWS_EC2_METADATA_DISABLED: 'true' });
    try {
      await withTopics(iam(), async (look) =>
        assert.match(
          await look(),
          /^retryable NotAuthenticated: no AWS credentials found: give this process a role, or /,
        ),
      );
    } finally {
      delete process.env.AWS_PROFILE;
      process.env.AWS_ACCESS_KEY_ID = before;
    }
  });

  test('T143: a connection gives way before its token ends, with a new one and no failure', async () => {
    judge.lifetimeMs = sessionMs;
    const before = judge.accepted.length;
    await withTopics(iam(), (look) => looksUntil(look, () => judge.accepted.length >= before + 3));
    judge.lifetimeMs = 900_000;
    assert.equal(new Set(judge.accepted.slice(before)).size, judge.accepted.length - before);
  });
});

/** As Kubernetes replaces a Secret that is mounted: a link to another directory. */
function mount(name: string, password: string): void {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'password'), password);
  symlinkSync(join(dir, name), join(dir, 'aside'));
  renameSync(join(dir, 'aside'), join(dir, 'mounted'));
}

/** Looks until the broker has ended what is open and refuses what we have. */
async function refusedAtLast(look: () => Promise<string>): Promise<void> {
  for (const end = Date.now() + 30_000; ; ) {
    const answer = await look();
    if (answer === refused) return;
    assert.equal(answer, 'absent');
    assert.ok(Date.now() < end, 'it was never refused');
  }
}

describe('a password in a file', () => {
  const env = () => ({
    ...tls(),
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD_FILE: join(dir, 'mounted', 'password'),
  });

  test('T143: that was replaced is that of the next connection; no look fails', async () => {
    mount('one', 'right');
    await withTopics(env(), async (look, logins) => {
      await looksUntil(look, () => logins() > 1);
      await broker.setPassword('second');
      mount('two', 'second');
      const before = logins();
      await looksUntil(look, () => logins() > before);
    });
  });

  test('T143: that is replaced too late is found by the first look after that', () =>
    withTopics(env(), async (look) => {
      assert.equal(await look(), 'absent');
      await broker.setPassword('right');
      await refusedAtLast(look);
      mount('three', 'right');
      assert.equal(await look(), 'absent');
    }));
});

describe('a secret of Secrets Manager', () => {
  beforeEach(() => {
    secret.content = JSON.stringify({ username: 'me', password: 'right', engine: 'kafka' });
  });

  test('is read once for many connections', () =>
    withTopics(bySecret(), async (look, logins) => {
      const before = secret.reads();
      await looksUntil(look, () => logins() > 2);
      assert.equal(secret.reads(), before + 1);
    }));

  test('T143: that was replaced together with the password costs one more login, and no look', () =>
    withTopics(bySecret(), async (look) => {
      await looksUntil(look, () => true);
      const before = secret.reads();
      await broker.setPassword('second');
      secret.content = JSON.stringify({ username: 'me', password: 'second' });
      await looksUntil(look, () => secret.reads() > before);
      await looksUntil(look, () => true);
      assert.equal(secret.reads(), before + 1);
    }));

  test('T143: that is replaced after the password fails looks until then, each with one reading', () =>
    withTopics(bySecret(), async (look) => {
      secret.content = JSON.stringify({ username: 'me', password: 'second' });
      assert.equal(await look(), 'absent');
      await broker.setPassword('right');
      const before = secret.reads();
      await refusedAtLast(look);
      assert.equal(secret.reads(), before + 1);
      secret.content = JSON.stringify({ username: 'me', password: 'right' });
      await eventually(async () => assert.equal(await look(), 'absent'));
    }));

  test('T143: with a certificate that the broker does not know is read again, and another one is found', () =>
    withTopics(certified(), async (look) => {
      secret.content = JSON.stringify(fieldsOf(unknown));
      assert.match(await look(), /^retryable BrokerUnavailable: (TLS to Kafka fails|Kafka closed the connection)/);
      secret.content = JSON.stringify(fieldsOf(known));
      await eventually(async () => assert.equal(await look(), 'absent'));
    }));

  test('may bring the authority of the brokers', () => {
    secret.content = JSON.stringify({ ...fieldsOf(known), ca: readFileSync(broker.caFile, 'utf8') });
    return withTopics({ ...certified(), KAFKA_CA_FILE: '' }, async (look) => assert.equal(await look(), 'absent'));
  });

  const canary = 'canary-9b1f';
  for (const [reason, content, message] of [
    ['is not JSON', canary, 'it must be a JSON object with some of username, password, certificate, '],
    ['is a text', JSON.stringify(canary), 'it must be a JSON object with some of '],
    ['is a list', JSON.stringify([canary]), 'it must be a JSON object with some of '],
    ['is empty', '', 'it must be a JSON object with some of '],
    ['has no password', JSON.stringify({ username: canary }), 'have no password, which SCRAM-SHA-512 needs'],
    ['has an empty password', JSON.stringify({ username: canary, password: '' }), '"password" must be text, and not'],
    [
      'has a number for a password',
      JSON.stringify({ username: canary, password: 1 }),
      '"password" must be text, and not',
    ],
    [
      'has half a certificate',
      JSON.stringify({ username: canary, password: canary, certificate: known.cert }),
      'have a certificate or its key, but not both',
    ],
    [
      'has something else for an authority',
      JSON.stringify({ username: canary, password: canary, ca: canary }),
      'have a certificate or key that is not PEM',
    ],
    [
      'has the key of another certificate',
      JSON.stringify({ username: canary, password: canary, ...fieldsOf(known), privateKey: unknown.key }),
      'do not fit together (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
    ],
    [
      'has another passphrase',
      JSON.stringify({ username: canary, password: canary, ...fieldsOf(known), privateKeyPassphrase: canary }),
      'do not fit together (ERR_OSSL_',
    ],
    [
      'may not be read',
      named('AccessDeniedException', canary),
      'Secrets Manager refuses: AccessDeniedException; secretsmanager:GetSecretValue and kms:Decrypt are needed',
    ],
    ['is gone', named('ResourceNotFoundException', canary), 'Secrets Manager refuses: ResourceNotFoundException'],
  ] as const)
    test(`T136: that ${reason} is one line that says so, and nothing of it`, () =>
      withTopics(bySecret(), async (look) => {
        secret.content = content;
        const answer = await look();
        assert.ok(answer.startsWith('retryable NotAuthenticated: ') && answer.includes(message), answer);
        assert.doesNotMatch(answer, new RegExp(canary));
      }));

  test('is asked for over TLS only', async () => {
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = 'http://secrets.example.com';
    await withTopics(bySecret(), async (look) => assert.match(await look(), /cannot be asked: PlainHttpRefused$/));
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = 'http://127.0.0.1:9';
    await withTopics(bySecret(), async (look) => assert.match(await look(), /cannot be asked: ECONNREFUSED$/));
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = secret.endpoint;
  });
});
