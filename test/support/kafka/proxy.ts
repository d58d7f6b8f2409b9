/**
 * A proxy before brokers that understands what passes: it counts requests, and a test can hold, drop or change single
 * requests and answers. Brokers are told to clients under the proxy's own addresses, so that nothing goes past it.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { deleteTopics } from '../../../functions/adapters/kafka/requests.ts';
import { behindTags, decode } from '../../../functions/adapters/kafka/wire.ts';
import { framed, frameSplitter, parseRequest, type WireRequest } from './frames.ts';

/**
 * Asked for each request and each answer; a promise holds it, and what follows on the same connection. A request that is
 * held when its client dies is still forwarded once it is released, like one that was on its way. Errors are forwarded
 * to nobody: they end the connection.
 */
export type Hooks = {
  onRequest?: (request: WireRequest) => 'forward' | 'drop' | Promise<'forward' | 'drop'>;
  /** `answer` has no correlation id; a Buffer replaces it */
  onResponse?: (
    request: WireRequest,
    answer: Buffer,
  ) => 'deliver' | 'drop' | Buffer | Promise<'deliver' | 'drop' | Buffer>;
};

export type KafkaProxy = {
  /** `host:port` for clients */
  readonly address: string;
  /** may be changed at any time */
  readonly hooks: Hooks;
  /** all requests seen so far */
  readonly requests: readonly WireRequest[];
  /** connections accepted so far */
  readonly accepted: () => number;
  /** requests that the product must never send: deletion by name, full replacement of configs, a look at all topics */
  readonly violations: readonly string[];
  /** closes what is open now, like a broker that goes away; new connections are accepted */
  readonly cutAll: () => void;
  readonly close: () => Promise<void>;
};

export const apiKeys = {
  listOffsets: 2,
  metadata: 3,
  createTopics: 19,
  deleteTopics: 20,
  describeConfigs: 32,
  legacyAlterConfigs: 33,
  createPartitions: 37,
  incrementalAlterConfigs: 44,
  alterPartitionReassignments: 45,
  listPartitionReassignments: 46,
} as const;

/** @param upstream `host:port` as brokers advertise themselves, joined by commas; each gets a port on the same host */
export async function startKafkaProxy(upstream: string): Promise<KafkaProxy> {
  const brokers = upstream.split(',').map(placeOf);
  const routes: Route[] = [];
  const hooks: Hooks = {};
  const requests: WireRequest[] = [];
  const violations: string[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;

  const serverBefore = ({ host, port }: Place) =>
    createServer((client) => {
      accepted++;
      const broker = connect(port, host);
      for (const socket of [client, broker]) {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
      }
      join(client, broker, routes, hooks, (request) => {
        requests.push(request);
        violations.push(...forbidden(request));
      });
    });
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const servers = brokers.map(serverBefore);
  for (const [at, server] of servers.entries()) {
    const from = brokers[at] as Place;
    await new Promise<void>((resolve) => server.listen(0, from.host, resolve));
    routes.push({ from, to: { host: from.host, port: (server.address() as AddressInfo).port } });
  }
  return {
    address: routes.map(({ to }) => `${to.host}:${to.port}`).join(','),
    hooks,
    requests,
    accepted: () => accepted,
    violations,
    cutAll,
    close: async () => {
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      cutAll();
      await closed;
    },
  };
}

type Place = { readonly host: string; readonly port: number };
/** `from`: where a broker is; `to`: where clients are to look for it. */
type Route = { readonly from: Place; readonly to: Place };

function placeOf(address: string): Place {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

function join(client: Socket, broker: Socket, routes: readonly Route[], hooks: Hooks, note: (r: WireRequest) => void) {
  const underWay = new Map<number, WireRequest>();
  // what a client sent before it died still takes effect
  const endIfOrphaned = () => {
    if (client.destroyed && underWay.size === 0) broker.end();
  };
  const requests = inOrder(async (frame) => {
    const request = parseRequest(frame);
    note(request);
    if ((await hooks.onRequest?.(request)) === 'drop') return;
    underWay.set(request.correlationId, request);
    broker.write(framed(frame));
  });
  const answers = inOrder(async (frame) => {
    const correlationId = frame.subarray(0, 4);
    const request = underWay.get(correlationId.readInt32BE());
    if (request === undefined) throw new Error('an answer without a request');
    underWay.delete(request.correlationId);
    endIfOrphaned();
    const answer = frame.subarray(4);
    const verdict = (await hooks.onResponse?.(request, answer)) ?? 'deliver';
    if (verdict === 'drop') return;
    const delivered = verdict === 'deliver' ? answer : verdict;
    client.write(framed(Buffer.concat([correlationId, readdressed(delivered, routes)])));
  });
  client.on('data', (data) => requests.take(data, client)).on('close', () => requests.done.then(endIfOrphaned));
  broker.on('data', (data) => answers.take(data, broker)).on('close', () => answers.done.then(() => client.destroy()));
}

/** Handles frames one after another, also when a handler takes its time. */
function inOrder(handle: (frame: Buffer) => Promise<void>) {
  const split = frameSplitter();
  const queue = {
    done: Promise.resolve(),
    take: (data: Buffer, from: Socket) => {
      for (const frame of split(data))
        queue.done = queue.done.then(() => handle(frame)).catch(() => void from.destroy());
    },
  };
  return queue;
}

/** Every version of every answer that names a broker has its port right behind its host. */
function readdressed(answer: Buffer, routes: readonly Route[]): Buffer {
  const copy = Buffer.from(answer);
  for (const { from, to } of routes) {
    const place = Buffer.alloc(from.host.length + 4);
    place.write(from.host);
    place.writeInt32BE(from.port, from.host.length);
    // found in what came: a port that was put in is nobody's to replace
    for (let at = answer.indexOf(place); at >= 0; at = answer.indexOf(place, at + 1))
      copy.writeInt32BE(to.port, at + from.host.length);
  }
  return copy;
}

function forbidden({ apiKey, apiVersion, body }: WireRequest): string[] {
  if (apiKey === apiKeys.legacyAlterConfigs) return ['AlterConfigs replaces all configs of a topic'];
  // behind the header's tags stands the list of topics: 0 is null, and means all
  if (apiKey === apiKeys.metadata && apiVersion >= 9 && body[1] === 0) return ['Metadata asks for all topics'];
  if (apiKey !== apiKeys.deleteTopics) return [];
  if (apiVersion !== deleteTopics.version) return [`DeleteTopics version ${apiVersion} deletes by name`];
  const { topics } = decode(behindTags(deleteTopics.request), body);
  return topics.flatMap(({ name }) => (name === null ? [] : [`DeleteTopics names ${name}`]));
}
