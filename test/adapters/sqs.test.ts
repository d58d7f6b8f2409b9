import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, mock, test } from 'node:test';
import {
  changeVisibility,
  onEachRequest,
  queueDepth,
  requestQueue,
  sqsClient,
  tickQueue,
} from '../../functions/adapters/sqs.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Envelope } from '../../functions/core/ports.ts';

type Entry = { Id: string; MessageBody: string; MessageDeduplicationId: string };
type Call = { action: string; Entries: Entry[] };
type Answer = { status: number; body: unknown } | 'silence';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** An SQS server that answers as told: what a real one does only under circumstances nobody can order. */
async function scripted(answer: (call: Call) => Answer) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const call = { action: String(request.headers['x-amz-target']).split('.')[1] ?? '', ...JSON.parse(text) } as Call;
    calls.push(call);
    const reply = answer(call);
    if (reply === 'silence') return;
    response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(reply.body));
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { calls, sqs: clientFor(endpoint), url: `${endpoint}/0/reconcile.fifo` };
}

const credentials = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'canary-secret' };

function clientFor(endpoint: string) {
  Object.assign(process.env, credentials);
  return sqsClient({ SQS_ENDPOINT: endpoint }, 200);
}

const taken = ({ Id, MessageBody }: Entry) => ({
  Id,
  MessageId: Id,
  MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
});

const envelopes = (count: number): Envelope[] =>
  Array.from({ length: count }, (_, index) => ({
    request: { v: 1, namespace: 'shop', name: `t-${index}`, trigger: 'change', id: `id-${index}` },
    topicName: `t-${index}`,
    deduplicationId: `id-${index}`,
  }));

const never = new AbortController().signal;
/** [id, message, retryable] of what failed, by id: batches finish in any order. */
const failuresIn = (outcomes: ReadonlyMap<string, unknown>) =>
  [...outcomes]
    .flatMap(([id, outcome]) => (outcome instanceof Failure ? [[id, outcome.message, outcome.retryable] as const] : []))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

describe('sqs', () => {
  test('entries the queue did not take are failures, the others of their batch are sent', async () => {
    const { sqs, url } = await scripted(({ Entries }) => ({
      status: 200,
      body: {
        Successful: Entries.filter(({ Id }) => Id !== '3' && Id !== '5').map(taken),
        Failed: [{ Id: '3', Code: 'InternalError', SenderFault: false, Message: 'try again' }],
      },
    }));
    const outcomes = await requestQueue(sqs, url).send(envelopes(10), never);
    assert.equal(outcomes.size, 10);
    assert.deepEqual(failuresIn(outcomes), [
      ['id-3', 'The queue reconcile.fifo did not take a message: InternalError', true],
      ['id-5', 'The queue reconcile.fifo did not take a message: no answer', true],
    ]);
  });

  test('each message that was taken is a line with the id it has in the queue, and no other is', async () => {
    const { sqs, url } = await scripted(({ Entries }) => ({
      status: 200,
      body: {
        Successful: Entries.filter(({ Id }) => Id !== '0').map((entry) => ({
          ...taken(entry),
          MessageId: `m-${entry.Id}`,
        })),
        Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false, Message: 'try again' }],
      },
    }));
    const info = mock.fn();
    await requestQueue(sqs, url, { info }).send(
      envelopes(2).map((envelope) => ({ ...envelope, generation: 7 })),
      never,
    );
    assert.deepEqual(
      info.mock.calls.map(({ arguments: line }) => line),
      [
        [
          'sent',
          { object: 'shop/t-1', topic: 't-1', generation: 7, trigger: 'change', message: 'id-1', messageId: 'm-1' },
        ],
      ],
    );
  });

  test('a batch that fails leaves the other batches alone', async () => {
    const { sqs, url, calls } = await scripted(({ Entries }) =>
      Entries.some(({ MessageDeduplicationId }) => MessageDeduplicationId === 'id-12')
        ? { status: 400, body: { __type: 'com.amazonaws.sqs#AccessDenied', message: 'no' } }
        : { status: 200, body: { Successful: Entries.map(taken) } },
    );
    const outcomes = await requestQueue(sqs, url).send(envelopes(25), never);
    assert.deepEqual(
      failuresIn(outcomes).map(([id]) => id),
      Array.from({ length: 10 }, (_, index) => `id-${index + 10}`),
    );
    assert.deepEqual(calls.map(({ Entries }) => Entries.length).toSorted(), [10, 10, 5]);
  });

  test('a refusal is named and repeats nothing of the request', async () => {
    const { sqs, url } = await scripted(() => ({
      status: 403,
      body: { __type: 'AccessDenied', message: 'canary-secret' },
    }));
    const outcomes = await requestQueue(sqs, url).send(envelopes(1), never);
    assert.deepEqual(failuresIn(outcomes), [
      ['id-0', 'The queue reconcile.fifo refused the request: AccessDenied', true],
    ]);
  });

  test('a server that does not answer is given up after the timeout', async () => {
    const { sqs, url } = await scripted(() => 'silence');
    const [failure] = failuresIn(await requestQueue(sqs, url).send(envelopes(1), never));
    assert.deepEqual(failure, ['id-0', 'The queue reconcile.fifo cannot be reached: ETIMEDOUT', true]);
  });

  test('a server that is not there is a failure for requests, ticks, delays and depth', async () => {
    const sqs = clientFor('http://127.0.0.1:1');
    const url = 'http://127.0.0.1:1/0/reconcile.fifo';
    const lost = (error: unknown) =>
      error instanceof Failure && error.retryable && /cannot be reached: ECONNREFUSED/.test(error.message);
    assert.ok(lost((await requestQueue(sqs, url).send(envelopes(1), never)).get('id-0')));
    assert.ok(lost((await changeVisibility(sqs, url, [{ receiptHandle: 'h', seconds: 1 }], never)).get('h')));
    await assert.rejects(tickQueue(sqs, url).send({ v: 1, tick: 't' }, never), lost);
    await assert.rejects(queueDepth(sqs, url, never), lost);
  });

  test('delays go ten to a request, each with an outcome', async () => {
    const { sqs, url, calls } = await scripted(({ Entries }) => ({
      status: 200,
      body: {
        Successful: Entries.slice(1).map(({ Id }) => ({ Id })),
        Failed: [{ Id: '0', Code: 'MessageNotInflight', SenderFault: true }],
      },
    }));
    const delays = Array.from({ length: 12 }, (_, index) => ({ receiptHandle: `h-${index}`, seconds: index }));
    const outcomes = await changeVisibility(sqs, url, delays, never);
    assert.deepEqual(
      failuresIn(outcomes).map(([handle]) => handle),
      ['h-0', 'h-10'],
    );
    assert.equal(outcomes.get('h-11'), 'done');
    assert.deepEqual(calls.map(({ Entries }) => Entries.length).toSorted(), [10, 2]);
  });

  test('the depth of a queue is told', async () => {
    const { sqs, url } = await scripted(() => ({
      status: 200,
      body: { Attributes: { ApproximateNumberOfMessages: '7', ApproximateNumberOfMessagesNotVisible: '2' } },
    }));
    assert.deepEqual(await queueDepth(sqs, url, never), { waiting: 7, inFlight: 2 });
  });

  test('each request is told of, those that the SDK sends again too', async () => {
    let told = 0;
    const { sqs, url, calls } = await scripted(({ action }) =>
      action === 'GetQueueAttributes'
        ? { status: 503, body: { __type: 'ServiceUnavailable' } }
        : { status: 200, body: { Successful: [{ Id: '0' }] } },
    );
    onEachRequest(sqs, () => void told++);
    await changeVisibility(sqs, url, [{ receiptHandle: 'h', seconds: 1 }], never);
    await assert.rejects(queueDepth(sqs, url, never));
    assert.deepEqual([told, calls.length], [3, 3]);
  });

  for (const address of [
    'https://queue.example.com',
    'http://localhost:9324',
    'http://127.0.0.1:9324',
    'http://[::1]:9324',
    '',
  ])
    test(`T132: an endpoint is taken: ${address || 'none, the one of the region'}`, () => {
      assert.doesNotThrow(() => sqsClient({ SQS_ENDPOINT: address }).destroy());
    });

  test('an address that is no URL is refused with its name', () => {
    assert.throws(() => sqsClient({ SQS_ENDPOINT: 'localhost' }), /SQS_ENDPOINT is "localhost": it has to be a URL/);
  });
});
