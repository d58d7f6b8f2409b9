import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { passOn } from '../../functions/runner/output.ts';

/** Passes chunks on. @returns what came out, write by write, and the lines that were told of */
async function passed(chunks: readonly (string | Buffer)[]) {
  const [writes, told]: [Buffer[], string[]] = [[], []];
  const to = new Writable({
    write(chunk: Buffer, _, done) {
      writes.push(chunk);
      done();
    },
  });
  const from = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  await passOn(from, to, (line) => told.push(line));
  return { writes: writes.map(String), out: Buffer.concat(writes).toString(), told };
}

const long = 'x'.repeat(300 * 1024);

describe('output', () => {
  test('goes on in whole lines, however it is cut', async () => {
    const { writes, told } = await passed(['on', 'e\ntwo\nth', 'ree\n']);
    assert.deepEqual(writes, ['one\ntwo\n', 'three\n']);
    assert.deepEqual(told, ['one', 'two', 'three']);
  });

  test('a line that was not finished, as by a process that was killed, gets its end and is not told of', async () => {
    const { out, told } = await passed(['one\n{"event":"met']);
    assert.equal(out, 'one\n{"event":"met\n');
    assert.deepEqual(told, ['one']);
  });

  test('a line that is too long goes on in pieces, is not told of, and what follows is', async () => {
    const { out, told } = await passed(['one\n', long, long, 'x\ntwo\n']);
    assert.equal(out, `one\n${long}${long}x\ntwo\n`);
    assert.deepEqual(told, ['one', 'two']);
  });

  test('a letter of several bytes may be cut anywhere', async () => {
    const bytes = Buffer.from('größer\n');
    const { told } = await passed([bytes.subarray(0, 3), bytes.subarray(3)]);
    assert.deepEqual(told, ['größer']);
  });

  test('whatever comes is what goes on, and each line is told of once', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', 'ü', '{'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(text), async (texts) => {
        const whole = texts.join('');
        const { out, told } = await passed(texts.filter((one) => one !== ''));
        assert.equal(out, whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`);
        assert.deepEqual(told, whole.split('\n').slice(0, -1));
      }),
    );
  });

  test('whoever does not read holds up who writes, and nothing is kept meanwhile', async () => {
    const slow = new PassThrough({ highWaterMark: 1 });
    let taken = 0;
    async function* chunks() {
      for (;;) {
        taken += 1;
        yield Buffer.from('line\n');
        if (taken === 1_000) return;
      }
    }
    const all = passOn(Readable.from(chunks(), { highWaterMark: 1 }), slow, () => {});
    for (let turn = 0; turn < 100; turn++) await setImmediate();
    assert.ok(taken < 10, `${taken} taken`);
    slow.resume();
    await all;
    assert.equal(taken, 1_000);
  });
});
