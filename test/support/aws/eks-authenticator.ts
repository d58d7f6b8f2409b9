/**
 * What stands behind an EKS cluster's API server: is shown a token and says whose it is, as aws-iam-authenticator does,
 * but for asking AWS: it knows the secrets of a few, and checks their signatures itself.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import type { AwsCredentials } from '../../../functions/adapters/aws/presign.ts';
import { signerOf } from './signer.ts';

export type EksAuthenticator = {
  /** flags of the API server */
  readonly flags: readonly string[];
  /** the tokens it was shown, each once */
  readonly tokens: ReadonlySet<string>;
  /** why it took the last token for nobody's, since it was asked for the first time */
  readonly complaints: readonly string[];
  /** How old a token may be, in seconds; 900 in EKS. */
  validSeconds: number;
  close(): void;
};

/**
 * @param cluster tokens for any other one are refused
 * @param users by access key: credentials, and the groups of an access entry
 * @param file is written for the API server
 */
export async function startEksAuthenticator(
  cluster: string,
  users: ReadonlyMap<string, { readonly credentials: AwsCredentials; readonly groups: readonly string[] }>,
  file: string,
): Promise<EksAuthenticator> {
  const known = new Map([...users].map(([key, { credentials }]) => [key, credentials]));
  const tokens = new Set<string>();
  const complaints: string[] = [];
  const review = async (token: string) => {
    tokens.add(token);
    try {
      const username = await signerOf(urlIn(token), {
        ...callerIdentity(cluster),
        validSeconds: it.validSeconds,
        known,
      });
      return { authenticated: true, user: { username, groups: users.get(username)?.groups } };
    } catch (error) {
      complaints.push((error as Error).message);
      return { authenticated: false };
    }
  };
  const server = createServer(async (request, response) => {
    const { apiVersion, kind, spec } = JSON.parse(await new Response(request as never).text());
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion, kind, status: await review(spec.token) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  writeFileSync(file, webhookConfig((server.address() as AddressInfo).port));
  const it: EksAuthenticator = {
    flags: [
      `--authentication-token-webhook-config-file=${file}`,
      '--authentication-token-webhook-version=v1',
      '--authentication-token-webhook-cache-ttl=0s',
    ],
    tokens,
    complaints,
    validSeconds: 900,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return it;
}

function urlIn(token: string): string {
  const prefix = 'k8s-aws-v1.';
  if (!token.startsWith(prefix)) throw new Error('not a token of IAM');
  return Buffer.from(token.slice(prefix.length), 'base64url').toString();
}

/** @see https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go */
const callerIdentity = (cluster: string) => ({
  service: 'sts',
  host: /^sts\.[a-z]{2}-[a-z]+-\d\.amazonaws\.com$/,
  query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
  headers: { 'x-k8s-aws-id': cluster },
});

const webhookConfig = (port: number): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'webhook', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'apiserver', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'webhook', user: 'apiserver' } }],
    'current-context': 'webhook',
  });
