import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, type KubeClient } from '../../../functions/adapters/kube/client.ts';
import { inspectKube } from '../../../functions/adapters/kube/inspect.ts';
import { Failure } from '../../../functions/core/outcome.ts';

const signal = new AbortController().signal;

type Options = NonNullable<Parameters<KubeClient['request']>[2]>;
type Asked = { readonly method: string; readonly path: string } & Options;

/** What `doctor` asks, of a client that answers from a function. */
function inspection(answer: (asked: Asked) => unknown, namespaces: readonly string[] = []) {
  const request: KubeClient['request'] = async (method, path, options = {}) => answer({ method, path, ...options });
  const kubeConfig = { getCurrentCluster: () => ({ server: 'https://api.example.com' }) };
  const client = { request, kubeConfig } as unknown as KubeClient;
  const resources = { page: () => assert.fail('nobody asked for objects') };
  return inspectKube({ client, resources, namespaces, clientOf: () => undefined });
}

describe('the API server and its clock', () => {
  const server = (date?: string) =>
    inspection(({ onDate }) => {
      if (date !== undefined) onDate?.(date);
      return { gitVersion: 'v1.36.3' };
    }).server(signal);

  test('one that tells the time is compared with ours', async () => {
    const { skewMs = Number.NaN, ...told } = await server(new Date(Date.now() + 3_600_000).toUTCString());
    assert.deepEqual(told, { url: 'https://api.example.com', version: 'v1.36.3' });
    assert.ok(Math.abs(skewMs - 3_600_000) < 2_000, `${skewMs}`);
  });

  test('one that tells no time has no skew, which is not a good one', async () => {
    assert.deepEqual(await server(), { url: 'https://api.example.com', version: 'v1.36.3', skewMs: undefined });
  });

  test('one that refuses is a Failure', async () => {
    const { server } = inspection(() => {
      throw new ApiError(401, 'Unauthorized', 'no');
    });
    await assert.rejects(server(signal), (error) => error instanceof Failure && error.reason === 'NotAuthenticated');
  });
});

const listing = { group: 'cache.example.com', resource: 'kafkatopics', verb: 'list' };

type Subject = { readonly kind: string; readonly name: string; readonly namespace?: string };

/** An API server with bindings by path; `allowed` says who may list topics where. */
function bindings(
  stored: Readonly<Record<string, readonly Subject[] | 'forbidden'>>,
  allowed: (user: string, namespace: string | undefined) => boolean = () => true,
  namespaces: readonly string[] = [],
) {
  const { rights } = inspection(({ method, path, body }) => {
    if (method === 'POST') {
      const { user, resourceAttributes } = (body as { spec: { user: string; resourceAttributes: Namespaced } }).spec;
      return { status: { allowed: allowed(user, resourceAttributes.namespace) } };
    }
    const subjects = stored[path.replace('/apis/rbac.authorization.k8s.io/v1/', '')];
    if (subjects === undefined) throw new ApiError(404, 'NotFound', path);
    if (subjects === 'forbidden') throw new ApiError(403, 'Forbidden', path);
    return { subjects };
  }, namespaces);
  return rights('resync', [listing], signal);
}

type Namespaced = { readonly namespace?: string };

const everywhere = 'clusterrolebindings/topicsmith-resync';
const inPlace = (namespace: string) => `namespaces/${namespace}/rolebindings/topicsmith-resync`;
const ann = { kind: 'User', name: 'ann' };
const worker = { kind: 'ServiceAccount', name: 'worker', namespace: 'shop' };

describe('the rights of an identity', () => {
  test('are those of everybody who is bound to its role', async () => {
    const group = { kind: 'Group', name: 'admins' };
    assert.deepEqual(await bindings({ [everywhere]: [ann, group, worker] }, (user) => user === 'ann'), [
      { as: 'user ann', denied: [] },
      { as: 'group admins', denied: [listing] },
      { as: 'service account shop/worker', denied: [listing] },
    ]);
  });

  test('are asked for in each watched namespace', async () => {
    const found = await bindings({ [everywhere]: [ann] }, (_, namespace) => namespace === 'a', ['a', 'b']);
    assert.deepEqual(found, [{ as: 'user ann', denied: [{ ...listing, namespace: 'b' }] }]);
  });

  test('are looked for in bindings of the watched namespaces where there is none for all', async () => {
    const asked: string[] = [];
    const stored = { [inPlace('a')]: [ann, worker], [inPlace('b')]: [worker] };
    const allowed = (user: string, namespace = '') => asked.push(`${user} ${namespace}`) > 0;
    assert.deepEqual(await bindings(stored, allowed, ['a', 'b']), [
      { as: 'user ann', denied: [] },
      { as: 'service account shop/worker', denied: [] },
    ]);
    assert.deepEqual(asked.sort(), [
      'ann a',
      'system:serviceaccount:shop:worker a',
      'system:serviceaccount:shop:worker b',
    ]);
  });

  test('are those of our group where nobody is bound by that name', async () => {
    const nobody = { as: 'group topicsmith:resync', denied: [] };
    assert.deepEqual(await bindings({}), [nobody]);
    assert.deepEqual(await bindings({ [everywhere]: [] }), [nobody]);
    assert.deepEqual(await bindings({ [inPlace('a')]: [ann] }, () => true, ['a', 'b']), [
      { as: 'user ann', denied: [] },
      nobody,
    ]);
  });

  test('are not known to somebody who may not read the bindings', async () => {
    assert.equal(await bindings({ [everywhere]: 'forbidden' }), 'forbidden');
    assert.equal(
      await bindings({ [inPlace('a')]: [ann], [inPlace('b')]: 'forbidden' }, () => true, ['a', 'b']),
      'forbidden',
    );
  });
});
