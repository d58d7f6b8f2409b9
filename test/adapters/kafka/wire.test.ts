import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as requests from '../../../functions/adapters/kafka/requests.ts';
import {
  array,
  behindTags,
  bool,
  type Codec,
  decode,
  encode,
  i8,
  i16,
  i32,
  i64,
  noId,
  nullableArray,
  nullableText,
  struct,
  text,
  uuid,
  uvarint,
  WireError,
} from '../../../functions/adapters/kafka/wire.ts';
import type { TopicId } from '../../../functions/core/topic.ts';

type Golden = {
  readonly api: string;
  readonly part: 'request' | 'response';
  readonly version: number;
  readonly hex: string;
};

/** Made by Kafka's own serialiser, see Goldens.java. */
const goldens: Golden[] = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens.json'), 'utf8'));
const apis = Object.values(requests).filter((api) => typeof api === 'object' && 'response' in api);
const id = Buffer.from('0123456789abcdeffedcba9876543210', 'hex').toString('base64url') as TopicId;

const values: Record<string, unknown> = {
  'Metadata request': {
    topics: [
      { id: noId, name: 'orders' },
      { id, name: null },
    ],
    autoCreate: false,
    includeTopicOperations: false,
  },
  'Metadata response': {
    throttleMs: 7,
    brokers: [
      { id: 1, host: 'höst', port: 9092, rack: null },
      { id: 2, host: 'b', port: 65535, rack: 'r' },
    ],
    clusterId: 'cluster',
    controllerId: 2,
    topics: [
      {
        code: 0,
        name: 'orders',
        id,
        internal: true,
        partitions: [{ code: 5, index: 3, leader: -1, leaderEpoch: 9, replicas: [1, 2], isr: [2], offline: [1] }],
        operations: -2147483648,
      },
      { code: 100, name: null, id: noId, internal: false, partitions: [], operations: -2147483648 },
    ],
  },
  'CreateTopics request': {
    topics: [
      {
        name: 'orders',
        partitions: -1,
        replicationFactor: -1,
        assignments: [],
        configs: [
          { name: 'retention.ms', value: '1' },
          { name: 'segment.ms', value: null },
        ],
      },
      {
        name: 'x'.repeat(200),
        partitions: 2147483647,
        replicationFactor: 32767,
        assignments: [{ partition: 0, brokers: [1, 2] }],
        configs: [],
      },
    ],
    timeoutMs: 8000,
    validateOnly: true,
  },
  'CreateTopics response': {
    throttleMs: 8963,
    topics: [
      {
        name: 'orders',
        id,
        code: 0,
        message: null,
        partitions: 3,
        replicationFactor: 2,
        configs: [{ name: 'retention.ms', value: '1', readOnly: true, source: 1, sensitive: true }],
      },
      {
        name: 'withheld',
        id,
        code: 0,
        message: null,
        partitions: -1,
        replicationFactor: -1,
        configs: null,
        configCode: 29,
      },
      { name: 'bad', id: noId, code: 40, message: 'no', partitions: -1, replicationFactor: -1, configs: [] },
    ],
  },
  'DeleteTopics request': { topics: [{ name: null, id }], timeoutMs: 8000 },
  'DeleteTopics response': {
    throttleMs: 1,
    topics: [{ name: null, id, code: 29, message: 'Topic authorization failed.' }],
  },
  'CreatePartitions request': {
    topics: [
      { name: 'orders', total: 6, assignments: null },
      { name: 'placed', total: 2, assignments: [{ brokers: [3] }] },
    ],
    timeoutMs: 8000,
    validateOnly: false,
  },
  'CreatePartitions response': { throttleMs: 0, topics: [{ name: 'orders', code: 37, message: 'fewer' }] },
  'DescribeConfigs request': {
    resources: [
      { type: 2, name: 'orders', keys: ['retention.ms'] },
      { type: 2, name: 'all', keys: null },
    ],
    includeSynonyms: true,
    includeDocumentation: false,
  },
  'DescribeConfigs response': {
    throttleMs: 0,
    resources: [
      {
        code: 0,
        message: '',
        type: 2,
        name: 'orders',
        configs: [
          {
            name: 'retention.ms',
            value: null,
            readOnly: false,
            source: 1,
            sensitive: true,
            synonyms: [{ name: 'log.retention.ms', value: '5', source: 4 }],
            type: 5,
            documentation: null,
          },
        ],
      },
    ],
  },
  'IncrementalAlterConfigs request': {
    resources: [
      {
        type: 2,
        name: 'orders',
        configs: [
          { name: 'retention.ms', operation: 0, value: '1' },
          { name: 'segment.ms', operation: 1, value: null },
        ],
      },
    ],
    validateOnly: true,
  },
  'IncrementalAlterConfigs response': {
    throttleMs: 0,
    resources: [{ code: 40, message: 'Unknown topic config name: nope', type: 2, name: 'orders' }],
  },
  'ListOffsets request': {
    replica: -1,
    isolation: 0,
    topics: [{ name: 'orders', partitions: [{ index: 1, leaderEpoch: -1, time: -2n }] }],
  },
  'ListOffsets response': {
    throttleMs: 0,
    topics: [
      { name: 'orders', partitions: [{ index: 1, code: 6, time: -1n, offset: 9007199254740993n, leaderEpoch: 4 }] },
    ],
  },
  'ListPartitionReassignments request': { timeoutMs: 8000, topics: [{ name: 'orders', partitions: [0, 1] }] },
  'ListPartitionReassignments response': {
    throttleMs: 0,
    code: 0,
    message: null,
    topics: [{ name: 'orders', partitions: [{ index: 0, replicas: [1, 2, 3], adding: [3], removing: [1] }] }],
  },
  'AlterPartitionReassignments request': {
    timeoutMs: 8000,
    topics: [
      {
        name: 'orders',
        partitions: [
          { index: 0, replicas: [1, 2, 3] },
          { index: 1, replicas: null },
        ],
      },
    ],
  },
  'AlterPartitionReassignments response': {
    throttleMs: 7,
    code: 0,
    message: null,
    topics: [{ name: 'orders', partitions: [{ index: 1, code: 85, message: null }] }],
  },
  'DescribeCluster request': { includeOperations: true },
  'DescribeCluster response': {
    throttleMs: 7,
    code: 0,
    message: null,
    clusterId: 'cluster',
    controllerId: 2,
    brokers: [{ id: 1, host: 'höst', port: 65535, rack: null }],
    operations: 264,
  },
};

function codecOf({ api, part, version }: Golden): Codec<unknown> {
  const found = apis.find(({ name }) => name === api);
  assert.ok(found !== undefined, `we do not speak ${api}`);
  assert.equal(found.version, version);
  return found[part];
}

describe('messages as Kafka itself writes them', () => {
  for (const golden of goldens) {
    const name = `${golden.api} ${golden.part}`;
    test(`${name}: Kafka’s bytes are read as the values they stand for`, () =>
      assert.deepEqual(decode(codecOf(golden), Buffer.from(golden.hex, 'hex')), values[name]));
    if (golden.part === 'request')
      test(`${name}: we write the same bytes`, () =>
        assert.equal(encode(codecOf(golden), values[name]).toString('hex'), golden.hex));
    test(`${name}: cut anywhere, it is refused`, () => {
      const bytes = Buffer.from(golden.hex, 'hex');
      for (let length = 0; length < bytes.length; length++)
        assert.throws(() => decode(codecOf(golden), bytes.subarray(0, length)), WireError);
    });
    test(`${name}: a byte too many is refused`, () =>
      assert.throws(() => decode(codecOf(golden), Buffer.from(`${golden.hex}00`, 'hex')), WireError));
  }

  test('every request and answer has its golden bytes', () =>
    assert.deepEqual(
      goldens.map(({ api, part }) => `${api} ${part}`).toSorted(),
      apis.flatMap(({ name }) => [`${name} request`, `${name} response`]).toSorted(),
    ));
});

describe('what a hostile peer may send', () => {
  const refuses = (codec: Codec<unknown>, hex: string) =>
    assert.throws(() => decode(codec, Buffer.from(hex, 'hex')), WireError);

  test('a text longer than the message', () => refuses(text, '0a41'));
  test('two billion items in five bytes', () => refuses(array(i32), 'ffffffff07'));
  test('a length that needs more than 31 bits', () => refuses(nullableText, 'ffffffff0f'));
  test('a length that never ends', () => refuses(uvarint, 'ffffffffffffffff'));
  test('two billion tags', () => refuses(struct({}), 'ffffffff07'));
  test('a tag longer than the message', () => refuses(struct({}), '0105ff01'));
  test('a known tag with a wrong size', () => refuses(struct({}, { code: [0, i16] }), '01000100'));
  test('null where a text must be', () => refuses(text, '00'));
  test('null where a list must be', () => refuses(array(i8), '00'));

  test('any bytes are a value or a WireError, and never more items than bytes', () => {
    const nested = behindTags(struct({ a: array(struct({ b: nullableText, c: array(struct({})) })) }, { t: [1, i64] }));
    const anyApi = fc.constantFrom<Codec<unknown>>(nested, ...apis.map(({ response }) => response));
    fc.assert(
      fc.property(anyApi, fc.uint8Array({ maxLength: 200 }), (codec, bytes) => {
        try {
          const value = decode(codec, Buffer.from(bytes));
          assert.ok(countItems(value) <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('a golden answer with any byte changed is a value or a WireError', () => {
    const answers = goldens.filter(({ part }) => part === 'response');
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.nat(), fc.nat(255), (golden, at, byte) => {
        const bytes = Buffer.from(golden.hex, 'hex');
        bytes[at % bytes.length] = byte;
        try {
          decode(codecOf(golden), bytes);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

const countItems = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + countItems(item), value.length);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + countItems(item), 0);
};

describe('values', () => {
  const comesBack = <T>(name: string, codec: Codec<T>, arbitrary: fc.Arbitrary<T>) =>
    test(`${name} comes back as it was written`, () =>
      fc.assert(fc.property(arbitrary, (value) => assert.deepEqual(decode(codec, encode(codec, value)), value))));

  const topicIds = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((b) => Buffer.from(b).toString('base64url') as TopicId);
  comesBack('i8', i8, fc.integer({ min: -128, max: 127 }));
  comesBack('i16', i16, fc.integer({ min: -32768, max: 32767 }));
  comesBack('i32', i32, fc.integer());
  comesBack('i64', i64, fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));
  comesBack('bool', bool, fc.boolean());
  comesBack('uvarint', uvarint, fc.oneof(fc.nat(), fc.nat(300), fc.constant(0x7fffffff)));
  comesBack('a text', text, fc.string({ unit: 'grapheme', maxLength: 300 }));
  comesBack('a text or null', nullableText, fc.option(fc.string({ unit: 'grapheme' })));
  comesBack('a list or null', nullableArray(i16), fc.option(fc.array(fc.integer({ min: -32768, max: 32767 }))));
  comesBack('a topic id', uuid, topicIds);
  comesBack('a large list', array(text), fc.array(fc.string({ unit: 'grapheme' }), { size: 'large' }));

  for (const wrong of ['', 'zz', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAAAAA'])
    test(`"${wrong}" is not written as a topic id`, () =>
      assert.throws(() => encode(uuid, wrong as TopicId), WireError));
});
