import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { ApiError } from '../../functions/adapters/kube/client.ts';
import { finalizer, group, plural, version } from '../../functions/core/api.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';

/** Our CRD and policy under a group of their own, so that they can be loosened without touching anybody. */
const ownGroup = `${randomUUID().slice(0, 8)}.example.com`;
type Document = { kind: string; metadata: { name: string }; spec: { versions: { schema: unknown }[] } };
const documents = (file: string): Document[] =>
  parseAllDocuments(
    readFileSync(new URL(`../../crds/${file}`, import.meta.url), 'utf8').replaceAll(group, ownGroup),
  ).map((document) => document.toJS());

const client = realApi();
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const policies = '/apis/admissionregistration.k8s.io/v1';
const [crd] = documents('kafkatopic.yaml') as [Document];
const [policy, binding] = documents('kafkatopic-policy.yaml') as [Document, Document];
const anything = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
const loose = {
  ...crd,
  spec: {
    ...crd.spec,
    versions: crd.spec.versions.map((v) => ({ ...v, selectableFields: undefined, schema: anything })),
  },
};

let namespace = '';
const pathOf = (name = '') =>
  `/apis/${ownGroup}/${version}/namespaces/${namespace}/${plural}/${name}`.replace(/\/$/, '');
const apply = (path: string, body: object) =>
  client.request('PATCH', path, {
    query: { fieldManager: 'test', force: true },
    body,
    contentType: 'application/apply-patch+yaml',
  });
const patch = (name: string, body: object) =>
  client.request('PATCH', pathOf(name), { body, contentType: 'application/merge-patch+json' });

/** Asks again until the API server has taken over what was just applied. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition()))
    if (Date.now() > deadline) throw new Error('the API server does not take over the schema');
}

const refusal = async (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => '',
    (error) => (error instanceof ApiError ? error.message : Promise.reject(error)),
  );

const stored = [
  { name: 'damaged', spec: { topicName: 'a b', numPartitions: '5', mode: 'Off', config: { a: null, b: { c: 1 } } } },
  { name: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}`, spec: {} },
];

before(async () => {
  namespace = await createNamespace(client);
  await apply(`${crds}/${crd.metadata.name}`, loose);
  await until(async () => (await refusal(client.request('GET', pathOf()))) === '');
  for (const { name, spec } of stored) await client.request('POST', pathOf(), { body: object(name, spec) });
  await apply(`${crds}/${crd.metadata.name}`, crd);
  await apply(`${policies}/validatingadmissionpolicies/${policy.metadata.name}`, policy);
  await apply(`${policies}/validatingadmissionpolicybindings/${binding.metadata.name}`, binding);
  const probe = (config: object, more = {}) =>
    refusal(client.request('POST', pathOf(), { query: { dryRun: 'All' }, body: object('probe', { ...more, config }) }));
  await until(async () => (await probe({}, { mode: 'Off' })) !== '' && (await probe({ a: null })) !== '');
});

const object = (name: string, spec: object) => ({
  apiVersion: `${ownGroup}/${version}`,
  kind: 'KafkaTopic',
  metadata: { name, finalizers: [finalizer] },
  spec,
});

after(async () => {
  await client.request('DELETE', `${policies}/validatingadmissionpolicybindings/${binding.metadata.name}`);
  await client.request('DELETE', `${policies}/validatingadmissionpolicies/${policy.metadata.name}`);
  await client.request('DELETE', `${crds}/${crd.metadata.name}`);
  await removeNamespace(client, namespace);
  await client.close();
});

for (const { name } of stored)
  test(`K169: an object stored before the rules existed can still end: ${name.slice(0, 10)}`, async () => {
    await patch(name, { spec: { deletionPolicy: 'Retain' } });
    await client.request('DELETE', pathOf(name));
    await patch(name, { metadata: { finalizers: [] } });
    assert.match(await refusal(client.request('GET', pathOf(name))), /not found/);
  });
