/** A CloudWatch dashboard of the functions on Lambda, from the table of metrics. */
import { type MetricName, metrics } from '../../functions/core/metrics.ts';

type Statistic = 'Sum' | 'Maximum' | 'p99';
/** A search has an expression; another series is as CloudWatch writes metrics, in a list. */
type Widget = { readonly title: string; readonly series: readonly (string | readonly unknown[])[] };

const period = 300;

/** Filled in by CloudFormation. */
const ref = (name: string): string => `<<Ref ${name}>>`;
const attribute = (resource: string, name: string): string => `<<Fn::GetAtt ${resource}.${name}>>`;

/** All series of a metric of ours. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html */
const ours = (name: MetricName, statistic: Statistic): string =>
  `SEARCH('{${[ref('MetricsNamespace'), ...metrics[name].dimensions].join(',')}} MetricName="${name}"', '${statistic}', ${period})`;

const ofQueues = (name: string, queues: readonly string[]): Widget['series'] =>
  queues.map((queue) => ['AWS/SQS', name, 'QueueName', attribute(queue, 'QueueName'), { stat: 'Maximum' }]);

const widgets: readonly Widget[] = [
  { title: 'Objects by state and reason, at the last tick', series: [ours('Objects', 'Maximum')] },
  { title: 'Passes by trigger and outcome', series: [ours('Passes', 'Sum')] },
  { title: 'What stands in the way', series: [ours('Problems', 'Sum'), ours('KafkaErrors', 'Sum')] },
  { title: 'What was changed', series: [ours('Changes', 'Sum')] },
  { title: 'Time in the queue, ms', series: [ours('TimeInQueue', 'p99')] },
  { title: 'Time in a pass, ms', series: [ours('TimeInPass', 'p99')] },
  { title: 'What became of messages', series: [ours('Messages', 'Sum')] },
  {
    title: 'Age of the oldest message, s',
    series: ofQueues('ApproximateAgeOfOldestMessage', ['ReconcileQueue', 'TickQueue']),
  },
  {
    title: 'Messages in the queues and their dead-letter queues',
    series: ofQueues('ApproximateNumberOfMessagesVisible', [
      'ReconcileQueue',
      'TickQueue',
      'ReconcileDeadLetterQueue',
      'TickDeadLetterQueue',
    ]),
  },
  {
    title: 'Drift that ticks found, and what they could not see',
    series: [ours('DriftFound', 'Sum'), ours('TickUnread', 'Sum'), ours('TickUnlisted', 'Sum')],
  },
];

const [columns, height] = [2, 6];

const body = () => ({
  widgets: widgets.map(({ title, series }, at) => ({
    type: 'metric',
    x: (at % columns) * (24 / columns),
    y: Math.floor(at / columns) * height,
    width: 24 / columns,
    height,
    properties: {
      title,
      view: 'timeSeries',
      region: ref('AWS::Region'),
      period,
      metrics: series.map((one, at) =>
        typeof one === 'string' ? [{ expression: one, id: `e${at + 1}`, label: '' }] : one,
      ),
    },
  })),
});

/** A text with what CloudFormation fills in, as it wants it. */
function joined(text: string): object {
  const parts = text.split(/<<(.+?)>>/).map((part, at) => {
    if (at % 2 === 0) return part;
    const [kind = '', name = ''] = part.split(' ');
    return { [kind]: kind === 'Ref' ? name : name.split('.') };
  });
  return { 'Fn::Join': ['', parts] };
}

/** Template with the dashboard alone, for `resources` of serverless.yml. */
export const cloudWatchDashboard = () => ({
  Resources: {
    Dashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Condition: 'WithMetrics',
      Properties: { DashboardBody: joined(JSON.stringify(body())) },
    },
  },
});
