/** What takes more than one pass: approval, moves of replicas, objects that come and go by their labels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { outOfSync } from '../../functions/core/resync.ts';
import { parseSelector } from '../../functions/core/selector.ts';
import { never, world } from './world.ts';

const denied = new Failure('NotAuthorized', 'allow Alter on the cluster', { retryable: false });
const lost = new Failure('BrokerUnavailable', 'no answer', { retryable: true, unanswered: true });

/** A bound topic with records, whose retention is to become shorter. */
async function held() {
  const made = world();
  made.apply('orders', { numPartitions: 1, config: { 'retention.ms': 9000 } });
  await made.pass(['orders']);
  made.topics.produce('orders', 10);
  made.apply('orders', { numPartitions: 3, config: { 'retention.ms': 1000, 'segment.ms': 600000 } });
  await made.pass(['orders']);
  return made;
}
const overrides = ({ topics }: ReturnType<typeof world>) =>
  Object.fromEntries(topics.topics.get('orders')?.overrides ?? []);
const writes = ({ topics }: ReturnType<typeof world>) =>
  topics.calls.filter(({ method }) => !['observe', 'records', 'replicas'].includes(method)).length;

test('K109, K121: shorter retention of records waits, what is harmless beside it is done', async () => {
  const made = await held();
  assert.deepEqual(overrides(made), { 'retention.ms': '9000', 'segment.ms': '600000' });
  assert.equal(made.topics.topics.get('orders')?.numPartitions, 3);
  assert.equal(made.ready('orders'), 'False ApprovalRequired');
  const { plan } = made.status('orders') ?? {};
  assert.deepEqual(
    plan?.actions.map(({ type, field, from, to }) => [type, field, from, to]),
    [['SetConfig', 'retention.ms', '9000', '1000']],
  );
  assert.equal(plan?.destructive, true);
});

test('K116: the right hash runs what was held, once, and nothing is left of the plan', async () => {
  const made = await held();
  made.approve('orders');
  await made.pass(['orders']);
  assert.equal(overrides(made)['retention.ms'], '1000');
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(made.status('orders')?.plan, undefined);
  const before = writes(made);
  await made.pass(['orders']);
  assert.equal(writes(made), before);
});

test('K117: a hash that does not match runs nothing, and the valid one is said', async () => {
  const made = await held();
  const { hash } = made.status('orders')?.plan ?? {};
  made.approve('orders', 'deadbeef');
  await made.pass(['orders']);
  assert.equal(overrides(made)['retention.ms'], '9000');
  const message = made.status('orders')?.conditions.find(({ type }) => type === 'Ready')?.message ?? '';
  assert.match(message, /the approval deadbeef on the object does not match this plan/);
  assert.match(message, new RegExp(`approve=${hash} `));
});

test('K119: ticks and records leave the plan as it is, and write nothing', async () => {
  const made = await held();
  const version = made.resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.resourceVersion;
  made.topics.produce('orders', 5);
  for (let tick = 0; tick < 10; tick++) await made.pass(['orders']);
  assert.equal(made.resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.resourceVersion, version);
});

test('K120: cut, restored and cut again, the old approval is void', async () => {
  const made = await held();
  made.approve('orders');
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 3, config: { 'retention.ms': 9000, 'segment.ms': 600000 } });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 3, config: { 'retention.ms': 1000, 'segment.ms': 600000 } });
  await made.pass(['orders']);
  assert.equal(overrides(made)['retention.ms'], '9000');
  assert.equal(made.ready('orders'), 'False ApprovalRequired');
});

test('K122: an approved plan that fails in the middle goes on when the message comes back', async () => {
  const made = world();
  made.apply('orders', { mode: 'Plan', deletionPolicy: 'Delete', config: { 'segment.ms': 600000 } });
  await made.pass(['orders']);
  assert.equal(made.topics.topics.size, 0);
  made.approve('orders');
  made.topics.fault = ({ method }) => (method === 'create' ? { at: 'before', error: lost } : undefined);
  await made.pass(['orders']);
  assert.notEqual(made.status('orders')?.plan, undefined, 'what was approved stays on the object');
  made.topics.fault = undefined;
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(made.status('orders')?.plan, undefined);
});

test('K015: a topic that differs is taken over after approval: bound first, then changed', async () => {
  const made = world();
  made.topics.add('orders', { numPartitions: 1, recordCount: 3, config: { 'retention.ms': '9000' } });
  made.apply('orders', { numPartitions: 2, deletionPolicy: 'Delete', config: { 'retention.ms': 1000 } });
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False ApprovalRequired');
  assert.equal(writes(made), 0);
  assert.equal(made.status('orders')?.topicId, undefined);
  made.approve('orders');
  const [settled] = await made.pass(['orders']);
  assert.equal(settled?.redeliver, true, 'the next pass goes on');
  assert.equal(made.status('orders')?.topicId, made.topics.topics.get('orders')?.id);
  assert.equal(writes(made), 0, 'bound, and nothing else yet');
  await made.pass(['orders']);
  assert.deepEqual(overrides(made), { 'retention.ms': '1000' });
  assert.equal(made.topics.topics.get('orders')?.numPartitions, 2);
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(made.status('orders')?.origin, 'Adopted');
  assert.deepEqual(made.told('orders').slice(0, 2), ['ApprovalRequired', 'Adopted']);
});

test('K114: a topic that vanished is created again after approval, with a new identity', async () => {
  const made = world();
  made.apply('orders');
  await made.pass(['orders']);
  const before = made.status('orders')?.topicId;
  made.topics.topics.delete('orders');
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False TopicMissing');
  assert.equal(made.topics.topics.size, 0);
  made.approve('orders');
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'True Synced');
  assert.notEqual(made.status('orders')?.topicId, before);
});

test('K115: a topic of another identity is bound after approval, and is not touched before', async () => {
  const made = world();
  made.apply('orders');
  await made.pass(['orders']);
  const { id } = made.topics.add('orders', { recordCount: 7 });
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False IdentityChanged');
  made.approve('orders');
  await made.pass(['orders']);
  await made.pass(['orders']);
  assert.equal(made.status('orders')?.topicId, id);
  assert.equal(made.ready('orders'), 'True Synced');
});

test('K178: an adopted topic that holds records is deleted after approval only', async () => {
  const made = world();
  made.topics.add('orders', { recordCount: 3 });
  made.apply('orders', { deletionPolicy: 'Delete' });
  await made.pass(['orders']);
  made.resources.objects.delete({ namespace: 'shop', name: 'orders' });
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'False ApprovalRequired');
  assert.ok(made.topics.topics.has('orders'));
  made.approve('orders');
  await made.pass(['orders']);
  assert.ok(!made.topics.topics.has('orders'));
  assert.equal(made.resources.objects.get({ namespace: 'shop', name: 'orders' }), undefined);
});

test('K108: a held plan goes when the object only observes, and its harmless part runs when it enforces', async () => {
  const made = world();
  made.apply('orders', { config: { 'segment.ms': 600000 } });
  await made.pass(['orders']);
  made.topics.produce('orders');
  const spec = { config: { 'segment.ms': 700000, 'retention.ms': 1 } };
  made.apply('orders', { ...spec, mode: 'Plan' });
  await made.pass(['orders']);
  assert.equal(made.status('orders')?.plan?.actions.length, 2);
  made.apply('orders', { ...spec, mode: 'Observe' });
  await made.pass(['orders']);
  assert.deepEqual([made.ready('orders'), made.status('orders')?.plan], ['False DriftDetected', undefined]);
  made.apply('orders', { ...spec, mode: 'Enforce' });
  await made.pass(['orders']);
  assert.deepEqual(overrides(made), { 'segment.ms': '700000' });
  assert.equal(made.status('orders')?.plan?.actions.length, 1);
});

test('K030, K031: more replicas are moved, watched and reported', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 2, replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 2, replicationFactor: 3 });
  assert.deepEqual(await made.pass(['orders']), [{ key: 'shop/orders', redeliver: false }]);
  assert.equal(made.ready('orders'), 'False ReassignmentInProgress');
  const { step, partitionsDone, partitionsTotal } = made.status('orders')?.reassignment ?? {};
  assert.deepEqual([step, partitionsDone, partitionsTotal], ['submitted', 0, 2]);
  await made.pass(['orders'], true);
  assert.equal(made.ready('orders'), 'False ReassignmentInProgress', 'waiting ends in no dead-letter queue (K033)');
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(made.status('orders')?.reassignment, undefined);
  assert.equal(made.topics.topics.get('orders')?.replicationFactor, 3);
  assert.deepEqual(made.told('orders'), ['Created', 'ReassignmentStarted', 'ReassignmentFinished']);
});

test('K032: a move that was stored and not submitted is submitted as stored', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { replicationFactor: 2 });
  made.topics.fault = ({ method }) => (method === 'move' ? { at: 'before', error: lost } : undefined);
  await made.pass(['orders']);
  const { assignment, step } = made.status('orders')?.reassignment ?? {};
  assert.equal(step, 'planned');
  made.topics.fault = undefined;
  await made.pass(['orders']);
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.equal(made.topics.topics.get('orders')?.placements[0]?.replicas.join(','), assignment?.[0]);
  assert.equal(made.ready('orders'), 'True Synced');
});

test('K035: replicas, config and partitions in one edit: config at once, partitions after the move', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 1, replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 4, replicationFactor: 3, config: { 'segment.ms': 600000 } });
  await made.pass(['orders']);
  const live = () => made.topics.topics.get('orders');
  assert.deepEqual([overrides(made), live()?.numPartitions], [{ 'segment.ms': '600000' }, 1]);
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.deepEqual([live()?.numPartitions, live()?.replicationFactor], [4, 3]);
  assert.equal(made.ready('orders'), 'True Synced');
});

test('K035, K102: with Plan a move and the partitions after it are approved together', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 1, replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 4, replicationFactor: 3, mode: 'Plan' });
  await made.pass(['orders']);
  const planned = () => made.status('orders')?.plan?.actions.map(({ type }) => type);
  assert.deepEqual(planned(), ['MoveReplicas', 'AddPartitions']);
  made.approve('orders');
  for (let looks = 0; looks < 3; looks++) await made.pass(['orders']);
  assert.equal(made.topics.topics.get('orders')?.numPartitions, 1);
  assert.deepEqual(planned(), ['MoveReplicas', 'AddPartitions'], 'what was approved stays on the object');
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.equal(made.topics.topics.get('orders')?.numPartitions, 4);
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(planned(), undefined);
});

for (const { what, failure, partitions } of [
  { what: 'is refused', failure: denied, partitions: 4 },
  { what: 'may be under way', failure: lost, partitions: 1 },
])
  test(`K043: a move that ${what} leaves ${partitions} partitions of the same edit, and its config`, async () => {
    const made = world({}, 3);
    made.apply('orders', { numPartitions: 1, replicationFactor: 1 });
    await made.pass(['orders']);
    made.topics.fault = ({ method }) => (method === 'move' ? { at: 'before', error: failure } : undefined);
    made.apply('orders', { numPartitions: 4, replicationFactor: 3, config: { 'segment.ms': 600000 } });
    await made.pass(['orders']);
    assert.equal(made.ready('orders'), `False ${failure.reason}`);
    assert.deepEqual(overrides(made), { 'segment.ms': '600000' });
    assert.equal(made.topics.topics.get('orders')?.numPartitions, partitions);
  });

test('K043: a move that is refused at every look is written once', async () => {
  const made = world({}, 3);
  made.apply('orders', { replicationFactor: 1 });
  await made.pass(['orders']);
  made.topics.fault = ({ method }) => (method === 'move' ? { at: 'before', error: denied } : undefined);
  made.apply('orders', { replicationFactor: 2 });
  await made.pass(['orders']);
  const before = made.status('orders');
  for (let looks = 0; looks < 3; looks++) await made.pass(['orders']);
  assert.deepEqual(made.status('orders'), before);
});

test('K041: a move that is no longer wanted is cancelled', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { numPartitions: 2, replicationFactor: 1 });
  await made.pass(['orders']);
  const before = made.topics.topics.get('orders')?.placements.map(({ replicas }) => replicas.join());
  made.apply('orders', { numPartitions: 2, replicationFactor: 3 });
  await made.pass(['orders']);
  made.apply('orders', { numPartitions: 2, replicationFactor: 1 });
  await made.pass(['orders']);
  await made.pass(['orders']);
  assert.deepEqual(
    made.topics.topics.get('orders')?.placements.map(({ replicas }) => replicas.join()),
    before,
  );
  assert.equal(made.ready('orders'), 'True Synced');
  assert.equal(made.status('orders')?.reassignment, undefined);
});

test('K042, K044: a limit on the traffic is set before the move, held by a finalizer, and taken away with it', async () => {
  const made = world({ moveBytesPerSecond: 1000 }, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { replicationFactor: 2 });
  await made.pass(['orders']);
  const order = made.topics.calls.map(({ method }) => method).filter((method) => ['limit', 'move'].includes(method));
  assert.deepEqual(order, ['limit', 'move']);
  const finalizers = () => made.resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.finalizers ?? [];
  assert.deepEqual(finalizers(), [finalizer]);
  assert.notDeepEqual(overrides(made), {});
  made.topics.finishMoves();
  await made.pass(['orders']);
  assert.deepEqual([overrides(made), finalizers()], [{}, []]);
  assert.equal(made.ready('orders'), 'True Synced');
});

test('K042: a move that is refused leaves no limits behind, one that may be under way does', async () => {
  for (const [failure, left] of [
    [denied, 0],
    [lost, 2],
  ] as const) {
    const made = world({ moveBytesPerSecond: 1000 }, 3);
    made.apply('orders', { replicationFactor: 1 });
    await made.pass(['orders']);
    made.topics.fault = ({ method }) => (method === 'move' ? { at: 'before', error: failure } : undefined);
    made.apply('orders', { replicationFactor: 2 });
    await made.pass(['orders']);
    assert.equal(Object.keys(overrides(made)).length, left);
    made.topics.fault = undefined;
    for (let looks = 0; looks < 3; looks++) await made.pass(['orders']);
    assert.equal(made.ready('orders'), 'True Synced');
    assert.deepEqual(overrides(made), {});
  }
});

test('K136, K137: an object that is not selected gets nothing, and one that no longer is, is let go with its topic', async () => {
  const made = world({ selects: parseSelector('team=a') });
  made.apply('other');
  await made.pass(['other']);
  assert.deepEqual([made.topics.calls, made.status('other')], [[], undefined]);
  made.apply('orders', { deletionPolicy: 'Delete' }, { team: 'a' });
  await made.pass(['orders']);
  assert.equal(made.ready('orders'), 'True Synced');
  const before = made.topics.calls.length;
  made.apply('orders', { deletionPolicy: 'Delete' }, { team: 'b' });
  const resources = await made.ports.resources.page(500, undefined, never);
  const { needed } = await outOfSync(resources.items, made.ports, 'tick', never);
  assert.deepEqual(
    needed.map(({ key }) => key.name),
    ['orders'],
    'a tick finds what is still held, and nothing else',
  );
  await made.pass(['orders']);
  assert.deepEqual(made.resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.finalizers, []);
  assert.equal(made.topics.calls.length, before, 'no broker was asked');
  assert.ok(made.topics.topics.has('orders'));
});
