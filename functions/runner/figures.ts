/**
 * The figures of the functions for Prometheus: their processes write lines in CloudWatch's embedded format, which are
 * summed up here under the names and labels of `core/metrics.ts`.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type Dimension, dimensionValues, labelOf, type MetricName, metrics, prometheusName } from '../core/metrics.ts';

/** Seconds, from a quick pass to a message that is about to be given up. */
export const buckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** Far more than there are reasons or error codes: whatever a process writes, the page stays small. */
const mostSeries = 500;

type Labels = Readonly<Record<string, string>>;
/** Takes the values of one series from one line. @param at ms since 1970, the same for all lines of one reading */
type Take = (labels: Labels, values: readonly number[], at: number) => void;
type Directive = { readonly Dimensions: readonly (readonly string[])[]; readonly Metrics: readonly { Name: string }[] };

export type Figures = {
  /** Adds up what a line holds. @returns whether it was a line of figures that could be read, or none at all */
  take(line: string): boolean;
};

/** Declares all figures of the functions in a registry; series whose labels are of short lists begin at 0. */
export function functionFigures(registry: Registry): Figures {
  const names = Object.keys(metrics) as MetricName[];
  const takes = new Map<string, Take>(names.map((name) => [name, takeOf(name, registry)]));
  return {
    take(line) {
      if (!line.startsWith('{') || !line.includes('"_aws"')) return true;
      try {
        takeLine(JSON.parse(line), takes);
        return true;
      } catch {
        return false;
      }
    },
  };
}

type Line = {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
} & Readonly<Record<string, unknown>>;

/** @throws Error when it is not what the format says */
function takeLine(line: Line, takes: ReadonlyMap<string, Take>): void {
  for (const { Metrics } of line._aws.CloudWatchMetrics)
    for (const { Name } of Metrics) {
      const values = [line[Name]].flat().map(Number);
      if (values.some((value) => !Number.isFinite(value) || value < 0)) throw new Error(`${Name} is no number`);
      takes.get(Name)?.(labelsOf(Name as MetricName, line), values, line._aws.Timestamp);
    }
}

const labelsOf = (name: MetricName, line: Line): Labels =>
  Object.fromEntries(
    metrics[name].dimensions.map((dimension) => [labelOf(dimension), known(dimension, line[dimension])]),
  );

/** A value that cannot be one is `Other`. */
function known(dimension: Dimension, value: unknown): string {
  const text = String(value);
  const listed = listOf(dimension);
  return (listed === undefined ? /^\w{1,64}$/.test(text) : listed.includes(text)) ? text : 'Other';
}

const listOf = (dimension: Dimension): readonly string[] | undefined =>
  dimension in dimensionValues ? dimensionValues[dimension as keyof typeof dimensionValues] : undefined;

function takeOf(name: MetricName, registry: Registry): Take {
  const { kind, what, dimensions } = metrics[name];
  const described = {
    name: prometheusName(name),
    help: what,
    labelNames: dimensions.map(labelOf),
    registers: [registry],
  };
  const within = bounded();
  switch (kind) {
    case 'counter': {
      const counter = new Counter(described);
      for (const labels of combinations(dimensions)) counter.inc(labels, 0);
      return (labels, values) => counter.inc(within(labels), sum(values));
    }
    case 'time': {
      const histogram = new Histogram({ ...described, buckets });
      for (const labels of combinations(dimensions)) histogram.zero(labels);
      return (labels, values) => {
        for (const value of values) histogram.observe(within(labels), value / 1000);
      };
    }
    case 'gauge':
      return takeReading(new Gauge(described));
  }
}

/** A reading is all lines with one time: the first of them ends the reading before. */
function takeReading(gauge: Gauge): Take {
  let readAt = Number.NEGATIVE_INFINITY;
  return (labels, values, at) => {
    if (at < readAt) return;
    if (at > readAt) gauge.reset();
    readAt = at;
    gauge.set(labels, values.at(-1) ?? 0);
  };
}

/** Lets so many series through, and makes one of all others. */
function bounded(): (labels: Labels) => Labels {
  const seen = new Set<string>();
  return (labels) => {
    const key = JSON.stringify(labels);
    if (!seen.has(key) && seen.size >= mostSeries)
      return Object.fromEntries(Object.keys(labels).map((label) => [label, 'Other']));
    seen.add(key);
    return labels;
  };
}

/** Every series of a metric, where that can be said; else none. */
function combinations(dimensions: readonly Dimension[]): readonly Labels[] {
  return dimensions.reduce<readonly Labels[]>(
    (before, dimension) =>
      before.flatMap((labels) =>
        (listOf(dimension) ?? []).map((value) => ({ ...labels, [labelOf(dimension)]: value })),
      ),
    [{}],
  );
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
