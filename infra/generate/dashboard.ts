/** A Grafana dashboard of everything, from the tables of metrics. @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */

type Query = { readonly expr: string; readonly legend?: string };
type Panel = {
  readonly title: string;
  readonly description?: string;
  readonly kind: 'timeseries' | 'stat' | 'bargauge';
  /** of Grafana's; default: short */
  readonly unit?: string;
  readonly queries: readonly Query[];
};
type Row = { readonly title: string; readonly panels: readonly Panel[] };

const here = 'namespace=~"$namespace"';
const rate = (metric: string, by: string, matchers = ''): string =>
  `sum by (${by}) (rate(${metric}{${here}${matchers && `,${matchers}`}}[$__rate_interval]))`;
const quantile = (share: number, histogram: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (le${by && `, ${by}`}) (rate(${histogram}_bucket{${here}}[$__rate_interval])))`;
const newest = (metric: string, by: string, matchers = ''): string =>
  `max by (${by}) (${metric}{${here}${matchers && `,${matchers}`}})`;
const latency = (histogram: string, by?: string): readonly Query[] =>
  [0.5, 0.99].map((share) => ({
    expr: quantile(share, histogram, by),
    legend: `${by === undefined ? '' : `{{${by}}} `}p${share * 100}`,
  }));

const rows: readonly Row[] = [
  {
    title: 'Objects',
    panels: [
      {
        title: 'Ready',
        kind: 'stat',
        queries: [{ expr: `sum(${newest('topicsmith_objects', 'namespace, ready, reason', 'ready="True"')})` }],
      },
      {
        title: 'By state and reason',
        description: 'What the objects said at the last tick.',
        kind: 'bargauge',
        queries: [{ expr: newest('topicsmith_objects', 'ready, reason'), legend: '{{ready}} {{reason}}' }],
      },
      {
        title: 'Drift that ticks found',
        kind: 'timeseries',
        queries: [
          { expr: rate('topicsmith_drift_found_total', 'namespace'), legend: 'found' },
          { expr: rate('topicsmith_tick_skipped_total', 'namespace'), legend: 'left to the next tick' },
        ],
      },
      {
        title: 'Plans that began to wait for approval',
        kind: 'timeseries',
        queries: [{ expr: rate('topicsmith_plans_held_total', 'namespace'), legend: 'held' }],
      },
    ],
  },
  {
    title: 'Passes',
    panels: [
      {
        title: 'Outcomes',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_passes_total', 'outcome'), legend: '{{outcome}}' }],
      },
      {
        title: 'Why somebody looked',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_passes_total', 'trigger'), legend: '{{trigger}}' }],
      },
      {
        title: 'Time in the queue',
        kind: 'timeseries',
        unit: 's',
        queries: latency('topicsmith_time_in_queue_seconds', 'function'),
      },
      { title: 'Time in a pass', kind: 'timeseries', unit: 's', queries: latency('topicsmith_time_in_pass_seconds') },
      {
        title: 'What was changed',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_changes_total', 'action'), legend: '{{action}}' }],
      },
      {
        title: 'What stands in the way',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_problems_total', 'reason'), legend: '{{reason}}' }],
      },
      {
        title: "Kafka's error codes",
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_kafka_errors_total', 'code'), legend: '{{code}}' }],
      },
      {
        title: 'Status writes',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_status_writes_total', 'result'), legend: '{{result}}' }],
      },
    ],
  },
  {
    title: 'Queues',
    panels: [
      {
        title: 'Dead letters',
        kind: 'stat',
        queries: [
          { expr: newest('topicsmith_runner_queue_messages', 'function', 'state="dead"'), legend: '{{function}}' },
        ],
      },
      {
        title: 'Messages',
        kind: 'timeseries',
        queries: [
          { expr: newest('topicsmith_runner_queue_messages', 'function, state'), legend: '{{function}} {{state}}' },
        ],
      },
      {
        title: 'Age of the oldest message',
        kind: 'timeseries',
        unit: 's',
        queries: latency('topicsmith_oldest_message_seconds', 'function'),
      },
      {
        title: 'What became of messages',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_messages_total', 'function, fate'), legend: '{{function}} {{fate}}' }],
      },
    ],
  },
  {
    title: 'Runner',
    panels: [
      {
        title: 'Invocations by ending',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          { expr: rate('topicsmith_runner_invocations_total', 'function, ending'), legend: '{{function}} {{ending}}' },
        ],
      },
      {
        title: 'Duration of invocations',
        kind: 'timeseries',
        unit: 's',
        queries: latency('topicsmith_runner_invocation_seconds', 'function'),
      },
      {
        title: 'Batches in work',
        kind: 'timeseries',
        queries: [{ expr: `sum by (function) (topicsmith_runner_batches_in_work{${here}})`, legend: '{{function}}' }],
      },
      {
        title: 'Cold starts',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: rate('topicsmith_runner_cold_starts_total', 'function'), legend: '{{function}}' }],
      },
    ],
  },
  {
    title: 'Forwarder',
    panels: [
      {
        title: 'Ready',
        description: '1 while nothing keeps it from its work.',
        kind: 'stat',
        queries: [{ expr: newest('topicsmith_forwarder_ready', 'namespace') }],
      },
      {
        title: 'Since the last tick',
        kind: 'stat',
        unit: 's',
        queries: [{ expr: `time() - ${newest('topicsmith_forwarder_last_tick_timestamp_seconds', 'namespace')}` }],
      },
      {
        title: 'Since the API server said something',
        kind: 'timeseries',
        unit: 's',
        queries: [{ expr: newest('topicsmith_forwarder_watch_age_seconds', 'pod'), legend: '{{pod}}' }],
      },
      {
        title: 'Names that wait for the queue',
        kind: 'timeseries',
        queries: [
          { expr: newest('topicsmith_forwarder_keys_waiting', 'pod'), legend: '{{pod}}' },
          {
            expr: newest('topicsmith_forwarder_oldest_waiting_seconds', 'pod'),
            legend: '{{pod}}, seconds of the oldest',
          },
        ],
      },
      {
        title: 'Sent, and not taken',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          { expr: rate('topicsmith_forwarder_messages_sent_total', 'namespace'), legend: 'sent' },
          { expr: rate('topicsmith_forwarder_send_failures_total', 'namespace'), legend: 'not taken' },
        ],
      },
      {
        title: 'Watch: events and interruptions',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          { expr: rate('topicsmith_forwarder_events_total', 'type'), legend: '{{type}}' },
          { expr: rate('topicsmith_forwarder_watch_interruptions_total', 'reason'), legend: 'interrupted: {{reason}}' },
        ],
      },
    ],
  },
  {
    title: 'Ticks',
    panels: [
      { title: 'Duration', kind: 'timeseries', unit: 's', queries: latency('topicsmith_tick_time_seconds') },
      {
        title: 'Objects looked at, and not',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          { expr: rate('topicsmith_tick_looked_at_total', 'namespace'), legend: 'looked at' },
          { expr: rate('topicsmith_tick_unread_total', 'namespace'), legend: 'unread' },
          { expr: rate('topicsmith_tick_unlisted_total', 'namespace'), legend: 'namespaces not listed' },
        ],
      },
    ],
  },
];

const datasource = { type: 'prometheus', uid: '$datasource' };
const [columns, height] = [2, 8];
const width = 24 / columns;

/** Rows from top to bottom, with panels side by side. */
function laidOut(): object[] {
  const all: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: 24, x: 0, y },
    });
    y += 1;
    for (const [at, panel] of panels.entries()) {
      const gridPos = { h: height, w: width, x: (at % columns) * width, y: y + Math.floor(at / columns) * height };
      all.push({ id: all.length + 1, ...panelOf(panel), gridPos });
    }
    y += Math.ceil(panels.length / columns) * height;
  }
  return all;
}

const panelOf = ({ title, description, kind, unit = 'short', queries }: Panel) => ({
  type: kind,
  title,
  ...(description !== undefined && { description }),
  datasource,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options:
    kind === 'timeseries'
      ? { tooltip: { mode: 'multi', sort: 'desc' } }
      : { reduceOptions: { calcs: ['lastNotNull'] } },
  targets: queries.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode(65 + at),
    datasource,
    expr,
    legendFormat: legend ?? '__auto',
  })),
});

const variable = (name: string, label: string, more: object) => ({ name, label, ...more });

/** Importable by hand, or as a ConfigMap that Grafana's sidecar finds. */
export const dashboard = () => ({
  uid: 'topicsmith',
  title: 'Topicsmith',
  tags: ['topicsmith', 'kafka'],
  schemaVersion: 41,
  editable: true,
  time: { from: 'now-6h', to: 'now' },
  refresh: '1m',
  templating: {
    list: [
      variable('datasource', 'Data source', { type: 'datasource', query: 'prometheus' }),
      variable('namespace', 'Namespace', {
        type: 'query',
        datasource,
        query: 'label_values(topicsmith_forwarder_ready, namespace)',
        refresh: 2,
        multi: true,
        includeAll: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      }),
    ],
  },
  panels: laidOut(),
});
