import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Identity, manifest, manifestOf, objectNames } from '../../functions/core/manifest.ts';
import { parseResource } from '../../functions/core/parse.ts';
import { plan } from '../../functions/core/plan.ts';
import { entry, live, situation, topic } from '../support/build.ts';

const orders: Identity = { topicName: 'orders', name: 'orders', namespace: undefined };
const topicNames = fc.stringMatching(/^[a-cA-C0._-]{1,6}$/).filter((name) => name !== '.' && name !== '..');
const legal = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('the manifest of a live topic', () => {
  test('K020: has its counts and what is set on the topic itself, retains it, and nothing that is inherited', () => {
    const inherited = entry('segment.ms', undefined, { source: 'broker', value: '60000' });
    const seen = live({ overrides: { 'retention.ms': '60000' }, entries: { 'segment.ms': inherited } });
    const { manifest, notes } = manifestOf(orders, seen, 'Observe');
    assert.deepEqual(JSON.parse(JSON.stringify(manifest)), {
      apiVersion: 'cache.example.com/v1alpha1',
      kind: 'KafkaTopic',
      metadata: { name: 'orders' },
      spec: {
        numPartitions: 3,
        replicationFactor: 1,
        config: { 'retention.ms': 60000 },
        deletionPolicy: 'Retain',
        mode: 'Observe',
      },
    });
    assert.deepEqual(notes, []);
  });

  test('an override that equals the default is an override', () => {
    const { manifest } = manifestOf(orders, live({ overrides: { 'retention.ms': '604800000' } }), 'Observe');
    assert.deepEqual({ ...manifest.spec.config }, { 'retention.ms': 604800000 });
  });

  test('names the topic and the namespace only where there is something to say', () => {
    const { metadata, spec } = manifest({ topicName: 'A', name: 'a', namespace: 'shop' }, { mode: 'Plan' });
    assert.deepEqual(
      { metadata, spec },
      {
        metadata: { name: 'a', namespace: 'shop' },
        spec: { topicName: 'A', deletionPolicy: 'Retain', mode: 'Plan' },
      },
    );
  });

  test('has no field without a value, and its keys in their order', () => {
    const seen = live({ overrides: { 'segment.ms': '1', 'cleanup.policy': 'compact', 'retention.ms': '1' } });
    const { metadata, spec } = manifestOf(orders, seen, 'Observe').manifest;
    assert.deepEqual(Object.keys(metadata), ['name']);
    assert.deepEqual(Object.keys(spec.config ?? {}), ['cleanup.policy', 'retention.ms', 'segment.ms']);
  });

  test('replicas that differ from partition to partition are left out, and said', () => {
    const { manifest, notes } = manifestOf(orders, live({ replicationFactor: 'mixed' }), 'Observe');
    assert.equal(manifest.spec.replicationFactor, undefined);
    assert.deepEqual(notes, ['partitions differ in their number of replicas: left out']);
  });

  test('what the brokers withhold is left out, and said', () => {
    const secret = entry('secret.key', 'x', { value: null, sensitive: true });
    const { manifest, notes } = manifestOf(orders, live({ entries: { 'secret.key': secret } }), 'Observe');
    assert.equal(manifest.spec.config, undefined);
    assert.deepEqual(notes, ['config secret.key: the brokers withhold its value: left out']);
  });

  test('throttles of moves are nobody’s wish', () => {
    const throttled = live({ overrides: { 'leader.replication.throttled.replicas': '*' } });
    assert.equal(manifestOf(orders, throttled, 'Observe').manifest.spec.config, undefined);
  });

  test('a key named __proto__ is only a key', () => {
    const odd = live({ entries: { ['__proto__']: entry('__proto__', 'x') } });
    assert.match(JSON.stringify(manifestOf(orders, odd, 'Observe').manifest), /"__proto__":"x"/);
  });

  for (const [text, written] of [
    ['604800000', 604800000],
    ['-1', -1],
    ['0.50', '0.50'],
    ['true', true],
    ['false', false],
    ['1.5', '1.5'],
    ['9007199254740992', '9007199254740992'],
    ['Infinity', 'Infinity'],
    ['NaN', 'NaN'],
    ['TRUE', 'TRUE'],
    ['007', '007'],
    ['-0', '-0'],
    ['9223372036854775807', '9223372036854775807'],
    ['', ''],
    ['compact,delete', 'compact,delete'],
  ] as const)
    test(`the value ${JSON.stringify(text)} is written as ${JSON.stringify(written)}, and read as it was`, () => {
      const { manifest } = manifestOf(orders, live({ overrides: { 'x.y': text } }), 'Observe');
      assert.equal(manifest.spec.config?.['x.y'], written);
      const { spec } = parseResource(manifest);
      assert.ok(!('reason' in spec));
      assert.equal(spec.config.get('x.y'), text);
    });

  test('K020: enforced, it finds nothing to do but to take the topic over', () => {
    const overrides = {
      'retention.ms': '60000',
      'cleanup.policy': 'compact,delete',
      'min.cleanable.dirty.ratio': '0.9',
    };
    const seen = live({ overrides, replicationFactor: 'mixed' });
    const { spec } = parseResource(manifestOf(orders, seen, 'Enforce').manifest);
    assert.ok(!('reason' in spec));
    const { actions, refusals } = plan(situation(topic({}, { spec }), seen));
    assert.deepEqual(
      [actions.map(({ type, destructive }) => ({ type, destructive })), refusals],
      [[{ type: 'BindTopic', destructive: false }], []],
    );
  });
});

describe('object names of topics', () => {
  const named = (names: readonly string[], taken?: ReadonlySet<string>) => [...objectNames(names, taken).values()];

  for (const [topicName, name] of [
    ['orders', 'orders'],
    ['orders.v1-x', 'orders.v1-x'],
    ['Orders_V1', 'orders-v1'],
    ['_schemas', 'schemas'],
    ['a..b', 'a.b'],
    ['a.-b-.c', 'a.b.c'],
    ['-.-', 'topic'],
    ['___', 'topic'],
    ['A'.repeat(249), 'a'.repeat(249)],
  ] as const)
    test(`topic ${topicName.slice(0, 20)} gets ${name.slice(0, 20)}`, () =>
      assert.deepEqual(named([topicName]), [name]));

  test('of two that would get the same name, the one whose own it is has it', () => {
    const [own, other = ''] = named(['orders-v1', 'Orders_V1']);
    assert.equal(own, 'orders-v1');
    assert.match(other, /^orders-v1-[0-9a-f]{8}$/);
  });

  test('a long name that needs a hash is cut, and still legal', () => {
    const start = 'a'.repeat(238);
    const names = named([`${start}--${'b'.repeat(9)}`, `${start}--${'B'.repeat(9)}`]);
    assert.equal(names[0], `${start}--${'b'.repeat(9)}`);
    assert.match(names[1] ?? '', /^a{238}-[0-9a-f]{8}$/);
  });

  test('the order of topics changes no name', () => {
    const names = ['orders_v1', 'Orders_v1', 'ORDERS.v1', 'orders.v1'];
    const [forth, back] = [objectNames(names), objectNames(names.toReversed())];
    for (const name of names) assert.equal(forth.get(name), back.get(name));
  });

  test('a name that another object has is not given again, also to a topic of that name', () => {
    const [first = '', second = ''] = named(['orders', 'Clicks'], new Set(['orders', 'clicks']));
    assert.match(first, /^orders-[0-9a-f]{8}$/);
    assert.match(second, /^clicks-[0-9a-f]{8}$/);
  });

  test('a topic that is called like the hash of another takes nothing from it', () => {
    const [, hashed = ''] = named(['a', 'A']);
    const [own, other = ''] = [...objectNames([hashed, 'A', 'a'])].map(([, name]) => name);
    assert.equal(own, hashed);
    assert.match(other, /^a-[0-9a-f]{16}$/);
  });

  test('names are legal, distinct, and short enough for a file', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.oneof(
            topicNames,
            topicNames.map((name) => name.padEnd(249, 'X')),
          ),
        ),
        (all) => {
          const names = named(all);
          assert.equal(new Set(names).size, all.length);
          for (const name of names) assert.ok(legal.test(name) && name.length <= 249, name);
        },
      ),
    );
  });
});
