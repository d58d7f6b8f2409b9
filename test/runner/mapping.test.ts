import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { SQSRecord } from 'aws-lambda';
import { startMapping } from '../../functions/runner/mapping.ts';
import type { Received } from '../../functions/runner/queue.ts';

const record = { messageId: '1', receiptHandle: 'r1', body: '', attributes: { MessageGroupId: 'a' } } as SQSRecord;

/** Works one batch off, and returns what became of it. */
async function workedOff(visibleAt: number, deleted: () => Promise<number> = async () => 0) {
  const batches: Received[] = [{ records: [record], visibleAt }];
  const log = { debug: mock.fn(), info: mock.fn(), warn: mock.fn(), error: mock.fn() };
  const queue = {
    visibilitySeconds: 30,
    depths: async () => ({ waiting: 0, in_flight: 0, dead: 0 }),
    receive: async () => {
      const batch = batches.shift();
      if (batch === undefined) void mapping.stop();
      return batch ?? { records: [], visibleAt };
    },
    delete: mock.fn(deleted),
  };
  const invoke = async () => {
    return { requestId: 'r', pid: 1, coldStart: false, ending: { kind: 'returned', value: undefined } } as const;
  };
  const common = { functionName: 'work', batchSize: 10, concurrency: 1, partialResponses: true };
  const metrics = { begun: mock.fn(), ended: mock.fn(), queueFailed: mock.fn() };
  const mapping = startMapping({ ...common, queue, invoke, log, metrics });
  await mapping.stopped;
  return { queue, log, metrics, mapping };
}

describe('mapping', () => {
  test('what succeeded is deleted while it is hidden', async () => {
    const { queue, log } = await workedOff(Date.now() + 60_000);
    assert.deepEqual(queue.delete.mock.calls[0]?.arguments, [[record]]);
    assert.equal(log.info.mock.calls[0]?.arguments[1].late, 0);
  });

  test('what succeeded after its visibility timeout is not deleted, and is counted: SQS would refuse', async () => {
    const { queue, log } = await workedOff(Date.now() - 1);
    assert.equal(queue.delete.mock.callCount(), 0);
    assert.equal(log.info.mock.calls[0]?.arguments[1].late, 1);
  });

  test('each batch is counted as it begins and as it ends', async () => {
    const { metrics } = await workedOff(Date.now() + 60_000);
    assert.deepEqual(metrics.begun.mock.calls[0]?.arguments, [1]);
    const [ended] = metrics.ended.mock.calls.map((call) => call.arguments[0] as { ms: number });
    assert.deepEqual({ ...ended, ms: 0 }, { ending: 'succeeded', coldStart: false, failed: 0, ms: 0 });
    assert.ok(Number(ended?.ms) >= 0);
  });

  test('messages that could not be deleted are said, and come back', async () => {
    const { log } = await workedOff(Date.now() + 60_000, async () => 1);
    assert.equal(log.warn.mock.calls[0]?.arguments[0], 'not-deleted');
  });

  test('a queue that fails is tried again after a pause', async () => {
    const { log, metrics } = await workedOff(Date.now() + 60_000, async () => {
      throw new Error('away');
    });
    assert.equal(metrics.queueFailed.mock.callCount(), 1);
    assert.equal(log.error.mock.calls[0]?.arguments[0], 'queue-failed');
    assert.equal(log.error.mock.calls[0]?.arguments[1].pauseMillis, 500);
  });
});
