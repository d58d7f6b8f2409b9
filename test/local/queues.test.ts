import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type QueueDefinitions, queueRequest } from '../../infra/local/queues.ts';

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
