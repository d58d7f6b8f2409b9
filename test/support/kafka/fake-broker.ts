/** A broker that answers what a test tells it: for troubles that a real one cannot be brought to. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as requests from '../../../functions/adapters/kafka/requests.ts';
import { behindTags, decode, encode, noId, type ValueOf } from '../../../functions/adapters/kafka/wire.ts';
import { framed, frameSplitter, parseRequest } from './frames.ts';

const apis = Object.values(requests).filter(
  (api): api is (typeof requests)['metadata'] => typeof api === 'object' && 'response' in api,
);
type ApiName =
  | 'Metadata'
  | 'DescribeCluster'
  | 'CreateTopics'
  | 'DeleteTopics'
  | 'CreatePartitions'
  | 'DescribeConfigs'
  | 'IncrementalAlterConfigs'
  | 'ListOffsets'
  | 'ListPartitionReassignments'
  | 'AlterPartitionReassignments';
type Named<N extends ApiName> = Extract<(typeof requests)[keyof typeof requests], { name: N }>;

/** What to do with a request: an answer, raw bytes behind the correlation id, nothing, or hang up. */
export type Script = {
  [N in ApiName]?: (
    request: ValueOf<Named<N>['request']>,
  ) => ValueOf<Named<N>['response']> | Buffer | 'silence' | 'close';
};

export type FakeBroker = {
  readonly address: string;
  /** may be changed at any time; a Metadata request for no topic is answered without it */
  readonly script: Script;
  /** offered versions by API key; those of ours unless changed */
  readonly versions: Map<number, readonly [min: number, max: number]>;
  /** told to whoever asks for a sign of life */
  clusterId: string;
  /** names of the requests received so far, without the signs of life */
  readonly received: readonly string[];
  readonly accepted: () => number;
  readonly open: () => number;
  readonly close: () => Promise<void>;
};

export async function startFakeBroker(script: Script = {}): Promise<FakeBroker> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const versions = new Map(apis.map(({ key, version }) => [key, [version, version] as const]));
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    const split = frameSplitter();
    socket.on('data', (data) => {
      for (const frame of split(data)) answer(socket, frame, self);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const self = {
    address: `127.0.0.1:${port}`,
    clusterId: 'fake-cluster',
    script,
    versions,
    received,
    accepted: () => accepted,
    open: () => sockets.size,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return self;
}

type Self = Pick<FakeBroker, 'address' | 'clusterId' | 'script' | 'versions'> & { readonly received: string[] };

function answer(socket: Socket, frame: Buffer, self: Self): void {
  const { apiKey, correlationId, body } = parseRequest(frame);
  const id = Buffer.alloc(4);
  id.writeInt32BE(correlationId);
  const reply = (payload: Buffer) => socket.write(framed(Buffer.concat([id, payload])));
  if (apiKey === 18) return void reply(offered(self.versions));
  const api = apis.find(({ key }) => key === apiKey);
  if (api === undefined) return void socket.destroy();
  const request = decode(behindTags(api.request), body);
  const isSignOfLife = api.name === 'Metadata' && request.topics?.length === 0;
  if (isSignOfLife)
    return void reply(
      encode(behindTags(requests.metadata.response), {
        ...metadataAnswer(portOf(self.address)),
        clusterId: self.clusterId,
      }),
    );
  self.received.push(api.name);
  const scripted = self.script[api.name]?.(request) ?? 'close';
  if (scripted === 'silence') return;
  if (scripted === 'close') return void socket.destroy();
  reply(Buffer.isBuffer(scripted) ? scripted : encode(behindTags(api.response), scripted));
}

/** The answer to ApiVersions version 2, as kafkajs asks for it. */
function offered(versions: FakeBroker['versions']): Buffer {
  const payload = Buffer.alloc(2 + 4 + 6 * versions.size + 4);
  payload.writeInt32BE(versions.size, 2);
  [...versions].forEach(([key, [min, max]], index) => {
    for (const [offset, value] of [key, min, max].entries()) payload.writeInt16BE(value, 6 + 6 * index + 2 * offset);
  });
  return payload;
}

const portOf = (address: string): number => Number(address.split(':')[1]);

type Metadata = ValueOf<typeof requests.metadata.response>;

/** Topics as Metadata shows them: by name, a code or a number of partitions. */
export function metadataAnswer(port: number, topics: Metadata['topics'] = []): Metadata {
  return {
    throttleMs: 0,
    brokers: [{ id: 1, host: '127.0.0.1', port, rack: null }],
    clusterId: 'fake-cluster',
    controllerId: 1,
    topics,
  };
}

/** One topic of a Metadata answer with one partition, in order unless said otherwise. */
export function metadataTopic(
  name: string,
  fields: Partial<Metadata['topics'][number]> = {},
): Metadata['topics'][number] {
  const partition = { code: 0, index: 0, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1], offline: [] };
  return { code: 0, name, id: noId, internal: false, partitions: [partition], operations: 0, ...fields };
}
