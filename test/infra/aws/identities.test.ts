/** What each identity can do on AWS, and whoever stole it: the policies of the template, evaluated. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { account, deployed, given, region } from '../../support/aws/cloudformation.ts';
import { goldenTemplate } from '../../support/aws/golden-template.ts';
import { allowances, decision, may } from '../../support/aws/iam.ts';

const secret = `arn:aws:secretsmanager:${region}:${account}:secret:AmazonMSK_topicsmith-AbCdEf`;
const otherSecret = `arn:aws:secretsmanager:${region}:${account}:secret:payroll-AbCdEf`;
const key = `arn:aws:kms:${region}:${account}:key/11111111-2222-3333-4444-555555555555`;
const queue = (name: string) => `arn:aws:sqs:${region}:${account}:${name}.fifo`;
const cluster = given.MskClusterArn ?? '';
const topic = (name: string, of = cluster) => `${of.replace(':cluster/', ':topic/')}/${name}`;
const logs = (name: string) =>
  `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/topicsmith-${name}:log-stream:x`;
const functionArn = (name: string) => `arn:aws:lambda:${region}:${account}:function:topicsmith-${name}`;

const { resources } = deployed(goldenTemplate(), {
  KafkaSecretArn: secret,
  KafkaSecretKeyArn: key,
  SubnetIds: 'subnet-1,subnet-2',
  SecurityGroupIds: 'sg-1',
});

const roles = ['ForwarderRole', 'ResyncRole', 'ReconcileRole', 'TickScheduleRole'] as const;

/** Action, resource, and who may. All others may not. */
const table: readonly (readonly [string, string, readonly (typeof roles)[number][]])[] = [
  ['sqs:SendMessage', queue('reconcile'), ['ForwarderRole', 'ResyncRole']],
  ['sqs:SendMessage', queue('ticks'), ['ForwarderRole', 'ResyncRole', 'TickScheduleRole']],
  ['sqs:SendMessage', queue('reconcile-dlq'), []],
  ['sqs:SendMessage', queue('ticks-dlq'), []],
  ['sqs:SendMessage', queue('orders-of-somebody-else'), []],
  ['sqs:ReceiveMessage', queue('reconcile'), ['ReconcileRole']],
  ['sqs:DeleteMessage', queue('reconcile'), ['ReconcileRole']],
  ['sqs:ChangeMessageVisibility', queue('reconcile'), ['ReconcileRole']],
  ['sqs:GetQueueAttributes', queue('reconcile'), ['ForwarderRole', 'ResyncRole', 'ReconcileRole']],
  ['sqs:ReceiveMessage', queue('ticks'), ['ResyncRole']],
  ['sqs:DeleteMessage', queue('ticks'), ['ResyncRole']],
  ['sqs:ChangeMessageVisibility', queue('ticks'), ['ResyncRole']],
  ['sqs:GetQueueAttributes', queue('ticks'), ['ResyncRole']],
  ['sqs:ReceiveMessage', queue('reconcile-dlq'), []],
  ['sqs:PurgeQueue', queue('reconcile'), []],
  ['sqs:SetQueueAttributes', queue('reconcile'), []],
  ['sqs:DeleteQueue', queue('ticks'), []],
  ['secretsmanager:GetSecretValue', secret, ['ResyncRole', 'ReconcileRole']],
  ['secretsmanager:GetSecretValue', otherSecret, []],
  ['secretsmanager:PutSecretValue', secret, []],
  ['kafka-cluster:Connect', cluster, ['ResyncRole', 'ReconcileRole']],
  ['kafka-cluster:DescribeTopic', topic('orders'), ['ResyncRole', 'ReconcileRole']],
  ['kafka-cluster:DescribeTopicDynamicConfiguration', topic('orders'), ['ResyncRole', 'ReconcileRole']],
  ['kafka-cluster:CreateTopic', topic('orders'), ['ReconcileRole']],
  ['kafka-cluster:AlterTopic', topic('orders'), ['ReconcileRole']],
  ['kafka-cluster:AlterTopicDynamicConfiguration', topic('orders'), ['ReconcileRole']],
  ['kafka-cluster:DeleteTopic', topic('orders'), []],
  ['kafka-cluster:AlterCluster', cluster, []],
  ['kafka-cluster:AlterClusterDynamicConfiguration', cluster, []],
  ['kafka-cluster:ReadData', topic('orders'), []],
  ['kafka-cluster:WriteData', topic('orders'), []],
  ['kafka-cluster:DescribeTopic', topic('orders', cluster.replace('/main/', '/other/')), []],
  ['kafka-cluster:AlterTopic', topic('orders', cluster.replace('/main/', '/main-2/')), []],
  ['logs:PutLogEvents', logs('reconcile'), ['ReconcileRole']],
  ['logs:PutLogEvents', logs('resync'), ['ResyncRole']],
  ['ec2:CreateNetworkInterface', '*', ['ResyncRole', 'ReconcileRole']],
  ['ec2:RunInstances', '*', []],
  ['iam:PassRole', `arn:aws:iam::${account}:role/ReconcileRole`, []],
  ['lambda:UpdateFunctionCode', functionArn('reconcile'), []],
  ['lambda:InvokeFunction', functionArn('reconcile'), []],
  ['s3:GetObject', 'arn:aws:s3:::code/topicsmith/reconcile.zip', []],
];

const who = (action: string, resource: string, context = {}) =>
  roles.filter((role) => may(resources, role, action, resource, context));

describe('T146, T180: on AWS', () => {
  for (const [action, resource, allowed] of table)
    test(`${action} on ${resource.split(':').slice(5).join(':') || resource} is for ${allowed.join(', ') || 'nobody'}`, () =>
      assert.deepEqual(who(action, resource), allowed));

  test('the table has all that the roles of forwarder, functions and schedule allow', () => {
    const known = new Set(table.map(([action]) => action));
    const rest = roles.flatMap((role) => allowances(resources, role).map((line) => line.split(' ')[0] ?? ''));
    // allowed to the service only, or tested below with its condition
    const elsewhere = /^(kms:Decrypt|ec2:|logs:CreateLogStream|kafka-cluster:DescribeCluster)/;
    assert.deepEqual(
      [...new Set(rest)].filter((action) => !known.has(action) && !elsewhere.test(action)),
      [],
    );
  });

  test('a stolen forwarder can send names and ask for the depth of their queue, and nothing else', () => {
    assert.deepEqual(allowances(resources, 'ForwarderRole'), [
      `sqs:GetQueueAttributes ${queue('reconcile')}`,
      `sqs:SendMessage ${queue('reconcile')}`,
      `sqs:SendMessage ${queue('ticks')}`,
    ]);
  });

  test('a stolen reconcile function cannot send messages', () => {
    assert.deepEqual(
      allowances(resources, 'ReconcileRole').filter((line) => line.startsWith('sqs:Send')),
      [],
    );
  });

  test('nobody reaches a queue without TLS, not even an administrator', () => {
    const administrator = `arn:aws:iam::${account}:role/administrator`;
    const withoutTls = { 'aws:SecureTransport': 'false' };
    for (const name of ['reconcile', 'reconcile-dlq', 'ticks', 'ticks-dlq'])
      for (const role of [...roles, administrator])
        for (const action of ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:GetQueueAttributes'])
          assert.equal(decision(resources, role, action, queue(name), withoutTls), 'denied', `${role} ${name}`);
  });

  test('network interfaces are for Lambda itself, not for the code of a function', () => {
    for (const [role, name] of [
      ['ReconcileRole', 'reconcile'],
      ['ResyncRole', 'resync'],
    ] as const)
      for (const action of ['ec2:CreateNetworkInterface', 'ec2:DescribeSubnets', 'ec2:DeleteNetworkInterface'])
        assert.equal(may(resources, role, action, '*', { 'lambda:SourceFunctionArn': functionArn(name) }), false);
  });

  test('the key is for reading the secret only', () => {
    const through = { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` };
    assert.deepEqual(who('kms:Decrypt', key, through), ['ResyncRole', 'ReconcileRole']);
    assert.deepEqual(who('kms:Decrypt', key), []);
    assert.deepEqual(who('kms:Encrypt', key, through), []);
  });
});

describe('a parameter', () => {
  const rights = (role: string, parameters: Readonly<Record<string, string>>) =>
    allowances(deployed(goldenTemplate(), parameters).resources, role);
  const gained = (role: string, parameters: Readonly<Record<string, string>>) => {
    const before = new Set(rights(role, {}));
    return rights(role, parameters).filter((line) => !before.has(line));
  };

  test('AllowTopicDeletion lets reconcile delete topics, and nobody else', () => {
    const parameters = { AllowTopicDeletion: 'true' };
    assert.deepEqual(gained('ReconcileRole', parameters), [`kafka-cluster:DeleteTopic ${topic('*')}`]);
    assert.deepEqual(gained('ResyncRole', parameters), []);
  });

  test('AllowReplicaMoves lets reconcile move replicas and limit that, and nobody else', () => {
    const parameters = { AllowReplicaMoves: 'true' };
    assert.deepEqual(gained('ReconcileRole', parameters), [
      `kafka-cluster:AlterCluster ${cluster}`,
      `kafka-cluster:AlterClusterDynamicConfiguration ${cluster}`,
      `kafka-cluster:DescribeClusterDynamicConfiguration ${cluster}`,
    ]);
    assert.deepEqual(gained('ResyncRole', parameters), []);
  });

  test('MskTopicPrefix leaves other topics out', () => {
    const { resources: some } = deployed(goldenTemplate(), { MskTopicPrefix: 'shop.' });
    const change = (name: string) => may(some, 'ReconcileRole', 'kafka-cluster:AlterTopic', topic(name));
    assert.deepEqual([change('shop.orders'), change('billing.orders')], [true, false]);
  });

  test('QueuePrefix is in all that has to do with queues', () => {
    const { resources: made } = deployed(goldenTemplate(), { QueuePrefix: 'staging-' });
    assert.deepEqual(
      [...JSON.stringify(made).matchAll(/[\w-]+\.fifo/g)]
        .map(([name]) => name)
        .filter((name) => !name.startsWith('staging-')),
      [],
    );
    assert.deepEqual(made.TickDeadLetterQueue?.Properties.RedriveAllowPolicy, {
      redrivePermission: 'byQueue',
      sourceQueueArns: [queue('staging-ticks')],
    });
    assert.equal(may(made, 'ForwarderRole', 'sqs:SendMessage', queue('staging-ticks')), true);
    assert.equal(may(made, 'ForwarderRole', 'sqs:SendMessage', queue('ticks')), false);
  });

  test('without SubnetIds there is no network, without KafkaSecretArn no secret, without MskClusterArn no Kafka right', () => {
    const bare = rights('ReconcileRole', { MskClusterArn: '', KafkaSaslMechanism: '' });
    assert.deepEqual([...new Set(bare.map((line) => line.split(':')[0]))], ['logs', 'sqs']);
  });

  test('ForwarderRoleArn makes no role, and lets that one do what ours could', () => {
    const own = `arn:aws:iam::${account}:role/forwarder-by-irsa`;
    const { resources: made, outputs } = deployed(goldenTemplate(), { ForwarderRoleArn: own });
    assert.ok(!('ForwarderRole' in made) && !('ForwarderPodIdentity' in made));
    assert.equal(outputs.ForwarderRoleArn?.Value, own);
    for (const [action, resource, allowed] of table)
      assert.equal(may(made, own, action, resource), allowed.includes('ForwarderRole'), `${action} ${resource}`);
  });

  test('QueueVpcEndpointId keeps senders elsewhere out, but for the schedule, which is in no network', () => {
    const { resources: made } = deployed(goldenTemplate(), { QueueVpcEndpointId: 'vpce-1' });
    const send = (role: string, name: string, context = {}) => may(made, role, 'sqs:SendMessage', queue(name), context);
    const inside = { 'aws:SourceVpce': 'vpce-1' };
    assert.deepEqual([send('ForwarderRole', 'reconcile'), send('ForwarderRole', 'reconcile', inside)], [false, true]);
    assert.deepEqual([send('ForwarderRole', 'ticks'), send('ForwarderRole', 'ticks', inside)], [false, true]);
    assert.equal(send('ForwarderRole', 'reconcile', { 'aws:SourceVpce': 'vpce-2' }), false);
    assert.equal(send('TickScheduleRole', 'ticks'), true);
  });

  for (const [reason, parameters, want] of [
    ['nothing that contradicts itself', {}, []],
    ['IAM without a cluster', { MskClusterArn: '' }, ['KafkaSaslMechanism AWS_MSK_IAM needs MskClusterArn']],
    ['IAM without TLS', { KafkaTls: 'false' }, ['KafkaSaslMechanism AWS_MSK_IAM needs KafkaTls true']],
    [
      'SCRAM without a secret',
      { KafkaSaslMechanism: 'SCRAM-SHA-512' },
      ['This KafkaSaslMechanism needs KafkaSecretArn, with username and password'],
    ],
    ['SCRAM with one', { KafkaSaslMechanism: 'SCRAM-SHA-512', KafkaSecretArn: secret, MskClusterArn: '' }, []],
  ] as const)
    test(`set may be ${want.length === 0 ? '' : 'refused: '}${reason}`, () =>
      assert.deepEqual(deployed(goldenTemplate(), parameters).refusals, want));
});
