import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Longer than any line of figures: 100 values for each metric. */
const longestLine = 256 * 1024;
const newline = 0x0a;

/**
 * Passes on what a process prints, line by line, so that lines of several processes do not mix, and tells of each line.
 * One that is too long goes on in pieces and is not told of. Waits for `to` when that is slow, and with it the process.
 *
 * @param tell must not throw
 * @returns when the process has closed its output; a line that it did not finish gets its end
 */
export async function passOn(from: Readable, to: Writable, tell: (line: string) => void): Promise<void> {
  let rest = Buffer.alloc(0);
  let cut = false; // the line under way has begun to go on already
  for await (const chunk of from) {
    const text = Buffer.concat([rest, chunk as Buffer]);
    const end = text.lastIndexOf(newline) + 1;
    const isTooLong = text.length - end > longestLine;
    rest = isTooLong ? Buffer.alloc(0) : text.subarray(end);
    await write(to, isTooLong ? text : text.subarray(0, end));
    const lines = text.toString('utf8', 0, end).split('\n').slice(0, -1);
    for (const line of cut ? lines.slice(1) : lines) tell(line);
    cut = isTooLong || (cut && end === 0);
  }
  if (rest.length > 0) await write(to, Buffer.concat([rest, Buffer.of(newline)]));
}

async function write(to: Writable, bytes: Buffer): Promise<void> {
  if (bytes.length > 0 && !to.write(bytes)) await once(to, 'drain');
}
