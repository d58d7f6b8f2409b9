/** An EKS cluster as an IAM identity sees it, from inside the cluster or from anywhere else. */
import type { KubeConfig } from '@kubernetes/client-node';
import { awsCredentials, awsRegion } from '../aws/credentials.ts';
import { eksToken } from '../aws/tokens.ts';

const variables = ['EKS_CLUSTER_NAME', 'KUBE_API_SERVER', 'KUBE_CA_DATA'] as const;
type Variable = (typeof variables)[number];

/** The cluster takes a token for 15 minutes; a request that was begun with an old one has to get there, too. */
const renewAfterMs = 10 * 60_000;

/**
 * Puts into `kubeConfig` the cluster that `EKS_CLUSTER_NAME`, `KUBE_API_SERVER` and `KUBE_CA_DATA` name, with tokens that
 * are signed here with the process's AWS credentials (`awsCredentials`).
 *
 * @returns has the next request sign a new token; undefined when none of the three is set, and nothing was done
 * @throws Error one line that names the variable and what it must hold
 * @see https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
 */
export function useEks(kubeConfig: KubeConfig, env: NodeJS.ProcessEnv): (() => void) | undefined {
  if (variables.every((name) => !env[name])) return undefined;
  const name = required(env, 'EKS_CLUSTER_NAME');
  const cluster = { name, server: serverIn(env), caData: authorityIn(env), skipTLSVerify: false };
  const token = renewed(tokenSource(env, name));
  kubeConfig.loadFromClusterAndUser(cluster, { name: userName });
  kubeConfig.addAuthenticator({
    isAuthProvider: (user) => user.name === userName,
    applyAuthentication: async (_, options) => {
      options.headers = { ...options.headers, Authorization: `Bearer ${await token.get()}` };
    },
  });
  return token.forget;
}

const userName = 'aws';

function tokenSource(env: NodeJS.ProcessEnv, cluster: string): () => Promise<string> {
  const credentials = awsCredentials(env);
  const region = awsRegion(env, 'EKS_CLUSTER_NAME');
  return async () => eksToken(await credentials(), region, cluster, new Date());
}

/** The same token until it is old or was refused. */
function renewed(sign: () => Promise<string>) {
  let current: { readonly token: Promise<string>; readonly until: number } | undefined;
  const forget = () => {
    current = undefined;
  };
  return {
    forget,
    get: async (): Promise<string> => {
      if (current === undefined || Date.now() >= current.until)
        current = { token: sign(), until: Date.now() + renewAfterMs };
      return current.token.catch((error) => {
        forget();
        throw error;
      });
    },
  };
}

function serverIn(env: NodeJS.ProcessEnv): string {
  const server = required(env, 'KUBE_API_SERVER');
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:')
    throw new Error(`KUBE_API_SERVER must be the cluster's https URL, not "${server}"`);
  return server;
}

function authorityIn(env: NodeJS.ProcessEnv): string {
  const data = required(env, 'KUBE_CA_DATA');
  if (!Buffer.from(data, 'base64').toString().includes('-----BEGIN CERTIFICATE-----'))
    throw new Error("KUBE_CA_DATA must be the cluster's certificate authority as EKS gives it: PEM in base64");
  return data;
}

function required(env: NodeJS.ProcessEnv, name: Variable): string {
  const value = env[name];
  if (!value) throw new Error(`${variables.join(', ')} must be set together: ${name} is not`);
  return value;
}
