import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StatusPage, serveStatus } from '../../functions/adapters/status-page.ts';
import type { Row } from '../support/table.ts';

const well: StatusPage = {
  stuck: () => undefined,
  problems: () => [],
  metrics: { text: async () => 'a_total 1\n', contentType: 'text/plain; version=0.0.4' },
};

type Given = { readonly path: string; readonly page?: Partial<StatusPage> };

async function answer({ path, page = {} }: Given) {
  const server = await serveStatus({ ...well, ...page }, '127.0.0.1', 0);
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return `${response.status} ${await response.text()}`;
  } finally {
    server.close();
  }
}

const noPage = async () => {
  throw new Error('no figures');
};

const rows: readonly Row<Given, string>[] = [
  { reason: 'well', given: { path: '/healthz' }, want: '200 ok\n' },
  { reason: 'ready', given: { path: '/readyz?verbose' }, want: '200 ok\n' },
  { reason: 'figures', given: { path: '/metrics' }, want: '200 a_total 1\n' },
  { reason: 'stuck', given: { path: '/healthz', page: { stuck: () => 'it hangs' } }, want: '503 it hangs\n' },
  {
    reason: 'what is missing, a line each; a restart would not help',
    given: { path: '/readyz', page: { problems: () => ['one', 'two'] } },
    want: '503 one\ntwo\n',
  },
  { reason: 'not ready is well', given: { path: '/healthz', page: { problems: () => ['one'] } }, want: '200 ok\n' },
  {
    reason: 'figures that cannot be read',
    given: { path: '/metrics', page: { metrics: { ...well.metrics, text: noPage } } },
    want: '500 Error: no figures\n',
  },
  { reason: 'anything else', given: { path: '/' }, want: '404 there are /healthz, /readyz and /metrics\n' },
];

for (const { reason, given, want } of rows)
  test(`a page: ${reason}`, async () => assert.equal(await answer(given), want));

test('figures say in which format they are', async () => {
  const server = await serveStatus(well, '127.0.0.1', 0);
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  assert.equal(response.headers.get('content-type'), well.metrics.contentType);
  server.close();
});
