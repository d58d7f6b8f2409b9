import { fakeDeadLetters } from '../support/sqs/fake-dead-letters.ts';
import { FakeQueue } from '../support/sqs/fake-queue.ts';
import { deadLettersContract } from './dead-letters.contract.ts';

deadLettersContract('in memory', async () => {
  const dead = new FakeQueue({ visibilityMs: 30_000 });
  const source = new FakeQueue({ visibilityMs: 30_000, redrive: { maxReceiveCount: 1, deadLetters: dead } });
  let ids = 0;
  return {
    letters: fakeDeadLetters(dead, source),
    put: async (body, group) => dead.send({ body, group, deduplicationId: `put-${++ids}` }),
    fail: async (body, group) => {
      source.send({ body, group, deduplicationId: `failing-${++ids}` });
      for (const { receiptHandle } of source.receive(1)) source.changeVisibility(receiptHandle, 0);
      source.receive(1);
    },
    receive: async (max) => source.receive(max),
  };
});
