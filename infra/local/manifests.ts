/** Applies manifests as `kubectl apply --server-side` does, without kubectl. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { ApiError, type KubeClient } from '../../functions/adapters/kube/client.ts';
import { until } from './process.ts';

type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};
type Condition = { readonly type: string; readonly status: string };
type Resource = { readonly name: string; readonly kind: string; readonly namespaced: boolean };

const FIELD_MANAGER = 'topicsmith-install';
const TIMEOUT_MS = 15_000;

/**
 * Applies every object of the files, definitions of custom resources first; objects without a namespace go to `default`.
 * Waits until the definitions are established.
 *
 * @returns kinds that this API server does not serve, and that were therefore left out
 * @throws ApiError when the API server refuses an object
 */
export async function applyFiles(kube: KubeClient, files: readonly string[]): Promise<string[]> {
  const missing = [];
  const order = ({ kind }: Manifest) => (kind === 'CustomResourceDefinition' ? 0 : 1);
  for (const manifest of files.flatMap(readManifests).sort((a, b) => order(a) - order(b))) {
    const path = await pathOf(kube, manifest);
    if (path === undefined) missing.push(manifest.kind);
    else await apply(kube, path, manifest);
  }
  return missing;
}

const readManifests = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

/** Sent as plain JSON: typed clients drop the `x-kubernetes-` keys of schemas. */
async function apply(kube: KubeClient, path: string, body: Manifest): Promise<void> {
  const query = { fieldManager: FIELD_MANAGER, force: true };
  await kube.request('PATCH', path, { query, body, contentType: 'application/apply-patch+yaml' });
  if (body.kind === 'CustomResourceDefinition') await established(kube, path);
}

async function established(kube: KubeClient, path: string): Promise<void> {
  const done = await until(async () => {
    const { status } = (await kube.request('GET', path)) as { status?: { conditions?: Condition[] } };
    return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
  }, TIMEOUT_MS);
  if (!done) throw new Error(`the API server has not established ${path} after ${TIMEOUT_MS / 1000} s`);
}

/** A definition that was just established takes a moment to appear in discovery, so its objects are waited for. */
async function pathOf(kube: KubeClient, { apiVersion, kind, metadata }: Manifest): Promise<string | undefined> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const builtIn = !apiVersion.includes('/') || /^(apps|batch|[^/]+\.k8s\.io)\//.test(apiVersion);
  let resource: Resource | undefined;
  await until(
    async () => {
      resource = (await discover(kube, base)).find(
        (candidate) => candidate.kind === kind && !candidate.name.includes('/'),
      );
      return resource !== undefined;
    },
    builtIn ? 0 : TIMEOUT_MS,
  );
  if (resource === undefined) return undefined;
  const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${base}${namespace}/${resource.name}/${metadata.name}`;
}

async function discover(kube: KubeClient, base: string): Promise<Resource[]> {
  try {
    return ((await kube.request('GET', base)) as { resources: Resource[] }).resources;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return [];
    throw error;
  }
}
