import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import type { CreatedTopic, NewTopic, Topics } from '../../functions/core/ports.ts';
import type { ConfigEntry, ObservedTopic, TopicId } from '../../functions/core/topic.ts';
import { eventually } from '../support/kafka/eventually.ts';
import type { ByHand, SeenTopic } from '../support/kafka/real-kafka.ts';

/** Topics on one broker. `byHand` is another client: it makes changes behind our back, and says what is really there. */
export type TopicsWorld = {
  readonly topics: Topics;
  readonly byHand: Omit<ByHand, 'close' | 'askForOffsets'>;
  readonly clusterId: string;
  /** requests that the port has made so far */
  readonly requestCount: () => number;
};

const signal = new AbortController().signal;
const strangerId = 'AAAAAAAAAAAAAAAAAAAAAQ' as TopicId;

const freshName = () => `t-${randomUUID()}`;
const wanted = (
  topicName: string,
  fields: { config?: Record<string, string> } & Partial<Omit<NewTopic, 'config'>> = {},
): NewTopic => {
  const { config = {}, ...rest } = fields;
  return { topicName, ...rest, config: new Map(Object.entries(config)) };
};

/** The value of an item that must have succeeded. */
function success<T>(outcomes: ReadonlyMap<string, T | Failure>, item: string): T {
  const outcome = outcomes.get(item);
  if (outcome instanceof Failure) throw outcome;
  assert.ok(outcome !== undefined, `no outcome for ${item}`);
  return outcome;
}

/** The Failure of an item that must have failed, and that it can be shown to people. */
function failure(outcomes: ReadonlyMap<string, unknown>, item: string): Failure {
  const outcome = outcomes.get(item);
  assert.ok(outcome instanceof Failure, `${item} did not fail: ${JSON.stringify(outcome)}`);
  assert.match(outcome.message, /^[^\n]{1,400}$/);
  return outcome;
}

const summary = ({ reason, retryable, unanswered }: Failure) => ({ reason, retryable, unanswered });
const terminal = (reason: string) => ({ reason, retryable: false, unanswered: false });
const outdated = { reason: 'ObservationOutdated', retryable: true, unanswered: false };

/** What the Topics port promises. */
export function topicsContract(name: string, makeWorld: () => Promise<TopicsWorld>): void {
  describe(`topics: ${name}`, () => {
    const withWorld = (fact: string, check: (world: TopicsWorld) => Promise<void>) =>
      test(fact, async () => check(await makeWorld()));

    const create = async ({ topics }: TopicsWorld, topic: NewTopic): Promise<CreatedTopic> =>
      success(await topics.create([topic], signal), topic.topicName);
    const observe = async ({ topics }: TopicsWorld, topicName: string, configs: readonly string[] | 'all' = []) =>
      success(await topics.observe([{ topicName, configs }], signal), topicName);
    /** Looks until the topic is there and as expected. */
    const live = (
      world: TopicsWorld,
      topicName: string,
      configs: readonly string[] | 'all' = [],
      expected: (observed: ObservedTopic & { exists: true }) => void = () => {},
    ) =>
      eventually(async () => {
        const observed = await observe(world, topicName, configs);
        assert.ok(observed.exists, `${topicName} does not exist`);
        expected(observed);
        return observed;
      });
    const seen = (world: TopicsWorld, topicName: string, expected: SeenTopic | undefined) =>
      eventually(async () => assert.deepEqual(await world.byHand.see(topicName), expected));
    const overrides = (world: TopicsWorld, topicName: string, expected: SeenTopic['overrides']) =>
      eventually(async () => assert.deepEqual((await world.byHand.see(topicName))?.overrides, expected));
    const partitions = (world: TopicsWorld, topicName: string, expected: number) =>
      eventually(async () => assert.equal((await world.byHand.see(topicName))?.numPartitions, expected));
    const entry = (observed: { config: ReadonlyMap<string, ConfigEntry> }, key: string): ConfigEntry => {
      const found = observed.config.get(key);
      assert.ok(found !== undefined, `no entry for ${key}`);
      return found;
    };

    describe('creating', { concurrency: true }, () => {
      withWorld('a new topic has what was asked for, and the answer tells its id and settings', async (world) => {
        const topicName = freshName();
        const created = await create(
          world,
          wanted(topicName, { numPartitions: 3, replicationFactor: 1, config: { 'retention.ms': '60000' } }),
        );
        assert.equal(created.clusterId, world.clusterId);
        assert.equal(created.live?.numPartitions, 3);
        assert.equal(created.live?.replicationFactor, 1);
        assert.deepEqual(entry(created.live, 'retention.ms'), {
          value: '60000',
          source: 'topic',
          inherited: null,
          type: 'long',
          readOnly: false,
          sensitive: false,
        });
        assert.equal(entry(created.live, 'segment.ms').source, 'default');
        await seen(world, topicName, {
          numPartitions: 3,
          overrides: { 'retention.ms': '60000' },
        });
        assert.equal((await live(world, topicName)).id, created.id);
      });

      withWorld('counts that are absent are the brokers’ own', async (world) => {
        const topicName = freshName();
        const created = await create(world, wanted(topicName));
        assert.equal(created.live?.replicationFactor, 1);
        assert.equal((await live(world, topicName)).numPartitions, created.live?.numPartitions);
      });

      withWorld('a name that exists asks for another look, and the topic stays as it is', async (world) => {
        const topicName = freshName();
        const first = await create(world, wanted(topicName, { numPartitions: 1 }));
        const again = await world.topics.create([wanted(topicName, { numPartitions: 5 })], signal);
        assert.deepEqual(summary(failure(again, topicName)), outdated);
        const now = await live(world, topicName);
        assert.deepEqual([now.id, now.numPartitions], [first.id, 1]);
      });

      withWorld('one bad topic among ten leaves the other nine alone', async (world) => {
        const names = Array.from({ length: 10 }, freshName);
        const [bad = '', ...good] = names;
        const outcomes = await world.topics.create(
          [...good.map((topicName) => wanted(topicName)), wanted(bad, { config: { 'no.such.key': '1' } })],
          signal,
        );
        assert.deepEqual(new Set(outcomes.keys()), new Set(names));
        for (const topicName of good) success(outcomes, topicName);
        assert.deepEqual(summary(failure(outcomes, bad)), terminal('InvalidConfig'));
        assert.match(failure(outcomes, bad).message, /no\.such\.key/);
        await seen(world, bad, undefined);
      });

      for (const illegal of ['', '.', '..', 'a b', 'a'.repeat(250), 'grün', 'a/b', '{}'])
        withWorld(`the name ${JSON.stringify(illegal.slice(0, 20))} is refused`, async ({ topics }) => {
          const outcomes = await topics.create([wanted(illegal)], signal);
          assert.deepEqual(summary(failure(outcomes, illegal)), terminal('InvalidTopicName'));
        });

      withWorld('a name of 249 characters is taken', async (world) => {
        await create(world, wanted(freshName().padEnd(249, 'x')));
      });

      withWorld('of two new names that collide one is created, and the other is told of its rival', async (world) => {
        const base = freshName();
        const [dotted, underscored] = [`${base}.x`, `${base}_x`];
        const outcomes = await world.topics.create([wanted(dotted), wanted(underscored)], signal);
        success(outcomes, dotted);
        assert.deepEqual(summary(failure(outcomes, underscored)), terminal('InvalidTopicName'));
        assert.ok(failure(outcomes, underscored).message.includes(dotted));
        await seen(world, underscored, undefined);
      });

      withWorld('more replicas than brokers are refused', async ({ topics }) => {
        const topicName = freshName();
        for (const replicationFactor of [4, 32_767, 1_000_000]) {
          const outcomes = await topics.create([wanted(topicName, { replicationFactor })], signal);
          assert.deepEqual(summary(failure(outcomes, topicName)), terminal('InvalidReplicationFactor'));
        }
      });

      withWorld('an absurd number of partitions is refused, its neighbours are created', async (world) => {
        const [absurd, neighbour, another] = [freshName(), freshName(), freshName()];
        const outcomes = await world.topics.create(
          [wanted(neighbour), wanted(absurd, { numPartitions: 3_000_000_000 }), wanted(another, { numPartitions: 2 })],
          signal,
        );
        success(outcomes, neighbour);
        success(outcomes, another);
        assert.deepEqual(summary(failure(outcomes, absurd)), terminal('PolicyViolation'));
      });

      withWorld('fewer partitions than one are refused', async ({ topics }) => {
        const topicName = freshName();
        const outcomes = await topics.create([wanted(topicName, { numPartitions: 0 })], signal);
        assert.deepEqual(summary(failure(outcomes, topicName)), terminal('InvalidSpec'));
      });

      withWorld('more in-sync replicas than replicas are not the broker’s concern', async (world) => {
        const topicName = freshName();
        await create(world, wanted(topicName, { replicationFactor: 1, config: { 'min.insync.replicas': '5' } }));
        await overrides(world, topicName, { 'min.insync.replicas': '5' });
      });

      withWorld('K011: but where the broker picks the number of replicas it has to be enough', async (world) => {
        const [short, enough] = [freshName(), freshName()];
        const outcomes = await world.topics.create(
          [
            wanted(short, { config: { 'min.insync.replicas': '2' } }),
            wanted(enough, { config: { 'min.insync.replicas': '1' } }),
          ],
          signal,
        );
        assert.deepEqual(summary(failure(outcomes, short)), terminal('InvalidSpec'));
        success(outcomes, enough);
        const observed = await world.topics.observe([{ topicName: short, configs: [] }], signal);
        assert.equal(success(observed, short).exists, false);
      });
    });

    describe('observing', { concurrency: true }, () => {
      withWorld('a topic that is not there does not exist, beside one that does', async (world) => {
        const [there, notThere] = [freshName(), freshName()];
        await world.byHand.create(there, 4);
        const queries = [notThere, there].map((topicName) => ({ topicName, configs: [] }));
        const outcomes = await world.topics.observe(queries, signal);
        assert.deepEqual(success(outcomes, notThere), { clusterId: world.clusterId, exists: false });
        const observed = success(outcomes, there) as ObservedTopic & { exists: true };
        assert.equal(observed.clusterId, world.clusterId);
        assert.equal(observed.numPartitions, 4);
        assert.equal(observed.replicationFactor, 1);
        assert.equal(observed.records, 'unknown');
        assert.deepEqual(observed.config, new Map());
      });

      withWorld('an illegal name is refused, its neighbours are seen', async (world) => {
        const topicName = freshName();
        const outcomes = await world.topics.observe(
          [
            { topicName: 'a b', configs: [] },
            { topicName, configs: [] },
          ],
          signal,
        );
        assert.deepEqual(summary(failure(outcomes, 'a b')), terminal('InvalidTopicName'));
        assert.equal(success(outcomes, topicName).exists, false);
      });

      withWorld(
        'only the keys asked for are shown, and a key that the broker does not know is left out',
        async (world) => {
          const topicName = freshName();
          await world.byHand.create(topicName, 1, { 'retention.bytes': '777', 'segment.ms': '60000' });
          const { config } = await live(world, topicName, ['retention.bytes', 'max.message.bytes', 'no.such.key']);
          assert.deepEqual(new Set(config.keys()), new Set(['retention.bytes', 'max.message.bytes']));
        },
      );

      withWorld('all keys are shown on request, with their sources', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName, 1, { 'retention.bytes': '777' });
        const observed = await live(world, topicName, 'all');
        assert.ok(observed.config.size >= 33, `${observed.config.size} keys`);
        const overridden = [...observed.config].filter(([, { source }]) => source === 'topic');
        assert.deepEqual(
          overridden.map(([key]) => key),
          ['retention.bytes'],
        );
      });

      withWorld('an override shows what lies under it, where the broker tells', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName, 1, {
          'retention.bytes': '777',
          'retention.ms': '60000',
          'min.cleanable.dirty.ratio': '0.25',
        });
        const observed = await live(world, topicName, [
          'retention.bytes',
          'retention.ms',
          'min.cleanable.dirty.ratio',
          'cleanup.policy',
        ]);
        const shown = (key: string) => {
          const { value, source, inherited, type } = entry(observed, key);
          return { value, source, inherited, type };
        };
        assert.deepEqual(shown('retention.bytes'), { value: '777', source: 'topic', inherited: '-1', type: 'long' });
        assert.deepEqual(shown('retention.ms'), { value: '60000', source: 'topic', inherited: null, type: 'long' });
        assert.deepEqual(shown('min.cleanable.dirty.ratio'), {
          value: '0.25',
          source: 'topic',
          inherited: '0.5',
          type: 'double',
        });
        assert.deepEqual(shown('cleanup.policy'), {
          value: 'delete',
          source: 'default',
          inherited: 'delete',
          type: 'list',
        });
      });

      withWorld('two queries for one topic are one, with the keys of both', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName);
        const queries = [['retention.ms'], ['segment.ms']].map((configs) => ({ topicName, configs }));
        const observed = success(await world.topics.observe(queries, signal), topicName);
        assert.ok(observed.exists);
        assert.deepEqual(new Set(observed.config.keys()), new Set(['retention.ms', 'segment.ms']));
      });

      withWorld('six hundred topics are told apart', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName, 2);
        const queries = Array.from({ length: 600 }, (_, n) => ({ topicName: `${topicName}-${n}`, configs: [] }));
        const outcomes = await world.topics.observe([...queries, { topicName, configs: [] }], signal);
        assert.equal(outcomes.size, 601);
        const existing = [...outcomes].filter(([, seen]) => !(seen instanceof Failure) && seen.exists);
        assert.deepEqual(
          existing.map(([seen]) => seen),
          [topicName],
        );
      });
    });

    describe('records', { concurrency: true }, () => {
      withWorld('one record in any partition counts', async (world) => {
        const [empty, filled, missing] = [freshName(), freshName(), freshName()];
        await world.byHand.create(empty, 3);
        await world.byHand.create(filled, 3);
        await world.byHand.produce(filled, 2);
        assert.deepEqual(
          await world.topics.records([empty, filled, missing], signal),
          new Map([
            [empty, 'none'],
            [filled, 'some'],
            [missing, 'unknown'],
          ]),
        );
      });
    });

    describe('growing', { concurrency: true }, () => {
      withWorld('a topic gets exactly the total asked for', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName, 2);
        assert.deepEqual(
          await world.topics.addPartitions(new Map([[topicName, 5]]), signal),
          new Map([[topicName, 'done']]),
        );
        await partitions(world, topicName, 5);
      });

      withWorld('equal, fewer and missing ask for another look, beside one that grows', async (world) => {
        const [equal, fewer, missing, more] = [freshName(), freshName(), freshName(), freshName()];
        for (const topicName of [equal, fewer, more]) await world.byHand.create(topicName, 2);
        const totals = new Map([
          [equal, 2],
          [fewer, 1],
          [missing, 3],
          [more, 3],
        ]);
        const outcomes = await world.topics.addPartitions(totals, signal);
        for (const topicName of [equal, fewer, missing])
          assert.deepEqual(summary(failure(outcomes, topicName)), outdated);
        assert.equal(success(outcomes, more), 'done');
        await partitions(world, fewer, 2);
      });
    });

    describe('altering configs', { concurrency: true }, () => {
      withWorld('only the keys named are touched', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName, 1, {
          'retention.ms': '60000',
          'segment.ms': '60000',
          'max.message.bytes': '1000',
        });
        const changes = [
          { key: 'retention.ms', value: '70000' },
          { key: 'segment.ms', value: null },
        ];
        assert.deepEqual(
          await world.topics.alterConfigs(new Map([[topicName, changes]]), signal),
          new Map([[topicName, 'done']]),
        );
        await overrides(world, topicName, {
          'retention.ms': '70000',
          'max.message.bytes': '1000',
        });
      });

      withWorld('one bad value leaves the whole topic as it was, and its neighbour is changed', async (world) => {
        const [bad, good] = [freshName(), freshName()];
        for (const topicName of [bad, good]) await world.byHand.create(topicName);
        const outcomes = await world.topics.alterConfigs(
          new Map([
            [
              bad,
              [
                { key: 'segment.ms', value: '60000' },
                { key: 'retention.ms', value: 'soon' },
              ],
            ],
            [good, [{ key: 'segment.ms', value: '60000' }]],
          ]),
          signal,
        );
        assert.deepEqual(summary(failure(outcomes, bad)), terminal('InvalidConfig'));
        assert.match(failure(outcomes, bad).message, /retention\.ms/);
        assert.equal(success(outcomes, good), 'done');
        await overrides(world, bad, {});
        await overrides(world, good, { 'segment.ms': '60000' });
      });

      withWorld('removing what is not set, or not known, is no error', async (world) => {
        const topicName = freshName();
        await world.byHand.create(topicName);
        const changes = ['retention.ms', 'no.such.key'].map((key) => ({ key, value: null }));
        assert.equal(
          success(await world.topics.alterConfigs(new Map([[topicName, changes]]), signal), topicName),
          'done',
        );
      });

      withWorld('a topic that is gone asks for another look', async ({ topics }) => {
        const topicName = freshName();
        const outcomes = await topics.alterConfigs(
          new Map([[topicName, [{ key: 'segment.ms', value: '60000' }]]]),
          signal,
        );
        assert.deepEqual(summary(failure(outcomes, topicName)), outdated);
      });

      for (const [key, sent, stored] of [
        ['retention.ms', ' 60000 ', '60000'],
        ['retention.ms', '+7200000', '7200000'],
        ['retention.ms', '007', '7'],
        ['retention.bytes', '-2', '-2'],
        ['cleanup.policy', 'delete , compact', 'delete,compact'],
        ['cleanup.policy', '', ''],
        ['preallocate', ' TRUE ', 'true'],
        ['compression.type', ' zstd ', 'zstd'],
        ['min.cleanable.dirty.ratio', '.50', '0.5'],
        ['min.cleanable.dirty.ratio', '1', '1.0'],
        ['min.cleanable.dirty.ratio', '5e-1', '0.5'],
        ['min.cleanable.dirty.ratio', '0.00001', '1.0E-5'],
        ['leader.replication.throttled.replicas', '0:1,1:2', '0:1,1:2'],
      ] as const)
        withWorld(`${key}=${JSON.stringify(sent)} is stored as ${JSON.stringify(stored)}`, async (world) => {
          const topicName = freshName();
          await world.byHand.create(topicName);
          const changes = new Map([[topicName, [{ key, value: sent }]]]);
          assert.equal(success(await world.topics.alterConfigs(changes, signal), topicName), 'done');
          await live(world, topicName, [key], (observed) => assert.equal(entry(observed, key).value, stored));
        });

      for (const [key, value] of [
        ['retention.ms', '1e6'],
        ['retention.ms', ''],
        ['retention.ms', '9223372036854775808'],
        ['retention.ms', '-2'],
        ['max.message.bytes', '2147483648'],
        ['segment.bytes', '100'],
        ['min.insync.replicas', '0'],
        ['cleanup.policy', 'x'],
        ['compression.type', 'ZSTD'],
        ['compression.gzip.level', '0'],
        ['message.timestamp.type', 'createtime'],
        ['min.cleanable.dirty.ratio', '1.5'],
        ['preallocate', 'yes'],
        ['leader.replication.throttled.replicas', 'abc'],
        ['message.format.version', '2.0'],
      ] as const)
        withWorld(`${key}=${JSON.stringify(value)} is refused by name`, async (world) => {
          const topicName = freshName();
          await world.byHand.create(topicName);
          const outcomes = await world.topics.alterConfigs(new Map([[topicName, [{ key, value }]]]), signal);
          assert.deepEqual(summary(failure(outcomes, topicName)), terminal('InvalidConfig'));
          assert.ok(failure(outcomes, topicName).message.includes(key));
        });
    });

    describe('deleting', { concurrency: true }, () => {
      withWorld('the topic with that id is gone, also when asked a second time', async (world) => {
        const topicName = freshName();
        const { id } = await create(world, wanted(topicName));
        assert.deepEqual(await world.topics.delete([id], signal), new Map([[id, 'done']]));
        await seen(world, topicName, undefined);
        assert.deepEqual(
          await world.topics.delete([id, strangerId], signal),
          new Map([
            [id, 'done'],
            [strangerId, 'done'],
          ]),
        );
      });

      withWorld('a topic re-created under the name of a deleted id is left alone', async (world) => {
        const topicName = freshName();
        const { id } = await create(world, wanted(topicName));
        await world.byHand.remove(topicName);
        await world.byHand.create(topicName, 2);
        assert.deepEqual(await world.topics.delete([id], signal), new Map([[id, 'done']]));
        await live(world, topicName, [], (now) => {
          assert.notEqual(now.id, id);
          assert.equal(now.numPartitions, 2);
        });
      });
    });

    describe('calls as such', () => {
      withWorld('an empty list sends nothing', async ({ topics, requestCount }) => {
        const before = requestCount();
        assert.equal((await topics.observe([], signal)).size, 0);
        assert.equal((await topics.records([], signal)).size, 0);
        assert.equal((await topics.create([], signal)).size, 0);
        assert.equal((await topics.addPartitions(new Map(), signal)).size, 0);
        assert.equal((await topics.alterConfigs(new Map(), signal)).size, 0);
        assert.equal((await topics.delete([], signal)).size, 0);
        assert.equal(requestCount(), before);
      });

      withWorld('nothing is sent once the signal is aborted, and every item says so', async (world) => {
        const { topics, requestCount } = world;
        const topicName = freshName();
        const before = requestCount();
        const aborted = AbortSignal.abort();
        const notSent = { reason: 'BrokerUnavailable', retryable: true, unanswered: false };
        for (const outcomes of [
          await topics.observe([{ topicName, configs: 'all' }], aborted),
          await topics.create([wanted(topicName)], aborted),
          await topics.addPartitions(new Map([[topicName, 2]]), aborted),
          await topics.alterConfigs(new Map([[topicName, [{ key: 'segment.ms', value: '60000' }]]]), aborted),
        ])
          assert.deepEqual(summary(failure(outcomes, topicName)), notSent);
        assert.deepEqual(summary(failure(await topics.delete([strangerId], aborted), strangerId)), notSent);
        assert.deepEqual(await topics.records([topicName], aborted), new Map([[topicName, 'unknown']]));
        assert.equal(requestCount(), before);
        await seen(world, topicName, undefined);
      });
    });
  });
}
