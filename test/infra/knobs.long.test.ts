/** Every value of the chart is a real knob: turning it changes what is rendered. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { temporary } from '../local/support.ts';
import { chart, type Helm, helm, onAws, rendered, type Values, withoutAws } from '../support/cluster/helm.ts';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly description?: string;
};
type Leaf = { readonly path: readonly string[]; readonly schema: Schema };

const read = (file: string): string => readFileSync(join(chart, file), 'utf8');
const schema = JSON.parse(read('values.schema.json')) as Schema;
const defaults = parse(read('values.yaml')) as Values;

const leavesOf = (schema: Schema, path: readonly string[] = []): Leaf[] =>
  schema.properties === undefined
    ? [{ path, schema }]
    : Object.entries(schema.properties).flatMap(([key, one]) => leavesOf(one, [...path, key]));

/** `global` is Helm's own. */
const knobs = leavesOf(schema).filter(({ path: [first] }) => first !== 'global');

const at = (values: unknown, path: readonly string[]): unknown =>
  path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);

/** Values in which a path has another value. */
const turned = (values: Values, [key = '', ...rest]: readonly string[], value: unknown): Values => ({
  ...values,
  [key]: rest.length === 0 ? value : turned((values[key] ?? {}) as Values, rest, value),
});

/** Everything is on, so that every knob has something to change. */
const local: Values = {
  ...withoutAws('kafka:9092'),
  kafka: { brokers: ['kafka:9092'], secret: { name: 'kafka' } },
  metrics: { serviceMonitor: { enabled: true }, rules: { enabled: true }, dashboard: { enabled: true } },
};
const aws: Values = { ...onAws, inCluster: { enabled: true }, kafka: { brokers: ['kafka:9092'] } };

/** Another value, where the type alone does not say one. */
const others: Readonly<Record<string, unknown>> = {
  'image.pullPolicy': 'Always',
  'image.pullSecrets': ['pull'],
  logLevel: 'debug',
  'watch.namespaces': ['team-a'],
  'sqs.region': 'us-west-2',
  'sqs.endpoint': 'https://vpce.example',
  'sqs.reconcileQueueUrl': 'https://sqs.example/other.fifo',
  'sqs.tickQueueUrl': 'https://sqs.example/other.fifo',
  'kafka.brokers': ['other:9094'],
  'kafka.sasl.mechanism': 'PLAIN',
  'kafka.secretArn': 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:kafka',
  approvalRequired: ['none'],
  'elasticmq.persistence.size': '2Gi',
  'metrics.serviceMonitor.interval': '1m',
  'pods.tolerations': [{ operator: 'Exists' }],
};

/** What has to be turned with some. */
const withIt: Readonly<Record<string, Values>> = {
  'elasticmq.enabled': onAws,
  'inCluster.enabled': { ...onAws, elasticmq: { enabled: false } },
};

const peers = [{ namespaceSelector: {} }];

function otherValue({ path, schema }: Leaf): unknown {
  const name = path.join('.');
  if (name in others) return others[name];
  const value = at(defaults, path);
  if (typeof value === 'boolean') return !(at(name.startsWith('sqs.') ? aws : local, path) ?? value);
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return path.at(-1) === 'ports' ? [1234] : peers;
  return schema.type === 'object' ? { other: 'value' } : 'other';
}

const home = temporary();
let run: Helm;
before(async () => {
  run = await helm(home.path);
});
after(() => home.remove());

/** What is installed, as text. Certificates are made anew each time, so Secrets are left out. */
const textOf = async (values: Values): Promise<string> =>
  stringify((await rendered(run, values)).filter(({ kind }) => kind !== 'Secret'));

const bases = new Map<Values, Promise<string>>();
const textOfBase = (base: Values): Promise<string> => {
  const text = bases.get(base) ?? textOf(base);
  bases.set(base, text);
  return text;
};

describe('a knob', () => {
  test('has a default in values.yaml', () => {
    assert.ok(knobs.length > 60);
    for (const { path } of knobs) assert.notEqual(at(defaults, path), undefined, path.join('.'));
  });

  test('says what it is for', () => {
    assert.deepEqual(
      knobs.filter(({ schema }) => !schema.description?.endsWith('.')).map(({ path }) => path.join('.')),
      [],
    );
  });

  for (const leaf of knobs)
    test(`${leaf.path.join('.')} changes what is installed`, async () => {
      const base = /^(sqs\.|networkPolicy\.queues\.|kafka\.secretArn)/.test(leaf.path.join('.')) ? aws : local;
      const values = turned(base, leaf.path, otherValue(leaf));
      assert.notEqual(await textOf({ ...values, ...withIt[leaf.path.join('.')] }), await textOfBase(base));
    });
});
