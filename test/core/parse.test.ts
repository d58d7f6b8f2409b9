import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseClaimant, parseResource } from '../../functions/core/parse.ts';
import { table } from '../support/table.ts';

const object = (spec: unknown, more: object = {}) => ({
  metadata: { namespace: 'shop', name: 'orders' },
  spec,
  ...more,
});
const configOf = (config: object) => {
  const { spec } = parseResource(object({ config }));
  return 'config' in spec ? Object.fromEntries(spec.config) : spec;
};
const refusalOf = (spec: unknown) => {
  const parsed = parseResource(object(spec)).spec;
  return 'reason' in parsed ? `${parsed.reason}: ${parsed.message}` : 'accepted';
};

table('config value', (value: unknown) => configOf({ key: value }), [
  { reason: 'text stays as it is', given: ' 0.50 ', want: { key: ' 0.50 ' } },
  { reason: 'whole numbers are digits (K047)', given: 604800000, want: { key: '604800000' } },
  { reason: 'in exponent form too (K049)', given: 6.048e8, want: { key: '604800000' } },
  { reason: 'the largest number that arrives whole', given: 9007199254740991, want: { key: '9007199254740991' } },
  { reason: 'decimals are plain', given: 0.5, want: { key: '0.5' } },
  { reason: 'however small', given: -1.25e-9, want: { key: '-0.00000000125' } },
  { reason: 'a negative zero is zero', given: -0, want: { key: '0' } },
  { reason: 'booleans', given: false, want: { key: 'false' } },
  {
    reason: 'lists are joined by commas',
    given: ['compact', 'delete', 1, true],
    want: { key: 'compact,delete,1,true' },
  },
  { reason: 'an empty list is an empty value', given: [], want: { key: '' } },
]);

table('refusal', refusalOf, [
  {
    reason: 'a number that has lost digits (K048)',
    given: { config: { 'flush.messages': Number(9223372036854775807n) } },
    want: 'InvalidSpec: spec.config.flush.messages: a number this large loses digits on its way; quote it.',
  },
  {
    reason: 'null names the way out (K060)',
    given: { config: { 'retention.ms': null } },
    want: 'InvalidSpec: spec.config.retention.ms: null is not a value. To keep hands off this key name it in spec.ignoredConfigs, to reset it leave it out.',
  },
  {
    reason: 'an object as a value (K166)',
    given: { config: { 'retention.ms': { days: 7 } } },
    want: 'InvalidSpec: spec.config.retention.ms: a value is text, a number, true, false, or a list of these.',
  },
  {
    reason: 'a key in both places (K059)',
    given: { config: { a: 1 }, ignoredConfigs: ['a'] },
    want: 'InvalidSpec: spec.config.a: this key is in spec.config and in spec.ignoredConfigs; keep it in one of them.',
  },
  {
    reason: 'a million characters (K167)',
    given: { config: { a: 'x'.repeat(1_000_000) } },
    want: 'InvalidSpec: spec.config is larger than 131072 characters; keep configs short.',
  },
  {
    reason: 'ten thousand keys (K167)',
    given: { config: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1])) },
    want: 'InvalidSpec: spec.config must not have more than 100 entries.',
  },
  {
    reason: 'a count as text',
    given: { numPartitions: '5' },
    want: 'InvalidSpec: spec.numPartitions must be a whole number.',
  },
  {
    reason: 'a count out of range',
    given: { numPartitions: 100_001 },
    want: 'InvalidSpec: spec.numPartitions must be between 1 and 100000.',
  },
  {
    reason: 'an unknown mode',
    given: { mode: 'Off' },
    want: 'InvalidSpec: spec.mode must be one of Enforce, Observe, Plan, Paused.',
  },
  { reason: 'not a spec at all', given: [], want: 'InvalidSpec: spec must be an object.' },
  {
    reason: 'a name that Kafka refuses (K068)',
    given: { topicName: 'a b' },
    want: "InvalidTopicName: The topic name is not allowed: a topic name is 1 to 249 of the characters a-z A-Z 0-9 . _ - and neither '.' nor '..'.",
  },
  {
    reason: 'a name that belongs to Kafka (K072)',
    given: { topicName: '__consumer_offsets' },
    want: "InternalTopic: Topics whose names begin with '__' belong to Kafka and are left alone.",
  },
  { reason: 'no spec is an empty one', given: undefined, want: 'accepted' },
  {
    reason: 'null counts as absent, as at the API server',
    given: { numPartitions: null, mode: null },
    want: 'accepted',
  },
]);

describe('an object with a spec that is refused', () => {
  const damaged = object({ topicName: 'Orders', deletionPolicy: 'Delete', mode: 'Observe', numPartitions: 'many' });

  test('keeps its topic name and deletion policy, so that its deletion can complete (K169)', () => {
    const { topicName, deletionPolicy, spec } = parseResource(damaged);
    assert.ok('reason' in spec);
    assert.deepEqual({ topicName, deletionPolicy }, { topicName: 'Orders', deletionPolicy: 'Delete' });
  });

  test('is a claimant all the same', () => {
    assert.deepEqual(parseClaimant(damaged).observeOnly, true);
  });

  test('has the harmless policy when its own is unreadable', () => {
    assert.equal(parseResource(object({ deletionPolicy: ['Delete'] })).deletionPolicy, 'Retain');
  });
});

test('deletionTimestamp counts by its presence (K089)', () => {
  const deleting = (deletionTimestamp: unknown) => parseResource({ metadata: { deletionTimestamp } }).deleting;
  assert.deepEqual([undefined, null, '1970-01-01T00:00:00Z', '2999-01-01T00:00:00Z', 0].map(deleting), [
    false,
    false,
    true,
    true,
    true,
  ]);
});

test('what is not ours in a status, or not as we write it, is left out', () => {
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Synced',
    message: 'm',
    lastTransitionTime: 't',
    observedGeneration: 2,
  };
  const status = {
    observedGeneration: 2,
    conditions: [
      ready,
      { ...ready, type: 'Scanned' },
      { ...ready, reason: 'Elsewhere' },
      { ...ready, status: true },
      null,
    ],
    topicId: 7,
    topicName: 'orders',
    origin: 'Stolen',
    numPartitions: 1.5,
    config: { a: '1', b: 2 },
    drift: [{ field: 'a' }, 'b'],
  };
  assert.deepEqual(JSON.parse(JSON.stringify(parseResource(object({}, { status })).status)), {
    observedGeneration: 2,
    conditions: [ready],
    topicName: 'orders',
    config: { a: '1' },
    drift: [],
  });
});

test('a status that we wrote is read as it was', () => {
  const status = {
    ...{ observedGeneration: 3, conditions: [], topicName: 'orders', topicId: 'id', clusterId: 'c', origin: 'Adopted' },
    ...{ numPartitions: 3, replicationFactor: 2, config: { a: '1' }, lastHandledReconcileAt: 'now' },
    drift: [{ field: 'a', desired: '1', observed: '2', since: 't' }],
    plan: {
      hash: 'abc',
      destructive: true,
      actions: [
        { type: 'SetConfig', field: 'a', from: '1', to: '2', destructive: true, why: 'records' },
        { type: 'CreateTopic', destructive: false, why: '' },
      ],
      refusals: [{ reason: 'InvalidConfig', message: 'no such key' }],
      omitted: 4,
    },
    reassignment: {
      ...{ step: 'planned', replicationFactor: 2, bytesPerSecond: 1000, partitionsDone: 1, partitionsTotal: 2 },
      ...{ assignment: { 0: '1,2' }, replaces: { 0: '1' } },
    },
  };
  assert.deepEqual(JSON.parse(JSON.stringify(parseResource(object({}, { status })).status)), status);
  const submitted = { ...status, reassignment: { ...status.reassignment, step: 'submitted' } };
  assert.equal(parseResource(object({}, { status: submitted })).status?.reassignment?.step, 'submitted');
});

test('a plan that somebody has damaged is what is left of it, and approves nothing that it does not name', () => {
  const plan = {
    ...{ hash: 'abc', destructive: 'true', omitted: 'many' },
    actions: [{ destructive: 'yes', field: 7 }, null],
    refusals: [{ reason: 'Elsewhere', message: 'm' }, { reason: 'InvalidConfig', message: 7 }, null],
  };
  const blank = { type: '', destructive: false, why: '' };
  assert.deepEqual(parseResource(object({}, { status: { plan } })).status?.plan, {
    ...{ hash: 'abc', destructive: false, actions: [blank, blank] },
    refusals: [{ reason: 'InvalidConfig', message: '' }],
  });
  assert.equal(parseResource(object({}, { status: { plan: { ...plan, hash: 7 } } })).status?.plan, undefined);
});

test('a move that does not look like ours is none', () => {
  const move = { step: 'planned', replicationFactor: 2, assignment: {} };
  const seen = (fields: object) => parseResource(object({}, { status: { reassignment: fields } })).status?.reassignment;
  const counts = { partitionsDone: 0, partitionsTotal: 0 };
  assert.deepEqual(JSON.parse(JSON.stringify(seen(move))), { ...move, ...counts });
  assert.equal(seen({ ...move, step: 'begun' }), undefined);
  assert.equal(seen({ ...move, replicationFactor: '2' }), undefined);
});

test('drift that lacks something is left out', () => {
  const whole = { field: 'a', desired: '1', observed: '2', since: 't' };
  const drift = Object.keys(whole).map((key) => ({ ...whole, [key]: undefined }));
  assert.deepEqual(parseResource(object({}, { status: { drift } })).status?.drift, []);
});

test('what an object does not say is the default, or nothing', () => {
  const { spec, mode } = parseResource(object({}));
  const defaults = { configMode: 'Merge', deletionPolicy: 'Retain', mode: 'Enforce' };
  assert.deepEqual(spec, { topicName: 'orders', config: new Map(), ignoredConfigs: new Set(), ...defaults });
  assert.equal(mode, 'Enforce');
  const said = { configMode: 'Exact', deletionPolicy: 'Delete', mode: 'Plan' };
  const given = parseResource(object(said));
  assert.deepEqual(given.spec, { topicName: 'orders', config: new Map(), ignoredConfigs: new Set(), ...said });
  const { key, uid, resourceVersion, generation, createdAt, finalizers, topicName } = parseResource({});
  assert.deepEqual([key, uid, resourceVersion, generation], [{ namespace: '', name: '' }, '', '', 0]);
  assert.deepEqual([createdAt, finalizers, topicName], ['', [], '']);
});

test('an object is paused where its mode cannot be read, and finalizers are texts', () => {
  const modeOf = (mode: unknown) => parseResource(object({ mode })).mode;
  assert.deepEqual([null, 'Paused', 'Stop', 7].map(modeOf), ['Enforce', 'Paused', 'Paused', 'Paused']);
  assert.deepEqual(parseResource({ metadata: { finalizers: ['a', 7, null] } }).finalizers, ['a']);
});

test('a binding needs topic and cluster', () => {
  const boundTo = (status: object) => parseClaimant(object({}, { status })).boundTo;
  assert.deepEqual(boundTo({ topicId: 'id', clusterId: 'c' }), { topicId: 'id', clusterId: 'c' });
  assert.equal(boundTo({ topicId: 'id' }), undefined);
  assert.equal(boundTo({ clusterId: 'c' }), undefined);
});

test('T129: config keys named like members of Object are only keys', () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const { spec, status } = parseResource(
    JSON.parse('{"metadata":{"name":"a"},"spec":{"config":{"__proto__":"1"}},"status":{"config":{"__proto__":"2"}}}'),
  );
  assert.deepEqual('config' in spec && [...spec.config], [['__proto__', '1']]);
  assert.deepEqual(Object.entries(status?.config ?? {}), [['__proto__', '2']]);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
});

test('nothing that JSON can hold makes it throw (T095)', () => {
  const part = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom('config', 'topicName', 'mode', 'conditions', 'drift', 'annotations', 'finalizers', '__proto__'),
      fc.jsonValue(),
    ),
  );
  const objects = fc.oneof(
    fc.jsonValue(),
    fc.record({ metadata: part, spec: part, status: part }, { requiredKeys: [] }),
  );
  fc.assert(
    fc.property(objects, (anything) => {
      const { key, topicName, spec } = parseResource(anything);
      assert.equal(typeof key.name + typeof topicName, 'stringstring');
      assert.ok('reason' in spec || spec.topicName === topicName);
      parseClaimant(anything);
    }),
    { numRuns: 2000 },
  );
});
