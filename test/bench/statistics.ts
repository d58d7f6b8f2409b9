/** Figures about samples. */

export type Summary = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
};

/**
 * The smallest sample that at least `percent` of all samples do not exceed (nearest rank): always one that was measured.
 *
 * @param samples in any order; not empty
 * @param percent above 0, at most 100
 */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const found = sorted[Math.ceil((percent / 100) * sorted.length) - 1];
  if (found === undefined) throw new RangeError(`there is no ${percent}th percentile of ${samples.length} samples`);
  return found;
}

/** @param samples not empty; the summary has their unit */
export function summarize(samples: readonly number[]): Summary {
  const [p50, p90, p99, max] = [50, 90, 99, 100].map((percent) => percentile(samples, percent)) as [
    number,
    number,
    number,
    number,
  ];
  return { count: samples.length, p50, p90, p99, max };
}
