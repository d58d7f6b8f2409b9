import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { emfMeter } from '../../functions/adapters/emf.ts';
import { type Labels, type MetricName, metrics } from '../../functions/core/metrics.ts';
import { figuresIn, metricLines } from '../support/figures.ts';

function world() {
  const lines: string[] = [];
  const meter = emfMeter({ namespace: 'Test', now: () => 1_700_000_000_000, write: (line) => void lines.push(line) });
  const log = () => {
    meter.flush();
    return lines.join('');
  };
  return { meter, lines, log };
}

describe('metric lines', () => {
  test('an ordinary invocation is one line', () => {
    const { meter, log } = world();
    meter.add('Passes', { Trigger: 'change', Outcome: 'Synced' });
    meter.add('TimeInPass', { Outcome: 'Synced' }, 41.6);
    meter.add('TimeInPass', { Outcome: 'Synced' }, 12);
    meter.add('Messages', { Function: 'reconcile', Fate: 'Done' }, 2);
    meter.add('PlansHeld', {});
    assert.deepEqual(JSON.parse(log()), {
      event: 'metrics',
      Trigger: 'change',
      Outcome: 'Synced',
      Function: 'reconcile',
      Fate: 'Done',
      Passes: 1,
      TimeInPass: [42, 12],
      Messages: 2,
      PlansHeld: 1,
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Test',
            Dimensions: [['Trigger', 'Outcome']],
            Metrics: [{ Name: 'Passes', Unit: 'Count' }],
          },
          { Namespace: 'Test', Dimensions: [['Outcome']], Metrics: [{ Name: 'TimeInPass', Unit: 'Milliseconds' }] },
          { Namespace: 'Test', Dimensions: [['Function', 'Fate']], Metrics: [{ Name: 'Messages', Unit: 'Count' }] },
          { Namespace: 'Test', Dimensions: [[]], Metrics: [{ Name: 'PlansHeld', Unit: 'Count' }] },
        ],
      },
    });
  });

  test('nothing to tell is no line, and what was told is not told again', () => {
    const { meter, lines } = world();
    meter.flush();
    meter.add('Ticks', {});
    meter.flush();
    meter.flush();
    assert.equal(lines.length, 1);
  });

  test('of a gauge the last reading counts, of a counter the sum', () => {
    const { meter, log } = world();
    for (const value of [3, 5]) {
      meter.add('Objects', { Ready: 'True', Reason: 'Synced' }, value);
      meter.add('DriftFound', {}, value);
    }
    const figures = figuresIn(log());
    assert.deepEqual(figures.get('Objects Ready=True Reason=Synced'), [5]);
    assert.deepEqual(figures.get('DriftFound'), [8]);
  });

  test('a clock that was put back gives no negative time', () => {
    const { meter, log } = world();
    meter.add('TickTime', {}, -5);
    assert.deepEqual(figuresIn(log()).get('TickTime'), [0]);
  });

  const names = Object.keys(metrics) as MetricName[];
  const addition = fc.record({
    name: fc.constantFrom(...names),
    values: fc.array(fc.constantFrom('one', 'two', 'three'), { minLength: 2, maxLength: 2 }),
    value: fc.nat(1_000),
    times: fc.oneof(fc.constant(1), fc.nat(250)),
  });

  test('whatever is added, all of it is in lines that CloudWatch takes', () => {
    fc.assert(
      fc.property(fc.array(addition, { maxLength: 40 }), (additions) => {
        const { meter, log } = world();
        const wanted = new Map<string, number[]>();
        for (const { name, values, value, times } of additions) {
          const labels = metrics[name].dimensions.map((dimension, at) => [dimension, values[at] ?? ''] as const);
          const key = [name, ...labels.map(([dimension, text]) => `${dimension}=${text}`)].join(' ');
          for (let time = 0; time < times; time++) {
            meter.add(name, Object.fromEntries(labels) as unknown as Labels<typeof name>, value);
            const before = wanted.get(key) ?? [];
            wanted.set(
              key,
              { counter: [(before[0] ?? 0) + value], gauge: [value], time: [...before, value] }[metrics[name].kind],
            );
          }
        }
        const text = log();
        assert.deepEqual(new Map(figuresIn(text)), wanted);
        for (const line of metricLines(text)) assertWithinLimits(line);
      }),
    );
  });
});

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function assertWithinLimits(line: ReturnType<typeof metricLines>[number]): void {
  assert.ok(Buffer.byteLength(JSON.stringify(line)) < 256 * 1024);
  for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    assert.ok(Metrics.length > 0 && Metrics.length <= 100);
    for (const set of Dimensions) {
      assert.ok(set.length <= 30);
      for (const dimension of set) assert.ok(typeof line[dimension] === 'string' && line[dimension].length <= 1024);
    }
    for (const { Name } of Metrics) {
      const values = [line[Name]].flat();
      assert.ok(values.length <= 100 && values.every((value) => Number.isFinite(value)));
    }
  }
}
