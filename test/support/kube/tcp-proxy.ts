import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * A TCP proxy in a thread of its own, so that it can act while this thread stands still, as a frozen function does.
 */
export type TcpProxy = {
  readonly port: number;
  /** connections it has accepted so far */
  connections(): number;
  /** Closes every connection; returns when that is done, and nothing else ran in this thread meanwhile. */
  cutWhileFrozen(): void;
  /** Connections that are open now stay open and carry nothing any more. */
  silence(): void;
  close(): Promise<void>;
};

type Start = { shared: SharedArrayBuffer; host: string; port: number };

export async function startProxy(target: URL): Promise<TcpProxy> {
  const shared = new SharedArrayBuffer(8);
  const [done, accepted] = [new Int32Array(shared, 0, 1), new Int32Array(shared, 4, 1)];
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { shared, host: target.hostname, port: Number(target.port) } satisfies Start,
  });
  const [port] = (await once(worker, 'message')) as [number];
  const command = (name: 'cut' | 'silence') => {
    Atomics.store(done, 0, 0);
    worker.postMessage(name);
    Atomics.wait(done, 0, 0);
  };
  return {
    port,
    connections: () => Atomics.load(accepted, 0),
    cutWhileFrozen: () => command('cut'),
    silence: () => command('silence'),
    close: async () => void (await worker.terminate()),
  };
}

function run({ shared, host, port }: Start): void {
  const [done, accepted] = [new Int32Array(shared, 0, 1), new Int32Array(shared, 4, 1)];
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    Atomics.add(accepted, 0, 1);
    const upstream = connect(port, host);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const socket of pair)
      socket
        .on('error', () => {})
        .on('close', () => {
          for (const other of pair) other.destroy();
          pairs.delete(pair);
        });
  });
  const commands = {
    cut: async () => {
      const closed = [...pairs].flatMap((pair) => pair.map((socket) => once(socket, 'close')));
      for (const [client] of pairs) client.destroy();
      await Promise.all(closed);
    },
    silence: async () => {
      for (const [client, upstream] of pairs) {
        client.unpipe().resume();
        upstream.unpipe().resume();
      }
    },
  };
  parentPort?.on('message', async (name: keyof typeof commands) => {
    await commands[name]();
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

if (!isMainThread) run(workerData);
