/** Figures as CloudWatch takes them out of log lines: an own reading of the format, nothing of it from the writer. */
import type { InvocationMeter } from '../../functions/core/metrics.ts';

type Directive = {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
};
export type Line = {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
} & Readonly<Record<string, unknown>>;

/** The metric lines of a log, in order. */
export const metricLines = (log: string): readonly Line[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"_aws"'))
    .map((line) => JSON.parse(line) as Line);

/** All values by series, as `Passes Trigger=change Outcome=Synced`, in the order of the lines. */
export function figuresIn(log: string): ReadonlyMap<string, readonly number[]> {
  const figures = new Map<string, number[]>();
  for (const line of metricLines(log))
    for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics)
      for (const set of Dimensions)
        for (const { Name } of Metrics) {
          const key = [Name, ...set.map((dimension) => `${dimension}=${line[dimension]}`)].join(' ');
          figures.set(key, [...(figures.get(key) ?? []), ...([line[Name]].flat() as number[])]);
        }
  return figures;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The sums of the series whose name begins like this, without that beginning. */
export const sums = (log: string, beginning: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...figuresIn(log)]
      .filter(([key]) => key === beginning || key.startsWith(`${beginning} `))
      .map(([key, values]) => [key.slice(beginning.length + 1), sum(values)]),
  );

/** For whoever does not look at figures. */
export const noMeter: InvocationMeter = { add() {}, flush() {} };
