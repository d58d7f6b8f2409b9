/** Events as `kubectl events` shows them. */
import type { Kubectl } from './kubectl.ts';

export type StoredEvent = {
  readonly metadata: { readonly name: string };
  readonly regarding: { readonly name: string; readonly uid: string; readonly kind: string };
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly eventTime: string;
};

/** Events about objects of this name, also about those that are gone, in the order in which they were told. */
export async function eventsOf(admin: Kubectl, name: string): Promise<readonly StoredEvent[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${admin.namespace}/events`;
  const { items } = (await admin.call('GET', path)) as { items: readonly StoredEvent[] };
  const ours = items.filter(({ regarding }) => regarding.name === name);
  return ours.toSorted((one, other) => one.eventTime.localeCompare(other.eventTime));
}

/** The same, as one line each. */
export const toldAbout = async (admin: Kubectl, name: string): Promise<readonly string[]> =>
  (await eventsOf(admin, name)).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
