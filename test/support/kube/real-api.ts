import { randomUUID } from 'node:crypto';
import { ApiError, type KubeClient, kubeClient, topicsPath } from '../../../functions/adapters/kube/client.ts';
import { apiVersion, kind } from '../../../functions/core/api.ts';
import type { Key } from '../../../functions/core/topic.ts';
import type { Manifest, StoredObject } from './objects.ts';

/** The API server that `KUBECONFIG` names, with the CRD and its policy; tests need an administrator. */
export function realApi(): KubeClient {
  if (!process.env.KUBECONFIG)
    throw new Error('KUBECONFIG is not set: this test needs a real API server (npm test starts one)');
  return kubeClient(process.env);
}

/** @returns its name, which is unique */
export async function createNamespace(client: KubeClient): Promise<string> {
  const name = `test-${randomUUID()}`;
  await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  return name;
}

/** Empties a namespace and lets it go, also where no namespace controller runs. */
export async function removeNamespace(client: KubeClient, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  await client.request('DELETE', topicsPath(name));
  await client.request('DELETE', path);
  const finalized = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } };
  await ifThere(client.request('PUT', `${path}/finalize`, { body: finalized }));
}

const applyYaml = 'application/apply-patch+yaml';

/** What users do, as `kubectl` does it. */
export const userOf = (client: KubeClient) => ({
  apply: async ({ metadata, spec = {} }: Manifest, dryRun?: 'All'): Promise<StoredObject> =>
    (await client.request('PATCH', topicsPath(metadata.namespace, metadata.name), {
      query: { fieldManager: 'user', force: true, fieldValidation: 'Strict', dryRun },
      body: { apiVersion, kind, metadata, spec },
      contentType: applyYaml,
    })) as StoredObject,

  /** JSON merge patch */
  patch: (key: Key, body: unknown): Promise<unknown> =>
    client.request('PATCH', topicsPath(key.namespace, key.name), { body, contentType: 'application/merge-patch+json' }),

  addCondition: async (key: Key, type: string): Promise<void> => {
    const condition = {
      type,
      status: 'True',
      reason: 'Other',
      message: '',
      lastTransitionTime: new Date().toISOString(),
    };
    await client.request('PATCH', topicsPath(key.namespace, key.name, 'status'), {
      query: { fieldManager: `other-${type}` },
      body: { apiVersion, kind, metadata: { ...key }, status: { conditions: [condition] } },
      contentType: applyYaml,
    });
  },

  delete: async (key: Key): Promise<void> => {
    await ifThere(client.request('DELETE', topicsPath(key.namespace, key.name)));
  },

  get: async (key: Key): Promise<StoredObject | undefined> =>
    (await ifThere(client.request('GET', topicsPath(key.namespace, key.name)))) as StoredObject | undefined,
});

/** @returns undefined for 404 */
async function ifThere(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}
