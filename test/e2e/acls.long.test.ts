/** The whole system with the rights at the brokers that `infra/kafka-acls.sh` gives, with more, and with each one missing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics } from '../../functions/adapters/kafka/topics.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { startSecureWorld } from '../support/e2e/secure-world.ts';
import type { Decision } from '../support/kafka/acl-brokers.ts';

const world = await startSecureWorld();
after(() => world.stop());
const { user, broker, queues, kafka, grant, shell } = world;

before(async () => {
  await grant({ PREFIX: 'team-a.', DELETION: 'yes', MOVES: 'limited' });
  await grant({ PREFIX: 'team-b.' });
});

const one = { numPartitions: 1, replicationFactor: 1 };
const inWords = ({ user, operation, resource }: Decision) => `${user}: ${operation} on ${resource.split(':')[0]}`;

/** From creation to deletion, with every kind of change, and a tick in between. */
async function life(name: string): Promise<void> {
  const deletionPolicy = 'Delete';
  await user.apply(name, { ...one, deletionPolicy });
  await user.ready(name);
  await user.apply(name, { ...one, numPartitions: 2, config: { 'segment.ms': 3600000 }, deletionPolicy });
  await user.ready(name);
  await broker.setConfig(name, { 'segment.ms': '60000' });
  await queues.tick();
  await user.apply(name, { numPartitions: 2, replicationFactor: 2, config: { 'segment.ms': 3600000 }, deletionPolicy });
  await user.ready(name);
  const { partitions, replicas, overrides } = await broker.shape(name);
  assert.deepEqual([partitions, replicas, overrides], [2, [2, 2], { 'segment.ms': '3600000' }]);
  await queues.tick();
  await user.delete(name);
  await user.gone(name);
  await broker.vanished(name);
}

test('T121: with exactly these rights a topic has its whole life, nothing is denied, and nothing else is asked for', async () => {
  kafka.decisions();
  await life('team-a.whole');
  const found = kafka.decisions();
  assert.deepEqual(
    found.filter(({ allowed }) => !allowed),
    [],
  );
  // a tick looks for moves only where it comes upon one
  const words = new Set(found.map(inWords).filter((word) => word !== 'resync: DESCRIBE on Cluster'));
  assert.deepEqual([...words].toSorted(), [
    'reconciler: ALTER on Cluster',
    'reconciler: ALTER on Topic',
    'reconciler: ALTER_CONFIGS on Cluster',
    'reconciler: ALTER_CONFIGS on Topic',
    'reconciler: CREATE on Topic',
    'reconciler: DELETE on Topic',
    'reconciler: DESCRIBE on Cluster',
    'reconciler: DESCRIBE on Topic',
    'reconciler: DESCRIBE_CONFIGS on Cluster',
    'reconciler: DESCRIBE_CONFIGS on Topic',
    'resync: DESCRIBE on Topic',
    'resync: DESCRIBE_CONFIGS on Topic',
  ]);
});

test('T121: without deletion and moves nothing is denied to a topic that outlives its object', async () => {
  await grant({ PREFIX: 'kept.' });
  kafka.decisions();
  await user.apply('kept.topic', { ...one, numPartitions: 2, config: { 'segment.ms': 3600000 } });
  await user.ready('kept.topic');
  await user.apply('kept.topic', { ...one, numPartitions: 3 });
  await user.ready('kept.topic');
  await queues.tick();
  await user.delete('kept.topic');
  await user.gone('kept.topic');
  const found = kafka.decisions();
  assert.deepEqual(
    found.filter(({ allowed }) => !allowed),
    [],
  );
  assert.equal(
    found.some(({ operation, resource }) => operation === 'DELETE' || resource.startsWith('Cluster')),
    false,
  );
});

test('T121: rights beyond these change nothing', async () => {
  await user.apply('team-a.more', one);
  await user.ready('team-a.more');
  await queues.drained();
  const before = await user.get('team-a.more');
  for (const name of ['reconciler', 'resync'])
    await shell(`kafka-acls --add --allow-principal User:${name} --operation All --topic '*' --cluster`);
  await queues.tick();
  assert.deepEqual(await user.get('team-a.more'), before);
  for (const name of ['reconciler', 'resync'])
    await shell(`kafka-acls --remove --force --allow-principal User:${name} --operation All --topic '*' --cluster`);
});

/** Does what the message of the object says, until it says nothing more about rights. @returns the rights it named */
async function followMessages(name: string, isDone: () => Promise<boolean>): Promise<readonly string[]> {
  const named: string[] = [];
  while (named.length < 4) {
    await queues.drained();
    if (conditionOf(await user.get(name), 'Ready')?.reason === 'ReassignmentInProgress') await user.ready(name);
    if (await isDone()) return named;
    const { reason, message } = conditionOf(await user.get(name), 'Ready') ?? { reason: 'none', message: '' };
    const [, right = '', command = ''] =
      /^not authorized: (.+) is needed; this .*: (kafka-acls .+) \(Kafka: /.exec(message) ?? [];
    assert.equal(reason, 'NotAuthorized', message);
    named.push(right);
    await shell(command.replace('User:NAME', 'User:reconciler'));
    await queues.tick();
  }
  return assert.fail(`after ${named.join(', ')} ${name} still says that rights are missing`);
}

const isReady = (name: string) => async () => conditionOf(await user.get(name), 'Ready')?.reason === 'Synced';
const isGone = (name: string) => async () => (await user.get(name)) === undefined;

type Missing = {
  readonly right: string;
  readonly on: string;
  readonly provoke: (name: string) => Promise<unknown>;
  readonly done?: (name: string) => () => Promise<boolean>;
  /** what the messages name, one after the other */
  readonly names: (name: string) => readonly string[];
};

const topics = '--resource-pattern-type prefixed --topic team-a.';
const missing: readonly Missing[] = [
  {
    right: 'Create',
    on: topics,
    provoke: (name) => user.apply(`${name}-new`, one),
    done: (name) => isReady(`${name}-new`),
    names: (name) => [`Create on topic ${name}-new`],
  },
  {
    right: 'Alter',
    on: topics,
    provoke: (name) => user.apply(name, { ...one, numPartitions: 2 }),
    names: (name) => [`Alter on topic ${name}`],
  },
  {
    right: 'AlterConfigs',
    on: topics,
    provoke: (name) => user.apply(name, { ...one, config: { 'segment.ms': 3600000 } }),
    names: (name) => [`DescribeConfigs on topic ${name}`, `AlterConfigs on topic ${name}`],
  },
  {
    right: 'Delete',
    on: topics,
    provoke: (name) => user.delete(name),
    done: isGone,
    names: (name) => [`Delete on topic ${name}`],
  },
  {
    right: 'Alter',
    on: '--cluster',
    provoke: (name) => user.apply(name, { ...one, replicationFactor: 2 }),
    names: () => ['Describe on the cluster', 'Alter on the cluster'],
  },
  {
    right: 'AlterConfigs',
    on: '--cluster',
    provoke: (name) => user.apply(name, { ...one, replicationFactor: 2 }),
    names: () => ['DescribeConfigs on the cluster', 'AlterConfigs on the cluster'],
  },
];

describe('T121: of the rights of the reconciler', () => {
  for (const [at, { right, on, provoke, done = isReady, names }] of missing.entries())
    test(`${right} ${on} is missing: the object says which and how to grant it, others go on, and granted it is enough`, async () => {
      const name = `team-a.missing-${at}`;
      const neighbour = `team-b.neighbour-${at}`;
      const failing = right === 'Create' ? `${name}-new` : name;
      for (const each of [name, neighbour]) {
        await user.apply(each, { ...one, deletionPolicy: 'Delete' });
        await user.ready(each);
      }
      await queues.drained();
      const rights = `--allow-principal User:reconciler --operation ${right} ${on}`;
      await shell(`kafka-acls --remove --force ${rights}`);
      await Promise.all([
        provoke(name),
        user.apply(neighbour, { ...one, numPartitions: 2, config: { 'segment.ms': 3600000 } }),
      ]);
      await user.ready(neighbour);
      await user.holds(failing, (object) => conditionOf(object, 'Stalled')?.reason === 'NotAuthorized');
      assert.deepEqual(await followMessages(failing, done(name)), names(name));
      await shell(`kafka-acls --add ${rights}`);
    });
});

test('T121: what resync may not see is logged with the right that is missing, and the others are looked after', async () => {
  for (const name of ['team-a.unseen', 'team-b.seen']) {
    await user.apply(name, { ...one, config: { 'segment.ms': 3600000 } });
    await user.ready(name);
  }
  const rights = `--allow-principal User:resync --operation Describe ${topics}`;
  await shell(`kafka-acls --remove --force ${rights}`);
  for (const name of ['team-a.unseen', 'team-b.seen']) await broker.setConfig(name, { 'segment.ms': '60000' });
  await queues.tick();
  const drifted = async (name: string) => (await broker.overrides([name])).get(name)?.['segment.ms'];
  assert.deepEqual(await Promise.all(['team-a.unseen', 'team-b.seen'].map(drifted)), ['60000', '3600000']);
  assert.match(
    world.log(),
    /"event":"resync-unread".*kafka-acls --add --allow-principal User:NAME --operation Describe --topic team-a\./,
  );
  await shell(`kafka-acls --add ${rights}`);
  await queues.tick();
  assert.equal(await drifted('team-a.unseen'), '3600000');
});

test('T180: whoever steals the login of resync can look, and change nothing at the brokers', async () => {
  await broker.createOn('team-a.stolen', [1]);
  const id = await broker.id('team-a.stolen');
  const before = await broker.shape('team-a.stolen');
  const stolen = connectTopics(kafkaConfigFromEnv(world.login('resync')));
  const signal = AbortSignal.timeout(30_000);
  try {
    const seen = (await stolen.observe([{ topicName: 'team-a.stolen', configs: [] }], signal)).get('team-a.stolen');
    assert.ok(!(seen instanceof Error) && seen?.exists);
    const tries = [
      await stolen.create([{ topicName: 'team-a.another', config: new Map() }], signal),
      await stolen.alterConfigs(new Map([['team-a.stolen', [{ key: 'segment.ms', value: '60000' }]]]), signal),
      await stolen.addPartitions(new Map([['team-a.stolen', 2]]), signal),
      await stolen.delete([id as never], signal),
      await stolen.move(new Map([['team-a.stolen', new Map([[0, [2]]])]]), signal),
    ];
    for (const outcome of tries.flatMap((outcomes) => [...outcomes.values()]))
      assert.equal(outcome instanceof Failure && outcome.reason, 'NotAuthorized');
    assert.deepEqual(await broker.shape('team-a.stolen'), before);
    assert.equal(await broker.exists('team-a.another'), false);
  } finally {
    await stolen.close();
  }
});
