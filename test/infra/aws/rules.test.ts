/** Each rule has a template that breaks it and nothing else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { complaints } from '../../../infra/aws/rules.ts';
import type { Template } from '../../../infra/aws/template.ts';
import { goldenTemplate } from '../../support/aws/golden-template.ts';

// biome-ignore lint/suspicious/noExplicitAny: a template is changed at any place
type Free = any;

const properties = (template: Free, id: string): Free => template.Resources[id].Properties;
const policy = (template: Free, role: string, name: string): Free =>
  properties(template, role)
    .Policies.map((entry: Free) => entry['Fn::If']?.[1] ?? entry)
    .find(({ PolicyName }: Free) => PolicyName === name).PolicyDocument.Statement;
const statement = (template: Free, queuePolicy: string, sid: string): Free =>
  properties(template, queuePolicy).PolicyDocument.Statement.find(({ Sid }: Free) => Sid === sid);

const mapping = 'ReconcileEventSourceMappingSQSReconcileQueue';

type Row = { reason: string; breaks: (template: Free) => unknown; want: readonly string[] };

const rows: readonly Row[] = [
  {
    reason: 'an action of a whole service',
    breaks: (t) => (policy(t, 'ReconcileRole', 'queues')[0].Action = 'sqs:*'),
    want: ['ReconcileRole: allows sqs:*'],
  },
  {
    reason: 'all resources',
    breaks: (t) => (policy(t, 'ResyncRole', 'logs')[0].Resource = '*'),
    want: ['ResyncRole: allows logs:CreateLogStream, logs:PutLogEvents on *'],
  },
  {
    reason: 'all secrets with a beginning, below a condition',
    breaks: (t) => (policy(t, 'ReconcileRole', 'kafka-secret')[0].Resource = { 'Fn::Sub': 'arn:aws:s:::kafka-*' }),
    want: ['ReconcileRole: allows secretsmanager:GetSecretValue on *'],
  },
  {
    reason: 'network interfaces, and the code of the function may make them too',
    breaks: (t) => policy(t, 'ResyncRole', 'network').splice(1, 1),
    want: [
      'ResyncRole: allows ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets, ec2:DeleteNetworkInterface, ec2:AssignPrivateIpAddresses, ec2:UnassignPrivateIpAddresses on *',
    ],
  },
  {
    reason: 'anybody may send',
    breaks: (t) => (statement(t, 'TickQueuePolicy', 'Send').Principal = '*'),
    want: ['TickQueuePolicy: has to name its principals by their roles'],
  },
  {
    reason: 'the whole account may work on the queue',
    breaks: (t) => (statement(t, 'ReconcileQueuePolicy', 'Work').Principal = { AWS: { Ref: 'AWS::AccountId' } }),
    want: ['ReconcileQueuePolicy: has to name its principals by their roles'],
  },
  {
    reason: 'any account may become the forwarder',
    breaks: (t) => (properties(t, 'ForwarderRole').AssumeRolePolicyDocument.Statement[0].Principal = { AWS: '*' }),
    want: ['ForwarderRole: has to name its principals by their roles'],
  },
  {
    reason: 'a dead-letter queue without a policy',
    breaks: (t) => delete t.Resources.TickDeadLetterQueuePolicy,
    want: ['TickDeadLetterQueue: does not deny requests without TLS'],
  },
  {
    reason: 'only receiving needs TLS',
    breaks: (t) => (statement(t, 'ReconcileQueuePolicy', 'TlsOnly').Action = 'sqs:ReceiveMessage'),
    want: ['ReconcileQueue: does not deny requests without TLS'],
  },
  {
    reason: 'the policy of one queue stands at another',
    breaks: (t) => (properties(t, 'TickQueuePolicy').Queues = [{ Ref: 'ReconcileQueue' }]),
    want: ['TickQueue: does not deny requests without TLS'],
  },
  {
    reason: 'messages are stored in the clear',
    breaks: (t) => (properties(t, 'TickQueue').SqsManagedSseEnabled = false),
    want: ['TickQueue: is not encrypted'],
  },
  {
    reason: 'what fails comes back for ever',
    breaks: (t) => delete properties(t, 'ReconcileQueue').RedrivePolicy,
    want: ['ReconcileQueue: has no dead-letter queue'],
  },
  {
    reason: 'a dead-letter queue for anybody',
    breaks: (t) => delete properties(t, 'ReconcileDeadLetterQueue').RedriveAllowPolicy,
    want: ['ReconcileDeadLetterQueue: has to name ReconcileQueue as its only source'],
  },
  {
    reason: 'a dead-letter queue for another queue',
    breaks: (t) => (properties(t, 'TickQueue').QueueName = 'other.fifo'),
    want: ['TickDeadLetterQueue: has to name TickQueue as its only source'],
  },
  {
    reason: 'a message is shown again while a function may still work on it',
    breaks: (t) => (properties(t, 'ReconcileQueue').VisibilityTimeout = 179),
    want: ['ReconcileQueue: VisibilityTimeout is 179, it has to be 180 at least'],
  },
  {
    reason: 'a message is shown again while a request of its pass may still take effect',
    breaks: (t) => {
      properties(t, 'ReconcileLambdaFunction').Timeout = 5;
      properties(t, 'ReconcileQueue').VisibilityTimeout = 64;
    },
    want: ['ReconcileQueue: VisibilityTimeout is 64, it has to be 65 at least'],
  },
  {
    reason: 'one failure fails the whole batch',
    breaks: (t) => delete properties(t, mapping).FunctionResponseTypes,
    want: [`${mapping}: has no ReportBatchItemFailures, so one failure fails its whole batch`],
  },
  {
    reason: 'any number of batches at a time',
    breaks: (t) => delete properties(t, mapping).ScalingConfig,
    want: [`${mapping}: has no MaximumConcurrency`],
  },
  {
    reason: 'more batches than functions may run',
    breaks: (t) => (properties(t, 'ReconcileLambdaFunction').ReservedConcurrentExecutions = 9),
    want: [`${mapping}: MaximumConcurrency is above the reserved 9: throttled is received`],
  },
  {
    reason: 'a filter',
    breaks: (t) => (properties(t, mapping).FilterCriteria = { Filters: [{ Pattern: '{}' }] }),
    want: [`${mapping}: what a filter leaves out is deleted for good`],
  },
  {
    reason: 'the memory that Lambda has by itself',
    breaks: (t) => delete properties(t, 'ResyncLambdaFunction').MemorySize,
    want: ['ResyncLambdaFunction: has no MemorySize'],
  },
  {
    reason: 'one role for both',
    breaks: (t) => (properties(t, 'ResyncLambdaFunction').Role = { 'Fn::GetAtt': ['ReconcileRole', 'Arn'] }),
    want: ['ResyncLambdaFunction: shares its role with another function'],
  },
  {
    reason: 'a password as a parameter',
    breaks: (t) =>
      (properties(t, 'ResyncLambdaFunction').Environment.Variables.KAFKA_SASL_PASSWORD = { Ref: 'KafkaPassword' }),
    want: ['ResyncLambdaFunction: KAFKA_SASL_PASSWORD holds a secret in plain text'],
  },
  {
    reason: 'a secret that CloudFormation looks up, and writes into the configuration',
    breaks: (t) =>
      (properties(t, 'ResyncLambdaFunction').Environment.Variables.KAFKA_LOGIN = '{{resolve:secretsmanager:kafka}}'),
    want: ['ResyncLambdaFunction: KAFKA_LOGIN holds a secret in plain text'],
  },
  {
    reason: 'logs that are kept for ever',
    breaks: (t) => delete properties(t, 'ResyncLogGroup').RetentionInDays,
    want: ['ResyncLambdaFunction: has no log group with RetentionInDays'],
  },
  {
    reason: 'a log group that the function does not write to',
    breaks: (t) => (properties(t, 'ReconcileLogGroup').LogGroupName = '/aws/lambda/reconcile'),
    want: ['ReconcileLambdaFunction: has no log group with RetentionInDays'],
  },
];

describe('T141: the template', () => {
  test('keeps to all rules', () => assert.deepEqual(complaints(goldenTemplate()), []));

  for (const { reason, breaks, want } of rows)
    test(`is refused: ${reason}`, () => {
      const template: Template = goldenTemplate();
      breaks(template);
      assert.deepEqual(complaints(template), want);
    });
});
