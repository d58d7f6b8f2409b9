import { requestQueue, sqsClient, tickQueue } from '../../functions/adapters/sqs.ts';
import { hide, makeQueue, receive, remove, testClient } from '../support/sqs/real-queues.ts';
import { type QueueView, type QueueWorld, requestsContract } from './requests.contract.ts';

const consumer = testClient();
const product = sqsClient(process.env);

const view = (queueUrl: string): QueueView => ({
  receive: (max) => receive(consumer, queueUrl, max),
  delete: async (receiptHandle) => void (await remove(consumer, queueUrl, receiptHandle)),
  hide: async (receiptHandle, seconds) => void (await hide(consumer, queueUrl, receiptHandle, seconds)),
});

requestsContract('on an SQS server', async (): Promise<QueueWorld> => {
  const dead = await makeQueue(consumer);
  const [reconcile, ticks] = [await makeQueue(consumer, { url: dead, maxReceiveCount: 2 }), await makeQueue(consumer)];
  return {
    requests: requestQueue(product, reconcile),
    ticks: tickQueue(product, ticks),
    requestQueue: view(reconcile),
    tickQueue: view(ticks),
    deadLetters: view(dead),
  };
});
