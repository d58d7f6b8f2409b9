import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { apiVersion, kind } from '../../functions/core/api.ts';
import { parseResource } from '../../functions/core/parse.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';
import { examples, policyWorks, tryCreate, verdict } from './crds.ts';

const client = realApi();
const user = userOf(client);
let namespace = '';

before(async () => {
  namespace = await createNamespace(client);
  await policyWorks(client, namespace, { apiVersion, kind, metadata: { name: 'x' }, spec: { config: { key: null } } });
});
after(async () => {
  await removeNamespace(client, namespace);
  await client.close();
});

describe('examples that are accepted', () => {
  for (const { file, objects } of [...examples('samples'), ...examples('valid')])
    test(file, async () => {
      const outcome = await tryCreate(client, namespace, objects[0]);
      assert.ok('accepted' in outcome, JSON.stringify(outcome));
      assert.ok('topicName' in parseResource(outcome.accepted).spec);
    });
});

describe('examples that are refused, with the message they promise', () => {
  for (const { file, expect, objects } of examples('invalid'))
    test(file, async () => {
      const outcome = await tryCreate(client, namespace, objects[0]);
      assert.ok('refused' in outcome);
      assert.notEqual(expect, '');
      assert.ok(outcome.refused.includes(expect), `expected: ${expect}\n     got: ${outcome.refused}`);
    });
});

describe('edits: the first object is stored, the second gets the verdict of the first line', () => {
  for (const { file, expect, objects } of examples('updates'))
    test(file, async () => {
      const [first, then] = objects.map(({ metadata, spec = {} }) => ({ metadata: { ...metadata, namespace }, spec }));
      assert.ok(first && then);
      await user.apply(first);
      const outcome = await verdict(user.apply(then));
      await user.delete(first.metadata);
      if ('accepted' in outcome) assert.equal(expect, 'accepted');
      else assert.ok(outcome.refused.includes(expect), `expected: ${expect}\n     got: ${outcome.refused}`);
    });
});

test('defaults are stored', async () => {
  const outcome = await tryCreate(client, namespace, { apiVersion, kind, metadata: { name: 'defaults' } });
  assert.deepEqual('accepted' in outcome && outcome.accepted.spec, {
    configMode: 'Merge',
    deletionPolicy: 'Retain',
    mode: 'Enforce',
  });
});

test('K165: a client that does not ask for strictness gets an unknown field pruned, the rest applied', async () => {
  const spec = { partitions: 3, numPartitions: 2 };
  const outcome = await tryCreate(client, namespace, { apiVersion, kind, metadata: { name: 'pruned' }, spec }, false);
  assert.ok('accepted' in outcome);
  assert.equal(outcome.accepted.spec.numPartitions, 2);
  assert.equal('partitions' in outcome.accepted.spec, false);
});

test('K167: config that is larger than the limit is refused, at the limit it is accepted', async () => {
  const sized = (length: number) => ({
    apiVersion,
    kind,
    metadata: { name: 'large' },
    spec: { config: { 'leader.replication.throttled.replicas': 'x'.repeat(length), list: ['é'.repeat(10), 1] } },
  });
  const rest = 'leader.replication.throttled.replicas'.length + 'list'.length + 11 + 1;
  assert.ok('accepted' in (await tryCreate(client, namespace, sized(131_072 - rest))));
  const outcome = await tryCreate(client, namespace, sized(131_073 - rest));
  assert.ok('refused' in outcome);
  assert.match(outcome.refused, /spec\.config is larger than 131072 characters/);
});
