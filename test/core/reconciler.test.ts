import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { reconcile } from '../../functions/core/reconciler.ts';
import { groupOf } from '../../functions/core/request.ts';
import { outOfSync } from '../../functions/core/resync.ts';
import { keyOf } from '../../functions/core/topic.ts';
import { never, world } from './world.ts';

const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
const lost = new Failure('BrokerUnavailable', 'no answer', { retryable: true, unanswered: true });

test('a new object gets its topic and one status write (K001)', async () => {
  const { topics, resources, apply, pass, ready, status } = world();
  apply('orders', { numPartitions: 3, config: { 'segment.ms': '600000' } });
  assert.deepEqual(await pass(['orders']), [{ key: 'shop/orders', redeliver: false }]);
  const live = topics.topics.get('orders');
  assert.deepEqual([live?.numPartitions, live?.overrides.get('segment.ms')], [3, '600000']);
  assert.equal(ready('orders'), 'True Synced');
  const { topicId, clusterId, origin, config, numPartitions } = status('orders') ?? {};
  assert.deepEqual(
    { topicId, clusterId, origin, config, numPartitions },
    {
      topicId: live?.id,
      clusterId: topics.clusterId,
      origin: 'Created',
      config: { 'segment.ms': '600000' },
      numPartitions: 3,
    },
  );
  assert.deepEqual(resources.writes, { status: 1, finalizer: 0 });
});

test('a second pass writes nothing and asks the brokers only to look (K128)', async () => {
  const { topics, resources, apply, pass } = world();
  apply('orders', {
    config: {
      'cleanup.policy': ['delete', 'compact'],
      'segment.ms': ' 0600000 ',
      'min.cleanable.dirty.ratio': '5e-1',
      preallocate: 'FALSE',
    },
  });
  await pass(['orders']);
  topics.calls.length = 0;
  assert.deepEqual(await pass(['orders']), [{ key: 'shop/orders', redeliver: false }]);
  assert.deepEqual(resources.writes, { status: 1, finalizer: 0 });
  assert.deepEqual(
    topics.calls.map(({ method }) => method),
    ['observe'],
  );
});

test('the finalizer is stored before the topic is created (K004)', async () => {
  const { topics, resources, apply, pass } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  topics.fault = ({ method }) => {
    if (method === 'create')
      assert.deepEqual(resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.finalizers, [finalizer]);
    return undefined;
  };
  await pass(['orders']);
  assert.equal(topics.topics.has('orders'), true);
  assert.deepEqual(resources.writes, { status: 1, finalizer: 1 });
});

test('no finalizer, no topic', async () => {
  const { topics, resources, apply, pass, ready } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  resources.fault = ({ call }) => {
    if (call === 'setFinalizer') throw new Failure('ObservationOutdated', 'changed', { retryable: true });
  };
  assert.equal((await pass(['orders']))[0]?.redeliver, true);
  assert.equal(topics.topics.has('orders'), false);
  assert.equal(ready('orders'), undefined); // it comes back so soon that there is nothing to say
});

test('an object that goes while its finalizer is added is left alone', async () => {
  const { topics, resources, apply, pass } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  resources.fault = ({ call, phase }) => {
    if (call === 'setFinalizer' && phase === 'before') resources.objects.delete({ namespace: 'shop', name: 'orders' });
  };
  assert.deepEqual(await pass(['orders']), [{ key: 'shop/orders', redeliver: false }]);
  assert.equal(topics.topics.size, 0);
});

test('one bad item stops only itself (K008)', async () => {
  const { topics, apply, pass, ready } = world();
  const names = Array.from({ length: 10 }, (_, at) => `topic-${at}`);
  for (const name of names) apply(name, name === 'topic-3' ? { config: { nope: '1' } } : {});
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['topic-7', lost]]) } : undefined);
  const settled = await pass(names);
  assert.deepEqual(
    settled.filter(({ redeliver }) => redeliver).map(({ key }) => key),
    ['shop/topic-7'],
  );
  assert.equal(ready('topic-3'), 'False InvalidConfig');
  assert.equal(ready('topic-7'), 'False BrokerUnavailable');
  assert.equal(names.filter((name) => ready(name) === 'True Synced').length, 8);
});

test('requests are shared: ten creations ask the brokers twice', async () => {
  const { topics, apply, pass } = world();
  const names = Array.from({ length: 10 }, (_, at) => `topic-${at}`);
  for (const name of names) apply(name);
  await pass(names);
  assert.deepEqual(
    topics.calls.map(({ method, items }) => [method, items.length]),
    [
      ['observe', 10],
      ['create', 10],
    ],
  );
});

test('a lost answer keeps the topic locked until the request can no longer take effect (X1)', async () => {
  const { topics, apply, pass, ready } = world();
  apply('orders');
  topics.fault = ({ method }) => (method === 'create' ? { at: 'after', error: lost } : undefined);
  assert.deepEqual(await pass(['orders']), [
    { key: 'shop/orders', redeliver: true, hideSeconds: 60, reason: 'BrokerUnavailable', message: 'no answer' },
  ]);
  topics.fault = undefined;
  await pass(['orders']);
  assert.equal(ready('orders'), 'True Synced');
});

test('a lost topic is bound as adopted after a death between creation and status (K005)', async () => {
  const { topics, apply, pass, status } = world();
  apply('orders', { numPartitions: 2 });
  topics.add('orders', { numPartitions: 2 });
  await pass(['orders']);
  assert.deepEqual([status('orders')?.origin, status('orders')?.topicId], ['Adopted', topics.topics.get('orders')?.id]);
});

test('a throttled item ends its message, on the last receive too, and says that it goes on later (K175)', async () => {
  const { topics, apply, pass, ready } = world();
  apply('orders');
  const throttled = new Failure('Throttled', 'the broker limits changes', { retryable: true, retryAfterMs: 8_963 });
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['orders', throttled]]) } : undefined);
  assert.deepEqual(await pass(['orders'], true), [{ key: 'shop/orders', redeliver: false }]);
  assert.equal(ready('orders'), 'False Throttled');
});

test('of several waits the longest counts: a lost answer locks the topic, whatever else failed', async () => {
  const { topics, resources, apply, pass } = world();
  apply('orders');
  topics.fault = ({ method }) => (method === 'create' ? { at: 'after', error: lost } : undefined);
  resources.fault = ({ call }) => {
    if (call === 'writeStatus') throw new Failure('InternalError', 'no', { retryable: true });
  };
  const [settled] = await pass(['orders']);
  assert.equal(settled?.redeliver && settled.hideSeconds, 60);
});

test('an object that the API server leaves out of its answer comes back', async () => {
  const { resources, apply, pass, topics } = world();
  apply('orders');
  resources.read = async () => new Map();
  assert.deepEqual(
    (await pass(['orders'])).map(({ redeliver }) => redeliver),
    [true],
  );
  assert.equal(topics.topics.size, 0);
});

test('a wait that is longer than the lock’s own is kept', async () => {
  const { topics, apply, pass } = world();
  apply('orders');
  const slow = new Failure('BrokerUnavailable', 'busy', { retryable: true, retryAfterMs: 8_963 });
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['orders', slow]]) } : undefined);
  assert.deepEqual(await pass(['orders']), [
    { key: 'shop/orders', redeliver: true, hideSeconds: 9, reason: 'BrokerUnavailable', message: 'busy' },
  ]);
});

test('brokers that are away make Ready unknown, with one write (K127)', async () => {
  const { topics, resources, apply, pass, ready, status } = world();
  apply('orders');
  await pass(['orders']);
  const { topicId, numPartitions } = status('orders') ?? {};
  topics.fault = () => ({ at: 'before', error: away });
  for (let tries = 0; tries < 3; tries++)
    assert.deepEqual(await pass(['orders']), [
      {
        key: 'shop/orders',
        redeliver: true,
        hideSeconds: undefined,
        reason: 'BrokerUnavailable',
        message: 'no broker answers',
      },
    ]);
  assert.equal(ready('orders'), 'Unknown BrokerUnavailable');
  assert.deepEqual([status('orders')?.topicId, status('orders')?.numPartitions], [topicId, numPartitions]);
  assert.equal(resources.writes.status, 2);
});

test('the last receive says that it was the last, the next success clears it (K153)', async () => {
  const { topics, apply, pass, ready } = world();
  apply('orders');
  topics.fault = () => ({ at: 'before', error: away });
  assert.equal((await pass(['orders'], true))[0]?.redeliver, true);
  assert.equal(ready('orders'), 'False DeadLettered');
  topics.fault = undefined;
  await pass(['orders']);
  assert.equal(ready('orders'), 'True Synced');
});

test('a topic that a broker denies right after its creation is looked for once more, unsaid (K007)', async () => {
  const { topics, resources, apply, pass, ready, pauses, whilePaused } = world();
  apply('orders');
  apply('other');
  await pass(['orders', 'other']);
  const live = topics.topics.get('orders');
  topics.topics.delete('orders');
  whilePaused.do = () => void (live && topics.topics.set('orders', live));
  assert.deepEqual(
    (await pass(['orders', 'other'])).map(({ redeliver }) => redeliver),
    [false, false],
  );
  assert.deepEqual([ready('orders'), resources.writes.status, pauses], ['True Synced', 2, [2_000]]);
});

test('a topic that is gone at the second look too is missing, and not created again (K114)', async () => {
  const { topics, apply, pass, ready, pauses } = world();
  apply('orders');
  await pass(['orders']);
  topics.topics.delete('orders');
  assert.equal((await pass(['orders']))[0]?.redeliver, false);
  assert.deepEqual([ready('orders'), topics.topics.size, pauses.length], ['False TopicMissing', 0, 1]);
});

test('a topic with another id is somebody else’s, after a second look (K115)', async () => {
  const { topics, apply, pass, ready, pauses } = world();
  apply('orders');
  await pass(['orders']);
  topics.add('orders', { numPartitions: 9 });
  await pass(['orders']);
  assert.deepEqual([ready('orders'), pauses.length], ['False IdentityChanged', 1]);
});

for (const seemed of ['gone', 'another one'])
  test(`an object is not let go because its topic seemed ${seemed} once (K081)`, async () => {
    const { topics, resources, apply, pass, whilePaused, pauses } = world();
    apply('orders', { deletionPolicy: 'Delete' });
    await pass(['orders']);
    const live = topics.topics.get('orders') ?? assert.fail('there is no topic');
    topics.topics.delete('orders');
    if (seemed === 'another one') topics.add('orders');
    resources.objects.delete({ namespace: 'shop', name: 'orders' });
    whilePaused.do = () => {
      assert.equal(resources.objects.all().length, 1);
      topics.topics.set('orders', live);
    };
    await pass(['orders']);
    assert.deepEqual([topics.topics.size, resources.objects.all().length, pauses], [0, 0, [2_000]]);
    assert.deepEqual(topics.calls.at(-1), { method: 'delete', items: [live.id] });
  });

test('an object whose deletion is paused says how it goes on', async () => {
  const { resources, apply, pass, status, topics } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  await pass(['orders']);
  apply('orders', { deletionPolicy: 'Delete', mode: 'Paused' });
  resources.objects.delete({ namespace: 'shop', name: 'orders' });
  await pass(['orders']);
  assert.equal(topics.topics.size, 1);
  assert.equal(
    status('orders')?.conditions[0]?.message,
    'the object is being deleted and paused: set spec.mode to Enforce to delete the topic, or spec.deletionPolicy to Retain to keep it',
  );
});

test('a broker that answers for none of the topics it was asked about: each object comes back, and none is done', async () => {
  const { topics, apply, pass, ready, status } = world();
  for (const name of ['orders', 'clicks']) apply(name);
  topics.observe = async () => new Map();
  const settled = await pass(['orders', 'clicks']);
  assert.deepEqual(
    settled.map((one) => [one.redeliver, 'reason' in one && one.reason]),
    [
      [true, 'KafkaError'],
      [true, 'KafkaError'],
    ],
  );
  assert.deepEqual([ready('orders'), topics.topics.size], ['Unknown KafkaError', 0]);
  assert.equal(status('orders')?.conditions[0]?.message, 'the brokers did not answer for this topic');
});

test('of two objects in one call that name one topic only the first is worked on', async () => {
  const { topics, apply, pass, status } = world();
  apply('one', { topicName: 'shared', config: { 'segment.ms': '600000' } });
  apply('two', { topicName: 'shared', config: { 'segment.ms': '700000' } });
  assert.deepEqual(await pass(['one', 'two']), [
    {
      key: 'shop/two',
      redeliver: true,
      hideSeconds: undefined,
      reason: 'ObservationOutdated',
      message: 'another object is being worked on for topic shared',
    },
    { key: 'shop/one', redeliver: false },
  ]);
  assert.deepEqual([topics.topics.size, status('two')], [1, undefined]);
  assert.equal(topics.topics.get('shared')?.overrides.get('segment.ms'), '600000');
});

test('a message in the group of another topic is done without a look: the object has a message of its own', async () => {
  const { topics, ports, apply, lines } = world();
  apply('orders', { topicName: 'now' });
  const item = { key: { namespace: 'shop', name: 'orders' }, lastReceive: false, trigger: 'change' as const, id: 'm' };
  const settled = await reconcile([{ ...item, groups: [groupOf('before')] }], ports, never);
  assert.deepEqual([[...settled.values()], topics.calls], [[{ key: 'shop/orders', redeliver: false }], []]);
  const told = { object: 'shop/orders', trigger: 'change', message: 'm', topic: 'now', groups: [groupOf('before')] };
  assert.deepEqual(lines.at(-1), { event: 'group-of-another-topic', fields: told });
  await reconcile([{ ...item, groups: [groupOf('before'), groupOf('now')] }], ports, never);
  assert.equal(topics.topics.has('now'), true);
});

test('a report may still be written after the work has been ended', async () => {
  const { topics, ports, apply, ready } = world();
  apply('orders');
  const work = new AbortController();
  topics.fault = ({ method }) => {
    if (method === 'create') work.abort();
    return undefined;
  };
  const item = {
    key: { namespace: 'shop', name: 'orders' },
    groups: undefined,
    lastReceive: false,
    trigger: 'change' as const,
    id: 'm',
  };
  await reconcile([item], ports, work.signal, never);
  assert.equal(ready('orders'), 'True Synced');
});

test('a message for an object that is gone is done, with no call to the brokers (K150)', async () => {
  const { topics, pass } = world();
  assert.deepEqual(await pass(['nobody']), [{ key: 'shop/nobody', redeliver: false }]);
  assert.deepEqual(topics.calls, []);
});

test('an object that cannot be read comes back', async () => {
  const { resources, apply, pass } = world();
  apply('orders');
  resources.fault = ({ call }) => {
    if (call === 'read') throw new Failure('NotAuthorized', 'may not get kafkatopics', { retryable: false });
  };
  assert.deepEqual(await pass(['orders']), [
    {
      key: 'shop/orders',
      redeliver: true,
      hideSeconds: undefined,
      reason: 'NotAuthorized',
      message: 'may not get kafkatopics',
    },
  ]);
});

test('a status that cannot be written brings the message back, and is logged (K129)', async () => {
  const { resources, apply, pass, lines } = world();
  apply('orders');
  resources.fault = ({ call }) => {
    if (call === 'writeStatus') throw new Failure('InternalError', 'the API server is away', { retryable: true });
  };
  assert.deepEqual(await pass(['orders']), [
    {
      key: 'shop/orders',
      redeliver: true,
      hideSeconds: undefined,
      reason: 'InternalError',
      message: 'the API server is away',
    },
  ]);
  const line = lines.find(({ event }) => event === 'status-not-written');
  assert.deepEqual(line?.fields, {
    object: 'shop/orders',
    topic: 'orders',
    generation: 1,
    trigger: 'change',
    message: 'm1',
    error: 'the API server is away',
  });
});

test('claimants that cannot be listed mean no owner, no write, another try (LG3)', async () => {
  const { topics, resources, apply, pass, ready, status } = world();
  apply('orders');
  topics.add('orders');
  resources.fault = ({ call }) => {
    if (call === 'claimants') throw new Failure('InternalError', 'the API server is away', { retryable: true });
  };
  assert.equal((await pass(['orders']))[0]?.redeliver, true);
  assert.deepEqual([ready('orders'), status('orders')?.topicId], ['Unknown InternalError', undefined]);
});

test('an error that nobody expected stays with its call, and comes back', async () => {
  const { topics, apply, pass, ready, lines } = world();
  apply('orders');
  topics.fault = ({ method }) => {
    if (method === 'create') throw new TypeError('boom');
    return undefined;
  };
  const [settled] = await pass(['orders']);
  assert.deepEqual([settled?.redeliver, settled?.redeliver && settled.hideSeconds], [true, 60]);
  assert.equal(ready('orders'), 'False InternalError');
  const outcome = lines.find(({ event }) => event === 'outcome');
  assert.deepEqual(outcome?.fields?.outcome, 'Failed');
  const [failed] = (outcome?.fields?.failed ?? []) as { cause?: Error }[];
  assert.equal(failed?.cause?.message, 'boom');
});

test('a claimant listing that throws anything is a failure of that object alone', async () => {
  const { topics, resources, apply, pass, ready } = world();
  apply('orders');
  apply('other');
  topics.add('orders');
  resources.fault = ({ call }) => {
    if (call === 'claimants') throw new RangeError('boom');
  };
  assert.deepEqual(
    (await pass(['orders', 'other'])).map(({ redeliver }) => redeliver),
    [true, false],
  );
  assert.equal(ready('other'), 'True Synced');
});

test('config and partitions do not wait for each other (K052, K027)', async () => {
  const { topics, apply, pass, ready, status } = world();
  apply('orders', { numPartitions: 1, config: { 'segment.ms': '600000' } });
  await pass(['orders']);
  apply('orders', { numPartitions: 4, config: { 'segment.ms': 'soon' } });
  assert.equal((await pass(['orders']))[0]?.redeliver, false);
  assert.equal(ready('orders'), 'False InvalidConfig');
  assert.equal(topics.topics.get('orders')?.numPartitions, 4);
  assert.deepEqual([status('orders')?.numPartitions, status('orders')?.config], [4, { 'segment.ms': '600000' }]);
});

test('what is changed is reported as it is now, without another look', async () => {
  const { topics, apply, pass, status } = world();
  apply('orders', { numPartitions: 1, config: { 'segment.ms': '600000', 'cleanup.policy': 'delete' } });
  await pass(['orders']);
  apply('orders', {
    numPartitions: 2,
    config: { 'cleanup.policy': 'compact , delete', 'max.message.bytes': ' 0100 ' },
  });
  topics.calls.length = 0;
  await pass(['orders']);
  assert.deepEqual(
    topics.calls.map(({ method }) => method),
    ['observe', 'records', 'alterConfigs', 'addPartitions'],
  );
  assert.deepEqual(
    [status('orders')?.numPartitions, status('orders')?.config],
    [2, { 'cleanup.policy': 'compact,delete', 'max.message.bytes': '100' }],
  );
  assert.deepEqual([...(topics.topics.get('orders')?.overrides ?? [])].sort(), [
    ['cleanup.policy', 'compact,delete'],
    ['max.message.bytes', '100'],
  ]);
});

test('a topic whose settings are withheld is bound and says which right is missing (K013)', async () => {
  const { topics, apply, pass, ready, status, ports } = world();
  apply('orders');
  const create: typeof topics.create = async (items, signal) => {
    const created = await topics.create(items, signal);
    return new Map(
      [...created].map(([name, entry]) => [name, entry instanceof Failure ? entry : { ...entry, live: undefined }]),
    );
  };
  Object.assign(ports, {
    topics: Object.assign(Object.create(topics), {
      create,
      observe: topics.observe.bind(topics),
      records: topics.records.bind(topics),
    }),
  });
  assert.equal((await pass(['orders']))[0]?.redeliver, false);
  assert.deepEqual(
    [ready('orders'), status('orders')?.topicId],
    ['False NotAuthorized', topics.topics.get('orders')?.id],
  );
});

test('Delete removes the topic by its id, then the object goes (K074)', async () => {
  const { topics, resources, apply, pass } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  await pass(['orders']);
  const id = topics.topics.get('orders')?.id;
  resources.objects.delete({ namespace: 'shop', name: 'orders' });
  topics.calls.length = 0;
  assert.deepEqual(await pass(['orders']), [{ key: 'shop/orders', redeliver: false }]);
  assert.deepEqual(topics.calls.at(-1), { method: 'delete', items: [id] });
  assert.deepEqual([topics.topics.size, resources.objects.all().length], [0, 0]);
});

test('a deletion that fails keeps the finalizer (K081)', async () => {
  const { topics, resources, apply, pass, ready } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  await pass(['orders']);
  resources.objects.delete({ namespace: 'shop', name: 'orders' });
  topics.deletionEnabled = false;
  assert.equal((await pass(['orders']))[0]?.redeliver, false);
  assert.equal(ready('orders'), 'False DeletionDisabled');
  assert.deepEqual(resources.objects.all()[0]?.metadata.finalizers, [finalizer]);
});

test('an object deleted before it was bound is bound in one pass and deleted in the next (K078)', async () => {
  const { topics, resources, apply, pass, ready, status } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  resources.objects.change({ namespace: 'shop', name: 'orders' }, (object) => ({
    ...object,
    metadata: { ...object.metadata, finalizers: [finalizer] },
  }));
  const { id } = topics.add('orders');
  resources.objects.delete({ namespace: 'shop', name: 'orders' });
  assert.equal((await pass(['orders']))[0]?.redeliver, true);
  assert.deepEqual(
    [ready('orders'), status('orders')?.topicId, topics.topics.has('orders')],
    ['False ObservationOutdated', id, true],
  );
  assert.equal((await pass(['orders']))[0]?.redeliver, false);
  assert.deepEqual([topics.topics.size, resources.objects.all().length], [0, 0]);
});

test('what was done is logged once, with the object and the message (K161)', async () => {
  const { apply, pass, lines, status } = world();
  apply('orders');
  await pass(['orders']);
  const told = lines.filter(({ event }) => event !== 'stage');
  assert.deepEqual(told, [
    {
      event: 'applied',
      fields: {
        object: 'shop/orders',
        topic: 'orders',
        generation: 1,
        trigger: 'change',
        message: 'm1',
        action: 'CreateTopic',
        what: 'create the topic',
        field: 'topic',
        before: 'none',
        after: status('orders')?.topicId,
        outcome: 'Synced',
        tookMs: 0,
      },
    },
    {
      event: 'outcome',
      fields: {
        object: 'shop/orders',
        topic: 'orders',
        generation: 1,
        trigger: 'change',
        message: 'm1',
        plan: ['CreateTopic'],
        outcome: 'Synced',
        status: 'written',
        tookMs: 0,
      },
    },
  ]);
});

test('the outcome says whether the status was written, and what was held back', async () => {
  const { topics, resources, apply, pass, lines, status } = world();
  const said = async () => {
    lines.length = 0;
    await pass(['orders']);
    const { fields } = lines.find(({ event }) => event === 'outcome') ?? {};
    return [fields?.status, fields?.held];
  };
  apply('orders', { numPartitions: 2 });
  topics.add('orders', { numPartitions: 1 });
  assert.deepEqual(await said(), ['written', status('orders')?.plan?.hash]);
  assert.deepEqual(await said(), ['unchanged', status('orders')?.plan?.hash]);
  apply('orders', { numPartitions: 1 });
  resources.fault = ({ call }) => {
    if (call === 'writeStatus') throw new Failure('InternalError', 'no', { retryable: true });
  };
  assert.deepEqual(await said(), ['not-written', undefined]);
});

test('each stage is one line for each object at debug, with what came of it and how long all of it took', async () => {
  const { topics, ports, apply } = world();
  let ms = Date.parse('2026-01-01T00:00:00Z');
  const debug: Readonly<Record<string, unknown>>[] = [];
  const log = { ...ports.log, debug: (_: string, fields = {}) => void debug.push(fields) };
  apply('orders');
  apply('denied');
  const denied = new Failure('NotAuthorized', 'no', { retryable: false });
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['denied', denied]]) } : undefined);
  const asking = { groups: undefined, lastReceive: false, trigger: 'change', id: 'm', requestId: 'r' } as const;
  const items = ['orders', 'denied', 'gone'].map((name) => {
    return { ...asking, key: { namespace: 'shop', name }, messageIds: [`${name}-1`, `${name}-2`] };
  });
  const now = () => {
    ms += 10;
    return new Date(ms);
  };
  await reconcile(items, { ...ports, log, now }, never);
  const of = (name: string) => debug.filter(({ object }) => object === `shop/${name}`);
  const stagesOf = (name: string) =>
    of(name).map(({ object, trigger, message, messageId, otherMessageIds, requestId, tookMs, ...fields }) => fields);
  assert.deepEqual(stagesOf('orders'), [
    { stage: 'read', outcome: 'read', together: 3 },
    { stage: 'look', outcome: 'seen', together: 2 },
    { stage: 'plan', plan: ['CreateTopic'], permitted: ['CreateTopic'], problems: [], together: 2 },
    { stage: 'apply', applied: ['CreateTopic'], failed: [], together: 2 },
    { stage: 'report', redeliver: false, together: 1 },
  ]);
  assert.deepEqual(stagesOf('denied')[3], { stage: 'apply', applied: [], failed: ['NotAuthorized'], together: 2 });
  assert.deepEqual(stagesOf('gone'), [{ stage: 'read', outcome: 'Gone', together: 3 }]);
  assert.deepEqual(
    of('orders').map(({ stage, tookMs }) => [stage, Number(tookMs) < 1_000]),
    ['read', 'look', 'plan', 'apply', 'report'].map((stage) => [stage, true]),
  );
  for (const { messageId, otherMessageIds, requestId, tookMs } of of('orders'))
    assert.deepEqual(
      [messageId, otherMessageIds, requestId, Number(tookMs) > 0],
      ['orders-1', ['orders-2'], 'r', true],
    );
});

test('a resync names exactly what needs a pass (K147, T164)', async () => {
  const { topics, resources, ports, apply, pass, ready } = world();
  for (const name of ['synced', 'drifted', 'paused', 'refused', 'unread', 'observed'])
    apply(name, { numPartitions: 2 });
  apply('paused', { numPartitions: 2, mode: 'Paused' });
  apply('observed', { numPartitions: 2, mode: 'Observe' });
  await pass(['synced', 'drifted', 'paused', 'refused', 'unread', 'observed']);
  apply('refused', { numPartitions: 1 });
  await pass(['refused']);
  assert.equal(ready('refused'), 'False PartitionsCannotShrink');
  apply('fresh');
  const live = topics.topics.get('drifted');
  if (live) live.numPartitions = 1;
  topics.fault = ({ method }) => (method === 'observe' ? { items: new Map([['unread', away]]) } : undefined);
  const before = { ...resources.writes };
  const { items } = await resources.page(500, undefined, never);
  topics.calls.length = 0;
  const { needed, unread } = await outOfSync(items, ports, 'tick', never);
  assert.deepEqual(
    needed.map(({ key }) => keyOf(key)),
    ['shop/drifted', 'shop/fresh'],
  );
  assert.equal(unread, 1);
  assert.deepEqual([resources.writes, topics.calls.map(({ method }) => method)], [before, ['observe']]);
});

test('a resync sees drift that is only reported, a request for a check, and a deletion that waits', async () => {
  const { topics, resources, ports, apply, pass } = world();
  apply('observed', { mode: 'Observe', numPartitions: 1 });
  apply('asked');
  apply('leaving', { deletionPolicy: 'Delete' });
  topics.add('observed', { numPartitions: 1 });
  await pass(['observed', 'asked', 'leaving']);
  const list = async () => {
    const { items } = await resources.page(500, undefined, never);
    return (await outOfSync(items, ports, 'tick', never)).needed.map(({ key }) => key.name);
  };
  assert.deepEqual(await list(), []);
  const live = topics.topics.get('observed');
  if (live) live.numPartitions = 3;
  resources.objects.annotate({ namespace: 'shop', name: 'asked' }, 'reconcileRequestedAt', 'now');
  resources.objects.delete({ namespace: 'shop', name: 'leaving' });
  assert.deepEqual(await list(), ['asked', 'leaving', 'observed']);
});

test('records that the brokers say nothing about count as there (K110)', async () => {
  const { topics, apply, pass, ready } = world();
  apply('orders', { config: { 'retention.ms': '9000' } });
  await pass(['orders']);
  apply('orders', { config: { 'retention.ms': '1000' } });
  topics.records = async () => new Map();
  await pass(['orders']);
  assert.equal(ready('orders'), 'False ApprovalRequired');
});

for (const { what, retryable, done } of [
  { what: 'nobody may see stops only their move (K043)', retryable: false, done: '1000' },
  { what: 'cannot be asked for now stops all of it: the look failed', retryable: true, done: undefined },
])
  test(`replicas whose place ${what}`, async () => {
    const { topics, apply, pass } = world({}, 3);
    apply('orders', { replicationFactor: 1 });
    apply('clicks');
    await pass(['orders', 'clicks']);
    apply('orders', { replicationFactor: 2, config: { 'segment.ms': '1000' } });
    apply('clicks', { config: { 'segment.ms': '1000' } });
    const error = new Failure('NotAuthorized', 'no', { retryable });
    topics.fault = ({ method }) => (method === 'replicas' ? { at: 'before', error } : undefined);
    await pass(['orders', 'clicks']);
    const set = (name: string) => topics.topics.get(name)?.overrides.get('segment.ms');
    assert.deepEqual([set('orders'), set('clicks')], [done, '1000']);
  });

test('several objects that name one topic are asked for once, each with its own keys', async () => {
  const { topics, ports, apply, resources } = world();
  apply('one', { topicName: 'shared', config: { 'segment.ms': '1000' } });
  apply('two', { topicName: 'shared', mode: 'Observe', configMode: 'Exact' });
  apply('three', { topicName: 'shared', mode: 'Observe', config: { 'retention.ms': '1000' } });
  topics.add('shared', { config: { 'segment.ms': '1000' } });
  topics.calls.length = 0;
  await outOfSync((await resources.page(500, undefined, never)).items, ports, 'tick', never);
  assert.deepEqual(topics.calls[0], { method: 'observe', items: ['shared'] });
});
