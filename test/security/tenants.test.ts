/** What a tenant's object can say, and what it cannot bring about. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { annotations } from '../../functions/core/api.ts';
import type { Outcome } from '../../functions/core/outcome.ts';
import { parseResource } from '../../functions/core/parse.ts';
import { parseRequest, parseTick } from '../../functions/core/request.ts';
import { isInternal, spec } from '../../functions/core/schema/kafkatopic.ts';
import { statusOf } from '../../functions/core/status.ts';
import { commandWorld } from '../commands/world.ts';
import { world } from '../core/world.ts';
import { boundTopic, entry, live } from '../support/build.ts';

const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '__defineGetter__', 'then'];

/** Fails when somebody has written to a prototype that all share. */
const prototypes = () =>
  JSON.stringify([Object, Array, Map, String, Function].map((one) => Object.getOwnPropertyNames(one.prototype)));

describe('fields', () => {
  test('T124: no field of a spec names another namespace, a secret, a cluster or an identity', () => {
    assert.deepEqual(Object.keys(spec.properties ?? {}).sort(), [
      'config',
      'configMode',
      'deletionPolicy',
      'ignoredConfigs',
      'mode',
      'numPartitions',
      'replicationFactor',
      'topicName',
    ]);
  });
});

describe('labels and annotations', () => {
  const held = async () => {
    const made = world();
    for (const name of ['orders', 'clicks']) {
      made.apply(name, { numPartitions: 1, config: { 'retention.ms': 9_000_000 } });
      await made.pass([name]);
      made.topics.produce(name, 5);
      made.apply(name, { numPartitions: 1, config: { 'retention.ms': 1_000 } });
    }
    await made.pass(['orders', 'clicks']);
    return made;
  };

  test("T126: an approval is for one object and one topic: another object's hash releases nothing", async () => {
    const { approve, pass, ready, status, topics } = await held();
    const [hash = '', other = ''] = ['orders', 'clicks'].map((name) => status(name)?.plan?.hash);
    assert.notEqual(hash, other);
    approve('clicks', hash);
    await pass(['clicks']);
    assert.equal(ready('clicks'), 'False ApprovalRequired');
    assert.equal(topics.topics.get('clicks')?.overrides.get('retention.ms'), '9000000');
    approve('clicks', other);
    await pass(['clicks']);
    assert.equal(topics.topics.get('clicks')?.overrides.get('retention.ms'), '1000');
  });

  test('T126: an approval is void for a topic that was made anew under the name', async () => {
    const { approve, pass, status, topics } = await held();
    approve('orders');
    topics.add('orders', { config: { 'retention.ms': '9000000' }, recordCount: 5 });
    await pass(['orders']);
    assert.equal(topics.topics.get('orders')?.overrides.get('retention.ms'), '9000000');
    assert.equal(status('orders')?.conditions[0]?.reason, 'IdentityChanged');
  });

  test('T126: besides it and the wish for a look, no label and no annotation changes what is done', async () => {
    const texts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 });
    const known: readonly string[] = Object.values(annotations);
    await fc.assert(
      fc.asyncProperty(texts, texts, async (labels, more) => {
        const { resources, pass, topics, approve } = await held();
        const others = Object.fromEntries(Object.entries(more).filter(([key]) => !known.includes(key)));
        resources.objects.change({ namespace: 'shop', name: 'orders' }, (object) => ({
          ...object,
          metadata: { ...object.metadata, labels, annotations: others },
        }));
        await pass(['orders']);
        assert.equal(topics.topics.get('orders')?.overrides.get('retention.ms'), '9000000');
        approve('orders');
        await pass(['orders']);
        assert.equal(topics.topics.get('orders')?.overrides.get('retention.ms'), '1000');
      }),
      { numRuns: 50 },
    );
  });
});

describe('topics of Kafka itself', () => {
  const names = ['__consumer_offsets', '__transaction_state', '__', '__mine'];

  for (const name of names)
    test(`T127: ${name} is not made, taken over, changed or deleted, though no admission policy is asked`, async () => {
      const { apply, pass, ready, topics, resources } = world();
      assert.equal(isInternal(name), true);
      const spec = { topicName: name, numPartitions: 5, deletionPolicy: 'Delete', config: { 'retention.ms': 1 } };
      resources.objects.apply({ metadata: { namespace: 'shop', name: 'mine' }, spec }, { unchecked: true });
      await pass(['mine']);
      assert.equal(ready('mine'), 'False InternalTopic');
      assert.equal(topics.topics.has(name), false);
      topics.add(name, { numPartitions: 2, recordCount: 5 });
      const { id } = topics.topics.get(name) ?? {};
      await pass(['mine']);
      resources.objects.delete({ namespace: 'shop', name: 'mine' });
      await pass(['mine']);
      const after = topics.topics.get(name);
      assert.deepEqual([after?.id, after?.numPartitions, after?.overrides.size], [id, 2, 0]);
      apply('other');
      await pass(['other']);
      assert.equal(ready('other'), 'True Synced');
    });

  test('T127: nor is one that the brokers call their own', async () => {
    const { apply, pass, topics } = world();
    topics.add('_brokers_own', { numPartitions: 2 });
    topics.internal.add('_brokers_own');
    apply('mine', { topicName: '_brokers_own', numPartitions: 5, deletionPolicy: 'Delete' });
    await pass(['mine']);
    assert.equal(topics.topics.get('_brokers_own')?.numPartitions, 2);
  });
});

describe('names like those of members of Object', () => {
  test('T129: as config keys, labels and annotations they are data, and prototypes stay as they were', async () => {
    const before = prototypes();
    const { resources, pass, status } = world();
    const texts = Object.fromEntries(odd.map((key) => [key, 'x']));
    const config = JSON.parse(`{${odd.map((key) => `"${key}":"1"`).join(',')}}`);
    const metadata = { namespace: 'shop', name: 'orders', labels: texts, annotations: texts };
    resources.objects.apply({ metadata, spec: { config } }, { unchecked: true });
    await pass(['orders']);
    assert.equal(status('orders')?.conditions[0]?.reason, 'InvalidConfig');
    const { labels, spec: parsed } = parseResource(resources.objects.get({ namespace: 'shop', name: 'orders' }));
    assert.deepEqual([...labels.keys()].sort(), odd.toSorted());
    assert.deepEqual('config' in parsed && [...parsed.config.keys()].sort(), odd.toSorted());
    assert.equal(prototypes(), before);
  });

  test('T129: in messages they are fields that nobody knows', () => {
    const before = prototypes();
    for (const key of odd) {
      const request = `{"v":1,"namespace":"a","name":"b","trigger":"change","id":"1","${key}":{"polluted":1}}`;
      assert.ok('malformed' in parseRequest(request), key);
      assert.ok('malformed' in parseTick(`{"v":1,"tick":"t","${key}":{"polluted":1}}`), key);
    }
    assert.equal(prototypes(), before);
    assert.equal('polluted' in {}, false);
  });

  test('T129: in files of the command line they are keys, in any form of YAML', async () => {
    const before = prototypes();
    const forms = [
      odd.map((key) => `    ${key}: x`).join('\n'),
      odd.map((key) => `    "${key}": x`).join('\n'),
      `    <<: &a {__proto__: {polluted: 1}}\n    constructor: {prototype: {polluted: 1}}`,
    ];
    for (const form of forms) {
      const input = `apiVersion: cache.example.com/v1alpha1\nkind: KafkaTopic\nmetadata:\n  name: a\n  labels:\n${form}\nspec:\n  config:\n${form}\n`;
      const { out, err } = await commandWorld({ input }).run('plan', '-f', '-');
      assert.match(out + err, /__proto__|constructor|spec\.config\.<</);
    }
    assert.equal(prototypes(), before);
    assert.equal('polluted' in {}, false);
  });
});

describe('sizes', () => {
  const mebibyte = 1_048_576;

  test('T128: a status fits into an object, however much others have set at the brokers', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `foreign.${index}`);
    const value = 'x'.repeat(mebibyte);
    const resource = boundTopic(
      { configMode: 'Exact', config: { 'segment.ms': '1' } },
      { config: { 'segment.ms': '1' } },
    );
    const outcome: Outcome = {
      kind: 'Drift',
      drift: keys.map((field) => ({ field, desired: 'inherited', observed: value })),
      applied: [],
      binding: undefined,
      live: live({ entries: { 'segment.ms': entry('segment.ms', value) } }),
      plan: undefined,
      reassignment: undefined,
    };
    const bytes = Buffer.byteLength(JSON.stringify(statusOf(resource, outcome, new Date())));
    assert.ok(bytes < mebibyte / 2, String(bytes));
  });

  test('T128: an object of the greatest size that etcd takes is parsed in passing, and refused for what is too large', () => {
    const object = {
      metadata: { namespace: 'a', name: 'b', annotations: { x: 'x'.repeat(256 * 1_024) } },
      spec: {
        config: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key.${index}`, 'x'.repeat(100)])),
      },
    };
    const before = process.cpuUsage().user;
    const { spec: parsed } = parseResource(object);
    assert.ok((process.cpuUsage().user - before) / 1_000 < 1_000);
    assert.equal('reason' in parsed && parsed.reason, 'InvalidSpec');
  });
});
