import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { judgeQueue, type QueueName, queueNames, unset } from '../../functions/doctor/queues.ts';
import shipped from '../../functions/doctor/shipped.generated.json' with { type: 'json' };
import { queueAttributes } from '../commands/inspections.ts';
import { table } from '../support/table.ts';

const other = (queue: QueueName): QueueName =>
  ({
    RECONCILE_QUEUE_URL: 'RECONCILE_DLQ_URL',
    RECONCILE_DLQ_URL: 'RECONCILE_QUEUE_URL',
    TICK_QUEUE_URL: 'TICK_DLQ_URL',
    TICK_DLQ_URL: 'TICK_QUEUE_URL',
  })[queue] as QueueName;

type Given = { readonly queue?: QueueName; readonly change: Record<string, string | undefined>; readonly alone?: true };

const judged = ({ queue = 'RECONCILE_QUEUE_URL', change, alone }: Given) => {
  const changed = Object.entries({ ...queueAttributes(queue), ...change }).filter(([, value]) => value !== undefined);
  const attributes = Object.fromEntries(changed) as Record<string, string>;
  const { verdict, says } = judgeQueue(queue, attributes, alone ? undefined : queueAttributes(other(queue)));
  return `${verdict}: ${says}`;
};

/** as `infra/queues.yml` has it */
const receives = shipped.queues.RECONCILE_QUEUE_URL.maxReceiveCount;

const redrive = (to: string, maxReceiveCount: number | string) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${to}`, maxReceiveCount }),
});

table('a queue', judged, [
  { reason: 'as deployed', given: { change: {} }, want: 'ok: reconcile.fifo is as infra/queues.yml says' },
  {
    reason: 'attributes that a server does not report are counted, and no problem',
    given: { change: { DeduplicationScope: undefined, FifoThroughputLimit: undefined } },
    want: 'ok: reconcile.fifo is as infra/queues.yml says (2 of its attributes are not reported by this server)',
  },
  {
    reason: 'a standard queue has no such attribute',
    given: { change: { FifoQueue: undefined } },
    want: 'failed: it is no FIFO queue',
  },
  {
    reason: 'less than six times the timeout of 30 s',
    given: { change: { VisibilityTimeout: '179' } },
    want: 'failed: VisibilityTimeout is 179: less than 180, six times the timeout of its function, so a message could be worked on twice at a time',
  },
  {
    reason: 'more than that is only another number',
    given: { change: { VisibilityTimeout: '600' } },
    want: 'warning: VisibilityTimeout is 600, not 180',
  },
  {
    reason: 'nobody reads dead letters by a function, so their timeout is free',
    given: { queue: 'RECONCILE_DLQ_URL', change: { VisibilityTimeout: '30' } },
    want: 'ok: reconcile-dlq.fifo is as infra/queues.yml says',
  },
  {
    reason: 'the schedule names no id, so ticks need it',
    given: { queue: 'TICK_QUEUE_URL', change: { ContentBasedDeduplication: 'false' } },
    want: 'warning: ContentBasedDeduplication is false, not true',
  },
  {
    reason: 'no dead-letter queue',
    given: { change: { RedrivePolicy: undefined } },
    want: 'failed: it has no dead-letter queue: what fails comes back for ever',
  },
  {
    reason: 'another dead-letter queue than the one that is looked into',
    given: { change: redrive('other.fifo', receives) },
    want: 'failed: its dead letters go to arn:aws:sqs:us-east-1:000000000000:other.fifo, and RECONCILE_DLQ_URL names arn:aws:sqs:us-east-1:000000000000:reconcile-dlq.fifo',
  },
  {
    reason: 'where the other end is unknown the target is not judged',
    given: { change: redrive('other.fifo', receives), alone: true },
    want: 'ok: reconcile.fifo is as infra/queues.yml says',
  },
  {
    reason: 'SQS gives the count as text at times',
    given: { change: redrive('reconcile-dlq.fifo', String(receives)) },
    want: 'ok: reconcile.fifo is as infra/queues.yml says',
  },
  {
    reason: 'the function says DeadLettered at another receive than the queue',
    given: { change: redrive('reconcile-dlq.fifo', 3) },
    want: `failed: maxReceiveCount is 3, and the function counts to ${receives}`,
  },
  {
    reason: 'a key of KMS in place of the own encryption of SQS',
    given: { change: { SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'alias/ours' } },
    want: 'ok: reconcile.fifo is as infra/queues.yml says',
  },
  {
    reason: 'no encryption at all',
    given: { change: { SqsManagedSseEnabled: 'false' } },
    want: 'warning: SqsManagedSseEnabled is false, not true',
  },
  {
    reason: 'a dead-letter queue that takes nothing',
    given: { queue: 'TICK_DLQ_URL', change: { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' } },
    want: 'failed: RedriveAllowPolicy lets no queue send here',
  },
  {
    reason: 'a dead-letter queue that takes those of others',
    given: {
      queue: 'TICK_DLQ_URL',
      change: { RedriveAllowPolicy: '{"redrivePermission":"byQueue","sourceQueueArns":["arn:other"]}' },
    },
    want: 'failed: RedriveAllowPolicy does not let arn:aws:sqs:us-east-1:000000000000:ticks.fifo send here',
  },
  {
    reason: 'a dead-letter queue that takes all, which is the default',
    given: { queue: 'TICK_DLQ_URL', change: { RedriveAllowPolicy: '{"redrivePermission":"allowAll"}' } },
    want: 'ok: ticks-dlq.fifo is as infra/queues.yml says',
  },
  {
    reason: 'several problems are told together, the worst decides',
    given: { change: { MessageRetentionPeriod: '60', VisibilityTimeout: '30' } },
    want: 'failed: VisibilityTimeout is 30: less than 180, six times the timeout of its function, so a message could be worked on twice at a time; MessageRetentionPeriod is 60, not 345600',
  },
]);

describe('the definition that queues are compared with', () => {
  const { Resources } = parse(readFileSync('infra/queues.yml', 'utf8'));

  test('has all queues of infra/queues.yml, and all are as defined', () => {
    assert.equal(queueNames.length, Object.keys(Resources).length);
    for (const queue of queueNames) assert.match(judged({ queue, change: {} }), /^ok: /);
  });

  test('a queue whose variable is not set is named, and says nothing of the queue', () => {
    assert.deepEqual(unset('TICK_QUEUE_URL'), {
      verdict: 'notChecked',
      says: 'TICK_QUEUE_URL is not set',
      mend: 'set it to the URL of the queue ticks.fifo',
    });
  });
});
