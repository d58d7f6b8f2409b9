import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from './kubectl.ts';

const deadlineMs = 60_000;
const pathOf = ({ namespace }: Kubectl): string => `/api/v1/namespaces/${namespace}`;

/** Makes the namespace that an administrator works in. */
export async function createNamespace(admin: Kubectl): Promise<void> {
  await admin.call('POST', '/api/v1/namespaces', { body: { metadata: { name: admin.namespace } } });
}

/**
 * Deletes the namespace and does the part of the namespace controller, which an API server alone has not: deletes what is
 * in it, and finalizes it when that has gone.
 */
export async function deleteNamespace(admin: Kubectl): Promise<void> {
  await admin.call('DELETE', pathOf(admin));
  await admin.call('DELETE', `/apis/cache.example.com/v1alpha1/namespaces/${admin.namespace}/kafkatopics`);
  const deadline = performance.now() + deadlineMs;
  while ((await admin.list()).length > 0) {
    if (performance.now() > deadline) throw new Error(`${admin.namespace} still holds objects`);
    await sleep(50);
  }
  const namespace = (await admin.call('GET', pathOf(admin))) as { metadata: unknown };
  await admin.call('PUT', `${pathOf(admin)}/finalize`, { body: { ...namespace, spec: { finalizers: [] } } });
}
