/** What the first release has stored is still what the API server takes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { topicsPath } from '../../functions/adapters/kube/client.ts';
import { apiVersion, kind } from '../../functions/core/api.ts';
import type { StoredObject } from '../support/kube/objects.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';
import { left } from './golden.ts';

const client = realApi();
const query = { dryRun: 'All', fieldValidation: 'Strict' };
let namespace = '';
before(async () => {
  namespace = await createNamespace(client);
  const body = { apiVersion, kind, metadata: { name: 'orders' }, spec: {} };
  await client.request('POST', topicsPath(namespace), { body });
});
after(async () => {
  await removeNamespace(client, namespace);
  await client.close();
});

for (const { release, name, object } of left)
  test(`spec and status of ${release} are taken as they are: ${name}`, async () => {
    const metadata = { name: 'again', annotations: object.metadata.annotations ?? {} };
    const body = { apiVersion: object.apiVersion, kind: object.kind, metadata, spec: object.spec };
    const { spec } = (await client.request('POST', topicsPath(namespace), { query, body })) as StoredObject;
    assert.deepEqual(spec, object.spec);
    const path = topicsPath(namespace, 'orders', 'status');
    const contentType = 'application/merge-patch+json';
    const patch = { query, body: { status: object.status }, contentType };
    const { status } = (await client.request('PATCH', path, patch)) as StoredObject;
    assert.deepEqual(status, object.status);
  });
