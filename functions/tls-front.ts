/**
 * TLS for a server that speaks none, as ElasticMQ: takes connections and hands what comes to the server, which listens
 * on the loopback of the same pod. It reads nothing of what passes.
 *
 * `tls-front --listen HOST:PORT --to HOST:PORT --cert FILE --key FILE`; the files are read for each connection of a
 * client that names the server (SNI), since a Secret that is mounted changes in place. Others get the first certificate.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createSecureContext, createServer } from 'node:tls';
import { parseArgs } from 'node:util';

type Address = { readonly host: string; readonly port: number };

/** Looser than `addressIn`: a pod's IP comes without brackets, IPv6 too. */
function addressOf(option: string, text = ''): Address {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`--${option} is "${text}": it has to be HOST:PORT`);
  return { host, port: Number(port) };
}

type Done = (error: Error | null, context?: ReturnType<typeof createSecureContext>) => void;

/** Files that cannot be read, or do not belong together, fail this connection only. */
function answerWith(certificate: () => { cert: Buffer; key: Buffer }, done: Done): void {
  try {
    done(null, createSecureContext(certificate()));
  } catch (error) {
    done(error as Error);
  }
}

function main(): void {
  const { listen, to, cert, key } = parseArgs({
    options: { listen: { type: 'string' }, to: { type: 'string' }, cert: { type: 'string' }, key: { type: 'string' } },
  }).values;
  if (!cert || !key) throw new Error('--cert and --key have to name PEM files');
  const target = addressOf('to', to);
  const certificate = () => ({ cert: readFileSync(cert), key: readFileSync(key) });
  const server = createServer(
    { ...certificate(), minVersion: 'TLSv1.2', SNICallback: (_, done) => answerWith(certificate, done) },
    (outside) => {
      const inside = connect(target);
      outside.pipe(inside).pipe(outside);
      outside.on('error', () => inside.destroy());
      inside.on('error', () => outside.destroy());
    },
  );
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
