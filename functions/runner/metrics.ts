import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { buckets, type Figures, functionFigures } from './figures.ts';
import type { Depths } from './queue.ts';

const prefix = 'topicsmith_runner_';

/** How an invocation can end; `timeout` and `crashed` cost a process. */
export const endings = ['succeeded', 'failures', 'threw', 'timeout', 'crashed'] as const;
export type EndingName = (typeof endings)[number];

/** Every figure of the runner itself, by its name without the prefix. */
export const runnerMetrics = {
  invocations_total: {
    kind: 'counter',
    labels: ['function', 'ending'],
    what: 'Invocations by how they ended: succeeded, failures (some messages failed), threw, timeout, crashed.',
  },
  invocation_seconds: {
    kind: 'histogram',
    labels: ['function'],
    what: 'From handing a batch to a process to its end.',
  },
  cold_starts_total: {
    kind: 'counter',
    labels: ['function'],
    what: 'Invocations that were the first of their process.',
  },
  messages_received_total: { kind: 'counter', labels: ['function'], what: 'Messages received from the queue.' },
  messages_failed_total: { kind: 'counter', labels: ['function'], what: 'Of these: not done, so that they come back.' },
  queue_failures_total: {
    kind: 'counter',
    labels: ['function'],
    what: 'Requests to receive from the queue, or to delete what was done, that failed.',
  },
  lines_unread_total: {
    kind: 'counter',
    labels: ['function'],
    what: 'Lines of figures that could not be read; they are in the log as they came.',
  },
  batches_in_work: { kind: 'gauge', labels: ['function'], what: 'Batches that a process works on now.' },
  queue_messages: {
    kind: 'gauge',
    labels: ['function', 'state'],
    what: "Messages in the function's queue, about: waiting, in_flight, and dead: in its dead-letter queue. One that may not be read has no line.",
  },
} as const;

type Name = keyof typeof runnerMetrics;

/** The figures of one function's work. */
export type FunctionMetrics = {
  begun(messages: number): void;
  ended(invocation: { ending: EndingName; ms: number; coldStart: boolean; failed: number }): void;
  queueFailed(): void;
  /** a line that a process of it has printed */
  printed(line: string): void;
};

/** For a runner without pages. */
export const noMetrics: FunctionMetrics = { begun() {}, ended() {}, queueFailed() {}, printed() {} };

export type RunnerMetrics = {
  /** @param depths read when somebody asks */
  of(functionName: string, depths: () => Promise<Depths>): FunctionMetrics;
  /** all of them in the text format of Prometheus */
  text(): Promise<string>;
  readonly contentType: string;
};

export function createRunnerMetrics(): RunnerMetrics {
  const registry = new Registry();
  const described = <N extends Name>(name: N) => ({
    name: `${prefix}${name}`,
    help: runnerMetrics[name].what,
    labelNames: runnerMetrics[name].labels as (typeof runnerMetrics)[N]['labels'],
    registers: [registry],
  });
  const figures = functionFigures(registry);
  const depths = new Map<string, () => Promise<Depths>>();
  new Gauge({
    ...described('queue_messages'),
    async collect() {
      this.reset();
      await Promise.all([...depths].map(async ([of, read]) => setDepths(this, of, await read())));
    },
  });
  const own = {
    invocations: new Counter(described('invocations_total')),
    seconds: new Histogram({ ...described('invocation_seconds'), buckets }),
    coldStarts: new Counter(described('cold_starts_total')),
    received: new Counter(described('messages_received_total')),
    failed: new Counter(described('messages_failed_total')),
    queueFailures: new Counter(described('queue_failures_total')),
    unread: new Counter(described('lines_unread_total')),
    inWork: new Gauge(described('batches_in_work')),
  };
  return {
    of(functionName, read) {
      depths.set(functionName, read);
      return metricsOf(functionName, own, figures);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function setDepths(gauge: Gauge<'function' | 'state'>, of: string, depths: Depths): void {
  for (const [state, messages] of Object.entries(depths))
    if (messages !== undefined) gauge.set({ function: of, state }, messages);
}

type Own = {
  readonly invocations: Counter<'function' | 'ending'>;
  readonly seconds: Histogram<'function'>;
  readonly inWork: Gauge<'function'>;
} & Readonly<Record<'coldStarts' | 'received' | 'failed' | 'queueFailures' | 'unread', Counter<'function'>>>;

/** Each series begins at 0, so that the first occurrence is an increase. */
function metricsOf(functionName: string, own: Own, figures: Figures): FunctionMetrics {
  const labels = { function: functionName };
  const { invocations, seconds, inWork, coldStarts, received, failed, queueFailures, unread } = own;
  for (const ending of endings) invocations.inc({ ...labels, ending }, 0);
  for (const counter of [coldStarts, received, failed, queueFailures, unread]) counter.inc(labels, 0);
  seconds.zero(labels);
  inWork.set(labels, 0);
  return {
    begun(messages) {
      received.inc(labels, messages);
      inWork.inc(labels);
    },
    ended({ ending, ms, coldStart, failed: count }) {
      inWork.dec(labels);
      invocations.inc({ ...labels, ending });
      seconds.observe(labels, ms / 1000);
      coldStarts.inc(labels, coldStart ? 1 : 0);
      failed.inc(labels, count);
    },
    queueFailed: () => queueFailures.inc(labels),
    printed: (line) => {
      if (!figures.take(line)) unread.inc(labels);
    },
  };
}
