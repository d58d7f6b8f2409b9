/**
 * Every figure that the functions give out: what is not in this table cannot be counted. No dimension holds the name of an
 * object or a topic, and each has a closed list of values, so the number of series does not depend on how many topics
 * there are.
 */
import { triggers } from './request.ts';
import type { Reason } from './topic.ts';

/**
 * `counter`: how many since the last line. `time`: ms, one value for each occurrence. `gauge`: how many there are now; a
 * new reading replaces all series of the one before.
 */
type Kind = 'counter' | 'time' | 'gauge';
type Metric = { readonly kind: Kind; readonly dimensions: readonly Dimension[]; readonly what: string };

/** The values of those dimensions whose lists are short enough to stand here. */
export const dimensionValues = {
  Function: ['reconcile', 'resync'],
  Trigger: triggers,
  /** the kinds of `Outcome`, and what ends before or after a pass */
  Outcome: [
    'Synced',
    'Observed',
    'Paused',
    'Drift',
    'Stopped',
    'Unsaid',
    'Failed',
    'DeadLettered',
    'Gone',
    'Unread',
    'Busy',
    'Elsewhere',
    'StatusNotWritten',
  ],
  Fate: ['Done', 'Redelivered', 'DeadLettered'],
  Ready: ['True', 'False', 'Unknown'],
  Result: ['Written', 'NotWritten'],
} as const;

type Listed = { readonly [D in keyof typeof dimensionValues]: (typeof dimensionValues)[D][number] };

/** What came of a name. */
export type PassOutcome = Listed['Outcome'];

/** The values of each dimension. `Action` and `Code` are closed lists too: types of actions, and names of Kafka's error codes. */
export type Dimensions = Listed & {
  readonly Action: string;
  readonly Reason: Reason | 'Pending' | 'Other';
  readonly Code: string;
};
export type Dimension = keyof Dimensions;

export const dimensionMeanings: Readonly<Record<Dimension, string>> = {
  Function: '`reconcile`, `resync`',
  Trigger: 'why somebody looked: `change`, `drift`, `manual`, `replay`',
  Outcome:
    '`Synced`, `Observed`, `Paused`, `Drift` (of mode Observe), `Stopped` (held or refused), `Failed` (comes back), `DeadLettered`, `Unsaid` (looked again at once), `Gone`; `StatusNotWritten`: whatever it was, the object does not say so; without a pass: `Unread` (the object could not be read), `Busy` (another object of that topic goes first), `Elsewhere` (the object has another topic now)',
  Fate: '`Done`, `Redelivered`, `DeadLettered`',
  Action: 'as in status.plan: `CreateTopic`, `SetConfig`, …',
  Reason: 'a reason of the reference; `Pending`: says nothing yet; `Other`: one that this version does not know',
  Ready: 'status of the condition Ready: `True`, `False`, `Unknown`',
  Code: "name of Kafka's error code, as `TOPIC_AUTHORIZATION_FAILED`; `UNKNOWN`: one that this version does not know",
  Result: '`Written`, `NotWritten`',
};

export const metrics = {
  Passes: {
    kind: 'counter',
    dimensions: ['Trigger', 'Outcome'],
    what: 'Names that were worked on, each once per try.',
  },
  TimeInPass: {
    kind: 'time',
    dimensions: ['Outcome'],
    what: "One object's pass, from its look to its status.",
  },
  TimeInQueue: {
    kind: 'time',
    dimensions: ['Function'],
    what: 'From sending a message to the first try of it. Further tries are not counted again.',
  },
  OldestMessage: {
    kind: 'time',
    dimensions: ['Function'],
    what: 'Age of the oldest message of an invocation, tries before this one included.',
  },
  Messages: {
    kind: 'counter',
    dimensions: ['Function', 'Fate'],
    what: 'Messages that were worked on, by what became of them.',
  },
  Changes: {
    kind: 'counter',
    dimensions: ['Action'],
    what: 'What was changed, as the `applied` lines have it.',
  },
  Problems: {
    kind: 'counter',
    dimensions: ['Reason'],
    what: 'Passes that found something in the way, once for each reason.',
  },
  KafkaErrors: {
    kind: 'counter',
    dimensions: ['Code'],
    what: 'Error codes of the brokers that stood in the way of a pass.',
  },
  PlansHeld: {
    kind: 'counter',
    dimensions: [],
    what: 'Plans that began to wait for approval.',
  },
  StatusWrites: {
    kind: 'counter',
    dimensions: ['Result'],
    what: 'Statuses that had something new to say.',
  },
  Objects: {
    kind: 'gauge',
    dimensions: ['Ready', 'Reason'],
    what: 'Objects this installation is for, by what they said at the last tick; a state without objects has no line.',
  },
  Ticks: { kind: 'counter', dimensions: [], what: 'Ticks that have come to their end.' },
  TickTime: { kind: 'time', dimensions: [], what: 'A tick, from its first page to its end.' },
  TickLookedAt: { kind: 'counter', dimensions: [], what: 'Objects that a tick looked at.' },
  DriftFound: {
    kind: 'counter',
    dimensions: [],
    what: 'Objects that a tick found to need a pass: drift, or something that nobody has asked for.',
  },
  TickSkipped: { kind: 'counter', dimensions: [], what: 'Of these: left to the next tick, as the queue was full.' },
  TickUnread: { kind: 'counter', dimensions: [], what: 'Objects whose topic could not be read by a tick.' },
  TickUnlisted: { kind: 'counter', dimensions: [], what: 'Namespaces that a tick could not list.' },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;

const snake = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
const endings = { counter: '_total', time: '_seconds', gauge: '' } as const;

/** What Prometheus calls it. @see https://prometheus.io/docs/practices/naming/ */
export const prometheusName = (name: MetricName): string => `topicsmith_${snake(name)}${endings[metrics[name].kind]}`;

/** What Prometheus calls a dimension: a label. */
export const labelOf = (dimension: Dimension): string => snake(dimension);
export type Labels<N extends MetricName> = Readonly<Pick<Dimensions, (typeof metrics)[N]['dimensions'][number]>>;

/** Where figures go. */
export type Meter = {
  /** @param value how many (default 1), or for a `time` ms; a metric without dimensions takes `{}` */
  add<N extends MetricName>(name: N, labels: Labels<N>, value?: number): void;
};

/** Keeps figures until they are given out. */
export type InvocationMeter = Meter & {
  /** Gives out what was added since the last time. Never throws. */
  flush(): void;
};
