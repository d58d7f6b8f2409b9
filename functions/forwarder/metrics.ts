import { Counter, Gauge, Registry } from 'prom-client';

const prefix = 'topicsmith_forwarder_';

/**
 * Every figure of the forwarder, by its name without the prefix. None carries an object's name: their number stays the
 * same however many objects there are.
 */
export const forwarderMetrics = {
  events_total: {
    kind: 'counter',
    labels: ['type'],
    what: 'Watch events received, by type: ADDED, MODIFIED, DELETED, BOOKMARK.',
  },
  watch_interruptions_total: {
    kind: 'counter',
    labels: ['reason'],
    what: 'Lists and watches that ended with a problem.',
  },
  lists_total: {
    kind: 'counter',
    labels: [],
    what: 'Complete lists of all objects in a scope, the first one included.',
  },
  messages_sent_total: { kind: 'counter', labels: [], what: 'Requests the reconcile queue took.' },
  send_failures_total: {
    kind: 'counter',
    labels: [],
    what: 'Requests the reconcile queue did not take; they are sent again.',
  },
  ticks_total: { kind: 'counter', labels: [], what: 'Resync ticks the tick queue took.' },
  last_tick_timestamp_seconds: {
    kind: 'gauge',
    labels: [],
    what: 'When the tick queue took the last tick, in seconds since 1970; 0 before the first.',
  },
  ready: {
    kind: 'gauge',
    labels: [],
    what: '1 while nothing keeps it from its work, else 0; `/readyz` says what does.',
  },
  watch_age_seconds: { kind: 'gauge', labels: [], what: 'Time since the API server last said something.' },
  objects: { kind: 'gauge', labels: [], what: 'Objects known.' },
  keys_waiting: { kind: 'gauge', labels: [], what: 'Requests the queue has not taken yet.' },
  oldest_waiting_seconds: {
    kind: 'gauge',
    labels: [],
    what: 'How long the queue has not taken the oldest of these; 0 without any.',
  },
  followups: { kind: 'gauge', labels: [], what: 'Objects that are asked for again until their work is done.' },
} as const;

type Table = typeof forwarderMetrics;
type Name = keyof Table;
type GaugeName = { [N in Name]: Table[N]['kind'] extends 'gauge' ? N : never }[Name];

/** The forwarder's figures; what they mean stands in {@link forwarderMetrics}. */
export type Metrics = {
  readonly events: Counter<'type'>;
  readonly interruptions: Counter<'reason'>;
  readonly relists: Counter;
  readonly sent: Counter;
  readonly sendFailures: Counter;
  readonly ticks: Counter;
  readonly lastTick: Gauge;
  /** a figure that is read when somebody asks */
  gauge(name: GaugeName, read: () => number): void;
  /** all of them in the text format of Prometheus */
  text(): Promise<string>;
  readonly contentType: string;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const described = (name: Name) => ({
    name: `${prefix}${name}`,
    help: forwarderMetrics[name].what,
    registers: [registry],
  });
  const counter = (name: Name) => new Counter(described(name));
  const counterBy = <N extends 'events_total' | 'watch_interruptions_total'>(name: N): Counter<Table[N]['labels'][0]> =>
    new Counter({ ...described(name), labelNames: forwarderMetrics[name].labels });
  return {
    events: counterBy('events_total'),
    interruptions: counterBy('watch_interruptions_total'),
    relists: counter('lists_total'),
    sent: counter('messages_sent_total'),
    sendFailures: counter('send_failures_total'),
    ticks: counter('ticks_total'),
    lastTick: new Gauge(described('last_tick_timestamp_seconds')),
    gauge(name, read) {
      new Gauge({
        ...described(name),
        collect() {
          this.set(read());
        },
      });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
