/** The policy that adds the finalizer at admission, `infra/admission-finalizer.yaml`, beside the function that takes it away. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { topicsPath } from '../../functions/adapters/kube/client.ts';
import { kubeResources } from '../../functions/adapters/kube/resources.ts';
import { apiVersion, finalizer, kind } from '../../functions/core/api.ts';
import type { TopicResource } from '../../functions/core/resource.ts';
import { keyOf } from '../../functions/core/topic.ts';
import { applyFiles } from '../../infra/local/manifests.ts';
import { until } from '../../infra/local/process.ts';
import type { StoredObject } from '../support/kube/objects.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';

const client = realApi();
const user = userOf(client);
const file = fileURLToPath(new URL('../../infra/admission-finalizer.yaml', import.meta.url));
let namespace = '';
let names = 0;

type Spec = { readonly deletionPolicy?: string; readonly mode?: string; readonly numPartitions?: number };
const newKey = () => ({ namespace, name: `topic-${names++}` });
const others = 'example.com/other';

/** @returns finalizers of an object that is created so, and then edited so */
async function finalizersAfter(specs: readonly Spec[], finalizers: readonly string[] = []): Promise<readonly string[]> {
  const key = newKey();
  let stored = await user.apply({ metadata: { ...key, finalizers }, spec: specs[0] ?? {} });
  for (const spec of specs.slice(1)) stored = await user.apply({ metadata: { ...key, finalizers }, spec });
  await user.patch(key, { metadata: { finalizers: null } });
  return stored.metadata.finalizers ?? [];
}

/** A policy works some moments after it was stored. */
async function works(labels: Readonly<Record<string, string>>, want: boolean): Promise<void> {
  const body = { apiVersion, kind, metadata: { name: 'probe', labels }, spec: { deletionPolicy: 'Delete' } };
  const done = await until(async () => {
    const probe = await client.request('POST', topicsPath(namespace), { query: { dryRun: 'All' }, body });
    return ((probe as StoredObject).metadata.finalizers?.includes(finalizer) ?? false) === want;
  }, 30_000);
  assert.ok(done, 'the API server does not follow the policy');
}

before(async () => {
  namespace = await createNamespace(client);
  assert.deepEqual(await applyFiles(client, [file]), []);
  await works({}, true);
});
after(async () => {
  await applyFiles(client, [file]);
  await removeNamespace(client, namespace);
  await client.close();
});

const Delete = { deletionPolicy: 'Delete' };
const rows: readonly {
  reason: string;
  specs: readonly Spec[];
  finalizers?: readonly string[];
  want: readonly string[];
}[] = [
  { reason: 'a creation that deletes its topic later', specs: [Delete], want: [finalizer] },
  { reason: 'a creation that keeps it', specs: [{}], want: [] },
  { reason: 'a creation that observes only', specs: [{ ...Delete, mode: 'Observe' }], want: [] },
  { reason: 'a creation that is paused, so without a topic yet', specs: [{ ...Delete, mode: 'Paused' }], want: [] },
  { reason: 'an end of the pause', specs: [{ ...Delete, mode: 'Paused' }, Delete], want: [finalizer] },
  { reason: 'a pause keeps it', specs: [Delete, { ...Delete, mode: 'Paused' }], want: [finalizer] },
  { reason: 'a creation whose changes wait for approval', specs: [{ ...Delete, mode: 'Plan' }], want: [finalizer] },
  { reason: 'the finalizers of others stay', specs: [Delete], finalizers: [others], want: [others, finalizer] },
  { reason: 'ours is there once', specs: [Delete], finalizers: [finalizer], want: [finalizer] },
  { reason: 'a switch to Delete', specs: [{}, Delete], want: [finalizer] },
  { reason: 'an end of observing', specs: [{ ...Delete, mode: 'Observe' }, Delete], want: [finalizer] },
  {
    reason: 'it stays through edits that do not name it',
    specs: [Delete, { ...Delete, numPartitions: 2 }],
    want: [finalizer],
  },
  { reason: 'an edit that keeps hands off', specs: [{}, { numPartitions: 2 }], want: [] },
];

describe('K004: what gets the finalizer at admission', () => {
  for (const { reason, specs, finalizers, want } of rows)
    test(reason, async () => assert.deepEqual((await finalizersAfter(specs, finalizers)).toSorted(), want.toSorted()));
});

describe('K004: what the function takes away stays away', () => {
  const signal = AbortSignal.timeout(60_000);
  const resources = kubeResources(client, []);
  const read = async (key: { namespace: string; name: string }) =>
    (await resources.read([key], signal)).get(keyOf(key)) as TopicResource;

  test('from an object that switches to Retain', async () => {
    const key = newKey();
    await user.apply({ metadata: key, spec: Delete });
    await user.apply({ metadata: key, spec: {} });
    await resources.setFinalizer(await read(key), false, signal);
    await user.apply({ metadata: key, spec: { numPartitions: 2 } });
    assert.deepEqual((await user.get(key))?.metadata.finalizers ?? [], []);
  });

  test('from one that is no longer selected, or that somebody took it from by hand', async () => {
    const key = newKey();
    await user.apply({ metadata: key, spec: Delete });
    await resources.setFinalizer(await read(key), false, signal);
    await user.patch(key, { metadata: { labels: { a: 'b' } } });
    assert.deepEqual((await user.get(key))?.metadata.finalizers ?? [], []);
  });

  test('from one that is being deleted, which ends it', async () => {
    const key = newKey();
    await user.apply({ metadata: key, spec: Delete });
    await user.delete(key);
    assert.equal(await resources.setFinalizer(await read(key), false, signal), 'gone');
    assert.equal(await user.get(key), undefined);
  });

  test('from one that is being deleted, although it switches to Delete only then', async () => {
    const key = newKey();
    await user.apply({ metadata: { ...key, finalizers: [others] }, spec: {} });
    await user.delete(key);
    await user.patch(key, { spec: Delete });
    assert.deepEqual((await user.get(key))?.metadata.finalizers, [others]);
    await user.patch(key, { metadata: { finalizers: [] } });
  });
});

test('K004: with a selector, as its comment says, other objects get none', async () => {
  const [policy] = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());
  policy.spec.matchConstraints.objectSelector = { matchLabels: { team: 'a' } };
  await client.request('PATCH', `/apis/${policy.apiVersion}/mutatingadmissionpolicies/${policy.metadata.name}`, {
    query: { fieldManager: 'topicsmith-install', force: true },
    body: policy,
    contentType: 'application/apply-patch+yaml',
  });
  await works({ team: 'b' }, false);
  await works({ team: 'a' }, true);
});
