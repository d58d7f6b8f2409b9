/** `npm start`: brings up the system and keeps it up until Ctrl-C, `npm stop`, or the end of one of its parts. */
import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { npmWouldKeep, readOptions, type StartOptions, usage } from './options.ts';
import { refuseKeptByNpm, runProgram } from './program.ts';
import { alreadyRuns, DirectoryTaken, prepareDirectory, supervisorLogOf, supervisorOf, takeFailure } from './state.ts';

const call = 'npm start';

async function main(args: string[]): Promise<void> {
  refuseKeptByNpm(npmWouldKeep, call, process.env);
  const options = readOptions(args);
  const running = supervisorOf(options.dir);
  if (running !== undefined) throw new DirectoryTaken(alreadyRuns(options.dir, running));
  // The detached process is connected to this program: that one has told it.
  const failure = process.connected ? undefined : takeFailure(options.dir);
  if (failure !== undefined) say(`The system that ran in the background has ended by itself: ${failure}\n`);
  if (options.detach) return detach(options, args);
  const { supervise } = await import('./supervise.ts'); // loads every client package: only where it is needed
  await supervise(options, say);
}

/** Progress goes to whoever waits: the process that detached this one, or the terminal. */
const say = (line: string) => {
  process.stderr.write(`${line}\n`);
  if (process.connected) process.send?.({ line });
};

/** Starts this program again without a terminal, repeats what it says, and leaves when everything serves. */
async function detach({ dir }: StartOptions, args: readonly string[]): Promise<void> {
  prepareDirectory(dir);
  mkdirSync(dirname(supervisorLogOf(dir)), { recursive: true });
  const log = openSync(supervisorLogOf(dir), 'w', 0o600);
  const rest = args.filter((arg) => arg !== '--detach');
  const child = fork(import.meta.filename, rest, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'));
  process.stderr.on('error', () => {}); // nobody reads on (`| head`): what runs in the background does not mind
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on('message', (message: { line?: string; ready?: true }) => {
    if (message.line !== undefined) process.stderr.write(`${message.line}\n`);
    if (message.ready) resolve();
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
    resolve();
  });
  await promise;
  if (child.connected) child.disconnect();
  child.unref();
}

await runProgram({ name: 'start', call, usage, main, say });
