import { Interrupted } from './interrupted.ts';

/** etcd takes no object above 1.5 MiB by default; an event repeats it once, at most three times as long when escaped. */
const longestLine = 6 * 1024 * 1024;

/**
 * Cuts a stream of UTF-8 into lines, without their line breaks; empty lines are left out.
 *
 * @throws Interrupted `garbled` for a line that is too long, or when the stream ends within a line
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let open: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    open.push(first);
    length += first.length;
    if (length > longestLine) throw new Interrupted('garbled', 'a watch event is too long');
    for (const next of rest) {
      const line = open.join('');
      open = [next];
      length = next.length;
      if (line !== '') yield line;
    }
  }
  if (length > 0) throw new Interrupted('garbled', 'the watch ended within an event');
}
