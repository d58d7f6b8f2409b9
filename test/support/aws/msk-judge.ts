/** What MSK's brokers ask IAM: whose is this token? Signatures are checked by AWS's own signer. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsCredentials } from '../../../functions/adapters/aws/presign.ts';
import { signerOf } from './signer.ts';

export type MskJudge = {
  readonly url: string;
  /** tokens that were good, in order */
  readonly accepted: readonly string[];
  /** why others were not */
  readonly complaints: readonly string[];
  /** ms from now for which it says that a token is good; 900,000 in MSK */
  lifetimeMs: number;
  close(): void;
};

export async function startMskJudge(credentials: AwsCredentials): Promise<MskJudge> {
  const accepted: string[] = [];
  const complaints: string[] = [];
  const expected = {
    service: 'kafka-cluster',
    host: /^kafka\.[a-z]{2}-[a-z]+-\d\.amazonaws\.com$/,
    query: { Action: 'kafka-cluster:Connect' },
    unsigned: ['User-Agent'],
    validSeconds: 900,
    known: new Map([[credentials.accessKeyId, credentials]]),
  };
  const server = createServer(async (request, response) => {
    const token = await new Response(request as never).text();
    try {
      const who = await signerOf(Buffer.from(token, 'base64url').toString(), expected);
      accepted.push(token);
      response.end(`${who} ${Date.now() + it.lifetimeMs}`);
    } catch (error) {
      complaints.push((error as Error).message);
      response.writeHead(403).end('refused');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const it: MskJudge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted,
    complaints,
    lifetimeMs: 900_000,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return it;
}
