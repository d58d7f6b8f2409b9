import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type MetricName, metrics } from '../../functions/core/metrics.ts';
import { readQueues } from '../../infra/local/queues.ts';

type Part = string | { readonly Ref?: string; readonly 'Fn::GetAtt'?: readonly [string, string] };
const template = parse(readFileSync(join(import.meta.dirname, '..', '..', 'infra', 'dashboard.yml'), 'utf8'));
const [separator, parts] = template.Resources.Dashboard.Properties.DashboardBody['Fn::Join'] as [string, Part[]];

/** As CloudFormation makes it, with names of the resources in place of what they would be. */
const body = parts
  .map((part) => (typeof part === 'string' ? part : (part.Ref ?? part['Fn::GetAtt']?.[0])))
  .join(separator);
const { widgets } = JSON.parse(body) as {
  widgets: readonly { x: number; y: number; properties: { metrics: unknown } }[];
};

test('the dashboard of CloudWatch asks only for metrics that there are, with all of their dimensions', () => {
  const text = JSON.stringify(widgets.map(({ properties }) => properties.metrics)).replaceAll('\\"', '"');
  const searches = [...text.matchAll(/SEARCH\('\{MetricsNamespace,?([\w,]*)\} MetricName="(\w+)"'/g)];
  assert.equal(searches.length, text.split('SEARCH(').length - 1);
  assert.ok(searches.length > 5);
  for (const [, dimensions = '', name = ''] of searches)
    assert.equal(dimensions, metrics[name as MetricName]?.dimensions.join(','), name);
});

test('the queues it asks for are those that are deployed', () => {
  const queues = parts.flatMap((part) => (typeof part === 'string' ? [] : (part['Fn::GetAtt']?.[0] ?? [])));
  assert.deepEqual([...new Set(queues)].toSorted(), Object.keys(readQueues()).toSorted());
});

test('its widgets do not lie on each other', () => {
  assert.equal(new Set(widgets.map(({ x, y }) => `${x} ${y}`)).size, widgets.length);
});
