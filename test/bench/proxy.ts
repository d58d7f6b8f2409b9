/** Passes TCP connections on to a server and counts the requests in them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** request → how many */
export type Counts = Map<string, number>;

/** Takes the bytes of one connection as they come, and names the requests that begin in them. */
export type Counter = (chunk: Buffer) => readonly string[];

export type CountingProxy = {
  /** host:port */
  readonly address: string;
  readonly counts: Counts;
  close(): void;
};

/** @param makeCounter called for each connection */
export async function startProxy(target: string, makeCounter: () => Counter): Promise<CountingProxy> {
  const counts: Counts = new Map();
  const sockets = new Set<Socket>();
  const at = target.lastIndexOf(':');
  const server = createServer((client) => {
    const upstream = connect(Number(target.slice(at + 1)), target.slice(0, at));
    const counter = makeCounter();
    client.on('data', (chunk) => {
      for (const name of counter(chunk)) counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true).pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, counts, close };
}

/** API keys that the product uses. @see https://kafka.apache.org/protocol#protocol_api_keys */
const apis = new Map([
  [2, 'ListOffsets'],
  [3, 'Metadata'],
  [18, 'ApiVersions'],
  [19, 'CreateTopics'],
  [20, 'DeleteTopics'],
  [32, 'DescribeConfigs'],
  [37, 'CreatePartitions'],
  [44, 'IncrementalAlterConfigs'],
  [45, 'AlterPartitionReassignments'],
  [46, 'ListPartitionReassignments'],
]);

/** Kafka requests: four bytes of size, then the API key in two. */
export function kafkaCounter(): Counter {
  let rest = Buffer.alloc(0);
  let skip = 0;
  return (chunk) => {
    const found = [];
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const skipped = Math.min(skip, rest.length);
      rest = rest.subarray(skipped);
      skip -= skipped;
      if (rest.length < 6) return found;
      const key = rest.readInt16BE(4);
      found.push(apis.get(key) ?? `API ${key}`);
      skip = 4 + rest.readInt32BE(0);
    }
  };
}

/** SQS requests over its JSON protocol: a header names the action. */
export function sqsCounter(): Counter {
  const header = /\r\nx-amz-target: *AmazonSQS\.(\w+)\r\n/gi;
  let rest = '';
  return (chunk) => {
    const text = rest + chunk.toString('latin1');
    const matches = [...text.matchAll(header)];
    const last = matches.at(-1);
    // a header may be cut in two by the end of a chunk
    rest = text.slice(last === undefined ? 0 : last.index + last[0].length).slice(-200);
    return matches.map(([, action]) => action ?? '');
  };
}
