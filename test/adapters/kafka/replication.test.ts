/** What the adapter makes of moves and limits that healthy brokers cannot be brought to show, and what it sends. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../../functions/adapters/kafka/config.ts';
import { connectTopics } from '../../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { metadataAnswer, metadataTopic, type Script, startFakeBroker } from '../../support/kafka/fake-broker.ts';

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const each of opened) await each.close();
});

type Request<N extends keyof Script> = Parameters<NonNullable<Script[N]>>[0];

async function withBroker(script: Script) {
  const broker = await startFakeBroker(script);
  const port = Number(broker.address.split(':')[1]);
  broker.script.Metadata ??= ({ topics }) =>
    metadataAnswer(
      port,
      (topics ?? []).map(({ name }) => metadataTopic(name ?? '')),
    );
  const topics = connectTopics(kafkaConfigFromEnv({ KAFKA_BROKERS: broker.address }));
  opened.push(topics, broker);
  return { topics, broker, port };
}

const inWords = (outcome: unknown) => {
  if (!(outcome instanceof Failure)) return outcome;
  const { reason, retryable, unanswered } = outcome;
  return `${unanswered ? 'uncertain' : retryable ? 'retryable' : 'terminal'} ${reason}`;
};
const messageOf = (outcome: unknown) => (outcome instanceof Failure ? outcome.message : assert.fail('not a failure'));
const dump = 'Request(processor=1, principal=User:secret) is not authorized';

/** Moves under way: of topic t, partition 0. */
const listing =
  (moves: readonly { adding: number[]; removing?: number[]; replicas: number[] }[] = [], code = 0) =>
  () => ({
    throttleMs: 0,
    code,
    message: code === 0 ? null : dump,
    topics: moves.map((move) => ({ name: 't', partitions: [{ index: 0, removing: [], ...move }] })),
  });

/** Grants all moves, and keeps what was asked for. */
function moving(code = 0) {
  const asked: (readonly number[] | null)[][] = [];
  const answer = ({ topics }: Request<'AlterPartitionReassignments'>) => {
    asked.push(topics.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas)));
    return {
      throttleMs: 0,
      code,
      message: code === 0 ? null : dump,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index }) => ({ index, code: 0, message: null })),
      })),
    };
  };
  return { asked, answer };
}

/** Configs of topics and of broker 1; everything may be changed. */
function configs({ list, rate, brokerCode = 0 }: { list?: string; rate?: string; brokerCode?: number } = {}) {
  const changed: string[] = [];
  const entries = (keys: readonly string[], value: string | undefined, source: number) =>
    value === undefined
      ? []
      : keys.map((name) => ({
          name,
          value,
          source,
          readOnly: false,
          sensitive: false,
          synonyms: [],
          type: 2,
          documentation: null,
        }));
  const script: Script = {
    DescribeConfigs: ({ resources }) => ({
      throttleMs: 0,
      resources: resources.map(({ type, name, keys }) => ({
        code: type === 4 ? brokerCode : 0,
        message: type === 4 && brokerCode !== 0 ? dump : '',
        type,
        name,
        configs: type === 4 ? entries(keys ?? [], rate, 3) : entries(keys ?? [], list, 1),
      })),
    }),
    IncrementalAlterConfigs: ({ resources }) => {
      for (const { name, configs } of resources)
        changed.push(...configs.map(({ name: key, value }) => `${name} ${key}=${value}`));
      return { throttleMs: 0, resources: resources.map(({ type, name }) => ({ code: 0, message: null, type, name })) };
    },
  };
  return { changed, script };
}

const one = (target: readonly number[] | null) => new Map([['t', new Map([[0, target]])]]);

describe('looking', () => {
  test('K043, E31: without the right to see moves nothing is known, in our own words', async () => {
    const { topics, broker } = await withBroker({ ListPartitionReassignments: listing([], 31) });
    const outcome = (await topics.replicas(['t'], signal)).get('t');
    assert.equal(inWords(outcome), 'terminal NotAuthorized');
    assert.match(messageOf(outcome), /^not authorized: Describe on the cluster is needed/);
    assert.doesNotMatch(messageOf(outcome), /secret/);
    assert.deepEqual(broker.received, ['ListPartitionReassignments']);
  });

  test('E29: a topic that may not be described is a failure of its own', async () => {
    const { topics, broker, port } = await withBroker({ ListPartitionReassignments: listing() });
    broker.script.Metadata = () =>
      metadataAnswer(port, [metadataTopic('t'), metadataTopic('u', { code: 29, partitions: [] })]);
    const outcomes = await topics.replicas(['t', 'u'], signal);
    assert.equal(inWords(outcomes.get('u')), 'terminal NotAuthorized');
    assert.ok(!(outcomes.get('t') instanceof Failure));
  });

  test('the controller’s word on a move counts more than a broker’s older one', async () => {
    const { topics } = await withBroker({
      ListPartitionReassignments: listing([{ replicas: [2, 1], adding: [2], removing: [1] }]),
    });
    const outcome = (await topics.replicas(['t'], signal)).get('t');
    assert.deepEqual(outcome instanceof Failure ? outcome : outcome?.partitions, [
      { partition: 0, leader: 1, replicas: [2, 1], adding: [2], removing: [1] },
    ]);
  });

  test('a partition without leader has none', async () => {
    const { topics, broker, port } = await withBroker({ ListPartitionReassignments: listing() });
    const partition = { code: 5, index: 0, leader: -1, leaderEpoch: 0, replicas: [9], isr: [9], offline: [9] };
    broker.script.Metadata = () => metadataAnswer(port, [metadataTopic('t', { partitions: [partition] })]);
    const outcome = (await topics.replicas(['t'], signal)).get('t');
    assert.deepEqual(outcome, {
      brokers: [{ id: 1, rack: undefined }],
      partitions: [{ partition: 0, leader: undefined, replicas: [9], adding: [], removing: [] }],
    });
  });
});

describe('moving', () => {
  test('K043, E31: the missing right is named, and what the broker says of itself is not shown', async () => {
    const { topics } = await withBroker({
      ListPartitionReassignments: listing(),
      AlterPartitionReassignments: moving(31).answer,
    });
    const outcome = (await topics.move(one([1, 2]), signal)).get('t');
    assert.equal(inWords(outcome), 'terminal NotAuthorized');
    assert.match(messageOf(outcome), /^not authorized: Alter on the cluster is needed/);
    assert.doesNotMatch(messageOf(outcome), /secret/);
  });

  for (const [fact, running, target, want] of [
    ['a move from rest is sent as it is', undefined, [1, 2], [[[1, 2]]]],
    ['T007: the same move again is sent as it is', { adding: [2, 3] }, [1, 3, 2], [[[1, 3, 2]]]],
    ['K041: one that wants a broker less is cancelled first', { adding: [2, 3] }, [1, 2], [[null], [[1, 2]]]],
    ['K041: one that wants a broker more is cancelled first', { adding: [2] }, [1, 2, 3], [[null], [[1, 2, 3]]]],
    ['K041: one that wants back what is removed is cancelled first', { removing: [2] }, [1, 2], [[null], [[1, 2]]]],
    [
      'K041: one that can never end is cancelled first, though it leads to the target',
      { adding: [2], removing: [2] },
      [1],
      [[null], [[1]]],
    ],
    ['a cancellation is sent as it is', { adding: [2, 3] }, null, [[null]]],
  ] as const)
    test(fact, async () => {
      const { asked, answer } = moving();
      const { adding = [], removing = [] }: { adding?: readonly number[]; removing?: readonly number[] } =
        running ?? {};
      const replicas = [...new Set([1, ...adding, ...removing])];
      const moves = running === undefined ? [] : [{ replicas, adding: [...adding], removing: [...removing] }];
      const { topics } = await withBroker({
        ListPartitionReassignments: listing(moves),
        AlterPartitionReassignments: answer,
      });
      assert.equal(inWords((await topics.move(one(target), signal)).get('t')), 'done');
      assert.deepEqual(asked, want);
    });

  test('K041: where the cancellation fails, nothing is put in its place', async () => {
    const { asked, answer } = moving(7);
    const { topics } = await withBroker({
      ListPartitionReassignments: listing([{ replicas: [1, 2, 3], adding: [2, 3] }]),
      AlterPartitionReassignments: answer,
    });
    assert.equal(inWords((await topics.move(one([1, 2]), signal)).get('t')), 'uncertain BrokerUnavailable');
    assert.deepEqual(asked, [[null]]);
  });

  test('nobody knows what became of a partition that the broker leaves out of its answer', async () => {
    const { topics } = await withBroker({
      ListPartitionReassignments: listing(),
      AlterPartitionReassignments: () => ({ throttleMs: 0, code: 0, message: null, topics: [] }),
    });
    assert.equal(inWords((await topics.move(one([1, 2]), signal)).get('t')), 'uncertain KafkaError');
  });

  test('more partitions than a request may have go in two', async () => {
    const { asked, answer } = moving();
    const { topics } = await withBroker({ AlterPartitionReassignments: answer });
    const cancelled = new Map(Array.from({ length: 10_001 }, (_, partition) => [partition, null]));
    assert.equal(inWords((await topics.move(new Map([['t', cancelled]]), signal)).get('t')), 'done');
    assert.deepEqual(
      asked.map(({ length }) => length),
      [10_000, 1],
    );
  });
});

describe('limits', () => {
  test('K042: a rate that is set for all brokers is somebody else’s', async () => {
    const { changed, script } = configs({ rate: '5000' });
    const { topics } = await withBroker(script);
    assert.equal(inWords((await topics.limit(['t'], 1_000, signal)).get('t')), 'limited');
    assert.deepEqual(changed, [
      't leader.replication.throttled.replicas=*',
      't follower.replication.throttled.replicas=*',
    ]);
  });

  test('K042: what is set already is not set again', async () => {
    const { changed, script } = configs({ list: '*', rate: '1000' });
    const { topics } = await withBroker(script);
    assert.equal(inWords((await topics.limit(['t'], 1_000, signal)).get('t')), 'limited');
    assert.deepEqual(changed, []);
  });

  test('K043, E31: a missing right on the brokers’ configs is named, and a topic that is left does not need it', async () => {
    const denied = await withBroker(configs({ brokerCode: 31 }).script);
    const outcome = (await denied.topics.limit(['t'], 1_000, signal)).get('t');
    assert.equal(inWords(outcome), 'terminal NotAuthorized');
    assert.match(messageOf(outcome), /^not authorized: DescribeConfigs on the cluster is needed/);
    const foreign = await withBroker(configs({ list: '0:1', brokerCode: 31 }).script);
    assert.equal((await foreign.topics.limit(['t'], 1_000, signal)).get('t'), 'left');
  });

  test('K042: where the moves cannot be seen the lists go, and the rates ask for another try', async () => {
    const { changed, script } = configs({ list: '*', rate: '1000' });
    const { topics } = await withBroker({ ...script, ListPartitionReassignments: listing([], 7) });
    assert.equal(inWords((await topics.unlimit(['t'], 1_000, signal)).get('t')), 'retryable BrokerUnavailable');
    assert.deepEqual(changed, [
      't leader.replication.throttled.replicas=null',
      't follower.replication.throttled.replicas=null',
    ]);
  });
});

test('neither an empty list nor an aborted signal sends anything', async () => {
  const { topics, broker } = await withBroker({});
  const aborted = AbortSignal.abort();
  await topics.replicas([], signal);
  await topics.move(new Map(), signal);
  await topics.limit([], 1, signal);
  await topics.unlimit([], 1, signal);
  await topics.replicas(['t'], aborted);
  await topics.move(one([1]), aborted);
  await topics.limit(['t'], 1, aborted);
  await topics.unlimit(['t'], 1, aborted);
  assert.deepEqual(broker.received, []);
});
