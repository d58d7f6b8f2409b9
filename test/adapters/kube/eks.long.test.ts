/** Against a real API server that leaves tokens of IAM to a webhook, as EKS does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, mock, test } from 'node:test';
import { ApiError, type KubeSettings, kubeClient, topicsPath } from '../../../functions/adapters/kube/client.ts';
import { type ApiServer, apiServerBinary, startApiServer } from '../../../infra/local/apiserver.ts';
import { obtain } from '../../../infra/local/artifacts.ts';
import { applyFiles } from '../../../infra/local/manifests.ts';
import { signalGroup } from '../../../infra/local/process.ts';
import { root } from '../../../infra/local/state.ts';
import { type EksAuthenticator, startEksAuthenticator } from '../../support/aws/eks-authenticator.ts';
import { selfSigned } from '../../support/certificates.ts';
import { eventually } from '../../support/kafka/eventually.ts';

const role = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a+secret/of=ours', sessionToken: 'a/session+token==' };
const groups = ['topicsmith:reconciler', 'system:authenticated'];
const directory = mkdtempSync(join(tmpdir(), 'eks-'));
let authenticator: EksAuthenticator;
let apiServer: ApiServer;
let settings: KubeSettings;

before(async () => {
  const users = new Map([[role.accessKeyId, { credentials: role, groups }]]);
  authenticator = await startEksAuthenticator('prod', users, join(directory, 'webhook.yaml'));
  const onSpawn = (_: string, { pid }: { pid: number }) => process.once('exit', () => signalGroup(pid, 'SIGKILL'));
  const binary = await obtain(apiServerBinary, () => {});
  apiServer = await startApiServer({ dir: directory, onSpawn }, binary, authenticator.flags);
  const admin = kubeClient({ KUBECONFIG: apiServer.kubeconfigs.admin });
  await applyFiles(
    admin,
    ['crds/kafkatopic.yaml', 'infra/rbac.yaml'].map((file) => join(root, file)),
  );
  const served = () => admin.request('GET', topicsPath(), { query: { resourceVersion: 0, limit: 1 } });
  await eventually(served); // 429 until the server's own cache has filled
  const { caData = '' } = admin.kubeConfig.getCurrentCluster() ?? {};
  await admin.close();
  settings = {
    EKS_CLUSTER_NAME: 'prod',
    KUBE_API_SERVER: apiServer.server,
    KUBE_CA_DATA: caData,
    AWS_REGION: 'eu-central-1',
    KUBECONFIG: '/nowhere/kubeconfig', // EKS outranks it
  };
});
after(async () => {
  await Promise.all(apiServer.parts.map((part) => part.stop()));
  authenticator.close();
  rmSync(directory, { recursive: true });
});
afterEach(() => mock.timers.reset());

const ours = {
  AWS_ACCESS_KEY_ID: role.accessKeyId,
  AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
  AWS_SESSION_TOKEN: role.sessionToken,
};
beforeEach(() => {
  Object.assign(process.env, ours);
});

async function withClient<T>(change: KubeSettings, work: (list: () => Promise<unknown>) => Promise<T>): Promise<T> {
  const client = kubeClient({ ...settings, ...change });
  try {
    return await work(() => client.request('GET', topicsPath()));
  } finally {
    await client.close();
  }
}

const isRefused = (error: unknown) => error instanceof ApiError && error.code === 401;

describe('an EKS cluster', () => {
  test('lets the role of an access entry in, with the rights of its groups', () =>
    withClient({}, async (list) => {
      assert.deepEqual(((await list()) as { items: unknown[] }).items, []);
      const client = kubeClient(settings);
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { status } = (await client.request('POST', path, { body: review })) as {
        status: { userInfo: { username: string; groups: string[] } };
      };
      assert.deepEqual([status.userInfo.username, status.userInfo.groups], [role.accessKeyId, groups]);
      const spec = { resourceAttributes: { verb: 'list', resource: 'secrets' } };
      const asked = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
      const access = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const answer = (await client.request('POST', access, { body: asked })) as { status: { allowed: boolean } };
      assert.equal(answer.status.allowed, false);
      await client.close();
    }));

  test('refuses a token for another cluster', async () => {
    await withClient({ EKS_CLUSTER_NAME: 'test' }, (list) => assert.rejects(list, isRefused));
    assert.equal(authenticator.complaints.at(-1), 'the signature does not match');
  });

  for (const [reason, change, complaint] of [
    ['somebody without an access entry', { AWS_ACCESS_KEY_ID: 'ASIASTRANGER' }, /^unknown access key/],
    ['who does not know the secret', { AWS_SECRET_ACCESS_KEY: 'guessed' }, /^the signature does not match$/],
    ['a key without its session', { AWS_SESSION_TOKEN: '' }, /^the signature does not match$/],
  ] as const)
    test(`refuses ${reason}`, async () => {
      Object.assign(process.env, change);
      await withClient({}, (list) => assert.rejects(list, isRefused));
      assert.match(authenticator.complaints.at(-1) ?? '', complaint);
    });

  test('whose certificate is not of the pinned authority is not talked to', async () => {
    const stranger = Buffer.from(selfSigned('stranger').cert).toString('base64');
    await withClient({ KUBE_CA_DATA: stranger }, (list) => assert.rejects(list, /certificate/));
  });

  test('T143: a token is used for ten minutes, and replaced before the cluster would refuse it', () =>
    withClient({}, async (list) => {
      const start = Date.now();
      mock.timers.enable({ apis: ['Date'], now: start });
      await list();
      const seen = authenticator.tokens.size;
      mock.timers.setTime(start + 9 * 60_000);
      await list();
      assert.equal(authenticator.tokens.size, seen);
      mock.timers.setTime(start + 11 * 60_000);
      await list();
      assert.equal(authenticator.tokens.size, seen + 1);
    }));

  test('T143: a token that is refused before its time is replaced within the same request', () =>
    withClient({}, async (list) => {
      const start = Date.now();
      mock.timers.enable({ apis: ['Date'], now: start });
      await list();
      const seen = authenticator.tokens.size;
      authenticator.validSeconds = 60; // as when the role's credentials end
      mock.timers.setTime(start + 2 * 60_000);
      // the API server itself remembers for 10 s whom it has let in
      for (const end = performance.now() + 30_000; authenticator.tokens.size === seen && performance.now() < end; )
        await list();
      assert.equal(authenticator.tokens.size, seen + 1);
      authenticator.validSeconds = 900;
    }));

  test('T143: credentials that were replaced in the environment are those of the next token', () =>
    withClient({}, async (list) => {
      process.env.AWS_SECRET_ACCESS_KEY = 'old';
      await assert.rejects(list(), isRefused);
      Object.assign(process.env, ours);
      await list();
    }));
});
