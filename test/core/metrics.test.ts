import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Dimension,
  dimensionMeanings,
  dimensionValues,
  labelOf,
  type MetricName,
  metrics,
  prometheusName,
} from '../../functions/core/metrics.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { reconcile } from '../../functions/core/reconciler.ts';
import { groupOf } from '../../functions/core/request.ts';
import { plusStates, readStates, statesIn, statesOf } from '../../functions/core/states.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { forwarderMetrics } from '../../functions/forwarder/metrics.ts';
import { boundStatus, topic } from '../support/build.ts';
import { sums } from '../support/figures.ts';
import { never, world } from './world.ts';

test('names of metrics and dimensions are what CloudWatch and Prometheus allow, and never the same', () => {
  const [names, dimensions] = [Object.keys(metrics), Object.keys(dimensionMeanings)];
  for (const name of [...names, ...dimensions]) assert.match(name, /^[A-Z][A-Za-z]+$/);
  for (const name of Object.keys(forwarderMetrics)) assert.match(name, /^[a-z][a-z_]+$/);
  assert.deepEqual(
    names.filter((name) => dimensions.includes(name)),
    [],
  );
});

test('every dimension is used, and has a meaning', () => {
  const used = new Set(Object.values(metrics).flatMap(({ dimensions }): readonly string[] => dimensions));
  assert.deepEqual([...used].toSorted(), Object.keys(dimensionMeanings).toSorted());
});

test('the page of figures has a sentence for each, and a name by its kind', () => {
  const endings = {
    counter: /^topicsmith_[a-z_]+_total$/,
    time: /^topicsmith_[a-z_]+_seconds$/,
    gauge: /^topicsmith_[a-z]+$/,
  };
  for (const [name, { kind, what }] of Object.entries(metrics)) {
    assert.match(what, /^[A-Z].{10,}\.$/);
    assert.match(prometheusName(name as MetricName), endings[kind]);
  }
  assert.equal(prometheusName('StatusWrites'), 'topicsmith_status_writes_total');
  assert.equal(labelOf('Outcome'), 'outcome');
});

test('the meaning of a dimension names its values, where they can be listed', () => {
  for (const [dimension, values] of Object.entries(dimensionValues))
    for (const value of values)
      assert.ok(dimensionMeanings[dimension as Dimension].includes(`\`${value}\``), `${dimension} ${value}`);
  for (const meaning of Object.values(dimensionMeanings)) assert.match(meaning, /.{10}/);
});

test('each name counts once, whatever comes of it (K159)', async () => {
  const { topics, resources, ports, apply, metricLog } = world();
  for (const name of ['fresh', 'unread', 'elsewhere']) apply(name);
  apply('paused', { mode: 'Paused' });
  apply('watching', { mode: 'Observe' });
  apply('differs', { numPartitions: 3 });
  apply('busy', { topicName: 'fresh' });
  apply('fails');
  topics.add('watching');
  topics.add('differs', { numPartitions: 1 });
  resources.fault = ({ call, key }) => {
    if (call === 'read' && key?.name === 'unread') throw new Failure('InternalError', 'no', { retryable: true });
  };
  const denied = new Failure('NotAuthorized', 'no', { retryable: false, code: 'TOPIC_AUTHORIZATION_FAILED' });
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['fails', denied]]) } : undefined);
  const names = ['fresh', 'busy', 'paused', 'watching', 'differs', 'fails', 'gone', 'unread', 'elsewhere'];
  const items = names.map((name) => ({
    key: { namespace: 'shop', name },
    groups: name === 'elsewhere' ? [groupOf('other')] : undefined,
    lastReceive: false,
    trigger: name === 'fresh' ? ('manual' as const) : ('change' as const),
    id: 'm',
  }));
  await reconcile(items, ports, never);
  const text = metricLog();
  assert.deepEqual(sums(text, 'Passes'), {
    'Trigger=manual Outcome=Synced': 1,
    'Trigger=change Outcome=Busy': 1,
    'Trigger=change Outcome=Gone': 1,
    'Trigger=change Outcome=Unread': 1,
    'Trigger=change Outcome=Elsewhere': 1,
    'Trigger=change Outcome=Paused': 1,
    'Trigger=change Outcome=Observed': 1,
    'Trigger=change Outcome=Stopped': 2,
  });
  assert.deepEqual(sums(text, 'KafkaErrors'), { 'Code=TOPIC_AUTHORIZATION_FAILED': 1 });
  assert.deepEqual(sums(text, 'Problems'), {
    'Reason=ApprovalRequired': 1,
    'Reason=NotAuthorized': 1,
  });
});

test('a status that was not written is no success, and the next one is (K163)', async () => {
  const { resources, apply, pass, metricLog } = world();
  apply('orders');
  resources.fault = ({ call }) => {
    if (call === 'writeStatus') throw new Failure('InternalError', 'no', { retryable: true });
  };
  await pass(['orders']);
  resources.fault = () => {};
  await pass(['orders']);
  await pass(['orders']);
  const text = metricLog();
  assert.deepEqual(sums(text, 'Passes'), {
    'Trigger=change Outcome=StatusNotWritten': 1,
    'Trigger=change Outcome=Synced': 2,
  });
  assert.deepEqual(sums(text, 'StatusWrites'), { 'Result=NotWritten': 1, 'Result=Written': 1 });
});

const says = (status: 'True' | 'False' | 'Unknown', reason: string) =>
  topic(
    {},
    {
      status: boundStatus({
        conditions: [
          {
            type: 'Ready',
            status,
            reason: reason as Reason,
            message: '',
            lastTransitionTime: '',
            observedGeneration: 1,
          },
        ],
      }),
    },
  );

test('objects are counted by what they say; what nobody knows is Other, what says nothing Pending', () => {
  const states = statesOf([
    says('True', 'Synced'),
    says('True', 'Synced'),
    says('False', 'ApprovalRequired'),
    says('False', 'orders'),
    says('Maybe' as 'True', 'constructor'),
    topic(),
  ]);
  assert.deepEqual(states, {
    'True Synced': 2,
    'False ApprovalRequired': 1,
    'False Other': 1,
    'Unknown Other': 1,
    'Unknown Pending': 1,
  });
  assert.deepEqual(readStates(states), states);
  assert.deepEqual(plusStates(states, { 'True Synced': 3, 'Unknown Paused': 1 })['True Synced'], 5);
});

test('states that came in a message are read as far as they are known', () => {
  const counts = {
    'True Synced': 1,
    'False Tomorrow': 2,
    'False Other': 3,
    'Unknown Pending': 0,
    'True Synced twice': 4,
  };
  assert.deepEqual(readStates(counts), { 'True Synced': 1, 'False Other': 5, 'Unknown Pending': 0, 'True Other': 4 });
  for (const wrong of [
    { 'Maybe Synced': 1 },
    { 'True Synced': -1 },
    { 'True Synced': 1.5 },
    { '': 1 },
    [],
    null,
    'a',
    7,
  ])
    assert.equal(readStates(wrong), undefined);
});

test('an installation without objects says so', () => {
  assert.deepEqual(statesIn({}), [[{ Ready: 'True', Reason: 'Synced' }, 0]]);
});
