import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { metrics } from '../../../functions/core/metrics.ts';
import { reasons } from '../../../functions/core/schema/reasons.ts';
import { lint } from '../../../infra/aws/cfn-lint.ts';
import { settled, type Template } from '../../../infra/aws/template.ts';
import { deployed } from '../../support/aws/cloudformation.ts';
import { goldenTemplate, goldenTemplateFile } from '../../support/aws/golden-template.ts';

const progress = (line: string) => process.stderr.write(`${line}\n`);

describe('T141: cfn-lint', () => {
  test('finds nothing in the template', async () => assert.deepEqual(await lint(goldenTemplateFile, progress), []));

  test('finds what is wrong with another one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'topicsmith-lint-'));
    try {
      const file = join(folder, 'template.json');
      const bad = JSON.stringify(goldenTemplate()).replace('"nodejs24.x"', '"nodejs6.10"');
      writeFileSync(file, bad);
      assert.match((await lint(file, progress)).join('\n'), /E2533:Runtime 'nodejs6\.10' was deprecated/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the template', () => {
  const { resources, outputs } = deployed(goldenTemplate());
  const of = (type: string) => Object.values(resources).filter(({ Type }) => Type === type);

  test('has two functions on arm64 with nodejs24.x, in no VPC where none is given', () => {
    const functions = of('AWS::Lambda::Function').map(({ Properties }) => Properties);
    assert.deepEqual(
      functions.map(({ FunctionName, Runtime, Architectures, VpcConfig }) => [
        FunctionName,
        Runtime,
        Architectures,
        VpcConfig,
      ]),
      [
        ['topicsmith-reconcile', 'nodejs24.x', ['arm64'], undefined],
        ['topicsmith-resync', 'nodejs24.x', ['arm64'], undefined],
      ],
    );
  });

  test('puts both functions into the VPC that is given', () => {
    const { resources: inside } = deployed(goldenTemplate(), {
      SubnetIds: 'subnet-1,subnet-2',
      SecurityGroupIds: 'sg-1',
    });
    for (const id of ['ReconcileLambdaFunction', 'ResyncLambdaFunction'])
      assert.deepEqual(inside[id]?.Properties.VpcConfig, {
        SubnetIds: ['subnet-1', 'subnet-2'],
        SecurityGroupIds: ['sg-1'],
      });
  });

  test('has queues for high throughput', () => {
    assert.equal(of('AWS::SQS::Queue').length, 4);
    for (const { Properties } of of('AWS::SQS::Queue')) {
      const { FifoQueue, DeduplicationScope, FifoThroughputLimit } = Properties;
      assert.deepEqual(
        [FifoQueue, DeduplicationScope, FifoThroughputLimit],
        [true, 'messageGroup', 'perMessageGroupId'],
      );
    }
  });

  test('lets the functions into the cluster as the groups of infra/rbac.yaml, unless somebody else does', () => {
    const groups = of('AWS::EKS::AccessEntry').map(({ Properties }) => [
      Properties.PrincipalArn,
      Properties.KubernetesGroups,
    ]);
    assert.deepEqual(groups, [
      ['arn:aws:iam::111122223333:role/ReconcileRole', ['topicsmith:reconciler']],
      ['arn:aws:iam::111122223333:role/ResyncRole', ['topicsmith:resync']],
    ]);
    const none = Object.values(deployed(goldenTemplate(), { AccessEntries: 'false' }).resources);
    assert.ok(none.every(({ Type }) => Type !== 'AWS::EKS::AccessEntry'));
  });

  test('tells what forwarder and command line have to be told', () => {
    const urls = ['ReconcileQueueUrl', 'TickQueueUrl', 'ReconcileDeadLetterQueueUrl', 'TickDeadLetterQueueUrl'];
    assert.deepEqual(
      urls.map((name) => String(outputs[name]?.Value).split('/').at(-1)),
      ['reconcile.fifo', 'ticks.fifo', 'reconcile-dlq.fifo', 'ticks-dlq.fifo'],
    );
  });

  test('describes every parameter and output', () => {
    const { Parameters = {}, Outputs = {} } = goldenTemplate();
    for (const [name, one] of Object.entries({ ...Parameters, ...Outputs }))
      assert.ok(Reflect.get(one as object, 'Description'), name);
  });
});

describe('an alarm', () => {
  const alarms = Object.values(
    deployed(goldenTemplate(), { AlarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:oncall' }).resources,
  )
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => Properties as Alarm);
  const dimensionsOf = ({ Dimensions = [] }: Alarm) => new Map(Dimensions.map(({ Name, Value }) => [Name, Value]));

  test('of our own is about a metric that exists, with exactly its dimensions and values that occur', () => {
    const own = alarms.filter(({ Namespace }) => Namespace === 'Topicsmith');
    assert.ok(own.length > 5);
    const values: Readonly<Record<string, readonly string[]>> = {
      Reason: Object.keys(reasons),
      Result: ['Written', 'NotWritten'],
    };
    for (const alarm of own) {
      const known: Readonly<Record<string, { dimensions: readonly string[] }>> = metrics;
      assert.deepEqual([...dimensionsOf(alarm).keys()], known[alarm.MetricName]?.dimensions, alarm.MetricName);
      for (const [name, value] of dimensionsOf(alarm)) assert.ok(values[name]?.includes(value), `${name} ${value}`);
    }
  });

  /** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and …/AWSSimpleQueueService/…/sqs-available-cloudwatch-metrics.html */
  const ofAws: Readonly<Record<string, { readonly names: readonly string[]; readonly dimension: string }>> = {
    'AWS/Lambda': { names: ['Errors', 'Throttles'], dimension: 'FunctionName' },
    'AWS/SQS': {
      names: ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
      dimension: 'QueueName',
    },
  };

  test('of AWS is about a metric of a queue or function that is in the stack', () => {
    const names = Object.values(deployed(goldenTemplate()).resources).map(
      ({ Properties }) => Properties.QueueName ?? Properties.FunctionName,
    );
    for (const alarm of alarms.filter(({ Namespace }) => Namespace !== 'Topicsmith')) {
      const { names: known = [], dimension } = ofAws[alarm.Namespace] ?? {};
      assert.ok(known.includes(alarm.MetricName), alarm.MetricName);
      const [[name, value] = []] = dimensionsOf(alarm);
      assert.ok(name === dimension && names.includes(value), `${name} ${value}`);
    }
  });

  test('is there for dead letters, age, errors and throttles of each, and for ticks that do not come', () => {
    const about = alarms.map((alarm) => [alarm.MetricName, ...dimensionsOf(alarm).values()].join(' '));
    for (const wanted of [
      'ApproximateNumberOfMessagesVisible reconcile-dlq.fifo',
      'ApproximateNumberOfMessagesVisible ticks-dlq.fifo',
      'ApproximateAgeOfOldestMessage reconcile.fifo',
      'ApproximateAgeOfOldestMessage ticks.fifo',
      ...['Errors', 'Throttles'].flatMap((name) => [`${name} topicsmith-reconcile`, `${name} topicsmith-resync`]),
      'Ticks',
    ])
      assert.ok(about.includes(wanted), wanted);
  });

  test('of ticks that do not come takes silence for none, for as long as it is told', () => {
    const { resources } = deployed(goldenTemplate(), { AlarmNoTickMinutes: '45' });
    const properties = (resources.NoTickAlarm?.Properties ?? {}) as Partial<Alarm>;
    const { Period, EvaluationPeriods, TreatMissingData, ComparisonOperator, Threshold } = properties;
    assert.deepEqual([Period, EvaluationPeriods], [60, '45']);
    assert.deepEqual([TreatMissingData, ComparisonOperator, Threshold], ['breaching', 'LessThanThreshold', 1]);
  });

  test('tells the topic that is given, and nobody where none is', () => {
    for (const { AlarmActions, OKActions } of alarms)
      assert.deepEqual([AlarmActions, OKActions], Array(2).fill(['arn:aws:sns:eu-west-1:111122223333:oncall']));
    const silent = Object.values(deployed(goldenTemplate()).resources).filter(
      ({ Type }) => Type === 'AWS::CloudWatch::Alarm',
    );
    for (const { Properties } of silent) assert.equal(Properties.AlarmActions, undefined);
  });

  test('on figures is not there where there are none', () => {
    const { resources } = deployed(goldenTemplate(), { MetricsNamespace: 'none' });
    assert.ok(Object.values(resources).every(({ Properties }) => Properties.Namespace !== 'none'));
  });
});

describe('what osls gives', () => {
  const given: Template = {
    Resources: {
      Work: {
        Type: 'AWS::Lambda::Function',
        Properties: { Code: { S3Bucket: 'b', S3Key: 'some/time/work.zip' }, Role: { 'Fn::GetAtt': ['Role', 'Arn'] } },
        DependsOn: ['Role', 'Logs'],
      },
      Role: { Type: 'AWS::IAM::Role' },
    },
    Outputs: { ServerlessDeploymentBucketName: {}, Url: {} },
  };

  test('loses its time, its bucket and what is said twice', () => {
    const { Resources, Outputs, Rules } = settled(given, new Map([['Work', 'work-1.zip']]), { Rules: {} });
    assert.deepEqual(Resources.Work, {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Sub': `\${CodePrefix}work-1.zip` } },
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      },
      DependsOn: ['Logs'],
    });
    assert.deepEqual([Resources.Role, Outputs, Rules], [{ Type: 'AWS::IAM::Role' }, { Url: {} }, {}]);
  });
});

type Alarm = {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly ComparisonOperator: string;
  readonly Threshold: number;
};
