import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ListMessageMoveTasksResultEntry, type SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { deadLetterQueue } from '../../functions/adapters/dead-letters.ts';

const queue = 'http://127.0.0.1:9/0/dead.fifo';
const never = new AbortController().signal;

/** A move that ended before ours began. */
const earlier = { StartedTimestamp: 1_000, Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 99 };
const running = (moved: number) => ({
  TaskHandle: 'ours',
  StartedTimestamp: 2_000,
  Status: 'RUNNING',
  ApproximateNumberOfMessagesMoved: moved,
});
/** Ours at its end, when SQS names no handle any more. */
const ended = (moved: number, Status = 'COMPLETED') => ({
  StartedTimestamp: 2_000,
  Status,
  ApproximateNumberOfMessagesMoved: moved,
});
/** One that somebody else has begun since. */
const later = { TaskHandle: 'theirs', StartedTimestamp: 3_000, Status: 'RUNNING', ApproximateNumberOfMessagesMoved: 0 };

/** Moves all at a server that lists `before`, begins, and then lists one of `after` at each poll, the last one for ever. */
async function moved(
  before: readonly ListMessageMoveTasksResultEntry[],
  ...after: (readonly ListMessageMoveTasksResultEntry[])[]
) {
  let lists = [before];
  let requests = 0;
  const send = async (command: object) => {
    if (command instanceof StartMessageMoveTaskCommand) {
      lists = after;
      return { TaskHandle: 'ours' };
    }
    assert.ok(++requests < 100, 'asks without end');
    const Results = lists.length > 1 ? lists.shift() : lists[0];
    return { Results, Attributes: { QueueArn: 'arn' } };
  };
  const told: number[] = [];
  const letters = deadLetterQueue({ send } as unknown as SQSClient, queue, queue);
  const end = await letters.moveAll(
    500,
    (count) => told.push(count),
    async () => {},
    never,
  );
  return { ...end, told };
}

describe('a move by the server', () => {
  test('an earlier one that has ended is not taken for ours, however late ours is listed', async () => {
    const end = await moved([earlier], [earlier], [running(3), earlier], [ended(12), earlier]);
    assert.deepEqual(end, { moved: 12, told: [0, 3] });
  });

  test('a later one of somebody else is not taken for ours', async () => {
    assert.deepEqual(await moved([], [later, ended(12)]), { moved: 12, told: [] });
  });

  for (const Status of ['CANCELLED', 'FAILED'])
    test(`one that is ${Status} says so, with what it has moved`, async () => {
      const end = await moved([], [running(3)], [ended(5, Status)]);
      assert.deepEqual(end, { moved: 5, problem: `the move is ${Status}`, told: [3] });
    });

  test('one that is never listed is not waited for without end', async () => {
    const { problem } = await moved([earlier], [earlier]);
    assert.equal(problem, 'nothing is known of the move');
  });
});
