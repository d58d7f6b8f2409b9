/** An EKS cluster as an IAM identity sees it, from inside the cluster or from anywhere else. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Settings } from '../../settings/table.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { eksToken } from '../aws/tokens.ts';

export type EksSettings = Partial<
  Settings<'cli', 'EKS_CLUSTER_NAME' | 'KUBE_API_SERVER' | 'KUBE_CA_DATA' | 'AWS_REGION'>
>;

/** The cluster takes a token for 15 minutes; a request that was begun with an old one has to get there, too. */
const renewAfterMs = 10 * 60_000;

/**
 * Puts an EKS cluster into `kubeConfig`, with tokens that are signed here with the process's AWS credentials.
 *
 * @returns has the next request sign a new token; undefined when the settings name no cluster, and nothing was done
 * @see https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
 */
export function useEks(kubeConfig: KubeConfig, settings: EksSettings): (() => void) | undefined {
  const { EKS_CLUSTER_NAME: name, KUBE_API_SERVER: server, KUBE_CA_DATA: caData, AWS_REGION: region } = settings;
  // all or none are set: settings/rules.ts
  if (!name || !server || !caData || !region) return undefined;
  const credentials = awsCredentials();
  const token = renewed(async () => eksToken(await credentials(), region, name, new Date()));
  kubeConfig.loadFromClusterAndUser({ name, server, caData, skipTLSVerify: false }, { name: userName });
  kubeConfig.addAuthenticator({
    isAuthProvider: (user) => user.name === userName,
    applyAuthentication: async (_, options) => {
      options.headers = { ...options.headers, Authorization: `Bearer ${await token.get()}` };
    },
  });
  return token.forget;
}

const userName = 'aws';

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
