/** Free ports on the loopback address. */
import { createServer } from 'node:net';

/**
 * Below 32768, where systems start to hand out ports for outgoing connections: a part that is down for a moment gets its
 * port back.
 */
const FIRST = 20_000;
const LAST = 32_000;

/** @returns `count` different ports that nobody listens on */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
