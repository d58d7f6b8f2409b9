/** What a process in a cluster says of itself: to the kubelet, and to Prometheus. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type StatusPage = {
  /** why only a restart would help; undefined while it turns */
  stuck(): string | undefined;
  /** what keeps it from doing its work now, a line each; empty when ready */
  problems(): readonly string[];
  readonly metrics: {
    /** all figures in the text format of Prometheus */
    text(): Promise<string>;
    readonly contentType: string;
  };
};

export type StatusServer = { readonly port: number; close(): void };

/**
 * Serves `/healthz` (restart me if not 200), `/readyz` (what is missing, a line each) and `/metrics`.
 *
 * @param port 0 takes a free one; the answer says which
 * @throws Error when the address cannot be had
 */
export async function serveStatus(page: StatusPage, host: string, port: number): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answerTo(request.url ?? '/', page).then(
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

async function answerTo(path: string, page: StatusPage): Promise<{ status: number; text: string; type?: string }> {
  const { pathname } = new URL(path, 'http://localhost');
  switch (pathname) {
    case '/healthz':
      return healthy([page.stuck() ?? []].flat());
    case '/readyz':
      return healthy(page.problems());
    case '/metrics':
      return { status: 200, text: await page.metrics.text(), type: page.metrics.contentType };
    default:
      return { status: 404, text: 'there are /healthz, /readyz and /metrics\n' };
  }
}

const healthy = (problems: readonly string[]) =>
  problems.length === 0 ? { status: 200, text: 'ok\n' } : { status: 503, text: `${problems.join('\n')}\n` };
