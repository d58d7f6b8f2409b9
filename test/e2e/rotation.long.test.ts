/** The whole system with a password that Secrets Manager keeps, and that is replaced while topics are worked on. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { runnerPart } from '../../infra/local/functions.ts';
import { signalGroup } from '../../infra/local/process.ts';
import { startSecretServer } from '../support/aws/secrets-manager.ts';
import { conditionOf, Kubectl } from '../support/e2e/kubectl.ts';
import { Queues } from '../support/e2e/queues.ts';
import { scratchDirectory, startParts } from '../support/e2e/world.ts';
import { startSecureBroker } from '../support/kafka/secure-broker.ts';

const passwordOf = (round: string) => `canary-${round}`;
const secretOf = (password: string) => JSON.stringify({ username: 'me', password });

const dir = scratchDirectory();
const secret = await startSecretServer({ username: 'me', password: 'right' });
// a login is good for two seconds, so that there is another one with almost every pass
const sessions = 'listener.name.secure.scram-sha-512.connections.max.reauth.ms=2000';
const broker = await startSecureBroker({ settings: [sessions] });
const system = await startParts(dir, ['apiserver', 'elasticmq', 'forwarder']);
const { admin = '', reconciler = '', resync = '' } = system.apiServer?.kubeconfigs ?? {};
const runner = runnerPart(
  { dir, onSpawn: (_, { pid }) => process.once('exit', () => signalGroup(pid, 'SIGKILL')) },
  {
    PATH: process.env.PATH,
    ...system.exports,
    KUBECONFIG_RECONCILER: reconciler,
    KUBECONFIG_RESYNC: resync,
    KAFKA_BROKERS: broker.address,
    KAFKA_TLS: 'true',
    KAFKA_CA_FILE: broker.caFile,
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SECRET_ARN: secret.arn,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secret.endpoint,
  },
);
await runner.start();
const user = new Kubectl(admin);
const queues = new Queues(system.exports);
await user.canApply();
after(async () => {
  user.close();
  queues.close();
  await runner.stop();
  await system.stop();
  await broker.stop();
  secret.close();
  rmSync(dir, { recursive: true, force: true });
});

const log = () => readFileSync(runner.log, 'utf8');
const refusals = () => log().split('NotAuthenticated').length - 1;

async function makes(...names: readonly string[]): Promise<void> {
  for (const name of names) await user.apply(name, { numPartitions: 1 });
  for (const name of names) await user.ready(name);
}

test('T143: a password that is replaced together with its secret costs no pass', async () => {
  await makes('before-1', 'before-2', 'before-3');
  await broker.setPassword(passwordOf('one'));
  secret.content = secretOf(passwordOf('one'));
  await makes('after-1', 'after-2', 'after-3');
  await queues.tick();
  assert.equal(refusals(), 0, log());
  assert.equal((await queues.counts()).dead, 0);
});

test('T143: while a password is newer than its secret, objects say so; then all becomes ready, and no message dies', async () => {
  await broker.setPassword(passwordOf('two'));
  await user.apply('late', { numPartitions: 1 });
  const object = await user.says('late', 'NotAuthenticated');
  assert.match(conditionOf(object, 'Ready')?.message ?? '', /does not accept our credentials/);
  secret.content = secretOf(passwordOf('two'));
  await user.ready('late');
  await queues.drained();
  assert.equal((await queues.counts()).dead, 0);
});

test('T136: neither log nor status nor event shows a password', async () => {
  assert.doesNotMatch(log(), /canary-/);
  const paths = ['/apis/cache.example.com/v1alpha1/kafkatopics', '/apis/events.k8s.io/v1/events'];
  for (const path of paths) assert.doesNotMatch(JSON.stringify(await user.call('GET', path)), /canary-/);
});
