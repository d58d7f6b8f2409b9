/** Programs as processes, with an environment that is wrong in several ways: nothing else has to be there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const directory = mkdtempSync(join(tmpdir(), 'settings-'));
after(() => rmSync(directory, { recursive: true }));

const wrong = {
  KAFKA_BROKERS: 'b-1',
  KAFKA_TLS: 'yes',
  KAFKA_SASL_PASSWORD_FILE: 'canary\ncanary',
  LOG_LEVEL: 'loud',
  RESYNC_INTERVAL_SECONDS: '5m',
};

/** Runs a program of ours to its end. */
function ended(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stderr: string; stdout: string }>();
  const file = join(import.meta.dirname, '..', '..', 'functions', program);
  execFile(process.execPath, [file, ...args], { env: { HOME: directory, ...env } }, (error, stdout, stderr) =>
    resolve({ code: error?.code ?? 0, stdout, stderr }),
  );
  return promise;
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

describe('at start everything that is wrong is told at once, a line each, and it ends', () => {
  test('the forwarder', async () => {
    const { code, stderr } = await ended('forwarder.ts', [], wrong);
    const lines = linesOf(stderr).map((line) => JSON.parse(line) as { level: string; error: string });
    assert.deepEqual(
      lines.map(({ level, error }) => `${level} ${error}`),
      [
        'error RECONCILE_QUEUE_URL is not set: it has to be a URL, http:// or https://',
        'error TICK_QUEUE_URL is not set: it has to be a URL, http:// or https://',
        'error RESYNC_INTERVAL_SECONDS is "5m": it has to be a whole number from 1 to 86400',
        'error LOG_LEVEL is "loud": it has to be debug, info, warn or error',
      ],
    );
    assert.equal(code, 1);
  });

  test('the runner, for our functions before their first message', async () => {
    writeFileSync(join(directory, 'work.cjs'), '');
    const { LOG_LEVEL: _, ...environment } = wrong;
    const functions = {
      reconcile: {
        handler: 'work.handler',
        environment: { ...environment, RECONCILE_QUEUE_URL: { Ref: 'Work' }, MAX_RECEIVE_COUNT: 12 },
        events: [{ sqs: { arn: { 'Fn::GetAtt': ['Work', 'Arn'] } } }],
      },
    };
    const resources = { Resources: { Work: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'work.fifo' } } } };
    const service = join(directory, 'serverless.yml');
    writeFileSync(service, JSON.stringify({ functions, resources }));
    const { code, stderr } = await ended('runner.ts', [service, '--queue', 'Work=http://127.0.0.1:1/work.fifo'], {});
    assert.deepEqual(linesOf(stderr), [
      'runner: KAFKA_BROKERS is "b-1": it has to be host:port of the brokers, separated by commas, as in b-1:9092,b-2:9092',
      'runner: KAFKA_TLS is "yes": it has to be true or false',
      'runner: KAFKA_SASL_PASSWORD_FILE is something else (not shown, it may be a secret): it has to be the path of a file',
    ]);
    assert.equal(code, 1);
  });
});

test('a name that looks like a setting is a warning with the name that is meant, and nothing of its value', async () => {
  const kubeconfig = join(directory, 'none');
  const queue = 'http://127.0.0.1:1/q.fifo';
  const { stderr } = await ended('forwarder.ts', [], {
    RECONCILE_QUEUE_URL: queue,
    TICK_QUEUE_URL: queue,
    KUBECONFIG: kubeconfig,
    RESYNC_INTERVAL: 'canary',
  });
  const [{ level, event, variable, meant } = {}] = linesOf(stderr).map((line) => JSON.parse(line));
  assert.deepEqual(
    [level, event, variable, meant],
    ['warn', 'setting-unknown', 'RESYNC_INTERVAL', 'RESYNC_INTERVAL_SECONDS'],
  );
  assert.doesNotMatch(stderr, /canary/);
});
