import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { group, plural } from '../../functions/core/api.ts';
import { realApi } from '../support/kube/real-api.ts';

const client = realApi();
after(() => client.close());

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const resources = [
  { group, resource: plural },
  { group, resource: plural, subresource: 'status' },
  { group: 'events.k8s.io', resource: 'events' },
  { group: '', resource: 'events' },
  { group: '', resource: 'secrets' },
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
];

/** What a group may do in a namespace, as `resource: verbs`; resources without any right are left out. */
async function rightsOf(who: string, namespace: string): Promise<Record<string, string>> {
  const rights: Record<string, string> = {};
  for (const attributes of resources) {
    const allowed = await Promise.all(verbs.map((verb) => isAllowed(who, { ...attributes, namespace, verb })));
    const granted = verbs.filter((_, index) => allowed[index]);
    const name = `${attributes.group === '' ? 'v1 ' : ''}${[attributes.resource, attributes.subresource].filter(Boolean).join('/')}`;
    if (granted.length > 0) rights[name] = granted.join(' ');
  }
  return rights;
}

async function isAllowed(who: string, resourceAttributes: object): Promise<boolean> {
  const body = { spec: { user: `some-${who}`, groups: [`topicsmith:${who}`], resourceAttributes } };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  return ((await client.request('POST', path, { body })) as { status: { allowed: boolean } }).status.allowed;
}

const reconciler = { [plural]: 'get list patch', [`${plural}/status`]: 'patch', events: 'create' };
const tenant = {
  [plural]: 'get list watch create update patch delete',
  events: 'get list watch',
  'v1 events': 'get list watch',
};

const rows = [
  { who: 'forwarder', namespace: 'anywhere', want: { [plural]: 'get list watch' }, reason: 'it only looks' },
  { who: 'resync', namespace: 'anywhere', want: { [plural]: 'get list' }, reason: 'it only looks, once in a while' },
  {
    who: 'reconciler',
    namespace: 'anywhere',
    want: reconciler,
    reason: 'it patches status and our finalizer, and tells what it did',
  },
  { who: 'tenant', namespace: 'default', want: tenant, reason: 'status is not theirs to write, and Events they read' },
  { who: 'tenant', namespace: 'anywhere', want: {}, reason: 'they have rights in their own namespaces only' },
];

describe('who may do what (reliability 6.2)', () => {
  for (const { who, namespace, want, reason } of rows)
    test(`${who} in ${namespace}: ${reason}`, async () => assert.deepEqual(await rightsOf(who, namespace), want));
});
