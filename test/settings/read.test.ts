import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultApprovals } from '../../functions/core/installation.ts';
import { type Env, readSettings, SettingsError, settingsIn } from '../../functions/settings/read.ts';
import { type Name, names, type Reader, settings } from '../../functions/settings/table.ts';

const queues = { RECONCILE_QUEUE_URL: 'https://sqs/1/reconcile.fifo', TICK_QUEUE_URL: 'https://sqs/1/ticks.fifo' };
const worker = { ...queues, KAFKA_BROKERS: 'b-1:9092', MAX_RECEIVE_COUNT: '12' };

/** What is wrong with one variable, for somebody who reads it. */
const problemsOf = (name: Name, text: string): readonly string[] =>
  settingsIn({ [name]: text }, settings[name].readers[0], [name]).problems;

describe('what holds where nothing is set', () => {
  test('two queues are enough for the forwarder: all objects, a tick every five minutes, a free port of this machine', () => {
    const { WATCH_LABEL_SELECTOR, ...rest } = readSettings(queues, 'forwarder');
    assert.equal(WATCH_LABEL_SELECTOR(new Map()), true);
    assert.deepEqual(rest, {
      ...queues,
      KUBECONFIG: undefined,
      EKS_CLUSTER_NAME: undefined,
      KUBE_API_SERVER: undefined,
      KUBE_CA_DATA: undefined,
      WATCH_NAMESPACES: [],
      SQS_ENDPOINT: undefined,
      SQS_CA_FILE: undefined,
      SQS_ALLOW_HTTP: false,
      AWS_REGION: undefined,
      RESYNC_INTERVAL_SECONDS: 300,
      LOG_LEVEL: 'info',
      METRICS_HOST: '127.0.0.1',
      METRICS_PORT: undefined,
    });
  });

  test('a function takes any cluster, plaintext and the usual approvals', () => {
    const { KAFKA_CLUSTER_ID, KAFKA_TLS, KAFKA_CLIENT_ID, APPROVAL_REQUIRED, METRICS_NAMESPACE, MAX_RECEIVE_COUNT } =
      readSettings(worker, 'resync');
    assert.deepEqual(
      [KAFKA_CLUSTER_ID, KAFKA_TLS, KAFKA_CLIENT_ID, APPROVAL_REQUIRED, METRICS_NAMESPACE, MAX_RECEIVE_COUNT],
      [undefined, false, 'topicsmith', defaultApprovals, 'Topicsmith', 12],
    );
  });

  test('a variable that is empty is not set, as serverless.yml and Helm pass what nobody chose', () => {
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    const plain = (env: Env) => JSON.stringify(readSettings(env, 'reconcile'));
    assert.equal(plain({ ...empty, ...worker }), plain(worker));
  });
});

describe('what is set', () => {
  const values = readSettings(
    {
      ...worker,
      KAFKA_BROKERS: ' b-1:9092, [::1]:9093 ,',
      WATCH_NAMESPACES: 'b, a,,b ',
      WATCH_LABEL_SELECTOR: 'team=a',
      APPROVAL_REQUIRED: 'ReduceReplicas, TakeOver',
      REASSIGNMENT_BYTES_PER_SECOND: '1000000',
      KAFKA_TLS: 'true',
    },
    'reconcile',
  );

  test('lists are comma lists; what stands twice is there once', () => {
    assert.deepEqual(values.KAFKA_BROKERS, ['b-1:9092', '[::1]:9093']);
    assert.deepEqual(values.WATCH_NAMESPACES, ['b', 'a']);
    assert.deepEqual([...values.APPROVAL_REQUIRED], ['ReduceReplicas', 'TakeOver']);
    assert.equal(readSettings({ APPROVAL_REQUIRED: 'none' }, 'cli', ['APPROVAL_REQUIRED']).APPROVAL_REQUIRED.size, 0);
  });

  test('numbers are numbers, switches are switches, a selector selects', () => {
    assert.deepEqual([values.REASSIGNMENT_BYTES_PER_SECOND, values.KAFKA_TLS], [1_000_000, true]);
    const selects = values.WATCH_LABEL_SELECTOR;
    assert.deepEqual([selects(new Map([['team', 'a']])), selects(new Map())], [true, false]);
  });
});

describe('what is wrong', () => {
  test('everything is told at once, a line each', () => {
    const env = { ...worker, KAFKA_BROKERS: '', MAX_RECEIVE_COUNT: '0', KAFKA_TLS: 'yes', LOG_LEVEL: 'loud' };
    const { problems } = settingsIn({ ...env, KAFKA_SASL_USERNAME: 'me' }, 'reconcile');
    assert.deepEqual(
      problems.map((line) => line.split(':')[0]),
      [
        'KAFKA_BROKERS is not set',
        'KAFKA_TLS is "yes"',
        'MAX_RECEIVE_COUNT is "0"',
        'LOG_LEVEL is "loud"',
        'KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM',
      ],
    );
    assert.throws(() => readSettings(env, 'reconcile'), SettingsError);
  });

  test('what a reader does not read is not its business', () => {
    assert.deepEqual(settingsIn({ ...queues, MAX_RECEIVE_COUNT: 'x', KAFKA_TLS: 'x' }, 'forwarder').problems, []);
    assert.deepEqual(settingsIn({ TICK_QUEUE_URL: 'x', METRICS_PORT: '' }, 'cli', ['METRICS_PORT']).problems, []);
  });

  const required: readonly (readonly [Reader, readonly Name[]])[] = [
    ['forwarder', ['RECONCILE_QUEUE_URL', 'TICK_QUEUE_URL']],
    ['reconcile', ['KAFKA_BROKERS', 'RECONCILE_QUEUE_URL', 'MAX_RECEIVE_COUNT']],
    ['resync', ['KAFKA_BROKERS', 'RECONCILE_QUEUE_URL', 'TICK_QUEUE_URL', 'MAX_RECEIVE_COUNT']],
    ['runner', []],
  ];
  for (const [reader, missing] of required)
    test(`${reader} misses ${missing.join(', ') || 'nothing'} where nothing is set`, () => {
      const lines = settingsIn({}, reader).problems;
      assert.deepEqual(
        lines.map((line) => line.split(' is not set: it has to be ')[0]),
        missing,
      );
    });

  /** Texts that are wrong, for each variable that does not take any line. */
  const wrong: Readonly<Partial<Record<Name, fc.Arbitrary<string>>>> = {
    WATCH_NAMESPACES: fc.constantFrom('Shop', 'a,-b', 'a b', 'a.b', '../etc', 'x'.repeat(64)),
    WATCH_LABEL_SELECTOR: fc.constantFrom('a b', 'team in a', 'a=b=c', ',', '!'),
    KAFKA_BROKERS: fc.oneof(
      fc.domain().map((host) => `b-1:9092,${host}`),
      fc.tuple(fc.domain(), fc.integer({ min: 65_536, max: 99_999 })).map(([host, port]) => `${host}:${port}`),
      fc.constantFrom('b:0', ' , ', 'kafka://b:9092', 'me:word@b:9092', '::1:9092'),
    ),
    KAFKA_TLS: fc.constantFrom('yes', '1', 'TRUE', ' true', 'false '),
    KAFKA_SASL_MECHANISM: fc.constantFrom('GSSAPI', 'plain', 'SCRAM-SHA-1', 'constructor'),
    RECONCILE_QUEUE_URL: badUrls(),
    RECONCILE_DLQ_URL: badUrls(),
    TICK_QUEUE_URL: badUrls(),
    TICK_DLQ_URL: badUrls(),
    SQS_ENDPOINT: badUrls(),
    SQS_ALLOW_HTTP: fc.constantFrom('yes', '1', 'TRUE', ' true'),
    MAX_RECEIVE_COUNT: badNumbers(1),
    APPROVAL_REQUIRED: fc.constantFrom('Shrink', 'TakeOver,Shrink', 'takeover', 'none,TakeOver', 'constructor'),
    REASSIGNMENT_BYTES_PER_SECOND: badNumbers(1),
    RESYNC_INTERVAL_SECONDS: badNumbers(1, 86_400),
    LOG_LEVEL: fc.constantFrom('loud', 'INFO', 'warning', 'toString'),
    METRICS_NAMESPACE: fc.constantFrom('AWS/Lambda', 'my figures', 'ü', 'x'.repeat(256)),
    METRICS_HOST: fc.constantFrom('a b', 'http://h', 'h/', '<h>'),
    METRICS_PORT: fc.oneof(badNumbers(0, 65_535), fc.constant('tcp://10.0.0.1:8080')),
    FORWARDER_URL: fc.constantFrom('here', 'forwarder:8080', 'ftp://h/', 'file:///etc/passwd'),
  };
  for (const name of names)
    test(`${name}: a wrong value is refused in one line with the name and what it has to be`, () => {
      const severalLines = fc.string({ minLength: 1 }).map((text) => `${text}\nx\x1b[2J`);
      fc.assert(
        fc.property(fc.oneof(severalLines, wrong[name] ?? severalLines), (text) => {
          const [line = '', ...others] = problemsOf(name, text);
          assert.deepEqual(others, []);
          assert.ok(
            line.startsWith(`${name} `) && line.endsWith(`: it has to be ${settings[name].kind.expects}`),
            line,
          );
          assert.doesNotMatch(line, /\p{Cc}/u);
          assert.ok(line.length < 200 + settings[name].kind.expects.length, line);
        }),
      );
    });

  test('the part of a list that is wrong is the one that is shown', () => {
    assert.match(problemsOf('KAFKA_BROKERS', 'b-1:9092,b-2')[0] ?? '', /^KAFKA_BROKERS has "b-2": /);
    assert.match(problemsOf('APPROVAL_REQUIRED', 'TakeOver,Shrink')[0] ?? '', /^APPROVAL_REQUIRED has "Shrink": /);
  });
});

describe('secrets', () => {
  test('the value of a variable that leads to a secret is not shown: it may be the secret', () => {
    const secret = names.filter((name) => 'secret' in settings[name]);
    assert.deepEqual(
      secret,
      names.filter((name) => /_FILE(_RESYNC)?$|^KUBECONFIG/.test(name)),
    );
    for (const name of secret) assert.doesNotMatch(problemsOf(name, 'canary\ncanary').join(), /canary/);
  });

  test('a login in an address is not shown', () => {
    for (const [name, text] of [
      ['FORWARDER_URL', 'ftp://canary:canary@host/'],
      ['SQS_ENDPOINT', 'ftp://canary:canary@sqs.example.com/'],
      ['KAFKA_BROKERS', 'canary:canary@b-1:9092'],
    ] as const) {
      const [line = ''] = problemsOf(name, text);
      assert.match(line, new RegExp(`^${name} is ".*\\*\\*\\*@`));
      assert.doesNotMatch(line, /canary/);
    }
  });
});

function badUrls(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('localhost', 'localhost:9324', 'ftp://localhost/'),
    fc.domain().map((host) => `ftp://${host}/q`),
  );
}

function badNumbers(least: number, most = Number.MAX_SAFE_INTEGER): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('5m', '1e3', '0x10', ' 5', '-1', '1.5', 'NaN', 'Infinity', String(BigInt(most) + 1n)),
    fc.constant(String(least - 1)),
    fc.string({ minLength: 1 }).filter((text) => !/^\d+$/.test(text)),
  );
}
