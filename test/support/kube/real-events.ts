import type { KubeClient } from '../../../functions/adapters/kube/client.ts';
import type { Key } from '../../../functions/core/topic.ts';
import { realApi } from './real-api.ts';

/** An Event as the API server stores it. */
export type StoredEvent = {
  readonly metadata: { readonly name: string };
  readonly regarding: Readonly<Record<string, string>>;
  readonly type: 'Normal' | 'Warning';
  readonly reason: never;
  readonly note: string;
  readonly action: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly eventTime: string;
};

/** The API server as somebody of the group `topicsmith:<who>` sees it, who may do no more than `infra/rbac.yaml` says. */
export function apiAs(who: string): KubeClient {
  const client = realApi();
  const { kubeConfig } = client;
  const authenticate = kubeConfig.applySecurityAuthentication.bind(kubeConfig);
  kubeConfig.applySecurityAuthentication = async (context) => {
    await authenticate(context);
    context.setHeaderParam('Impersonate-User', `some-${who}`);
    context.setHeaderParam('Impersonate-Group', `topicsmith:${who}`);
  };
  return client;
}

export const eventsPath = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;

/** Events of one object, by reason. */
export async function eventsOf(client: KubeClient, { namespace, name }: Key): Promise<readonly StoredEvent[]> {
  const { items } = (await client.request('GET', eventsPath(namespace))) as { items: readonly StoredEvent[] };
  const ours = items.filter(({ regarding }) => regarding.name === name);
  return ours.toSorted((a, b) => (String(a.reason) < String(b.reason) ? -1 : 1));
}
