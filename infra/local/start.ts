/** `npm start`: brings up the system and keeps it up until Ctrl-C, `npm stop`, or the end of one of its parts. */
import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { readOptions, type StartOptions, UsageError, usage } from './options.ts';
import { alreadyRuns, DirectoryTaken, prepareDirectory, supervisorLogOf, supervisorOf } from './state.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const running = supervisorOf(options.dir);
  if (running !== undefined) throw new DirectoryTaken(alreadyRuns(options.dir, running));
  if (options.detach) return detach(options);
  const { supervise } = await import('./supervise.ts'); // loads every client package: only where it is needed
  await supervise(options, say);
}

/** Progress goes to whoever waits: the process that detached this one, or the terminal. */
const say = (line: string) => {
  process.stderr.write(`${line}\n`);
  if (process.connected) process.send?.({ line });
};

/** Starts this program again without a terminal, repeats what it says, and leaves when everything serves. */
async function detach({ dir }: StartOptions): Promise<void> {
  prepareDirectory(dir);
  mkdirSync(dirname(supervisorLogOf(dir)), { recursive: true });
  const log = openSync(supervisorLogOf(dir), 'w', 0o600);
  const args = process.argv.slice(2).filter((arg) => arg !== '--detach');
  const child = fork(import.meta.filename, args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'));
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

main().catch((error: Error & { code?: string }) => {
  const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
  const isPlain = isUsage || ['MissingTool', 'DirectoryTaken', 'Unreachable', 'PartFailed'].includes(error.name);
  say(`start: ${isPlain ? error.message : error.stack}`);
  if (isUsage) process.stderr.write(usage);
  process.exitCode = isUsage ? 2 : 1;
});
