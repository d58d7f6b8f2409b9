import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { emfMeter } from '../../functions/adapters/emf.ts';
import { type Meter, metrics, prometheusName } from '../../functions/core/metrics.ts';
import { functionFigures } from '../../functions/runner/figures.ts';

function world() {
  const registry = new Registry();
  const figures = functionFigures(registry);
  return {
    take: (line: string) => figures.take(line),
    /** One flush of a function. @param at ms since 1970 */
    invocation(at: number, counted: (meter: Meter) => void) {
      const meter = emfMeter({ now: () => at, write: (line) => assert.ok(figures.take(line)) });
      counted(meter);
      meter.flush();
    },
    /** the series whose names begin so, that are not 0 */
    async page(beginning: string) {
      const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(beginning));
      return lines.filter((line) => !line.endsWith(' 0'));
    },
  };
}

const line = (more: object, Name = 'Passes', values: unknown = 1) =>
  JSON.stringify({
    [Name]: values,
    ...more,
    _aws: { Timestamp: 1, CloudWatchMetrics: [{ Namespace: 'T', Dimensions: [[]], Metrics: [{ Name }] }] },
  });

describe('figures', () => {
  test('counters of all invocations are summed up', async () => {
    const { invocation, page } = world();
    for (const at of [1, 2])
      invocation(at, (meter) => {
        meter.add('Passes', { Trigger: 'change', Outcome: 'Synced' }, 2);
        meter.add('Passes', { Trigger: 'drift', Outcome: 'Failed' });
      });
    assert.deepEqual(await page('topicsmith_passes_total'), [
      'topicsmith_passes_total{trigger="change",outcome="Synced"} 4',
      'topicsmith_passes_total{trigger="drift",outcome="Failed"} 2',
    ]);
  });

  test('times are seconds in buckets, one for each value', async () => {
    const { invocation, page } = world();
    invocation(1, (meter) => {
      for (const ms of [20, 400, 70_000]) meter.add('TimeInQueue', { Function: 'reconcile' }, ms);
    });
    const series = await page('topicsmith_time_in_queue_seconds');
    const value = (le: string) => series.find((one) => one.includes(`le="${le}"`))?.split(' ')[1];
    assert.deepEqual(
      [value('0.025'), value('0.5'), value('60'), value('300'), value('+Inf')],
      ['1', '2', '2', '3', '3'],
    );
    assert.ok(series.includes('topicsmith_time_in_queue_seconds_sum{function="reconcile"} 70.42'));
  });

  test('a reading replaces the one before it, all of its lines together, and never a newer one', async () => {
    const { invocation, page } = world();
    const reading = (at: number, synced: number, paused: number) =>
      invocation(at, (meter) => {
        meter.add('Objects', { Ready: 'True', Reason: 'Synced' }, synced);
        if (paused > 0) meter.add('Objects', { Ready: 'Unknown', Reason: 'Paused' }, paused);
      });
    reading(10, 3, 1);
    const first = await page('topicsmith_objects');
    assert.deepEqual(first, [
      'topicsmith_objects{ready="True",reason="Synced"} 3',
      'topicsmith_objects{ready="Unknown",reason="Paused"} 1',
    ]);
    reading(5, 9, 9);
    assert.deepEqual(await page('topicsmith_objects'), first);
    reading(20, 4, 0);
    assert.deepEqual(await page('topicsmith_objects'), ['topicsmith_objects{ready="True",reason="Synced"} 4']);
  });

  test('counters are there before they count, so that the first occurrence is an increase', async () => {
    const registry = new Registry();
    functionFigures(registry);
    assert.match(
      await registry.metrics(),
      /^topicsmith_messages_total\{function="reconcile",fate="DeadLettered"\} 0$/m,
    );
  });

  test('what is no line of figures is none of ours; a garbled one is said', () => {
    const { take } = world();
    for (const text of ['', 'hello', '{"event":"x"}', '{not json']) assert.equal(take(text), true, text);
    for (const text of [
      '{"_aws"',
      '{"_aws":null}',
      '{"_aws":{"CloudWatchMetrics":[{}]}}',
      line({}, 'Passes', 'many'),
      line({}, 'Passes', -1),
      line({}, 'Passes', [1, null, 'x']),
    ])
      assert.equal(take(text), false, text);
  });

  test('a metric that nobody has declared makes no series', async () => {
    const { take, page } = world();
    assert.equal(take(line({}, 'Surprises')), true);
    assert.deepEqual(await page('topicsmith_surprises'), []);
  });

  test('values that cannot be are Other, and there are never more series than a page can bear', async () => {
    const { take, page } = world();
    assert.ok(take(line({ Trigger: 'whim', Outcome: 'orders"} 1\n' })));
    assert.deepEqual(await page('topicsmith_passes_total'), [
      'topicsmith_passes_total{trigger="Other",outcome="Other"} 1',
    ]);
    for (let code = 0; code < 2_000; code++) assert.ok(take(line({ Code: `CODE_${code}` }, 'KafkaErrors')));
    const series = await page('topicsmith_kafka_errors_total');
    assert.equal(series.length, 501);
    assert.ok(series.includes('topicsmith_kafka_errors_total{code="Other"} 1500'));
  });

  test('every metric of the functions has a name of its own', () => {
    const names = (Object.keys(metrics) as (keyof typeof metrics)[]).map(prometheusName);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^topicsmith_[a-z_]+$/);
  });
});
