/** What is done of a plan, in which order, and what stays undone when a part of it fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { reconcile } from '../../functions/core/reconciler.ts';
import { never, world } from './world.ts';

type World = ReturnType<typeof world>;
const key = { namespace: 'shop', name: 'orders' };
const denied = new Failure('NotAuthorized', 'no', { retryable: false });
const away = new Failure('BrokerUnavailable', 'no answer', { retryable: true });

const fail = ({ topics }: World, failing: string, error: Error = denied) => {
  topics.fault = ({ method }) => (method === failing ? { at: 'before', error } : undefined);
};
const live = ({ topics }: World) => topics.topics.get('orders');
const finalizers = ({ resources }: World) => resources.objects.get(key)?.metadata.finalizers ?? [];

test('a topic is created with as many partitions and replicas as wanted, and with its config', async () => {
  const made = world({}, 3);
  made.apply('orders', { numPartitions: 2, replicationFactor: 3, config: { 'segment.ms': 600000 } });
  await made.pass(['orders']);
  const { numPartitions, replicationFactor, overrides } = live(made) ?? {};
  assert.deepEqual([numPartitions, replicationFactor], [2, 3]);
  assert.deepEqual([...(overrides ?? [])], [['segment.ms', '600000']]);
});

test('what nobody wants to know of a new topic is left to the brokers', async () => {
  const made = world({}, 3);
  made.apply('orders');
  let asked: readonly object[] = [];
  const create = made.topics.create.bind(made.topics);
  made.topics.create = (topics, signal) => {
    asked = topics;
    return create(topics, signal);
  };
  await made.pass(['orders']);
  assert.deepEqual(asked, [{ topicName: 'orders', config: new Map() }]);
});

test('a topic whose settings are withheld: which right helps is said', async () => {
  const made = world();
  made.apply('orders');
  const create = made.topics.create.bind(made.topics);
  made.topics.create = async (topics, signal) =>
    new Map(
      [...(await create(topics, signal))].map(([name, entry]) => [
        name,
        entry instanceof Failure ? entry : { ...entry, live: undefined },
      ]),
    );
  await made.pass(['orders']);
  const [condition] = made.status('orders')?.conditions ?? [];
  assert.equal(
    condition?.message,
    'topic orders was created, but its settings cannot be read: allow DescribeConfigs on it',
  );
});

test('the elements of a list keep the order in which they were given', async () => {
  const made = world();
  made.apply('orders', { config: { 'cleanup.policy': 'compact' } });
  await made.pass(['orders']);
  made.apply('orders', { config: { 'cleanup.policy': 'delete , compact' } });
  await made.pass(['orders']);
  made.approve('orders');
  await made.pass(['orders']);
  assert.equal(live(made)?.overrides.get('cleanup.policy'), 'delete,compact');
  assert.equal(made.ready('orders'), 'True Synced');
});

test('a topic that is deleted is not told as live, though its object stays for another try', async () => {
  const made = world();
  made.apply('orders', { deletionPolicy: 'Delete', numPartitions: 2 });
  await made.pass(['orders']);
  assert.equal(made.status('orders')?.numPartitions, 2);
  made.resources.objects.delete(key);
  made.resources.fault = ({ call }) => {
    if (call === 'setFinalizer') throw away;
  };
  await made.pass(['orders']);
  assert.equal(live(made), undefined);
  assert.deepEqual([made.ready('orders'), finalizers(made)], ['False BrokerUnavailable', [finalizer]]);
  assert.equal(made.status('orders')?.numPartitions, undefined);
});

test('a deletion that fails ends its pass: the finalizer waits for it, and another topic beside it does not', async () => {
  const made = world();
  for (const name of ['orders', 'clicks']) made.apply(name, { deletionPolicy: 'Delete' });
  await made.pass(['orders', 'clicks']);
  for (const name of ['orders', 'clicks']) made.resources.objects.delete({ namespace: 'shop', name });
  const id = live(made)?.id ?? '';
  made.topics.fault = ({ method }) => (method === 'delete' ? { items: new Map([[id, away]]) } : undefined);
  await made.pass(['orders', 'clicks']);
  assert.deepEqual([...made.topics.topics.keys()], ['orders']);
  assert.deepEqual(
    made.resources.objects.all().map(({ metadata }) => [metadata.name, metadata.finalizers]),
    [['orders', [finalizer]]],
  );
});

/** A move under a limit that has arrived; the edit that follows wants more partitions too. */
async function arrived(): Promise<World> {
  const made = world({ moveBytesPerSecond: 1000 }, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 1, replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 4, replicationFactor: 2 });
  await made.pass(['orders']);
  made.topics.finishMoves();
  return made;
}

test('limits that cannot be taken away keep the record of their move, its finalizer, and what comes after', async () => {
  const made = await arrived();
  fail(made, 'unlimit', away);
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False BrokerUnavailable');
  assert.deepEqual([live(made)?.numPartitions, finalizers(made)], [1, [finalizer]]);
  assert.notEqual(made.status('orders')?.reassignment, undefined);
  made.topics.fault = undefined;
  await made.pass(['orders']);
  assert.deepEqual([live(made)?.numPartitions, finalizers(made)], [4, []]);
  assert.equal(made.status('orders')?.reassignment, undefined);
});

test('a move whose record cannot be stored is not begun, and neither is its limit', async () => {
  const made = world({ moveBytesPerSecond: 1000 }, 3);
  for (const name of ['orders', 'clicks']) made.apply(name, { replicationFactor: 1 });
  await made.pass(['orders', 'clicks']);
  for (const name of ['orders', 'clicks']) made.apply(name, { replicationFactor: 2 });
  made.resources.fault = ({ call, key: of }) => {
    if (call === 'storeStatus' && of?.name === 'orders') throw away;
  };
  made.topics.calls.length = 0;
  await made.pass(['orders', 'clicks']);
  const about = (wanted: string) =>
    made.topics.calls.filter(({ method }) => method === wanted).flatMap(({ items }) => items);
  assert.deepEqual([about('limit'), about('move')], [['clicks'], ['clicks']]);
  assert.equal(made.ready('orders'), 'False BrokerUnavailable');
  assert.equal(made.status('orders')?.reassignment, undefined);
});

test('moves of several topics are limited together, and then asked for together', async () => {
  const made = world({ moveBytesPerSecond: 1000 }, 3);
  made.topics.holdMoves = true;
  for (const name of ['orders', 'clicks']) made.apply(name, { replicationFactor: 1 });
  await made.pass(['orders', 'clicks']);
  for (const name of ['orders', 'clicks']) made.apply(name, { replicationFactor: 2 });
  await made.pass(['orders', 'clicks']);
  assert.deepEqual(
    made.topics.calls.filter(({ method }) => method === 'limit' || method === 'move'),
    [
      { method: 'limit', items: ['orders', 'clicks'] },
      { method: 'move', items: ['orders', 'clicks'] },
    ],
  );
});

test('a move that is refused is not told as done', async () => {
  const made = world({}, 3);
  made.apply('orders', { replicationFactor: 1 });
  await made.pass(['orders']);
  fail(made, 'move');
  made.apply('orders', { replicationFactor: 2, config: { 'segment.ms': 600000 } });
  made.lines.length = 0;
  await made.pass(['orders']);
  const told = made.lines.filter(({ event }) => event === 'applied').map(({ fields }) => fields?.action);
  assert.deepEqual(told, ['SetConfig']);
});

test('a move says how far it is, also with other changes beside it, and what was approved stays until its end', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 2, replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 2, replicationFactor: 2, config: { 'segment.ms': 1000 }, mode: 'Plan' });
  await made.pass(['orders']);
  made.approve('orders');
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False ReassignmentInProgress');
  assert.equal(
    made.status('orders')?.conditions[0]?.message,
    'the replication factor becomes 2: 0 of 2 partitions are done',
  );
  assert.deepEqual(
    made.status('orders')?.plan?.actions.map(({ type }) => type),
    ['SetConfig', 'MoveReplicas'],
  );
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.deepEqual([made.ready('orders'), made.status('orders')?.plan], ['True Synced', undefined]);
});

for (const failure of [away, denied])
  test(`an object that is let go and cannot be (${failure.reason}) says nothing, and is tried again`, async () => {
    const made = world();
    made.apply('orders', { deletionPolicy: 'Delete' });
    await made.pass(['orders']);
    const elsewhere = { ...made.ports, installation: { ...made.ports.installation, selects: () => false } };
    made.resources.fault = ({ call }) => {
      if (call === 'setFinalizer') throw failure;
    };
    const before = made.status('orders');
    const item = { key, groups: undefined, lastReceive: false, trigger: 'change', id: 'm' } as const;
    const settled = [...(await reconcile([item], elsewhere, never)).values()];
    assert.deepEqual(
      settled.map(({ redeliver }) => redeliver),
      [failure.retryable],
    );
    assert.deepEqual([made.status('orders'), finalizers(made)], [before, [finalizer]]);
    const outcome = made.lines.findLast(({ event }) => event === 'outcome');
    assert.equal(outcome?.fields?.outcome, 'Unsaid');
  });

test('a topic that the brokers leave out of their answer may be there: nobody else works on it for a while', async () => {
  const made = world();
  made.apply('orders');
  made.topics.create = async () => new Map();
  const [settled] = await made.pass(['orders']);
  assert.deepEqual(settled, {
    key: 'shop/orders',
    redeliver: true,
    hideSeconds: 60,
    reason: 'KafkaError',
    message: 'the brokers did not answer for this topic',
  });
});
