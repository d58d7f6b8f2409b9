/**
 * The whole system with secrets that can be told from everything else, through good and bad times. Afterwards nothing that
 * it has written down anywhere has one of them in it, in any spelling.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parse } from 'yaml';
import { runnerPart } from '../../infra/local/functions.ts';
import type { Part } from '../../infra/local/part.ts';
import { signalGroup } from '../../infra/local/process.ts';
import type { System } from '../../infra/local/system.ts';
import { authority } from '../support/certificates.ts';
import { topicsmith } from '../support/e2e/cli.ts';
import { conditionOf, Kubectl } from '../support/e2e/kubectl.ts';
import { Queues } from '../support/e2e/queues.ts';
import { scratchDirectory, startParts } from '../support/e2e/world.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka/secure-broker.ts';

const password = 'canaryPassword4711';
const wrongPassword = 'canaryWrong4711';
const secretKey = 'canarySecretKey4711';
const sessionToken = 'canarySessionToken4711';
const annotation = 'canaryAnnotation4711';
const inMessage = 'canaryMessage4711';

const dir = scratchDirectory();
const passwordFile = join(dir, 'password');
const ourCertificate = authority().issue();

let kafka: SecureBroker;
let system: System;
let runner: Part;
let user: Kubectl;
let admin: Kubectl;
let queues: Queues;
const printed: string[] = [];
const bodies: string[] = [];

before(async () => {
  writeFileSync(passwordFile, password);
  writeFileSync(join(dir, 'own.crt'), ourCertificate.cert);
  writeFileSync(join(dir, 'own.key'), ourCertificate.key);
  kafka = await startSecureBroker({ password });
  const parts = join(dir, 'parts');
  mkdirSync(parts);
  const secrets = { AWS_SESSION_TOKEN: sessionToken, LOG_LEVEL: 'debug' };
  system = await startParts(parts, ['apiserver', 'elasticmq', 'forwarder'], secrets);
  runner = runnerPart({ dir: parts }, environment());
  process.once('exit', () => runner.pid !== undefined && signalGroup(runner.pid, 'SIGKILL'));
  await runner.start();
  user = new Kubectl(kubeconfigs()['tenant-a']);
  admin = new Kubectl(kubeconfigs().admin);
  queues = new Queues(system.exports);
  await user.canApply();
});
after(async () => {
  for (const client of [user, admin, queues]) client?.close();
  await runner?.stop();
  await system?.stop();
  await kafka?.stop();
  rmSync(dir, { recursive: true, force: true });
});

function kubeconfigs() {
  if (system.apiServer === undefined) throw new Error('the system has no API server');
  return system.apiServer.kubeconfigs;
}

/** Of functions and command line: every secret that they can be given. */
const environment = () => ({
  PATH: process.env.PATH,
  HOME: dir,
  ...system.exports,
  KUBECONFIG_RECONCILER: kubeconfigs().reconciler,
  KUBECONFIG_RESYNC: kubeconfigs().resync,
  KAFKA_BROKERS: kafka.address,
  KAFKA_CLUSTER_ID: kafka.clusterId,
  KAFKA_TLS: 'true',
  KAFKA_CA_FILE: kafka.caFile,
  KAFKA_CERT_FILE: join(dir, 'own.crt'),
  KAFKA_KEY_FILE: join(dir, 'own.key'),
  KAFKA_SASL_MECHANISM: 'PLAIN',
  KAFKA_SASL_USERNAME: 'me',
  KAFKA_SASL_PASSWORD_FILE: passwordFile,
  AWS_SECRET_ACCESS_KEY: secretKey,
  AWS_SESSION_TOKEN: sessionToken,
  LOG_LEVEL: 'debug',
});

test('T136: with these secrets the system works', async () => {
  await user.apply('canary', { numPartitions: 1 }, { 'example.org/note': annotation });
  await user.ready('canary');
});

test('T136: it says what is wrong with a config, a message and a password', async () => {
  await user.apply('refused', { config: { 'no.such.key': 1 } }, { 'example.org/note': annotation });
  await user.says('refused', 'InvalidConfig');
  await queues.request(`{"v":1,"password":"${inMessage}"`);
  await queues.deadLetters(1);
  writeFileSync(passwordFile, wrongPassword);
  await runner.stop();
  await runner.start();
  await user.apply('canary', { numPartitions: 2 }, { 'example.org/note': annotation });
  await user.says('canary', 'NotAuthenticated');
  writeFileSync(passwordFile, password);
  await user.ready('canary');
  await queues.drained();
});

test('T136: the command line shows all of it', async () => {
  for (const args of [['status'], ['plan', '-o', 'json'], ['drift'], ['doctor'], ['dlq', 'list'], ['import']]) {
    const { out, err } = await topicsmith(environment() as Readonly<Record<string, string>>, dir, ...args);
    assert.notEqual(out + err, '');
    printed.push(out, err);
  }
});

test('T136: its processes die', async () => {
  await runner.stop();
  writeFileSync(kubeconfigs().forwarder, `${readFileSync(kubeconfigs().forwarder, 'utf8')}   broken: {`);
  const forwarder = system.parts.get('forwarder');
  await forwarder?.stop();
  await assert.rejects(async () => forwarder?.start(), /not YAML/);
});

test('T136: messages that wait for the functions are names', async () => {
  const { SQS_ENDPOINT = '', AWS_REGION = '', RECONCILE_QUEUE_URL: QueueUrl } = system.exports;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const sqs = new SQSClient({ endpoint: SQS_ENDPOINT, region: AWS_REGION, credentials });
  await user.apply('waits', { numPartitions: 1 }, { 'example.org/note': annotation });
  const resync = await topicsmith(environment() as Readonly<Record<string, string>>, dir, 'reconcile', 'waits');
  assert.equal(resync.code, 0, resync.err);
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  bodies.push(...Messages.map(({ Body = '' }) => Body));
  sqs.destroy();
  assert.equal(bodies.length, 1);
});

/** Every secret as it is, and as encodings would have it. */
function spellings(): readonly string[] {
  const tokens = Object.values(kubeconfigs()).map((file) => {
    const { users } = parse(readFileSync(file, 'utf8').replace(/^ {3}broken: \{$/m, ''));
    return String(users[0].user.token);
  });
  const keyLines = ourCertificate.key.split('\n').filter((line) => line.length > 40);
  const secrets = [password, wrongPassword, secretKey, sessionToken, annotation, inMessage, ...tokens, ...keyLines];
  return secrets.flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('hex'),
    // wherever it begins in what was encoded, all but its ends reads the same
    ...[0, 1, 2].map((shift) =>
      Buffer.from('\0'.repeat(shift) + secret)
        .toString('base64')
        .slice(4, -4),
    ),
  ]);
}

/** Everything that the product has written down, by where. */
async function writings(): Promise<ReadonlyMap<string, string>> {
  const log = (name: string) => readFileSync(join(dir, 'parts', 'logs', `${name}.log`), 'utf8');
  const audited = readFileSync(system.apiServer?.auditLog ?? '', 'utf8')
    .split('\n')
    .filter((line) => line.includes('"username":"topicsmith-') && !line.includes('"username":"topicsmith-admin"'));
  const objects = await user.list();
  const events = await admin.call('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
  return new Map([
    ['log of the forwarder', log('forwarder')],
    ['log and figures of the functions', log('runner')],
    ['requests to the API server', audited.join('\n')],
    ['statuses', JSON.stringify(objects.map(({ status }) => status))],
    ['Events', JSON.stringify(events)],
    ['command line', printed.join('')],
    ['messages', bodies.join('\n')],
  ]);
}

test('T136: and no secret is in a log, a status, an Event, a figure, a message or on a terminal', async () => {
  const all = await writings();
  for (const [where, text] of all) {
    assert.ok(text.length > 50, `${where} is empty`);
    for (const spelling of spellings()) assert.ok(!text.includes(spelling), `${where} has ${spelling}`);
  }
  const message = conditionOf(await user.get('refused'), 'Ready')?.message ?? '';
  assert.ok(all.get('statuses')?.includes('no.such.key') && message.includes('no.such.key'), 'other words are there');
});
