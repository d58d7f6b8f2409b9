import { Counter, Gauge, Registry } from 'prom-client';

/** The forwarder's figures. None carries an object's name: their number stays the same however many objects there are. */
export type Metrics = {
  /** by type: ADDED, MODIFIED, DELETED, BOOKMARK */
  readonly events: Counter<'type'>;
  /** by reason of `Interrupted` */
  readonly interruptions: Counter<'reason'>;
  readonly relists: Counter;
  readonly sent: Counter;
  readonly sendFailures: Counter;
  readonly ticks: Counter;
  /** seconds since 1970 */
  readonly lastTick: Gauge;
  /** a figure that is read when somebody asks */
  gauge(name: string, help: string, read: () => number): void;
  /** all of them in the text format of Prometheus */
  text(): Promise<string>;
  readonly contentType: string;
};

const prefix = 'topicsmith_forwarder_';

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name: `${prefix}${name}`, help, registers });
  const counterBy = <L extends string>(label: L, name: string, help: string) =>
    new Counter({ name: `${prefix}${name}`, help, registers, labelNames: [label] });
  return {
    events: counterBy('type', 'events_total', 'Watch events received.'),
    interruptions: counterBy('reason', 'watch_interruptions_total', 'Lists and watches that ended with a problem.'),
    relists: counter('lists_total', 'Complete lists of all objects in a scope, the first one included.'),
    sent: counter('messages_sent_total', 'Requests the reconcile queue took.'),
    sendFailures: counter('send_failures_total', 'Requests the reconcile queue did not take; they are sent again.'),
    ticks: counter('ticks_total', 'Resync ticks the tick queue took.'),
    lastTick: new Gauge({
      name: `${prefix}last_tick_timestamp_seconds`,
      help: 'When the tick queue took the last tick, in seconds since 1970; 0 before the first.',
      registers,
    }),
    gauge(name, help, read) {
      new Gauge({
        name: `${prefix}${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
