import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createQueues, localAws, type QueueDefinitions, queueRequest, readQueues } from '../../infra/local/queues.ts';

const queue = (QueueName: string, properties = {}) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName, ...properties },
});

describe('a queue definition', () => {
  const definitions: QueueDefinitions = {
    Work: queue('work.fifo', {
      FifoQueue: true,
      VisibilityTimeout: 30,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 3 },
    }),
    Dead: queue('dead.fifo', { FifoQueue: true, RedriveAllowPolicy: { redrivePermission: 'allowAll' } }),
    Plain: queue('plain', { FifoQueue: false }),
    Lost: queue('lost', { RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': 'Nobody.Arn' } } }),
  };

  test('becomes text attributes, with the policy as JSON and the reference as an ARN', () => {
    assert.deepEqual(queueRequest('Work', definitions), {
      QueueName: 'work.fifo',
      Attributes: {
        FifoQueue: 'true',
        VisibilityTimeout: '30',
        RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":3}',
      },
    });
  });

  test('leaves out what one machine does not need and FifoQueue of a standard queue, which SQS refuses', () => {
    assert.deepEqual(queueRequest('Dead', definitions).Attributes, { FifoQueue: 'true' });
    assert.deepEqual(queueRequest('Plain', definitions).Attributes, {});
  });

  test('that refers to nothing is refused by name', () => {
    assert.throws(() => queueRequest('Lost', definitions), /cannot resolve Nobody\.Arn/);
    assert.throws(() => queueRequest('Absent', definitions), /has no queue Absent/);
  });
});

describe('the queues at the SQS server', () => {
  const endpoint = process.env.SQS_ENDPOINT ?? '';
  const sqs = new SQSClient({
    endpoint,
    region: localAws.AWS_REGION,
    credentials: { accessKeyId: localAws.AWS_ACCESS_KEY_ID, secretAccessKey: localAws.AWS_SECRET_ACCESS_KEY },
  });

  test('are as infra/queues.yml says, dead-letter queues included', async () => {
    const { RECONCILE_QUEUE_URL } = await createQueues(endpoint);
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: RECONCILE_QUEUE_URL, AttributeNames: ['All'] }),
    );
    const want = queueRequest('ReconcileQueue', readQueues()).Attributes;
    assert.equal(Attributes?.FifoQueue, 'true');
    assert.equal(Attributes?.VisibilityTimeout, want.VisibilityTimeout);
    assert.deepEqual(JSON.parse(Attributes?.RedrivePolicy ?? ''), JSON.parse(want.RedrivePolicy ?? ''));
  });

  test('are found, not made again, the second time', async () => {
    assert.deepEqual(await createQueues(endpoint), await createQueues(endpoint));
  });
});
