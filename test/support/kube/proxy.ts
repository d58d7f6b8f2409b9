/**
 * A proxy before an API server that ends TLS and sees each request; a test can hold or drop single requests and answers.
 * Not for watches: an answer is passed on when it is complete.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';

export type ApiRequest = { readonly method: string; readonly url: string };

/** Asked for each request and, with the same object, for its answer; a promise holds it. A drop ends the connection. */
export type ApiHooks = {
  onRequest?: (request: ApiRequest) => 'forward' | 'drop' | Promise<'forward' | 'drop'>;
  onResponse?: (request: ApiRequest) => 'deliver' | 'drop' | Promise<'deliver' | 'drop'>;
};

export type KubeProxy = {
  /** https URL for clients */
  readonly server: string;
  /** may be changed at any time */
  readonly hooks: ApiHooks;
  close(): Promise<void>;
};

/** @param tls the API server's own key and certificate, so that a kubeconfig needs nothing but the new address */
export async function startKubeProxy(
  upstream: string,
  tls: { readonly key: Buffer; readonly cert: Buffer },
): Promise<KubeProxy> {
  const hooks: ApiHooks = {};
  const agent = new Agent({ keepAlive: true, ca: tls.cert });
  const server = createServer({ ...tls, ALPNProtocols: ['http/1.1'] }, async (incoming, outgoing) => {
    const relayed = await relay(incoming, outgoing, { upstream, agent, hooks }).catch(() => false);
    // a message that was read to its end does not take its socket along
    if (!relayed) incoming.socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hooks,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

type Route = { readonly upstream: string; readonly agent: Agent; readonly hooks: ApiHooks };

/** @returns whether the client got its answer */
async function relay(incoming: IncomingMessage, outgoing: ServerResponse, route: Route): Promise<boolean> {
  const { method = '', url = '', headers } = incoming;
  const body = await bytesOf(incoming);
  const seen = { method, url };
  if ((await route.hooks.onRequest?.(seen)) === 'drop') return false;
  const { host: _, ...kept } = headers;
  const forwarded = request(`${route.upstream}${url}`, { method, headers: kept, agent: route.agent });
  forwarded.end(body);
  const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
  const content = await bytesOf(answer);
  if ((await route.hooks.onResponse?.(seen)) === 'drop') return false;
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
  return true;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
