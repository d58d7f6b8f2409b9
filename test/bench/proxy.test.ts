import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Counter, kafkaCounter, sqsCounter, startProxy } from './proxy.ts';

const kafkaRequest = (key: number, bytes: number) => {
  const request = Buffer.alloc(4 + bytes);
  request.writeInt32BE(bytes, 0);
  request.writeInt16BE(key, 4);
  return request;
};

const sqsRequest = (action: string, body: string) =>
  Buffer.from(`POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.${action}\r\nContent-Length: 2\r\n\r\n${body}`);

/** What a counter finds in a stream that arrives in pieces of the given sizes, over and over. */
function countInPieces(counter: Counter, stream: Buffer, sizes: readonly number[]): string[] {
  const found: string[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    found.push(...counter(stream.subarray(at, at + size)));
    at += size;
  }
  return found;
}

const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });

describe('requests are counted however the network cuts the stream', () => {
  test('of Kafka', () => {
    const stream = Buffer.concat([
      kafkaRequest(18, 20),
      kafkaRequest(3, 9),
      kafkaRequest(19, 500),
      kafkaRequest(99, 8),
    ]);
    const want = ['ApiVersions', 'Metadata', 'CreateTopics', 'API 99'];
    fc.assert(fc.property(pieces, (sizes) => assert.deepEqual(countInPieces(kafkaCounter(), stream, sizes), want)));
  });

  test('of SQS', () => {
    const stream = Buffer.concat([sqsRequest('SendMessageBatch', '{}'), sqsRequest('ReceiveMessage', '{}')]);
    const want = ['SendMessageBatch', 'ReceiveMessage'];
    fc.assert(fc.property(pieces, (sizes) => assert.deepEqual(countInPieces(sqsCounter(), stream, sizes), want)));
  });
});

test('a proxy passes both directions on, and counts one of them', async () => {
  const echo = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const proxy = await startProxy(`127.0.0.1:${(echo.address() as AddressInfo).port}`, () => () => ['chunk']);
  const [host = '', port] = proxy.address.split(':');
  const client = connect(Number(port), host);
  client.write('hello');
  const [answer] = await once(client, 'data');
  assert.equal(String(answer), 'hello');
  assert.deepEqual([...proxy.counts], [['chunk', 1]]);
  proxy.close();
  await once(client, 'close');
  echo.close();
});
