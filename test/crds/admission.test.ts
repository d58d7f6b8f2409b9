/** The limits of `infra/admission.yaml`, with the ConfigMaps of the example: what they let through, and what they say. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiError, topicsPath } from '../../functions/adapters/kube/client.ts';
import { annotations, apiVersion, finalizer, group, kind } from '../../functions/core/api.ts';
import { applyFiles } from '../../infra/local/manifests.ts';
import { until } from '../../infra/local/process.ts';
import { realApi, removeNamespace } from '../support/kube/real-api.ts';

const client = realApi();
const [policies, example] = ['admission.yaml', 'admission-limits.yaml'].map((file) =>
  fileURLToPath(new URL(`../../infra/${file}`, import.meta.url)),
) as [string, string];
const admission = '/apis/admissionregistration.k8s.io/v1/validatingadmission';
const configMaps = '/api/v1/namespaces/topicsmith-system/configmaps';
const namespaces = ['team-a', 'team-b', 'team-c'];

type Spec = Readonly<Record<string, unknown>>;

/** @returns 'allowed', or the sentence after "denied request: " */
async function verdictOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'allowed';
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 422) throw error;
    return error.message.replace(/^.* denied request: /, '');
  }
}

const object = (name: string, spec: Spec) => ({ apiVersion, kind, metadata: { name }, spec });
const create = (namespace: string, name: string, spec: Spec = {}): Promise<string> =>
  verdictOf(client.request('POST', topicsPath(namespace), { query: { dryRun: 'All' }, body: object(name, spec) }));
const edit = (namespace: string, name: string, patch: object): Promise<string> =>
  verdictOf(
    client.request('PATCH', topicsPath(namespace, name), {
      query: { dryRun: 'All' },
      body: patch,
      contentType: 'application/merge-patch+json',
    }),
  );

const limits = (name: string, data: Spec) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'topicsmith-system', labels: { [`${group}/limits`]: 'true' } },
  data,
});
const addLimits = (name: string, data: Spec, dryRun?: 'All') =>
  verdictOf(client.request('POST', configMaps, { query: { dryRun }, body: limits(name, data) }));

async function settles(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (!(await until(holds, 30_000))) throw new Error(`waited in vain: ${what}`);
}

/** A policy, and what it reads, works some moments after it was stored. */
async function install(): Promise<void> {
  await applyFiles(client, [example, policies]);
  assert.equal(
    await addLimits('no-deletions', { namespaces: 'team-b', deleteGroups: '', approveGroups: 'topic-admins' }),
    'allowed',
  );
  await settles('the limits hold', async () => {
    const all = [
      create('team-c', 'orders'),
      create('team-a', 'team-a.x', { numPartitions: 51 }),
      create('team-b', 'team-b.x', { deletionPolicy: 'Delete' }),
      addLimits('probe', { unknown: '' }, 'All'),
    ];
    return (await Promise.all(all)).every((verdict) => verdict !== 'allowed');
  });
}

/** Stored before there were limits. */
const legacy = {
  numPartitions: 100,
  deletionPolicy: 'Delete',
  config: { 'retention.ms': -1, 'retention.bytes': '20737418240' },
};

before(async () => {
  for (const name of namespaces) await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  await client.request('POST', topicsPath('team-b'), { body: object('legacy', legacy) });
  for (const namespace of ['team-b', 'team-c'])
    await client.request('POST', topicsPath(namespace), { body: object(`${namespace}.kept`, {}) });
  await install();
});

after(async () => {
  for (const name of ['limits', 'limits-spelling'])
    for (const kind of ['policybindings', 'policies'])
      await client.request('DELETE', `${admission}${kind}/kafkatopic-${name}.${group}`).catch(ignoreMissing);
  await client.request('DELETE', configMaps);
  for (const name of [...namespaces, 'topicsmith-system']) await removeNamespace(client, name);
  await client.close();
});

function ignoreMissing(error: unknown): void {
  if (!(error instanceof ApiError) || error.code !== 404) throw error;
}

const from = (namespace: string, name: string) =>
  ` (limits of namespace ${namespace}: ConfigMap topicsmith-system/${name})`;
const sizes = from('team-a', 'limits-of-small-teams');
const retention = (asked: unknown) => ({ config: { 'retention.ms': asked } });
const refusedRetention = (asked: string) =>
  `spec.config.retention.ms is ${asked}: at most 604800000 is allowed${sizes}`;

type Creation = {
  readonly reason: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly spec?: Spec;
  readonly want: string;
};

const creations: readonly Creation[] = [
  { reason: 'what is left out is no breach', want: 'allowed' },
  { reason: 'a name with another allowed prefix', name: 'shared.events', want: 'allowed' },
  {
    reason: 'a name without the prefix of its namespace',
    name: 'orders',
    want: `topic name orders is not allowed: it has to be one of team-a.*, shared.*${from('team-a', 'limits')}`,
  },
  {
    reason: 'the name in Kafka counts, not the name of the object',
    spec: { topicName: 'Orders' },
    want: `topic name Orders is not allowed: it has to be one of team-a.*, shared.*${from('team-a', 'limits')}`,
  },
  {
    reason: 'the prefix of another namespace',
    name: 'team-a.orders',
    namespace: 'team-c',
    want: `topic name team-a.orders is not allowed: it has to be one of team-c.*, shared.*${from('team-c', 'limits')}`,
  },
  {
    reason: 'a reserved name, although its prefix is allowed',
    name: 'shared.audit',
    want: `topic name shared.audit is reserved: no topic may be one of _schemas, connect-*, shared.audit${from('team-a', 'limits')}`,
  },
  { reason: 'a name that only begins like a reserved one', name: 'shared.audit-2', want: 'allowed' },
  {
    reason: 'breaches of one ConfigMap are told together',
    name: 'connect-offsets',
    want: `topic name connect-offsets is not allowed: it has to be one of team-a.*, shared.*; topic name connect-offsets is reserved: no topic may be one of _schemas, connect-*, shared.audit${from('team-a', 'limits')}`,
  },
  { reason: 'as many partitions as allowed', spec: { numPartitions: 50 }, want: 'allowed' },
  {
    reason: 'more partitions than allowed',
    spec: { numPartitions: 51 },
    want: `spec.numPartitions is 51: at most 50 is allowed${sizes}`,
  },
  { reason: 'as many replicas as allowed', spec: { replicationFactor: 3 }, want: 'allowed' },
  {
    reason: 'more replicas than allowed',
    spec: { replicationFactor: 4 },
    want: `spec.replicationFactor is 4: at most 3 is allowed${sizes}`,
  },
  {
    reason: 'a namespace that the sizes are not for',
    namespace: 'team-c',
    spec: { numPartitions: 51 },
    want: 'allowed',
  },
  { reason: 'retention at the limit, as a number', spec: retention(604_800_000), want: 'allowed' },
  { reason: 'retention at the limit, as text', spec: retention('604800000'), want: 'allowed' },
  { reason: 'retention beyond it, as a number', spec: retention(604_800_001), want: refusedRetention('604800001') },
  { reason: 'retention beyond it, as text', spec: retention('604800001'), want: refusedRetention('604800001') },
  { reason: 'retention for ever, as a number', spec: retention(-1), want: refusedRetention('-1') },
  { reason: 'retention for ever, as text', spec: retention('-1'), want: refusedRetention('-1') },
  { reason: 'Kafka cuts spaces off', spec: retention(' +604800001 '), want: refusedRetention(' +604800001 ') },
  { reason: 'spaces around a number that is allowed', spec: retention(' 604800000 '), want: 'allowed' },
  {
    reason: 'Kafka reads the digits of every script',
    spec: retention('٦٠٤٨٠٠٠٠١'),
    want: refusedRetention('٦٠٤٨٠٠٠٠١'),
  },
  { reason: 'more digits than a number has', spec: retention('9'.repeat(19)), want: refusedRetention('9'.repeat(19)) },
  { reason: 'no number at all', spec: retention('7d'), want: refusedRetention('7d') },
  {
    reason: 'a list of one, which Kafka gets as that one',
    spec: retention([-1]),
    want: refusedRetention('no whole number'),
  },
  { reason: 'a fraction', spec: retention(1.5), want: refusedRetention('no whole number') },
  { reason: 'bytes at the limit', spec: { config: { 'retention.bytes': 10_737_418_240 } }, want: 'allowed' },
  {
    reason: 'any negative number of bytes is without end',
    spec: { config: { 'retention.bytes': -2 } },
    want: `spec.config.retention.bytes is -2: at most 10737418240 is allowed${sizes}`,
  },
  { reason: 'Delete by a member of a group that may', spec: { deletionPolicy: 'Delete' }, want: 'allowed' },
  {
    reason: 'Delete where nobody may',
    namespace: 'team-b',
    spec: { deletionPolicy: 'Delete' },
    want: `spec.deletionPolicy may be set to Delete by these groups only: nobody${from('team-b', 'no-deletions')}`,
  },
];

describe('creations', () => {
  for (const { reason, namespace = 'team-a', name = `${namespace}.orders`, spec, want } of creations)
    test(`T139: ${want === 'allowed' ? 'allowed' : 'refused'}: ${reason}`, async () =>
      assert.equal(await create(namespace, name, spec), want));
});

const oldSizes = from('team-b', 'limits-of-small-teams');
const edits = [
  { reason: 'labels, annotations, finalizers', patch: { metadata: { labels: { a: 'b' }, finalizers: [finalizer] } } },
  { reason: 'another field, while what is too large stays', patch: { spec: { config: { 'segment.ms': 3_600_000 } } } },
  { reason: 'what is too large comes down, not all the way', patch: { spec: { config: { 'retention.ms': 1e12 } } } },
  { reason: 'fewer bytes, still too many', patch: { spec: { config: { 'retention.bytes': '20737418239' } } } },
  { reason: 'the way out of a deletion', patch: { spec: { deletionPolicy: 'Retain' } } },
  {
    reason: 'what is too large grows',
    patch: { spec: { numPartitions: 101 } },
    want: `spec.numPartitions is 101: at most 50 is allowed${oldSizes}`,
  },
  {
    reason: 'more bytes than before',
    patch: { spec: { config: { 'retention.bytes': '20737418241' } } },
    want: `spec.config.retention.bytes is 20737418241: at most 10737418240 is allowed${oldSizes}`,
  },
  {
    reason: 'a field that was not there before',
    patch: { spec: { replicationFactor: 4 } },
    want: `spec.replicationFactor is 4: at most 3 is allowed${oldSizes}`,
  },
  {
    reason: 'a switch to Delete',
    name: 'team-b.kept',
    patch: { spec: { deletionPolicy: 'Delete' } },
    want: `spec.deletionPolicy may be set to Delete by these groups only: nobody${from('team-b', 'no-deletions')}`,
  },
];

describe('edits of objects from before the limits', () => {
  for (const { reason, name = 'legacy', patch, want = 'allowed' } of edits)
    test(`T139: ${want === 'allowed' ? 'allowed' : 'refused'}: ${reason}`, async () =>
      assert.equal(await edit('team-b', name, patch), want));
});

const approval = (hash: string | null) => ({ metadata: { annotations: { [annotations.approve]: hash } } });

const approvals = [
  { reason: 'by a member of a group that may', namespace: 'team-c', want: 'allowed' },
  {
    reason: 'by somebody else',
    namespace: 'team-b',
    want: `annotation ${annotations.approve} may be set by these groups only: topic-admins${from('team-b', 'no-deletions')}`,
  },
];

describe('approvals', () => {
  for (const { reason, namespace, want } of approvals)
    test(`T139, T179: ${want === 'allowed' ? 'allowed' : 'refused'}: ${reason}`, async () =>
      assert.equal(await edit(namespace, `${namespace}.kept`, approval('0123456789abcdef')), want));

  test('T139, T179: allowed: to take one back, and to edit beside one that is there', async () => {
    const path = topicsPath('team-c', 'team-c.approved');
    await client.request('POST', topicsPath('team-c'), {
      body: { ...object('team-c.approved', {}), ...named('team-c.approved') },
    });
    await addLimits('nobody', { namespaces: 'team-c', approveGroups: '' });
    await settles('nobody may approve', async () => (await edit('team-c', 'team-c.kept', approval('a'))) !== 'allowed');
    assert.equal(await edit('team-c', 'team-c.approved', approval(null)), 'allowed');
    assert.equal(await edit('team-c', 'team-c.approved', { spec: { numPartitions: 2 } }), 'allowed');
    assert.match(await edit('team-c', 'team-c.approved', approval('b')), /by these groups only: nobody/);
    await client.request('DELETE', `${configMaps}/nobody`);
    await client.request('DELETE', path);
  });
});

const named = (name: string) => ({ metadata: { name, annotations: { [annotations.approve]: 'a' } } });

const spellings = [
  { reason: 'every limit', data: { namespaces: '*', maxPartitions: '1', deleteGroups: '' }, want: 'allowed' },
  {
    reason: 'a limit that does not exist',
    data: { maxPartition: '50' },
    want: 'data.maxPartition is no limit; there are namespaces, allowedTopics, reservedTopics, maxPartitions, maxReplicationFactor, maxRetentionMs, maxRetentionBytes, deleteGroups, approveGroups',
  },
  {
    reason: 'a number with a unit',
    data: { maxRetentionMs: '7d' },
    want: 'data.maxRetentionMs is "7d": it has to be a whole number',
  },
];

describe('ConfigMaps that would limit nothing', () => {
  for (const { reason, data, want } of spellings)
    test(`T139: ${want === 'allowed' ? 'allowed' : 'refused'}: ${reason}`, async () =>
      assert.equal(await addLimits('spelled', data, 'All'), want));
});

test('T139: a limit that got past the check of its spelling, and cannot be read, refuses', async () => {
  const binding = `${admission}policybindings/kafkatopic-limits-spelling.${group}`;
  await client.request('DELETE', binding);
  await settles(
    'misspelled limits are taken',
    async () => (await addLimits('bad', { maxRetentionMs: '7d' }, 'All')) === 'allowed',
  );
  await addLimits('bad', { namespaces: 'team-c', maxRetentionMs: '7d' });
  const tried = () => create('team-c', 'team-c.orders', retention(1));
  await settles('the limit is read', async () => (await tried()) !== 'allowed');
  assert.match(await tried(), /expression 'size\(variables\.problems\) == 0' resulted in error: .*maxRetentionMs/);
  await client.request('DELETE', `${configMaps}/bad`);
  await settles('the limit is gone', async () => (await tried()) === 'allowed');
});

// Last: once the policy is gone this API server follows ConfigMaps no more (https://github.com/kubernetes/kubernetes/issues/130887).
test('K170, T139: without ConfigMaps nothing is let in, without the policy everything is', async () => {
  const modest = () => create('team-a', 'team-a.orders');
  const tooMany = () => create('team-a', 'orders', { numPartitions: 51 });
  await client.request('DELETE', configMaps);
  await settles('missing limits are noticed', async () => (await modest()) !== 'allowed');
  assert.match(await modest(), /no params found for policy binding with `Deny` parameterNotFoundAction/);
  await client.request('DELETE', `${admission}policies/kafkatopic-limits.${group}`);
  await settles('the policy is gone', async () => (await tooMany()) === 'allowed');
});
