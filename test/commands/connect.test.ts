/** Which API server the command line talks to: nobody listens at these addresses, and the error names the one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connections } from '../../functions/commands/connect.ts';

const dir = mkdtempSync(join(tmpdir(), 'connect-'));
after(() => rmSync(dir, { recursive: true }));
const kubeconfig = join(dir, 'kubeconfig');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:8' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }),
);
process.env.KUBECONFIG = kubeconfig;
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });
const eks = {
  EKS_CLUSTER_NAME: 'prod',
  KUBE_API_SERVER: 'https://127.0.0.1:9',
  KUBE_CA_DATA: Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64'),
  AWS_REGION: 'eu-central-1',
};

for (const [reason, env, options, port] of [
  ['the current one of the kubeconfig', {}, {}, 8],
  ['EKS where it is set', eks, {}, 9],
  ['that of --kubeconfig, whatever else is set', eks, { kubeconfig }, 8],
  ['that of --context, whatever else is set', eks, { context: 'x' }, 8],
] as const)
  test(`the API server is ${reason}`, async () => {
    const connected = connections(env);
    const { page } = await connected.kube({ output: 'table', ...options });
    await assert.rejects(
      page(1, undefined, AbortSignal.timeout(10_000)),
      new RegExp(`ECONNREFUSED 127\\.0\\.0\\.1:${port}\\b`),
    );
    await connected.close();
  });
