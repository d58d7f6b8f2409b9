import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { ApiError, type KubeClient, kubeClient, topicsPath } from '../../../functions/adapters/kube/client.ts';
import { failureOf } from '../../../functions/adapters/kube/failure.ts';
import { realApi } from '../../support/kube/real-api.ts';
import { startProxy, type TcpProxy } from '../../support/kube/tcp-proxy.ts';

const directory = mkdtempSync(join(tmpdir(), 'kube-client-'));
after(() => rmSync(directory, { recursive: true }));

type KubeConfigFile = { clusters: { cluster: { server: string } }[]; users: { user: { token: string } }[] };

const real = (): KubeConfigFile => parse(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
const serverOf = (file: KubeConfigFile) => file.clusters[0]?.cluster as { server: string };
const userOf = (file: KubeConfigFile) => file.users[0]?.user as { token: string };

let files = 0;
function write(content: unknown, file = join(directory, `kubeconfig-${files++}`)): string {
  writeFileSync(file, stringify(content));
  return file;
}

/** A client whose connections go through a proxy to the real API server. */
async function proxied(run: (client: KubeClient, proxy: TcpProxy) => Promise<void>, timeoutMs?: number): Promise<void> {
  const file = real();
  const proxy = await startProxy(new URL(serverOf(file).server));
  serverOf(file).server = `https://127.0.0.1:${proxy.port}`;
  const client = kubeClient({ KUBECONFIG: write(file) }, timeoutMs);
  try {
    await run(client, proxy);
  } finally {
    proxy.cutWhileFrozen();
    await client.close();
    await proxy.close();
  }
}

describe('the connection to a real API server', () => {
  test('a hundred requests share one connection', () =>
    proxied(async (client, proxy) => {
      await client.request('GET', topicsPath());
      await Promise.all(Array.from({ length: 100 }, () => client.request('GET', topicsPath())));
      assert.equal(proxy.connections(), 1);
    }));

  test('a connection that was idle for some seconds is used again', () =>
    proxied(async (client, proxy) => {
      await client.request('GET', topicsPath());
      await sleep(6_000); // undici would close it after 4 s
      await client.request('GET', topicsPath());
      assert.equal(proxy.connections(), 1);
    }));

  test('a socket that died while the process was frozen costs no error, reading or writing', () =>
    proxied(async (client, proxy) => {
      const namespace = '/api/v1/namespaces/default';
      for (const [method, body] of [
        ['GET', undefined],
        ['PATCH', { metadata: {} }],
      ] as const) {
        await client.request('GET', namespace);
        proxy.cutWhileFrozen();
        const answer = await client.request(method, namespace, { body, contentType: 'application/merge-patch+json' });
        assert.equal((answer as { kind: string }).kind, 'Namespace');
      }
    }));

  test('a silent connection times out once, then another one is used', () =>
    proxied(async (client, proxy) => {
      await client.request('GET', topicsPath());
      proxy.silence();
      await assert.rejects(client.request('GET', topicsPath()), { name: 'TimeoutError' });
      await client.request('GET', topicsPath());
      assert.equal(proxy.connections(), 2);
    }, 3_000));

  test('T143: a token that was renewed in the kubeconfig is picked up at the first 401', async () => {
    const file = real();
    const { token } = userOf(file);
    userOf(file).token = 'expired';
    const path = write(file);
    const client = kubeClient({ KUBECONFIG: path });
    await assert.rejects(
      client.request('GET', topicsPath()),
      (error) => error instanceof ApiError && error.code === 401,
    );
    userOf(file).token = token;
    write(file, path);
    await client.request('GET', topicsPath());
    await client.close();
  });

  test('T143: a token that was renewed in its file is picked up at the first 401, within the same request', async () => {
    const file = real();
    const { token } = userOf(file);
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, token);
    Object.assign(file.users[0] ?? {}, { user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } });
    const client = kubeClient({ KUBECONFIG: write(file) });
    await client.request('GET', topicsPath());
    writeFileSync(tokenFile, 'expired');
    client.reload();
    await assert.rejects(client.request('GET', topicsPath()), { code: 401 });
    writeFileSync(tokenFile, token);
    await client.request('GET', topicsPath());
    await client.close();
  });

  test("an error answer carries the server's own code, reason and message", async () => {
    const client = realApi();
    await assert.rejects(client.request('GET', topicsPath('default', 'missing')), {
      code: 404,
      reason: 'NotFound',
      message: 'kafkatopics.cache.example.com "missing" not found',
    });
    await client.close();
  });

  test('an aborted request ends at once', async () => {
    const client = realApi();
    await assert.rejects(client.request('GET', topicsPath(), { signal: AbortSignal.abort() }), { name: 'AbortError' });
    await client.close();
  });
});

test('a deadline of ours costs no connection, and is not the fault of the server', () =>
  proxied(async (client, proxy) => {
    await client.request('GET', topicsPath());
    const signal = AbortSignal.abort(new DOMException('over', 'TimeoutError'));
    const error = await client.request('GET', topicsPath(), { signal }).catch((thrown: unknown) => thrown);
    assert.equal(failureOf(error).message, 'Time ran out before the API server answered.');
    await client.request('GET', topicsPath());
    assert.equal(proxy.connections(), 1);
  }));

test('Retry-After is in seconds; an error that is not JSON keeps its text', async () => {
  const server = createServer((_request, response) => response.writeHead(429, { 'retry-after': '3' }).end('slow down'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cluster = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'insecure-skip-tls-verify': true,
  };
  const client = kubeClient({
    KUBECONFIG: write({
      clusters: [{ name: 'stub', cluster }],
      users: [{ name: 'stub', user: { token: 'x' } }],
      contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'stub' } }],
      'current-context': 'stub',
    }),
  });
  const expected = { code: 429, reason: 'Unknown', message: 'slow down', retryAfterMs: 3000 };
  await assert.rejects(client.request('GET', '/'), expected);
  await client.close();
  server.close();
});

test('a kubeconfig that points nowhere is one clear line', () => {
  assert.throws(
    () => kubeClient({ KUBECONFIG: join(directory, 'missing') }),
    /^Error: cannot read the kubeconfig .*missing: no such file/,
  );
  const empty = write({ clusters: [], users: [], contexts: [] });
  assert.throws(() => kubeClient({ KUBECONFIG: empty }), {
    message: `the kubeconfig ${empty} has no current context with a cluster`,
  });
});

test('T125: names cannot leave their place in a path', () => {
  const root = '/apis/cache.example.com/v1alpha1';
  assert.equal(topicsPath(), `${root}/kafkatopics`);
  assert.equal(topicsPath('a', 'b', 'status'), `${root}/namespaces/a/kafkatopics/b/status`);
  assert.equal(topicsPath('a/b', 'c%2F?d#e'), `${root}/namespaces/a%2Fb/kafkatopics/c%252F%3Fd%23e`);
  for (const name of ['', '.', '..']) assert.throws(() => topicsPath('a', name), /cannot be part of a path/);
});
