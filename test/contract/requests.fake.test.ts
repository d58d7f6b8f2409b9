import { FakeQueue, fakeRequests, fakeTicks } from '../support/sqs/fake-queue.ts';
import { type QueueView, type QueueWorld, requestsContract } from './requests.contract.ts';

const view = (queue: FakeQueue): QueueView => ({
  receive: async (max) => queue.receive(max),
  delete: async (receiptHandle) => queue.delete(receiptHandle),
  hide: async (receiptHandle, seconds) => queue.changeVisibility(receiptHandle, seconds),
});

requestsContract('in memory', async (): Promise<QueueWorld> => {
  const deadLetters = new FakeQueue({ visibilityMs: 30_000 });
  const requestQueue = new FakeQueue({ visibilityMs: 30_000, redrive: { maxReceiveCount: 2, deadLetters } });
  const tickQueue = new FakeQueue({ visibilityMs: 30_000 });
  return {
    requests: fakeRequests(requestQueue),
    ticks: fakeTicks(tickQueue),
    requestQueue: view(requestQueue),
    tickQueue: view(tickQueue),
    deadLetters: view(deadLetters),
  };
});
