import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, type KubeClient } from '../../../functions/adapters/kube/client.ts';
import { inspectKube } from '../../../functions/adapters/kube/inspect.ts';
import { Failure } from '../../../functions/core/outcome.ts';

const signal = new AbortController().signal;

type Options = NonNullable<Parameters<KubeClient['request']>[2]>;
type Asked = { readonly method: string; readonly path: string } & Options;

/** What `doctor` asks, of a client that answers from a function. */
function inspection(answer: (asked: Asked) => unknown, namespaces: readonly string[] = []) {
  const request: KubeClient['request'] = async (method, path, options = {}) => answer({ method, path, ...options });
  const kubeConfig = { getCurrentCluster: () => ({ server: 'https://api.example.com' }) };
  const client = { request, kubeConfig } as unknown as KubeClient;
  const resources = { page: () => assert.fail('nobody asked for objects') };
  return inspectKube({ client, resources, namespaces, clientOf: () => undefined });
}

describe('the API server and its clock', () => {
  const server = (date?: string) =>
    inspection(({ onDate }) => {
      if (date !== undefined) onDate?.(date);
      return { gitVersion: 'v1.36.3' };
    }).server(signal);

  test('one that tells the time is compared with ours', async () => {
    const { skewMs = Number.NaN, ...told } = await server(new Date(Date.now() + 3_600_000).toUTCString());
    assert.deepEqual(told, { url: 'https://api.example.com', version: 'v1.36.3' });
    assert.ok(Math.abs(skewMs - 3_600_000) < 2_000, `${skewMs}`);
  });

  test('one that tells no time has no skew, which is not a good one', async () => {
    assert.deepEqual(await server(), { url: 'https://api.example.com', version: 'v1.36.3', skewMs: undefined });
  });

  test('one that refuses is a Failure', async () => {
    const { server } = inspection(() => {
      throw new ApiError(401, 'Unauthorized', 'no');
    });
    await assert.rejects(server(signal), (error) => error instanceof Failure && error.reason === 'NotAuthenticated');
  });
});
