import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { kubeClient } from '../../functions/adapters/kube/client.ts';
import { Interrupted, type InterruptionReason } from '../../functions/forwarder/interrupted.ts';
import { type SourceOptions, topicSource, type WatchEvent } from '../../functions/forwarder/source.ts';

const directory = mkdtempSync(join(tmpdir(), 'forwarder-source-'));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
after(() => rmSync(directory, { recursive: true }));

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An API server that answers as told, and a source that asks it with a token. */
async function scripted(answer: Answer, options: SourceOptions = {}) {
  const seen: { url: URL; token: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: new URL(request.url ?? '', 'http://x'), token: request.headers.authorization });
    answer(request, response);
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const file = join(directory, `kubeconfig-${servers.length}-${(server.address() as AddressInfo).port}`);
  const useToken = (token: string) => writeFileSync(file, kubeconfig((server.address() as AddressInfo).port, token));
  useToken('first');
  return {
    seen,
    file,
    useToken,
    source: topicSource(kubeClient({ KUBECONFIG: file }), { random: () => 0.5, ...options }),
  };
}

const kubeconfig = (port: number, token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token } }],
  });

const stream =
  (...events: unknown[]): Answer =>
  (_, response) => {
    for (const event of events) response.write(typeof event === 'string' ? event : `${JSON.stringify(event)}\n`);
    response.end();
  };

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', code, message: 'as the test wants it' }));

const live = new AbortController().signal;
const endsAs = (reason: InterruptionReason) => (error: unknown) => {
  assert.ok(error instanceof Interrupted, String(error));
  assert.equal(error.reason, reason);
  return true;
};

async function collected(events: AsyncIterable<WatchEvent>): Promise<WatchEvent[]> {
  const all: WatchEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const modified = { type: 'MODIFIED', object: { metadata: { name: 'orders' } } };
const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } };

describe('source', () => {
  test('a list is asked for in pages, without a version, so that it is fresh', async () => {
    const page = { metadata: { resourceVersion: '7', continue: 'more' }, items: [{}] };
    const { source, seen } = await scripted((_, response) => response.end(JSON.stringify(page)));
    assert.deepEqual(await source.list(undefined, live), { items: [{}], resourceVersion: '7', continue: 'more' });
    await source.list('more', live);
    assert.deepEqual(
      seen.map(({ url }) => `${url.pathname}${url.search}`),
      ['?limit=500', '?limit=500&continue=more'].map((query) => `/apis/cache.example.com/v1alpha1/kafkatopics${query}`),
    );
  });

  test('the last page has no token', async () => {
    const page = { metadata: { resourceVersion: '7', continue: '' }, items: [] };
    const { source } = await scripted((_, response) => response.end(JSON.stringify(page)));
    assert.equal((await source.list(undefined, live)).continue, undefined);
  });

  test('a watch asks for bookmarks and an end within ten minutes, in its namespace', async () => {
    const { source, seen } = await scripted(stream(modified, bookmark), { namespace: 'shop' });
    assert.deepEqual(await collected(await source.watch('7', live)), [modified, bookmark]);
    const { pathname, searchParams } = seen[0]?.url ?? new URL('http://none');
    assert.equal(pathname, '/apis/cache.example.com/v1alpha1/namespaces/shop/kafkatopics');
    assert.deepEqual(Object.fromEntries(searchParams), {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '7',
      timeoutSeconds: '450',
    });
  });

  const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } };
  const streams: { what: string; events: unknown[]; reason: InterruptionReason }[] = [
    { what: 'a version that is too old, told within the stream', events: [modified, expired], reason: 'expired' },
    {
      what: 'another error within the stream',
      events: [modified, { type: 'ERROR', object: { code: 500 } }],
      reason: 'refused',
    },
    { what: 'a line that is not JSON', events: [modified, '{"type":"MODI\n', bookmark], reason: 'garbled' },
    { what: 'JSON that is no event', events: [modified, 'null\n'], reason: 'garbled' },
    { what: 'an event of an unknown type', events: [modified, { type: 'RENAMED', object: {} }], reason: 'garbled' },
    { what: 'a stream cut within an event', events: [modified, '{"type":'], reason: 'garbled' },
  ];
  for (const { what, events, reason } of streams)
    test(`${what} is ${reason}, and the events before it arrive`, async () => {
      const { source } = await scripted(stream(...events));
      const iterator = (await source.watch('7', live))[Symbol.asyncIterator]();
      assert.deepEqual((await iterator.next()).value, modified);
      await assert.rejects(iterator.next(), endsAs(reason));
    });

  const answers: [number, InterruptionReason][] = [
    [403, 'forbidden'],
    [404, 'missing'],
    [410, 'expired'],
    [429, 'throttled'],
    [500, 'refused'],
    [503, 'refused'],
    [504, 'expired'],
  ];
  for (const [code, reason] of answers)
    test(`an answer of ${code} to a list or a watch is ${reason}`, async () => {
      const { source } = await scripted(status(code));
      await assert.rejects(source.list(undefined, live), endsAs(reason));
      await assert.rejects(source.watch('7', live), endsAs(reason));
    });

  test('Retry-After is passed on', async () => {
    const { source } = await scripted(status(429, { 'retry-after': '3' }));
    const waits = (error: unknown) => error instanceof Interrupted && error.retryAfterMs === 3_000;
    await assert.rejects(source.list(undefined, live), waits);
    await assert.rejects(source.watch('7', live), waits);
  });

  test('a list that is none is garbled', async () => {
    for (const body of ['{}', 'null', '{"items":[]}', '{"items":{},"metadata":{"resourceVersion":"1"}}']) {
      const { source } = await scripted((_, response) => response.end(body));
      await assert.rejects(source.list(undefined, live), endsAs('garbled'));
    }
  });

  test('a stream without a byte for too long is silent, and the next watch takes a new connection', async () => {
    const ports = new Set<number | undefined>();
    const { source } = await scripted(
      (request, response) => {
        ports.add(request.socket.remotePort);
        response.write(`${JSON.stringify(modified)}\n`);
      },
      { silenceMs: 300 },
    );
    for (let round = 0; round < 2; round++) {
      const iterator = (await source.watch('7', live))[Symbol.asyncIterator]();
      await iterator.next();
      await assert.rejects(iterator.next(), endsAs('silent'));
    }
    assert.equal(ports.size, 2);
  });

  test('a stream with bytes now and then lives on', async () => {
    const { source } = await scripted(
      (_, response) => {
        const timer = setInterval(() => response.write(`${JSON.stringify(bookmark)}\n`), 500);
        response.on('close', () => clearInterval(timer));
      },
      { silenceMs: 1_500 },
    );
    let count = 0;
    for await (const event of await source.watch('7', live)) {
      assert.deepEqual(event, bookmark);
      if (++count === 8) break;
    }
  });

  test('a connection that breaks is lost', async () => {
    const { source } = await scripted((request) => request.socket.destroy());
    await assert.rejects(source.list(undefined, live), endsAs('lost'));
    await assert.rejects(source.watch('7', live), endsAs('lost'));
  });

  test('a token that is refused is read again from the kubeconfig', async () => {
    const { source, useToken, seen } = await scripted((request, response) =>
      request.headers.authorization === 'Bearer second'
        ? stream(modified)(request, response)
        : status(401)(request, response),
    );
    await assert.rejects(source.watch('7', live), endsAs('unauthenticated'));
    useToken('second');
    await assert.rejects(source.watch('7', live), endsAs('unauthenticated'));
    assert.deepEqual(await collected(await source.watch('7', live)), [modified]);
    assert.deepEqual(
      seen.map(({ token }) => token),
      ['Bearer first', 'Bearer first', 'Bearer second'],
    );
  });

  test('a kubeconfig that is broken when it is read again is told', async () => {
    const { source, file } = await scripted(status(401));
    writeFileSync(file, 'clusters: [');
    const told = (error: unknown) =>
      endsAs('unauthenticated')(error) && /cannot read the kubeconfig/.test(String(error));
    await assert.rejects(source.watch('7', live), told);
  });

  test('an aborted watch ends', async () => {
    const stop = new AbortController();
    const { source } = await scripted((_, response) => void response.write(`${JSON.stringify(modified)}\n`));
    const iterator = (await source.watch('7', stop.signal))[Symbol.asyncIterator]();
    await iterator.next();
    stop.abort();
    await assert.rejects(iterator.next(), endsAs('lost'));
  });
});
