/**
 * Figures as lines of a log (CloudWatch Embedded Metric Format): a function has no page that could be scraped, and needs no
 * request and no rights to write a line.
 *
 * A document has one value for each dimension. Figures whose dimensions do not contradict each other share one, so the
 * usual invocation is one line.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { type InvocationMeter, type MetricName, metrics } from '../core/metrics.ts';
import { slices } from '../core/slices.ts';

/** One figure: a sum for a counter, the last reading for a gauge, one value for each occurrence of a time. */
export type Series = {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
};

/** A directive names the members of the document that are dimensions and metrics. */
export type Directive = {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: Unit }[];
};
export type Document = {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
} & Readonly<Record<string, unknown>>;

/** `None` is a gauge: whoever sums up lines must not add it up. */
const units = { counter: 'Count', time: 'Milliseconds', gauge: 'None' } as const;
type Unit = (typeof units)[keyof typeof units];

/** More values of one metric are not allowed in a document. */
const maxValues = 100;

/**
 * Keeps figures and writes them as lines.
 *
 * @param write takes one line including its newline; default: standard output, which Lambda takes as it is
 */
export function emfMeter(
  options: { namespace?: string; write?: (line: string) => void; now?: () => number } = {},
): InvocationMeter {
  const { namespace = 'Topicsmith', write = (line) => void process.stdout.write(line), now = Date.now } = options;
  const kept = new Map<string, Series>();
  return {
    add(name, labels, value = 1) {
      const key = `${name} ${metrics[name].dimensions.map((dimension) => Reflect.get(labels, dimension)).join(' ')}`;
      const { values = [] } = kept.get(key) ?? {};
      kept.set(key, { name, labels: labels as Series['labels'], values: withValue(name, values, value) });
    },
    flush() {
      const series = [...kept.values()];
      kept.clear();
      for (const document of documents(series, namespace, now())) write(`${JSON.stringify(document)}\n`);
    },
  };
}

function withValue(name: MetricName, values: readonly number[], value: number): readonly number[] {
  switch (metrics[name].kind) {
    case 'counter':
      return [(values[0] ?? 0) + value];
    case 'gauge':
      return [value];
    case 'time':
      return [...values, Math.max(0, Math.round(value))];
  }
}

type Draft = { readonly labels: Record<string, string>; readonly series: Series[] };

/**
 * As few documents as first come, first served makes of them, each within the limits of the format.
 *
 * @param timestamp ms since 1970
 */
export function documents(series: readonly Series[], namespace: string, timestamp: number): readonly Document[] {
  const drafts: Draft[] = [];
  for (const part of series.flatMap(inParts)) {
    const draft = drafts.find((one) => hasRoom(one, part));
    if (draft === undefined) drafts.push({ labels: { ...part.labels }, series: [part] });
    else {
      Object.assign(draft.labels, part.labels);
      draft.series.push(part);
    }
  }
  return drafts.map((draft) => documentOf(draft, namespace, timestamp));
}

const inParts = (series: Series): readonly Series[] =>
  slices(series.values, maxValues).map((values) => ({ ...series, values }));

const hasRoom = ({ labels, series }: Draft, part: Series): boolean =>
  series.every(({ name }) => name !== part.name) &&
  Object.entries(part.labels).every(([dimension, value]) => (labels[dimension] ?? value) === value);

function documentOf({ labels, series }: Draft, namespace: string, timestamp: number): Document {
  const byDimensions = Map.groupBy(series, ({ name }) => metrics[name].dimensions.join(' '));
  const directives = [...byDimensions.values()].map((some): Directive => {
    const [first] = some as [Series];
    return {
      Namespace: namespace,
      Dimensions: [metrics[first.name].dimensions],
      Metrics: some.map(({ name }) => ({ Name: name, Unit: units[metrics[name].kind] })),
    };
  });
  const values = series.map(({ name, values }) => [name, values.length === 1 ? values[0] : values]);
  return {
    event: 'metrics',
    ...labels,
    ...Object.fromEntries(values),
    _aws: { Timestamp: timestamp, CloudWatchMetrics: directives },
  };
}
