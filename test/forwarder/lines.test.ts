import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Interrupted } from '../../functions/forwarder/interrupted.ts';
import { lines } from '../../functions/forwarder/lines.ts';

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function collected(stream: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of stream) all.push(line);
  return all;
}

const garbled = (error: unknown) => error instanceof Interrupted && error.reason === 'garbled';

describe('lines', () => {
  test('however the bytes are cut, also within a character, the lines are the same', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => `${JSON.stringify(text)}`);
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), sizes, async (wanted, cuts) => {
        const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(''));
        assert.deepEqual(await collected(lines(cut(bytes, cuts))), wanted);
      }),
    );
  });

  test('a stream that ends within a line is garbled, after the lines before it', async () => {
    const reading = lines(cut(Buffer.from('{"a":1}\n{"b":'), [4]));
    assert.deepEqual(await reading.next(), { done: false, value: '{"a":1}' });
    await assert.rejects(reading.next(), garbled);
  });

  test('a line of 5 MB is read, one that never ends is garbled', async () => {
    const long = Buffer.from(`${'x'.repeat(5_000_000)}\n`);
    assert.equal((await collected(lines(cut(long, [65_536]))))[0]?.length, 5_000_000);
    const endless = Buffer.alloc(7_000_000, 'x');
    await assert.rejects(collected(lines(cut(endless, [65_536]))), garbled);
  });
});
