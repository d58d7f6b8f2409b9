/** Messages on the disk before they are deleted. */
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DeadMessage } from '../core/dead-letter.ts';
import { Problem } from './command.ts';

export type Save = {
  readonly file: string;
  /** returns once they are on the disk, whole. @throws Problem when the file cannot be written, and then ever after */
  write(messages: readonly DeadMessage[]): void;
  close(): void;
};

/**
 * A file of its own for what is dropped: a line of JSON for each message, with its body as text. It is made with the first
 * message, for nobody else to read, and never in place of another one.
 *
 * @param name default: named after queue and time, in the working directory
 */
export function openSave(name: string | undefined, queue: string, now: Date): Save {
  const file = name ?? `dead-letters-${queue}-${now.toISOString().replace(/[:.]/g, '-')}.jsonl`;
  let opened: number | undefined;
  let failed: Problem | undefined;
  return {
    file,
    write(messages) {
      if (failed !== undefined) throw failed; // the file may end in half a line
      try {
        opened ??= create(file);
        // writeSync may write less than it is given (write(2)); this one goes on until all is written
        writeFileSync(opened, messages.map((message) => lineOf(queue, message)).join(''));
        fsyncSync(opened);
      } catch (error) {
        failed = problemOf(file, error as NodeJS.ErrnoException);
        throw failed;
      }
    },
    close: () => opened !== undefined && closeSync(opened),
  };
}

function create(file: string): number {
  const opened = openSync(file, 'wx', 0o600);
  // a name is on the disk once its directory is
  const directory = openSync(dirname(resolve(file)), 'r');
  fsyncSync(directory);
  closeSync(directory);
  return opened;
}

const lineOf = (queue: string, { receiptHandle, ...message }: DeadMessage): string =>
  `${JSON.stringify({ queue, ...message })}\n`;

function problemOf(file: string, { code, message }: NodeJS.ErrnoException): Problem {
  const why = code === 'EEXIST' ? 'it is there already: --save names another one' : (code ?? message);
  return new Problem(`cannot write ${file}: ${why}`);
}
