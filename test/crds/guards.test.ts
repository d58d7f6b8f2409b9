/** The policies of `infra/admission-guards.yaml` and the shipped roles, tried out with the credentials of the identities. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { topicsPath } from '../../functions/adapters/kube/client.ts';
import { finalizer, group, plural } from '../../functions/core/api.ts';
import { until } from '../../infra/local/process.ts';
import { thief, type Who } from '../audit.ts';
import { Kubectl, Refused } from '../support/e2e/kubectl.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';

const client = realApi();
const user = userOf(client);
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const everywhere = `${rbac}/clusterrolebindings`;
const breakGlass = 'topicsmith:break-glass';
let namespace = '';
const thieves = {} as Record<Who | 'tenant-a', Kubectl>;

before(async () => {
  namespace = await createNamespace(client);
  for (const who of ['forwarder', 'resync', 'reconciler', 'tenant-a'] as const)
    thieves[who] = new Kubectl(`${process.env.KUBECONFIG}.${who}`, namespace, thief);
  await user.apply({
    metadata: { namespace, name: 'orders', labels: { team: 'a' }, finalizers: ['example.com/other'] },
    spec: { numPartitions: 1 },
  });
});
after(async () => {
  for (const one of Object.values(thieves)) one.close();
  await user.patch({ namespace, name: 'orders' }, { metadata: { finalizers: null } });
  await removeNamespace(client, namespace);
  await client.close();
});

/** @returns 'allowed', or code and what the API server says */
const verdictOn = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'allowed',
    (error) => (error instanceof Refused ? `${error.code} ${error.message}` : Promise.reject(error)),
  );

type Attempt = { readonly verb: string; readonly path: () => string; readonly body?: object; readonly type?: string };

const attempt = (who: keyof typeof thieves, { verb, path, body, type }: Attempt): Promise<string> =>
  verdictOn(thieves[who].call(verb, path(), { body, contentType: type ?? 'application/merge-patch+json' }));

const patch = (body: object, subresource?: 'status'): Attempt => ({
  verb: 'PATCH',
  path: () => `${topicsPath(namespace, 'orders', subresource)}?dryRun=All`,
  body,
});
const create: Attempt = {
  verb: 'POST',
  path: () => `${topicsPath(namespace)}?dryRun=All`,
  body: { apiVersion: `${group}/v1alpha1`, kind: 'KafkaTopic', metadata: { name: 'new' }, spec: {} },
  type: 'application/json',
};
const remove: Attempt = { verb: 'DELETE', path: () => `${topicsPath(namespace, 'orders')}?dryRun=All` };
const removeAll: Attempt = { verb: 'DELETE', path: () => `${topicsPath(namespace)}?dryRun=All` };
const status = patch({ status: { observedGeneration: 1 } }, 'status');
const finalizers = (...names: readonly string[]) => patch({ metadata: { finalizers: names } });

const others = 'example.com/other';
const ofReconciler: readonly { what: string; tries: Attempt; want: string }[] = [
  { what: 'writes the status', tries: status, want: 'allowed' },
  { what: 'adds our finalizer', tries: finalizers(others, finalizer), want: 'allowed' },
  { what: 'changes the spec', tries: patch({ spec: { numPartitions: 2 } }), want: 'spec' },
  { what: 'removes what the spec says', tries: patch({ spec: { numPartitions: null } }), want: 'spec' },
  { what: 'adds a label', tries: patch({ metadata: { labels: { a: 'b' } } }), want: 'metadata.labels' },
  { what: 'takes a label away', tries: patch({ metadata: { labels: null } }), want: 'metadata.labels' },
  {
    what: 'approves its own plan',
    tries: patch({ metadata: { annotations: { [`${group}/approve`]: '0123456789abcdef' } } }),
    want: 'metadata.annotations',
  },
  {
    what: 'gives the object an owner',
    tries: patch({ metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'b' }] } }),
    want: 'metadata.ownerReferences',
  },
  { what: "takes somebody else's finalizer away", tries: finalizers(finalizer), want: 'finalizer' },
  { what: "adds somebody else's finalizer", tries: finalizers(others, 'example.com/more'), want: 'finalizer' },
];

const says = { spec: 'does not change spec', finalizer: `changes no finalizer but ${finalizer}` } as Record<
  string,
  string
>;

describe('what the reconciler may do with an object (V1)', () => {
  for (const { what, tries, want } of ofReconciler)
    test(`T139, T140: ${want === 'allowed' ? 'allowed' : 'refused'}: it ${what}`, async () => {
      const verdict = await attempt('reconciler', tries);
      if (want === 'allowed') return assert.equal(verdict, 'allowed');
      assert.match(verdict, /^403 .*kafkatopic-reconciler\.cache\.example\.com/);
      assert.ok(verdict.endsWith(`the reconciler ${says[want] ?? `does not change ${want}`}`), verdict);
    });

  test('T139, T140: allowed: it takes our finalizer away', async () => {
    await user.patch({ namespace, name: 'orders' }, { metadata: { finalizers: [others, finalizer] } });
    assert.equal(await attempt('reconciler', finalizers(others)), 'allowed');
    await user.patch({ namespace, name: 'orders' }, { metadata: { finalizers: [others] } });
  });
});

const secrets: Attempt = { verb: 'GET', path: () => `/api/v1/namespaces/${namespace}/secrets` };
const leave: readonly { what: string; tries: Attempt }[] = [
  { what: 'creates', tries: create },
  { what: 'deletes', tries: remove },
  { what: 'deletes all', tries: removeAll },
  { what: 'edits', tries: patch({ spec: { numPartitions: 2 } }) },
  { what: 'writes a status', tries: status },
  { what: 'reads secrets', tries: secrets },
];

describe('by the shipped roles', () => {
  for (const who of ['forwarder', 'resync'] as const) {
    test(`T140, T180: ${who} reads objects`, async () =>
      assert.equal(await attempt(who, { verb: 'GET', path: () => topicsPath(namespace) }), 'allowed'));
    for (const { what, tries } of leave)
      test(`T140, T180: ${who} is refused when it ${what}`, async () =>
        assert.match(await attempt(who, tries), new RegExp(`^403 .*User "topicsmith-${who}" cannot`)));
  }
  for (const { what, tries } of leave.filter(({ what }) => !['edits', 'writes a status'].includes(what)))
    test(`T140: reconciler is refused when it ${what}`, async () =>
      assert.match(await attempt('reconciler', tries), /^403 .*User "topicsmith-reconciler" cannot/));
});

describe('by the policies, where somebody has given identities every right', () => {
  const metadata = { name: 'too-much' };
  const isWide = () => attempt('tenant-a', create).then((verdict) => verdict === 'allowed');
  before(async () => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const groups = ['topicsmith:forwarder', 'topicsmith:resync', 'topicsmith:reconciler', 'topicsmith:tenant'];
    const subjects = groups.map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name }));
    await client.request('POST', everywhere, { body: { metadata, roleRef, subjects } });
    assert.ok(await until(isWide, 30_000));
  });
  after(async () => {
    await client.request('DELETE', `${everywhere}/${metadata.name}`);
    assert.ok(await until(async () => !(await isWide()), 30_000));
  });

  for (const who of ['forwarder', 'resync'] as const)
    for (const { what, tries } of leave.filter(({ tries }) => tries !== secrets))
      test(`T139, T140: V3: ${who} is refused when it ${what}`, async () =>
        assert.match(
          await attempt(who, tries),
          /^403 .*(forwarder and resync only read|a status is written by the reconciler, .*)$/,
        ));

  for (const { what, tries } of leave.slice(0, 3))
    test(`T139, T140: V1: the reconciler is refused when it ${what}`, async () =>
      assert.match(await attempt('reconciler', tries), /^403 .*the reconciler creates and deletes no objects$/));

  test('T139: V2: a status by somebody else is refused, in an emergency it is taken', async () => {
    assert.match(await attempt('tenant-a', status), /^403 .*kafkatopic-status.*a status is written by the reconciler/);
    // an administrator may speak for others
    const inEmergency = { 'impersonate-user': 'somebody', 'impersonate-group': breakGlass };
    const binding = `${everywhere}/in-emergency`;
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: breakGlass }];
    await client.request('POST', everywhere, { body: { metadata: { name: 'in-emergency' }, roleRef, subjects } });
    const admin = new Kubectl(String(process.env.KUBECONFIG), namespace, 'bystander', inEmergency);
    const taken = () =>
      verdictOn(
        admin.call(status.verb, status.path(), { body: status.body, contentType: 'application/merge-patch+json' }),
      );
    assert.ok(await until(async () => (await taken()) === 'allowed', 30_000));
    await client.request('DELETE', binding);
    admin.close();
  });

  test('T139: service accounts of these names are the same identities', async () => {
    const as = (name: string) =>
      new Kubectl(String(process.env.KUBECONFIG), namespace, thief, {
        'impersonate-user': `system:serviceaccount:anywhere:${name}`,
        'impersonate-group': 'topicsmith:tenant',
      });
    const tries = async (name: string, { verb, path, body, type }: Attempt) => {
      const kubectl = as(name);
      const answer = kubectl.call(verb, path(), { body, contentType: type ?? 'application/merge-patch+json' });
      return verdictOn(answer).finally(() => kubectl.close());
    };
    assert.match(await tries('topicsmith-forwarder', create), /forwarder and resync only read$/);
    assert.match(await tries('eu-topicsmith-resync', create), /forwarder and resync only read$/);
    assert.match(await tries('topicsmith-eu-reconciler', create), /creates and deletes no objects$/);
    assert.equal(await tries('topicsmith-reconciler', status), 'allowed');
    assert.equal(await tries('topicsmith-other', create), 'allowed');
    assert.match(await tries('topicsmith-other', status), /a status is written by the reconciler/);
  });
});

test('T139: every rule refuses when it cannot be asked, and what it refuses stands in the audit log', () => {
  const files = ['infra/admission.yaml', 'infra/admission-guards.yaml', 'crds/kafkatopic-policy.yaml'];
  const documents = files.flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).map((one) => one.toJS()),
  );
  const policies = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  assert.equal(policies.length, 7);
  for (const { metadata, spec } of policies) {
    assert.equal(spec.failurePolicy, 'Fail', metadata.name);
    const binding = documents.find(({ kind, spec }) => /Binding$/.test(kind) && spec.policyName === metadata.name);
    assert.deepEqual(binding?.spec.validationActions, ['Deny', 'Audit'], metadata.name);
    if (spec.paramKind !== undefined) assert.equal(binding?.spec.paramRef.parameterNotFoundAction, 'Deny');
  }
});

test('K085: the definition, with every object and many a topic, is not deleted unasked', async () => {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
  const remove = () => client.request('DELETE', path, { query: { dryRun: 'All' } });
  await assert.rejects(remove, {
    code: 422,
    message:
      /denied request: deleting this definition deletes every KafkaTopic, and with those that have deletionPolicy Delete their topics and all records\. Set deletionPolicy to Retain where topics shall stay, then allow it: kubectl annotate crd kafkatopics\.cache\.example\.com cache\.example\.com\/allow-deletion=true$/,
  });
  const allow = (value: string | null) =>
    client.request('PATCH', path, {
      body: { metadata: { annotations: { 'cache.example.com/allow-deletion': value } } },
      contentType: 'application/merge-patch+json',
    });
  await allow('true');
  await remove();
  await allow(null);
});
