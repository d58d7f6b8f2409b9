import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { forwarderHealth } from '../../functions/adapters/forwarder.ts';
import { createMetrics } from '../../functions/forwarder/metrics.ts';
import { freePorts } from '../../infra/local/ports.ts';

const signal = () => AbortSignal.timeout(10_000);

/** Serves pages for one test. @returns its address */
async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The forwarder's own metrics beside what it says of being ready. */
const forwarder = (metrics: ReturnType<typeof createMetrics>, problems = ''): RequestListener => {
  metrics.gauge('objects', () => 12);
  metrics.gauge('keys_waiting', () => 3);
  return async ({ url }, response) => {
    if (url?.endsWith('/readyz')) response.writeHead(problems === '' ? 200 : 503).end(problems || 'ok\n');
    else response.end(await metrics.text());
  };
};

describe('what the forwarder says of itself', () => {
  test('ready, with its figures; no tick before the first', async (t) => {
    const url = await serve(t, forwarder(createMetrics()));
    assert.deepEqual(await forwarderHealth(url, signal()), { problems: [], keysWaiting: 3, objects: 12 });
  });

  test('the time of the last tick', async (t) => {
    const metrics = createMetrics();
    metrics.lastTick.set(Date.UTC(2026, 0, 1) / 1000);
    const { lastTick } = await forwarderHealth(await serve(t, forwarder(metrics)), signal());
    assert.equal(lastTick, '2026-01-01T00:00:00.000Z');
  });

  test('each problem, while it is not ready', async (t) => {
    const url = await serve(t, forwarder(createMetrics(), 'watch: lost\ntick queue: away\n'));
    assert.deepEqual((await forwarderHealth(url, signal())).problems, ['watch: lost', 'tick queue: away']);
  });

  test('behind a path, as a proxy has it', async (t) => {
    const url = await serve(t, forwarder(createMetrics()));
    assert.equal((await forwarderHealth(`${url}/behind/it`, signal())).objects, 12);
  });

  test('something else at that address, and nothing', async (t) => {
    const url = await serve(t, (_, response) => response.end('hello'));
    await assert.rejects(forwarderHealth(url, signal()), { message: `what answers at ${url} is not the forwarder` });
    const [port] = await freePorts(1);
    const nobody = `http://127.0.0.1:${port}`;
    await assert.rejects(forwarderHealth(nobody, signal()), {
      message: `the forwarder cannot be reached at ${nobody}: ECONNREFUSED`,
    });
  });
});
