import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseTick } from '../../functions/core/request.ts';
import { mappingsOf, queueNames, readService } from '../../functions/runner/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'work.cjs'), '');
writeFileSync(
  join(folder, 'queues.yml'),
  'Resources:\n  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs, Count: 7}}\n',
);

const urls = new Map([['Jobs', 'http://127.0.0.1/jobs']]);

function mappings(yaml: string, env: NodeJS.ProcessEnv = {}) {
  const path = join(folder, 'serverless.yml');
  writeFileSync(path, yaml);
  return mappingsOf(readService(path, env), urls);
}

const environmentOf = (value: string, env: NodeJS.ProcessEnv = {}) =>
  mappings(
    `
functions:
  work:
    handler: work.run
    environment: {VALUE: ${value}}
    events: [{sqs: {arn: !GetAtt Jobs.Arn}}]`,
    env,
  )[0]?.environment.VALUE;

describe('serverless.yml', () => {
  test('a mapping has everything the file says', () => {
    const [mapping] = mappings(`
provider: {memorySize: 256, timeout: 9, environment: {A: 1, B: two}}
functions:
  work:
    handler: work.run
    timeout: 30
    environment: {B: own, QUEUE: {Ref: Jobs}}
    events:
      - sqs: {arn: {'Fn::GetAtt': [Jobs, Arn]}, batchSize: 5, maximumConcurrency: 3, functionResponseType: ReportBatchItemFailures}`);
    assert.deepEqual(mapping, {
      functionName: 'work',
      bundle: join(folder, 'work.cjs'),
      exportName: 'run',
      timeoutSeconds: 30,
      memoryMegabytes: 256,
      environment: { A: '1', B: 'own', QUEUE: 'http://127.0.0.1/jobs' },
      queueUrl: 'http://127.0.0.1/jobs',
      batchSize: 5,
      maximumConcurrency: 3,
      partialResponses: true,
    });
  });

  test('what it does not say is as on AWS', () => {
    const [mapping] = mappings(`
functions: {work: {handler: work.run, events: [{sqs: {arn: !GetAtt Jobs.Arn}}]}}`);
    assert.deepEqual(
      [mapping?.timeoutSeconds, mapping?.memoryMegabytes, mapping?.batchSize, mapping?.partialResponses],
      [6, 1024, 10, false],
    );
  });

  test('functions without a queue, and mappings that are switched off, are left out', () => {
    assert.deepEqual(
      mappings(`
functions:
  idle: {handler: nowhere.run}
  web: {handler: nowhere.run, events: [{httpApi: '*'}]}
  off: {handler: nowhere.run, events: [{sqs: {arn: !GetAtt Jobs.Arn, enabled: false}}]}`),
      [],
    );
  });

  for (const [reason, value, env, want] of [
    ['an environment variable', `'\${env:NAME}'`, { NAME: 'x' }, 'x'],
    ['the first one that is set', `'\${env:NAME, env:OTHER}'`, { OTHER: 'y' }, 'y'],
    ['one that is set but empty', `'\${env:NAME, env:OTHER}'`, { NAME: '', OTHER: 'y' }, ''],
    ['a default', `"\${env:NAME, 'fallback'}"`, {}, 'fallback'],
    ['an empty default', `"\${env:NAME, ''}"`, {}, ''],
    ['part of a text', `'http://\${env:NAME}/x'`, { NAME: 'host' }, 'http://host/x'],
    ['a value in another file', `'\${file(queues.yml):Resources.Jobs.Properties.Count}'`, {}, '7'],
  ] as const)
    test(`a variable may be ${reason}`, () => assert.equal(environmentOf(value, env), want));

  test('a parameter is the variable it is handed to, else its default', () => {
    const yaml = (Default: string) => `
functions: {work: {handler: work.run, environment: {VALUE: {Ref: Size}}, events: [{sqs: {arn: !GetAtt Jobs.Arn}}]}}
resources: [{Parameters: {Size: {Type: String${Default}}}}]`;
    const value = (text: string, env: NodeJS.ProcessEnv) => mappings(text, env)[0]?.environment.VALUE;
    assert.equal(value(yaml(', Default: 7'), {}), '7');
    assert.equal(value(yaml(', Default: 7'), { VALUE: '8' }), '8');
    assert.equal(value(yaml(', Default: 7'), { VALUE: '' }), '');
    assert.throws(() => value(yaml(''), { Size: '8' }), { message: 'VALUE is not set' });
  });

  test('what is said for the runner stands before the rest, and for one function before that for all', () => {
    const [mapping] = mappings(
      `
provider: {environment: {A: {Ref: Nowhere}, B: all}}
functions: {work: {handler: work.run, environment: {C: own, D: own}, events: [{sqs: {arn: !GetAtt Jobs.Arn}}]}}
custom: {runner: {environment: {A: '\${env:NAME}', C: here, D: here}, functions: {work: {D: mine}, other: {B: its}}}}`,
      { NAME: 'x' },
    );
    assert.deepEqual(mapping?.environment, { A: 'x', B: 'all', C: 'here', D: 'mine' });
  });

  for (const [reason, yaml, message] of [
    ['a variable without a value', `functions: \${env:NOWHERE}`, /NOWHERE.* has no value: set NOWHERE/],
    ['a kind of variable it does not know', `functions: \${ssm:x}`, /\$\{ssm:x\}: the runner knows env: and file\(\)/],
    [
      'a bundle that is not there',
      'functions: {f: {handler: gone.run, events: [{sqs: {arn: !GetAtt Jobs.Arn}}]}}',
      /function f: there is no .*gone.*build it first/,
    ],
    [
      'a queue it does not define',
      'functions: {f: {handler: work.run, events: [{sqs: {arn: !GetAtt Else.Arn}}]}}',
      /functions.f.events: names no queue/,
    ],
  ] as const)
    test(`${reason} is one clear line`, () => assert.throws(() => mappings(yaml), { message }));

  test('queues are found in all resources, also those in other files', () => {
    const path = join(folder, 'serverless.yml');
    writeFileSync(path, `resources:\n  - \${file(queues.yml)}\n  - Resources: {Topic: {Type: AWS::SNS::Topic}}\n`);
    assert.deepEqual([...queueNames(readService(path, {}))], [['Jobs', 'jobs']]);
  });
});

describe("this project's serverless.yml", () => {
  const path = join(import.meta.dirname, '..', '..', 'serverless.yml');
  const service = readService(path, {});
  const withBundles = mkdtempSync(join(tmpdir(), 'config-'));
  after(() => rmSync(withBundles, { recursive: true }));
  mkdirSync(join(withBundles, 'dist'));
  for (const name of ['reconcile', 'resync']) writeFileSync(join(withBundles, 'dist', `${name}.cjs`), '');

  const wherever = new Map([...queueNames(service)].map(([id, name]) => [id, `http://127.0.0.1/${name}`]));
  const mappings = (env: NodeJS.ProcessEnv) =>
    mappingsOf({ ...readService(path, { KAFKA_BROKERS: 'b:1', ...env }), folder: withBundles }, wherever);

  test('what is not set on this machine is as a deployment would have it, without TLS and login to brokers', () => {
    const [reconcile] = mappings({});
    const { KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, LOG_LEVEL } = reconcile?.environment ?? {};
    assert.deepEqual([KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, LOG_LEVEL], ['b:1', '', '', 'info']);
  });

  test('each function has its own kubeconfig where there is one', () => {
    const files = (env: NodeJS.ProcessEnv) => mappings(env).map(({ environment }) => environment.KUBECONFIG);
    assert.deepEqual(files({ KUBECONFIG: 'k', KUBECONFIG_RESYNC: 'r' }), ['k', 'r']);
    assert.deepEqual(files({}), ['', '']);
  });

  test('the schedule sends what the resync function reads, and is off where nobody asks for it', () => {
    const templates = service.document.resources as { Resources?: { TickSchedule?: { Properties: Schedule } } }[];
    const found = templates.find(({ Resources }) => Resources?.TickSchedule)?.Resources?.TickSchedule?.Properties;
    const parameters = Object.assign({}, ...templates.map((template) => Reflect.get(template, 'Parameters')));
    assert.equal(parameters[found?.State.Ref ?? ''].Default, 'DISABLED');
    const scheduled = found?.Target.Input.replace('<aws.scheduler.scheduled-time>', '2026-11-22T18:59:43Z') ?? '';
    assert.deepEqual(parseTick(scheduled), { v: 1, tick: 'schedule 2026-11-22T18:59:43Z' });
  });
});

type Schedule = { readonly State: { readonly Ref: string }; readonly Target: { readonly Input: string } };
