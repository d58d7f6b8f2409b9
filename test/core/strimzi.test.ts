import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromStrimzi, isStrimziTopic } from '../../functions/core/strimzi.ts';

const of = (spec: object, metadata: object = {}) => ({
  apiVersion: 'kafka.strimzi.io/v1beta2',
  kind: 'KafkaTopic',
  metadata: { name: 'orders', ...metadata },
  spec,
});
const observe = { deletionPolicy: 'Retain', mode: 'Observe' };
/** As JSON has it. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a KafkaTopic of Strimzi’s', () => {
  test('becomes one of ours for the same topic, with the same counts and values', () => {
    const config = { 'retention.ms': 7200000, 'cleanup.policy': 'compact', preallocate: true, 'x.list': ['a', 1] };
    const { manifest, topicName, notes } = fromStrimzi(
      of({ partitions: 3, replicas: 2, config }, { namespace: 'kafka', labels: { team: 'a' } }),
      'Observe',
    );
    assert.deepEqual(plain(manifest), {
      apiVersion: 'cache.example.com/v1alpha1',
      kind: 'KafkaTopic',
      metadata: { name: 'orders', namespace: 'kafka', labels: { team: 'a' } },
      spec: { numPartitions: 3, replicationFactor: 2, config, ...observe },
    });
    assert.deepEqual([topicName, notes], ['orders', []]);
  });

  for (const [what, spec, expected, topicName] of [
    ['a topic by another name keeps it', { topicName: 'Orders_V1' }, { topicName: 'Orders_V1' }, 'Orders_V1'],
    ['its own name as the topic’s is not said again', { topicName: 'orders' }, {}, 'orders'],
    ['counts that are -1, null or absent are the brokers’ to choose', { partitions: -1, replicas: null }, {}, 'orders'],
    ['whole numbers of YAML are numbers', { partitions: 3n }, { numPartitions: 3 }, 'orders'],
    [
      'a number that would lose digits becomes text',
      { config: { a: 9223372036854775807n } },
      { config: { a: '9223372036854775807' } },
      'orders',
    ],
    [
      'a number in a list too',
      { config: { a: [1n, 9007199254740993n] } },
      { config: { a: [1, '9007199254740993'] } },
      'orders',
    ],
  ] as const)
    test(what, () => {
      const draft = fromStrimzi(of(spec), 'Observe');
      assert.deepEqual(plain(draft.manifest.spec), { ...expected, ...observe });
      assert.deepEqual([draft.topicName, draft.notes], [topicName, []]);
    });

  for (const [what, spec, notes] of [
    ['a value that is null', { config: { a: null } }, /^spec\.config\.a is left out: null is not a value\./],
    ['a value that is an object', { config: { a: { b: 1 } } }, /^spec\.config\.a is left out: a value is text,/],
    [
      'a number that has lost its digits',
      { config: { a: 9223372036854776000 } },
      /^spec\.config\.a is left out: .*quote it$/,
    ],
    ['a field that nobody knows', { fancy: 1 }, /^spec\.fancy has no counterpart: left out$/],
    ['a count that is text', { partitions: '3' }, /^spec\.partitions is not a number: left out$/],
  ] as const)
    test(`${what} is left out, and said`, () => {
      const { manifest, notes: said } = fromStrimzi(of(spec), 'Observe');
      assert.deepEqual(plain(manifest.spec), observe);
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', notes);
    });

  test('labels and annotations by which tools know their own are left out, and said', () => {
    const labels = { 'strimzi.io/cluster': 'main', 'argocd.argoproj.io/instance': 'x', team: 'a' };
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', owner: 'me' };
    const ownerReferences = [{ kind: 'KafkaUser' }];
    const draft = fromStrimzi(of({}, { labels, annotations, ownerReferences }), 'Observe');
    assert.deepEqual(plain(draft.manifest.metadata), { name: 'orders', labels: { team: 'a' } });
    assert.equal(draft.cluster, 'main');
    assert.deepEqual(draft.notes, [
      'label strimzi.io/cluster=main has no counterpart: left out',
      'label argocd.argoproj.io/instance=x has no counterpart: left out',
      'annotation owner has no counterpart: left out',
      'metadata.ownerReferences have no counterpart: left out',
    ]);
  });

  for (const [annotation, asked, mode, managed] of [
    [{ 'strimzi.io/pause-reconciliation': 'true' }, 'Enforce', 'Paused', true],
    [{ 'strimzi.io/pause-reconciliation': 'false' }, 'Enforce', 'Enforce', true],
    [{ 'strimzi.io/managed': 'false' }, 'Enforce', 'Observe', false],
    [{ 'strimzi.io/managed': 'true' }, 'Enforce', 'Enforce', true],
    [{ 'strimzi.io/managed': 'false', 'strimzi.io/pause-reconciliation': 'true' }, 'Observe', 'Paused', false],
  ] as const)
    test(`with ${JSON.stringify(annotation)} mode ${asked} is ${mode}`, () => {
      const draft = fromStrimzi(of({}, { annotations: annotation }), asked);
      assert.deepEqual([draft.manifest.spec.mode, draft.managed], [mode, managed]);
      assert.equal(draft.notes.length, mode === asked ? 0 : mode === 'Paused' && !managed ? 2 : 1);
    });

  test('one that is being deleted is known as such', () => {
    assert.equal(fromStrimzi(of({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Observe').deleting, true);
    assert.equal(fromStrimzi(of({}), 'Observe').deleting, false);
  });

  test('is told by group and kind, whatever its version', () => {
    assert.ok(isStrimziTopic(of({})));
    assert.ok(isStrimziTopic({ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic' }));
    for (const other of [undefined, null, 7, {}, { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaUser' }])
      assert.ok(!isStrimziTopic(other));
    assert.ok(!isStrimziTopic({ apiVersion: 'cache.example.com/v1alpha1', kind: 'KafkaTopic' }));
  });

  test('whatever else an object holds, nothing is thrown', () => {
    for (const object of [
      undefined,
      null,
      [],
      { metadata: 7, spec: [] },
      { metadata: { labels: 'x' }, spec: { config: 7 } },
    ])
      assert.equal(fromStrimzi(object, 'Observe').manifest.metadata.name, '');
  });
});
