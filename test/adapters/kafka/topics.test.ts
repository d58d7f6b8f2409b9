/** What the adapter makes of answers that a healthy broker does not give. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { connectTopics, type KafkaTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import type { NewTopic } from '../../../functions/core/ports.ts';
import type { TopicId } from '../../../functions/core/topic.ts';
import { eventually } from '../../support/kafka/eventually.ts';
import {
  type FakeBroker,
  metadataAnswer,
  metadataTopic,
  type Script,
  startFakeBroker,
} from '../../support/kafka/fake-broker.ts';

const signal = new AbortController().signal;
const id = (n: number) => Buffer.alloc(16, n).toString('base64url') as TopicId;
const topic = (topicName: string, numPartitions = 1): NewTopic => ({ topicName, numPartitions, config: new Map() });

const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const each of opened) await each.close();
});

async function withBroker(
  script: Script,
  requestTimeoutMs = 10_000,
): Promise<{ topics: KafkaTopics; broker: FakeBroker; port: number }> {
  const broker = await startFakeBroker(script);
  const topics = connectTopics({ ...kafkaConfigFromEnv({ KAFKA_BROKERS: broker.address }), requestTimeoutMs });
  opened.push(topics, broker);
  return { topics, broker, port: Number(broker.address.split(':')[1]) };
}

const inWords = (outcomes: ReadonlyMap<string, unknown>) =>
  Object.fromEntries(
    [...outcomes].map(([item, outcome]) => {
      if (!(outcome instanceof Failure)) return [item, typeof outcome === 'string' ? outcome : 'ok'];
      const { reason, retryable, unanswered } = outcome;
      return [item, `${unanswered ? 'uncertain' : retryable ? 'retryable' : 'terminal'} ${reason}`];
    }),
  );

type CreatedTopicAnswer = { name: string; code?: number; message?: string | null; configCode?: number };
const created = (throttleMs: number, topics: readonly CreatedTopicAnswer[]) => ({
  throttleMs,
  topics: topics.map(({ name, code = 0, message = null, ...rest }) => ({
    name,
    id: id(1),
    code,
    message,
    partitions: 1,
    replicationFactor: 1,
    configs: [],
    ...rest,
  })),
});

describe('one request, many items', () => {
  const codes = new Map([
    ['a', 0],
    ['b', 36],
    ['c', 40],
    ['d', 7],
    ['e', 29],
    ['f', 999],
  ]);
  const want = {
    a: 'ok',
    b: 'retryable ObservationOutdated',
    c: 'terminal InvalidConfig',
    d: 'uncertain BrokerUnavailable',
    e: 'terminal NotAuthorized',
    f: 'retryable KafkaError',
    forgotten: 'uncertain KafkaError',
  };
  const names = [...codes.keys(), 'forgotten'];

  test('each keeps its own outcome, whatever the order of the answer; who is not mentioned may be done', async () => {
    const { topics } = await withBroker({
      CreateTopics: () => created(0, [...codes].map(([name, code]) => ({ name, code })).toReversed()),
    });
    assert.deepEqual(
      inWords(
        await topics.create(
          names.map((name) => topic(name)),
          signal,
        ),
      ),
      want,
    );
  });

  test('the same for growth and configs', async () => {
    const answers = [...codes].map(([name, code]) => ({ name, code, message: null })).toReversed();
    const { topics } = await withBroker({
      CreatePartitions: () => ({ throttleMs: 0, topics: answers }),
      IncrementalAlterConfigs: () => ({ throttleMs: 0, resources: answers.map((answer) => ({ type: 2, ...answer })) }),
    });
    const grown = await topics.addPartitions(new Map(names.map((name) => [name, 2])), signal);
    const altered = await topics.alterConfigs(new Map(names.map((name) => [name, [{ key: 'k', value: 'v' }]])), signal);
    assert.deepEqual(inWords(grown), { ...want, a: 'done' });
    assert.deepEqual(inWords(altered), { ...want, a: 'done' });
  });

  test('a deletion counts once a look no longer shows the topic', async () => {
    const deleted = { throttleMs: 0, topics: [{ name: 'a', id: id(1), code: 0, message: null }] };
    const shown = metadataAnswer(1, [metadataTopic('a', { id: id(1) })]);
    let looks = 0;
    const { topics } = await withBroker({
      DeleteTopics: () => deleted,
      Metadata: () => (++looks < 3 ? shown : metadataAnswer(1)),
    });
    assert.deepEqual(inWords(await topics.delete([id(1)], signal)), { [id(1)]: 'done' });
    assert.equal(looks, 3);
    looks = -1_000;
    assert.deepEqual(inWords(await topics.delete([id(1)], signal)), { [id(1)]: 'retryable ObservationOutdated' });
  });

  test('the same for deletion: unknown ids are gone, a denied one is not', async () => {
    const answers = [
      [1, 0],
      [2, 100],
      [3, 29],
      [4, 7],
    ].map(([n = 0, code = 0]) => ({ name: null, id: id(n), code, message: null }));
    const { topics } = await withBroker({
      DeleteTopics: () => ({ throttleMs: 0, topics: answers.toReversed() }),
      Metadata: () => metadataAnswer(1),
    });
    assert.deepEqual(inWords(await topics.delete([1, 2, 3, 4, 5].map(id), signal)), {
      [id(1)]: 'done',
      [id(2)]: 'done',
      [id(3)]: 'terminal NotAuthorized',
      [id(4)]: 'uncertain BrokerUnavailable',
      [id(5)]: 'uncertain KafkaError',
    });
  });

  test('the same for a look: a denied topic is never absent, a forgotten one is looked at again', async () => {
    const { topics, broker, port } = await withBroker({});
    broker.script.Metadata = () =>
      metadataAnswer(port, [
        metadataTopic('denied', { code: 29, partitions: [] }),
        metadataTopic('absent', { code: 3, partitions: [] }),
        metadataTopic('there', { id: id(7) }),
        metadataTopic('never asked for'),
      ]);
    broker.script.DescribeConfigs = () => ({ throttleMs: 0, resources: [] });
    const queries = ['there', 'absent', 'denied', 'forgotten'].map((topicName) => ({ topicName, configs: [] }));
    assert.deepEqual(inWords(await topics.observe(queries, signal)), {
      there: 'ok',
      absent: 'ok',
      denied: 'terminal NotAuthorized',
      forgotten: 'retryable KafkaError',
    });
    const withConfigs = await topics.observe([{ topicName: 'there', configs: 'all' }], signal);
    assert.deepEqual(inWords(withConfigs), { there: 'retryable KafkaError' });
  });
});

describe('batches', () => {
  test('are cut where the controller would refuse them, and a huge topic goes alone', async () => {
    const sent: string[][] = [];
    const { topics } = await withBroker({
      CreateTopics: (request) => {
        sent.push(request.topics.map(({ name }) => name));
        return created(0, request.topics);
      },
    });
    const wanted = [topic('a', 6000), topic('huge', 50_000), topic('b', 5000), topic('c', 3000), topic('d', 4000)];
    const outcomes = await topics.create(wanted, signal);
    assert.deepEqual(sent, [['a', 'c'], ['huge'], ['b', 'd']]);
    assert.equal(outcomes.size, 5);
  });

  test('two names that collide never share a request', async () => {
    const sent: string[][] = [];
    const { topics } = await withBroker({
      CreateTopics: (request) => {
        sent.push(request.topics.map(({ name }) => name));
        return created(0, request.topics);
      },
    });
    await topics.create(
      ['a.b', 'a_b', 'x', 'a.b.c', 'a_b_c'].map((name) => topic(name)),
      signal,
    );
    assert.deepEqual(sent, [
      ['a.b', 'x', 'a.b.c'],
      ['a_b', 'a_b_c'],
    ]);
  });

  test('E44b: refused as a whole for its size, each goes alone once', async () => {
    const sent: string[][] = [];
    const { topics } = await withBroker({
      CreateTopics: (request) => {
        sent.push(request.topics.map(({ name }) => name));
        const message = 'Unable to perform excessively large batch operation.';
        const tooLarge = request.topics.length > 1 || request.topics[0]?.name === 'b';
        return created(
          0,
          request.topics.map(({ name }) => (tooLarge ? { name, code: 44, message } : { name })),
        );
      },
    });
    const outcomes = await topics.create(
      ['a', 'b', 'c'].map((name) => topic(name)),
      signal,
    );
    assert.deepEqual(sent, [['a', 'b', 'c'], ['a'], ['b'], ['c']]);
    assert.deepEqual(inWords(outcomes), { a: 'ok', b: 'terminal PolicyViolation', c: 'ok' });
  });

  test('E44a: a policy’s own refusal of all is final, and not asked for again', async () => {
    const { topics, broker } = await withBroker({
      CreateTopics: (request) =>
        created(
          0,
          request.topics.map(({ name }) => ({ name, code: 44, message: 'not here' })),
        ),
    });
    const outcomes = await topics.create([topic('a'), topic('b')], signal);
    assert.deepEqual(inWords(outcomes), { a: 'terminal PolicyViolation', b: 'terminal PolicyViolation' });
    assert.deepEqual(broker.received, ['CreateTopics']);
  });

  test('when one gets no answer the next is not sent: its items are not in doubt', async () => {
    const { topics, broker } = await withBroker({ CreateTopics: () => 'close' });
    const outcomes = await topics.create([topic('a', 9000), topic('b', 9000)], signal);
    assert.deepEqual(inWords(outcomes), { a: 'uncertain BrokerUnavailable', b: 'retryable BrokerUnavailable' });
    assert.deepEqual(broker.received, ['CreateTopics']);
  });
});

describe('creating', () => {
  test('settings that the broker withholds are absent, the topic is not', async () => {
    const { topics } = await withBroker({
      CreateTopics: (request) => {
        const answer = created(0, request.topics);
        return { ...answer, topics: answer.topics.map((t) => ({ ...t, partitions: -1, replicationFactor: -1 })) };
      },
    });
    const outcome = (await topics.create([topic('a')], signal)).get('a');
    assert.deepEqual(outcome, { id: id(1), clusterId: 'fake-cluster', live: undefined });
  });
});

describe('throttling (E89)', () => {
  test('throttled items say how long, and the muted connection is not used again', async () => {
    const { topics, broker } = await withBroker({
      CreateTopics: () => created(8_963, [{ name: 'a' }, { name: 'b', code: 89 }]),
      IncrementalAlterConfigs: () => ({ throttleMs: 0, resources: [{ code: 0, message: null, type: 2, name: 'a' }] }),
    });
    const outcomes = await topics.create([topic('a'), topic('b')], signal);
    assert.deepEqual(inWords(outcomes), { a: 'ok', b: 'retryable Throttled' });
    assert.equal((outcomes.get('b') as Failure).retryAfterMs, 8_963);
    const before = broker.accepted();
    const altered = await topics.alterConfigs(new Map([['a', [{ key: 'k', value: 'v' }]]]), signal);
    assert.deepEqual(inWords(altered), { a: 'done' });
    assert.equal(broker.accepted(), before + 1);
  });
});

describe('deletion switched off (E73)', () => {
  const disabled: Script = {
    DeleteTopics: ({ topics }) => ({ throttleMs: 0, topics: topics.map((t) => ({ ...t, code: 73, message: null })) }),
  };

  test('a topic that is there stays, one that seems gone is looked at again by name', async () => {
    const { topics, broker, port } = await withBroker(disabled);
    broker.script.Metadata = () =>
      metadataAnswer(port, [
        metadataTopic('there', { id: id(1) }),
        { ...metadataTopic('', { id: id(2), code: 100, partitions: [] }), name: null },
      ]);
    assert.deepEqual(inWords(await topics.delete([id(1), id(2)], signal)), {
      [id(1)]: 'terminal DeletionDisabled',
      [id(2)]: 'retryable ObservationOutdated',
    });
  });

  test('when the second look fails, nothing is taken as final', async () => {
    const { topics, broker } = await withBroker(disabled);
    broker.script.Metadata = () => 'close';
    assert.deepEqual(inWords(await topics.delete([id(1)], signal)), { [id(1)]: 'retryable BrokerUnavailable' });
  });
});

describe('replication factor', () => {
  const partition = (index: number, replicas: number[], isr: number[]) => ({
    code: 0,
    index,
    leader: isr[0] ?? -1,
    leaderEpoch: 0,
    replicas,
    isr,
    offline: [],
  });
  const factor = async (
    partitions: ReturnType<typeof partition>[],
    listing: Script['ListPartitionReassignments'] = () => 'close',
  ) => {
    const { topics, broker, port } = await withBroker({ ListPartitionReassignments: listing });
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t', { partitions }), metadataTopic('u')]);
    const outcomes = await topics.observe(
      ['t', 'u'].map((topicName) => ({ topicName, configs: [] })),
      signal,
    );
    const other = outcomes.get('u');
    assert.ok(
      !(other instanceof Failure) && other?.exists && other.replicationFactor === 1,
      'the neighbour is not affected',
    );
    const seen = outcomes.get('t');
    return [seen instanceof Failure ? seen.reason : seen?.exists && seen.replicationFactor, broker.received];
  };
  const listed = (code: number, removing: number[]) => () => ({
    throttleMs: 0,
    code,
    message: null,
    topics: [{ name: 't', partitions: [{ index: 0, replicas: [1, 2, 3, 4], adding: [3, 4], removing }] }],
  });

  test('is the number of replicas, and in a healthy topic nobody is asked about moves', async () =>
    assert.deepEqual(await factor([partition(0, [1, 2], [1, 2]), partition(1, [2, 3], [2, 3])]), [2, ['Metadata']]));
  test('is mixed when partitions differ', async () =>
    assert.deepEqual(await factor([partition(0, [1, 2], [1, 2]), partition(1, [2], [2])]), ['mixed', ['Metadata']]));
  test('leaves out the replicas that a running move removes', async () =>
    assert.deepEqual(await factor([partition(0, [1, 2, 3, 4], [1, 2])], listed(0, [1, 2])), [
      2,
      ['Metadata', 'ListPartitionReassignments'],
    ]));
  test('counts them all where the moves may not be seen (E31)', async () =>
    assert.deepEqual((await factor([partition(0, [1, 2], [1])], listed(31, [])))[0], 2));
  test('is unknown, for that topic only, when the listing fails', async () =>
    assert.deepEqual((await factor([partition(0, [1, 2], [1])], listed(7, [])))[0], 'BrokerUnavailable'));
  test('a topic without any leader still exists', async () =>
    assert.deepEqual((await factor([{ ...partition(0, [1], []), code: 5 }], listed(0, [])))[0], 1));
});

describe('records', () => {
  const ends =
    (latest: bigint, code = 0): Script['ListOffsets'] =>
    ({ topics }) => ({
      throttleMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index, time }) => ({
          index,
          code,
          time: -1n,
          offset: time === -1n ? latest : 5n,
          leaderEpoch: 0,
        })),
      })),
    });
  const records = async (offsets: Script['ListOffsets'], fields: Parameters<typeof metadataTopic>[1] = {}) => {
    const { topics, broker, port } = await withBroker(offsets === undefined ? {} : { ListOffsets: offsets });
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t', fields)]);
    return { found: (await topics.records(['t'], signal)).get('t'), broker };
  };

  test('an end above the start is a record', async () => assert.equal((await records(ends(6n))).found, 'some'));
  test('an end at the start is none, however large both are', async () =>
    assert.equal((await records(ends(5n))).found, 'none'));
  test('a denied topic is unknown', async () =>
    assert.equal((await records(ends(5n), { code: 29, partitions: [] })).found, 'unknown'));
  test('a partition without leader is unknown', async () => {
    const partitions = [{ code: 5, index: 0, leader: -1, leaderEpoch: 0, replicas: [1], isr: [], offline: [1] }];
    assert.equal((await records(ends(5n), { partitions })).found, 'unknown');
  });
  test('a hang-up is unknown', async () => assert.equal((await records(() => 'close')).found, 'unknown'));
  test('E6: the new leader is asked once more, then it is unknown', async () => {
    const { found, broker } = await records(ends(5n, 6));
    assert.equal(found, 'unknown');
    assert.equal(broker.received.filter((name) => name === 'ListOffsets').length, 4);
  });
  test('E6: an answer at the second try counts', async () => {
    let tries = 0;
    const { found } = await records((request) => (tries++ < 2 ? ends(5n, 6) : ends(5n))?.(request) ?? 'close');
    assert.equal(found, 'none');
  });
});

describe('connections', () => {
  const look = async (topics: KafkaTopics) => inWords(await topics.observe([{ topicName: 't', configs: [] }], signal));

  test('a broker that is too old is a clear refusal, and nothing is sent', async () => {
    const { topics, broker } = await withBroker({});
    broker.versions.set(20, [1, 5]);
    const outcome = (await topics.delete([id(1)], signal)).get(id(1)) as Failure;
    assert.deepEqual(inWords(new Map([['x', outcome]])), { x: 'terminal UnsupportedByBroker' });
    assert.match(outcome.message, /DeleteTopics version 6 \(it offers 1 to 5\)/);
    assert.deepEqual(broker.received, []);
  });

  test('a read that met a dead connection is sent again on a new one, once', async () => {
    const { topics, broker, port } = await withBroker({});
    let tries = 0;
    broker.script.Metadata = () => (tries++ === 0 ? 'close' : metadataAnswer(port, [metadataTopic('t')]));
    assert.deepEqual(await look(topics), { t: 'ok' });
    tries = Number.NEGATIVE_INFINITY;
    broker.script.Metadata = () => 'close';
    const before = broker.received.length;
    assert.deepEqual(await look(topics), { t: 'retryable BrokerUnavailable' });
    assert.equal(broker.received.length - before, 2);
  });

  test('a mutation that may have arrived is never sent again', async () => {
    const { topics, broker } = await withBroker({ CreatePartitions: () => 'close' });
    assert.deepEqual(inWords(await topics.addPartitions(new Map([['t', 2]]), signal)), {
      t: 'uncertain BrokerUnavailable',
    });
    assert.deepEqual(broker.received, ['CreatePartitions']);
  });

  test('a silent broker costs one timeout, and its connection', async () => {
    const { topics, broker, port } = await withBroker({ Metadata: () => 'silence' }, 300);
    assert.deepEqual(await look(topics), { t: 'retryable BrokerUnavailable' });
    assert.deepEqual(broker.received, ['Metadata']);
    await eventually(() => assert.equal(broker.open(), 0));
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t')]);
    assert.deepEqual(await look(topics), { t: 'ok' });
  });

  test('a silent broker leaves a mutation in doubt', async () => {
    const { topics } = await withBroker({ DeleteTopics: () => 'silence' }, 300);
    assert.deepEqual(inWords(await topics.delete([id(1)], signal)), { [id(1)]: 'uncertain BrokerUnavailable' });
  });

  test('an abort ends the waiting: a look is lost, a mutation in doubt', async () => {
    const { topics, broker } = await withBroker({ Metadata: () => 'silence', DeleteTopics: () => 'silence' });
    for (const [work, want] of [
      [(s: AbortSignal) => topics.observe([{ topicName: 't', configs: [] }], s), 'retryable BrokerUnavailable'],
      [(s: AbortSignal) => topics.delete([id(1)], s), 'uncertain BrokerUnavailable'],
    ] as const) {
      const abort = new AbortController();
      const before = broker.received.length;
      const outcomes = work(abort.signal);
      await eventually(() => assert.equal(broker.received.length, before + 1));
      abort.abort();
      assert.deepEqual(Object.values(inWords(await outcomes)), [want]);
    }
  });

  test('an answer that is not what was asked for is trouble, not data', async () => {
    const { topics, broker } = await withBroker({ Metadata: () => Buffer.from('0000000000ffffffff', 'hex') });
    const outcome = (await topics.observe([{ topicName: 't', configs: [] }], signal)).get('t') as Failure;
    assert.equal(outcome.retryable, true);
    assert.match(outcome.message, /cannot be read/);
    await eventually(() => assert.equal(broker.open(), 0));
  });

  test('many callers at once share the connection and its opening', async () => {
    const { topics, broker, port } = await withBroker({});
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t')]);
    const answers = await Promise.all(Array.from({ length: 50 }, () => look(topics)));
    assert.ok(answers.every(({ t }) => t === 'ok'));
    assert.equal(broker.accepted(), 1);
  });

  test('the next broker is tried when one does not answer, and the message does not depend on it', async () => {
    const { broker, port } = await withBroker({});
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t')]);
    const config = kafkaConfigFromEnv({ KAFKA_BROKERS: `127.0.0.1:1,${broker.address}` });
    const topics = connectTopics(config);
    opened.push(topics);
    assert.deepEqual(await look(topics), { t: 'ok' });
    const nobody = connectTopics({ ...config, brokers: ['127.0.0.1:1', '127.0.0.1:2'] });
    opened.push(nobody);
    const outcome = (await nobody.observe([{ topicName: 't', configs: [] }], signal)).get('t') as Failure;
    assert.equal(outcome.message, 'Kafka cannot be reached: connection refused');
  });

  test('addresses that lead to two clusters get no mutation', async () => {
    const { topics, broker, port } = await withBroker({});
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t')]);
    await look(topics);
    // the second connection, for writes, meets a broker that says it belongs elsewhere
    broker.clusterId = 'another-cluster';
    const outcomes = await topics.addPartitions(new Map([['t', 2]]), signal);
    assert.deepEqual(inWords(outcomes), { t: 'retryable ObservationOutdated' });
    assert.ok(!broker.received.includes('CreatePartitions'));
  });

  for (const [what, greeting] of [
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['a TLS port', '\x15\x03\x03\x00\x02\x02\x46'],
    ['a size below zero', '\xff\xff\xff\xfc\x00\x00\x00\x00'],
    ['a frame without room for its header', '\x00\x00\x00\x01\x00'],
  ] as const)
    test(`${what} is told from Kafka at once`, async () => {
      const server = createServer((socket) =>
        socket.on('error', () => {}).once('data', () => socket.write(greeting, 'latin1')),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const topics = connectTopics(kafkaConfigFromEnv({ KAFKA_BROKERS: `127.0.0.1:${port}` }));
      const outcome = (await topics.observe([{ topicName: 't', configs: [] }], signal)).get('t') as Failure;
      assert.equal(outcome.message, 'what answers is not Kafka, or it expects TLS: check KAFKA_TLS');
      await topics.close();
      await new Promise((resolve) => server.close(resolve));
    });
});
