import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { table } from '../support/table.ts';
import { percentile, summarize } from './statistics.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('percentile', () => {
  table('of 1 to 100', (percent: number) => percentile(hundred, percent), [
    { reason: 'half of them do not exceed the median', given: 50, want: 50 },
    { reason: '99 of 100 do not exceed the 99th', given: 99, want: 99 },
    { reason: 'the 100th is the largest', given: 100, want: 100 },
    { reason: 'a part of a sample counts as a whole one', given: 98.5, want: 99 },
  ]);

  test('is a sample that so many do not exceed, and no smaller one is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (samples, percent) => {
        const found = percentile(samples, percent);
        const atMost = (limit: number) => (100 * samples.filter((sample) => sample <= limit).length) / samples.length;
        assert.ok(samples.includes(found));
        assert.ok(atMost(found) >= percent);
        assert.ok(samples.every((sample) => sample >= found || atMost(sample) < percent));
      }),
    );
  });

  test('does not exist without samples', () => {
    assert.throws(() => percentile([], 50), RangeError);
  });
});

test('a summary keeps the order of the samples as it was', () => {
  const samples = [3, 1, 2];
  assert.deepEqual(summarize(samples), { count: 3, p50: 2, p90: 3, p99: 3, max: 3 });
  assert.deepEqual(samples, [3, 1, 2]);
});
