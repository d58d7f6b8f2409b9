/** The alerts and the dashboard as Prometheus itself reads them, and each alert at work. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { declared } from '../../infra/generate/metrics.ts';
import { obtain } from '../../infra/local/artifacts.ts';
import { ask, prometheusTools } from '../../infra/local/prometheus.ts';

const tools = await obtain(prometheusTools, (line) => process.stderr.write(`${line}\n`));
const scratch = mkdtempSync(join(tmpdir(), 'topicsmith-alerts-'));
after(() => rmSync(scratch, { recursive: true }));

const file = (name: string) => join(import.meta.dirname, '..', '..', 'infra', 'chart', 'files', name);

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
const rules: readonly Rule[] = parse(readFileSync(file('rules.yaml'), 'utf8')).groups.flatMap(
  (group: { rules: readonly Rule[] }) => group.rules,
);

type Panel = { readonly id: number; readonly title: string; readonly targets?: readonly { readonly expr: string }[] };
const dashboard: { readonly panels: readonly Panel[]; readonly templating: unknown } = JSON.parse(
  readFileSync(file('dashboard.json'), 'utf8'),
);

/** What Prometheus' operator puts on everything that it scrapes. */
const ofTheTarget = ['namespace', 'pod', 'job', 'instance'];

/** Labels by the names that a scrape shows; a histogram is three of them. */
const known = new Map(
  declared().flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);

type Reading = {
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  readonly labels: readonly string[];
};

/** What is not there of what expressions ask for: metrics, and labels that none of their metrics has. */
function missing(expressions: readonly string[]): readonly string[] {
  const { out, problem } = ask(tools, 'promread', ['selectors'], JSON.stringify(expressions));
  assert.equal(problem, undefined);
  return (JSON.parse(out) as Reading[]).flatMap(({ selectors, labels }) => {
    const here = new Set([...ofTheTarget, ...selectors.flatMap(({ metric }) => known.get(metric) ?? [])]);
    const wrong = selectors.flatMap(({ metric, labels: matched }) =>
      known.has(metric)
        ? matched.filter((label) => ![...ofTheTarget, ...(known.get(metric) ?? [])].includes(label))
        : [metric],
    );
    return [...wrong, ...labels.filter((label) => !here.has(label))];
  });
}

test('K163: the alerts ask only for metrics and labels that there are', () => {
  assert.ok(rules.length > 10);
  assert.deepEqual(missing(rules.map(({ expr }) => expr)), []);
});

test('K163: the dashboard asks only for metrics and labels that there are', () => {
  const asked = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(asked.length > 20);
  assert.deepEqual(missing(asked.map((expr) => expr.replaceAll('$__rate_interval', '5m'))), []);
  const [, variable = ''] = /label_values\((\w+), namespace\)/.exec(JSON.stringify(dashboard.templating)) ?? [];
  assert.ok(known.has(variable), variable);
});

test('a metric or a label that nobody has declared is found', () => {
  assert.deepEqual(
    missing([
      'sum by (functoin) (rate(topicsmith_messages_total{fait="Done"}[5m]))',
      'topicsmith_forwarder_redy == 0',
      'rate(topicsmith_time_in_pass_seconds[5m])',
    ]),
    ['fait', 'functoin', 'topicsmith_forwarder_redy', 'topicsmith_time_in_pass_seconds'],
  );
});

test('every panel has an id of its own', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('promtool finds the rules well formed', () => {
  assert.equal(ask(tools, 'promtool', ['check', 'rules', file('rules.yaml')]).problem, undefined);
});

test('each alert says how bad it is, what it is, what to do, and where the README has more', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  const anchors = [...readme.matchAll(/^#+ (.+)$/gm)].map(
    ([, title = '']) =>
      `README.md#${title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity ?? '', /^(info|warning|critical)$/, alert);
    assert.ok(anchors.includes(annotations.runbook ?? ''), `${alert}: ${annotations.runbook}`);
    for (const text of [annotations.summary, annotations.description]) assert.match(text ?? '', /\w.*[.:]/, alert);
  }
});

/** Series by what they are called, with their values minute by minute (promtool's notation). */
type Series = Readonly<Record<string, string>>;
type Row = {
  readonly alert: string;
  /** its labels, beside severity and namespace */
  readonly labels?: Readonly<Record<string, string>>;
  readonly at: string;
  readonly fires: Series;
  /** by what is not well either */
  readonly firesToo?: Readonly<Record<string, Series>>;
  /** by what is well */
  readonly quiet: Readonly<Record<string, Series>>;
};

const forwarder = (name: string, pod = 'a') => `topicsmith_forwarder_${name}{namespace="t",pod="${pod}"}`;
const runner = (name: string, labels = '') => `topicsmith_runner_${name}{namespace="t",function="reconcile"${labels}}`;
const objects = (ready: string, reason: string, pod = 'a') =>
  `topicsmith_objects{namespace="t",pod="${pod}",ready="${ready}",reason="${reason}"}`;
const passes = (outcome: string) => `topicsmith_passes_total{namespace="t",trigger="change",outcome="${outcome}"}`;
const oldest = (end: string) => `topicsmith_oldest_message_seconds_${end}`;
const ours = '{namespace="t",function="reconcile"}';
const upTo5Minutes = oldest('bucket{namespace="t",function="reconcile",le="300"}');

const table: readonly Row[] = [
  {
    alert: 'TopicsmithForwarderGone',
    at: '25m',
    fires: { [forwarder('ready')]: '1x10 stale' },
    quiet: {
      'another pod has taken over': { [forwarder('ready')]: '1x10 stale', [forwarder('ready', 'b')]: '_x9 1x30' },
      'there never was one': {},
    },
  },
  {
    alert: 'TopicsmithForwarderNotReady',
    at: '10m',
    fires: { [forwarder('ready')]: '0x20', [forwarder('ready', 'b')]: '0x20' },
    quiet: {
      'one of two is ready': { [forwarder('ready')]: '0x20', [forwarder('ready', 'b')]: '1x20' },
      'it is not for long': { [forwarder('ready')]: '1x7 0x20' },
    },
  },
  {
    alert: 'TopicsmithWatchStale',
    at: '10m',
    fires: { [forwarder('watch_age_seconds')]: '0+60x20' },
    quiet: { 'a bookmark came': { [forwarder('watch_age_seconds')]: '0 60 60 60 60 60 60 60 60 60 60' } },
  },
  {
    alert: 'TopicsmithNoTick',
    at: '30m',
    fires: { [forwarder('last_tick_timestamp_seconds')]: '0x5 300x40' },
    quiet: { 'a tick every five minutes': { [forwarder('last_tick_timestamp_seconds')]: '0+60x40' } },
  },
  {
    alert: 'TopicsmithNamesWait',
    at: '10m',
    fires: { [forwarder('oldest_waiting_seconds')]: '0+60x20' },
    quiet: { 'the queue takes them': { [forwarder('oldest_waiting_seconds')]: '0 90 0 90 0 90 0 90 0 90 0' } },
  },
  {
    alert: 'TopicsmithRunnerGone',
    labels: { function: 'reconcile' },
    at: '25m',
    fires: {
      [runner('batches_in_work')]: '1x10 stale',
      'topicsmith_runner_batches_in_work{namespace="t",function="resync"}': '0x40',
    },
    quiet: {
      'another pod has taken over': {
        [runner('batches_in_work', ',pod="a"')]: '1x10 stale',
        [runner('batches_in_work', ',pod="b"')]: '_x9 0x30',
      },
    },
  },
  {
    alert: 'TopicsmithDeadLetters',
    labels: { function: 'reconcile' },
    at: '10m',
    fires: { [runner('queue_messages', ',state="dead"')]: '0x3 2x10' },
    firesToo: {
      'the runner may not read the dead-letter queue': {
        'topicsmith_messages_total{namespace="t",function="reconcile",fate="DeadLettered"}': '0x3 1x10',
      },
    },
    quiet: {
      'messages only wait': {
        [runner('queue_messages', ',state="waiting"')]: '5x20',
        [runner('queue_messages', ',state="dead"')]: '0x20',
      },
    },
  },
  {
    alert: 'TopicsmithOldestMessage',
    labels: { function: 'reconcile' },
    at: '20m',
    fires: { [oldest(`count${ours}`)]: '0+2x30', [upTo5Minutes]: '0+1x30' },
    quiet: { 'all are younger': { [oldest(`count${ours}`)]: '0+2x30', [upTo5Minutes]: '0+2x30' } },
  },
  {
    alert: 'TopicsmithQueueNotRead',
    labels: { function: 'reconcile' },
    at: '20m',
    fires: { [runner('queue_failures_total')]: '0+1x30' },
    quiet: { 'one request failed': { [runner('queue_failures_total')]: '0x5 1x30' } },
  },
  {
    alert: 'TopicsmithInvocationsEndEarly',
    labels: { function: 'reconcile', ending: 'timeout' },
    at: '10m',
    fires: { [runner('invocations_total', ',ending="timeout"')]: '0x5 1x30' },
    quiet: {
      'messages that fail are no early end': { [runner('invocations_total', ',ending="failures"')]: '0+1x30' },
      'it was before': { [runner('invocations_total', ',ending="timeout"')]: '1x30' },
    },
  },
  {
    alert: 'TopicsmithPassesFail',
    at: '30m',
    fires: { [passes('Failed')]: '0+1x40', [passes('Synced')]: '0+1x40' },
    quiet: {
      'one in ten fails': { [passes('Failed')]: '0+1x40', [passes('Synced')]: '0+9x40' },
      'what waits for approval does not fail': { [passes('Stopped')]: '0+1x40' },
      'there is nothing to do': { [passes('Failed')]: '3x40', [passes('Synced')]: '9x40' },
    },
  },
  {
    alert: 'TopicsmithObjectsNotReady',
    labels: { reason: 'NotAuthorized' },
    at: '80m',
    fires: { [objects('False', 'NotAuthorized')]: '2x30 stale', [objects('False', 'NotAuthorized', 'b')]: '_x40 2x50' },
    quiet: {
      'they were mended within the hour': { [objects('False', 'NotAuthorized')]: '2x40 0x60' },
      'they wait for somebody, or nobody looks': {
        [objects('False', 'ApprovalRequired')]: '2x100',
        [objects('False', 'DriftDetected')]: '2x100',
        [objects('Unknown', 'Paused')]: '2x100',
      },
      'they are Ready': { [objects('True', 'Synced')]: '2x100' },
    },
  },
  {
    alert: 'TopicsmithApprovalWaits',
    labels: { reason: 'ApprovalRequired' },
    at: '25h',
    fires: { [objects('False', 'ApprovalRequired')]: '1x1600' },
    quiet: {
      'for a few hours': { [objects('False', 'ApprovalRequired')]: '0x1200 1x400' },
      'others only observe': { [objects('False', 'DriftDetected')]: '1x1600' },
    },
  },
  {
    alert: 'TopicsmithTickDoesNotEnd',
    at: '60m',
    fires: { 'topicsmith_ticks_total{namespace="t"}': '0+1x10 10x60' },
    quiet: {
      'they end': { 'topicsmith_ticks_total{namespace="t"}': '0+1x70' },
      'one of two runners works on them': {
        'topicsmith_ticks_total{namespace="t",pod="a"}': '3x70',
        'topicsmith_ticks_total{namespace="t",pod="b"}': '0+1x70',
      },
    },
  },
  {
    alert: 'TopicsmithTickIncomplete',
    at: '60m',
    fires: {
      'topicsmith_tick_unread_total{namespace="t"}': '0x70',
      'topicsmith_tick_unlisted_total{namespace="t"}': '0+1x70',
    },
    quiet: {
      'one look failed': {
        'topicsmith_tick_unread_total{namespace="t"}': '0x10 1x60',
        'topicsmith_tick_unlisted_total{namespace="t"}': '0x70',
      },
    },
  },
];

/** Has promtool play series and say whether the alert fires: with exactly these labels, or not at all. */
function play({ alert, at, labels = {} }: Row, given: Series, fires: boolean): string | undefined {
  const severity = rules.find((rule) => rule.alert === alert)?.labels.severity ?? '';
  const all = { alertname: alert, alertstate: 'firing', namespace: 't', severity, ...labels };
  const text = Object.entries(all).map(([name, value]) => `${name}="${value}"`);
  const document = {
    rule_files: [file('rules.yaml')],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(given).map(([series, values]) => ({ series, values })),
        promql_expr_test: [
          {
            expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
            eval_time: at,
            exp_samples: fires ? [{ labels: `ALERTS{${text.join(',')}}`, value: 1 }] : [],
          },
        ],
      },
    ],
  };
  const path = join(scratch, 'test.yaml');
  writeFileSync(path, stringify(document));
  return ask(tools, 'promtool', ['test', 'rules', path]).problem;
}

describe('an alert', () => {
  for (const row of table) {
    test(`${row.alert} fires`, () => assert.equal(play(row, row.fires, true), undefined));
    for (const [reason, given] of Object.entries(row.firesToo ?? {}))
      test(`${row.alert} fires: ${reason}`, () => assert.equal(play(row, given, true), undefined));
    for (const [reason, given] of Object.entries(row.quiet))
      test(`${row.alert} is quiet: ${reason}`, () => assert.equal(play(row, given, false), undefined));
  }

  test('is tried, whichever it is', () => {
    assert.deepEqual(table.map(({ alert }) => alert).toSorted(), rules.map(({ alert }) => alert).toSorted());
  });
});
