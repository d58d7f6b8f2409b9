/** Manifests at a real API server, judged by its own schemas and admission, and not kept. */
import type { KubeClient } from '../../../functions/adapters/kube/client.ts';
import type { Manifest, PodTemplate } from './types.ts';

const plural = (kind: string): string => `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');

const pathOf = ({ apiVersion, kind, metadata }: Manifest): string =>
  [
    apiVersion.includes('/') ? '/apis' : '/api',
    `/${apiVersion}`,
    metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`,
    `/${plural(kind)}`,
  ].join('');

/** Server-side apply as a dry run, in which a field that nobody knows is an error. @throws ApiError */
export const tryApply = (api: KubeClient, manifest: Manifest): Promise<unknown> =>
  api.request('PATCH', `${pathOf(manifest)}/${manifest.metadata.name}`, {
    query: { fieldManager: 'chart', force: true, fieldValidation: 'Strict', dryRun: 'All' },
    body: manifest,
    contentType: 'application/apply-patch+yaml',
  });

/** The pod that a workload makes, as a dry run: pod security is enforced for pods only. @throws ApiError */
export const tryPod = (api: KubeClient, namespace: string, { metadata, spec }: PodTemplate): Promise<unknown> =>
  api.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
    query: { fieldValidation: 'Strict', dryRun: 'All' },
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, generateName: 'pod-' }, spec },
  });

/** @throws ApiError */
export const create = (api: KubeClient, manifest: Manifest): Promise<unknown> =>
  api.request('POST', pathOf(manifest), { body: manifest });

/** @throws ApiError */
export const remove = (api: KubeClient, manifest: Manifest): Promise<unknown> =>
  api.request('DELETE', `${pathOf(manifest)}/${manifest.metadata.name}`);

/** The template of what makes pods; undefined for anything else. */
export const templateOf = (manifest: Manifest): PodTemplate | undefined =>
  (manifest.spec as { template?: PodTemplate } | undefined)?.template;
