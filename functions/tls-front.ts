/**
 * TLS for a server that speaks none, as ElasticMQ: takes connections and hands what comes to the server, which listens
 * on the loopback of the same pod. It reads nothing of what passes.
 *
 * `tls-front --listen HOST:PORT --to HOST:PORT --cert FILE --key FILE`; the files are read again every minute, as a
 * Secret that is mounted changes in place.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { parseArgs } from 'node:util';

const rereadMs = 60_000;

type Address = { readonly host: string; readonly port: number };

function addressOf(option: string, text = ''): Address {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`--${option} is "${text}": it has to be HOST:PORT`);
  return { host, port: Number(port) };
}

function main(): void {
  const { listen, to, cert, key } = parseArgs({
    options: { listen: { type: 'string' }, to: { type: 'string' }, cert: { type: 'string' }, key: { type: 'string' } },
  }).values;
  if (!cert || !key) throw new Error('--cert and --key have to name PEM files');
  const target = addressOf('to', to);
  const certificate = () => ({ cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.2' as const });
  const server = createServer(certificate(), (outside) => {
    const inside = connect(target);
    outside.pipe(inside).pipe(outside);
    outside.on('error', () => inside.destroy());
    inside.on('error', () => outside.destroy());
  });
  setInterval(() => server.setSecureContext(certificate()), rereadMs).unref();
  server.on('tlsClientError', () => {}); // theirs to mend: probes and scanners speak no TLS
  server.listen(addressOf('listen', listen), () => process.stderr.write(`tls-front: ready\n`));
  process.once('SIGTERM', () => process.exit());
}

try {
  main();
} catch (error) {
  process.stderr.write(`tls-front: ${(error as Error).message}\n`);
  process.exit(1);
}
