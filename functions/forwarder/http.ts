import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Forwarder } from './run.ts';

export type StatusServer = { readonly port: number; close(): void };

/**
 * Serves `/healthz` (restart me if not 200), `/readyz` (what is missing, a line each) and `/metrics`.
 *
 * @param port 0 takes a free one; the answer says which
 * @throws Error when the address cannot be had
 */
export async function serveStatus(forwarder: Forwarder, host: string, port: number): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answerTo(request.url ?? '/', forwarder).then(
      ({ status, text, type = 'text/plain; charset=utf-8' }) =>
        response.writeHead(status, { 'content-type': type }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function answerTo(path: string, forwarder: Forwarder): Promise<{ status: number; text: string; type?: string }> {
  const { pathname } = new URL(path, 'http://localhost');
  switch (pathname) {
    case '/healthz':
      return forwarder.alive() ? { status: 200, text: 'ok\n' } : { status: 503, text: 'the watch loop is stuck\n' };
    case '/readyz': {
      const problems = forwarder.problems();
      return problems.length === 0 ? { status: 200, text: 'ok\n' } : { status: 503, text: `${problems.join('\n')}\n` };
    }
    case '/metrics':
      return { status: 200, text: await forwarder.metrics.text(), type: forwarder.metrics.contentType };
    default:
      return { status: 404, text: 'there are /healthz, /readyz and /metrics\n' };
  }
}
