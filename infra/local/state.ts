/**
 * The directory of one running system (`.topicsmith`): who supervises it, which processes it has, how to reach it.
 * What was left there by a system that ended badly is cleared away before the next one starts.
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { holderOf, tryLock } from './lock.ts';
import { endAll, isRunning, type ProcessId } from './process.ts';

export type State = {
  readonly dir: string;
  /** directory for programs: `env` puts it on the PATH where it exists */
  readonly tools: string;
  /** To be called for each process as soon as it runs. */
  record(name: string, id: ProcessId): void;
  /** Says that everything serves. */
  publish(exports: Readonly<Record<string, string>>, ready: unknown): void;
  /** Takes back what `publish` said. */
  retract(): void;
  /** Removes data and credentials, keeps the logs, gives the directory up. */
  release(): void;
};

/** This directory has a running system, or is none of ours. */
export class DirectoryTaken extends Error {
  override readonly name = 'DirectoryTaken';
}

/** of this repository */
export const root = join(import.meta.dirname, '..', '..');

export const defaultDirectory = join(root, '.topicsmith');

const LOCK = 'supervisor';
const PROCESSES = 'processes';
const supervisorLog = 'supervisor.log';
const GRACE_MS = 5_000;

/**
 * Makes the directory ours, for its owner's eyes only.
 *
 * @throws DirectoryTaken when it holds something else: it would be deleted by and by
 */
export function prepareDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true });
  if (readdirSync(dir).length > 0 && !existsSync(join(dir, PROCESSES)))
    throw new DirectoryTaken(`${dir} is not empty and was not made by npm start: choose another directory`);
  chmodSync(dir, 0o700);
  appendFileSync(join(dir, PROCESSES), '');
}

/** @returns the process that supervises the system in this directory, while it lives */
export function supervisorOf(dir: string): ProcessId | undefined {
  const holder = holderOf(join(dir, LOCK));
  return holder !== undefined && isRunning(holder) ? holder : undefined;
}

/**
 * Takes the directory for a new system: ends processes that were left over, removes what they left.
 *
 * @throws DirectoryTaken when a system runs there
 */
export async function claim(dir: string): Promise<State> {
  prepareDirectory(dir);
  const lock = tryLock(join(dir, LOCK));
  if ('heldBy' in lock) throw new DirectoryTaken(alreadyRuns(dir, lock.heldBy));
  await endLeftOvers(dir);
  clear(dir);
  clearLogs(dir);
  const tools = join(dir, 'bin');
  return {
    dir,
    tools,
    record: (name, id) => appendFileSync(join(dir, PROCESSES), `${JSON.stringify({ name, ...id })}\n`),
    publish: (exports, ready) => {
      const path = existsSync(tools) ? pathExport(tools) : '';
      writeFileSync(join(dir, 'env'), `${shellExports(exports)}${path}`, { mode: 0o600 });
      writeWhole(join(dir, 'ready'), `${JSON.stringify(ready, null, 2)}\n`);
    },
    retract: () => rmSync(join(dir, 'ready'), { force: true }),
    release: () => {
      clear(dir);
      lock.release();
    },
  };
}

export const alreadyRuns = (dir: string, { pid }: ProcessId) =>
  `The system in ${dir} runs already (process ${pid}). To stop it: npm stop`;

/** Ends processes that outlived their supervisor. @returns how many there were */
export async function endLeftOvers(dir: string): Promise<number> {
  const file = join(dir, PROCESSES);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const left = lines
    .filter(isWhole)
    .map((line) => JSON.parse(line) as ProcessId)
    .filter(isRunning);
  await endAll(left, GRACE_MS);
  return left.length;
}

/** The last line may be cut where a supervisor was killed while it wrote. */
const isWhole = (line: string) => line.startsWith('{') && line.endsWith('}');

/** Only names of ours: the directory may be somebody's by mistake. */
function clear(dir: string): void {
  const ours = readdirSync(dir).filter((name) => /^(ready|env|bin|data|kubeconfig(\..+)?)$/.test(name));
  for (const name of ours) rmSync(join(dir, name), { recursive: true, force: true });
  writeFileSync(join(dir, PROCESSES), '');
}

function clearLogs(dir: string): void {
  const logs = join(dir, 'logs');
  mkdirSync(logs, { recursive: true });
  for (const name of readdirSync(logs)) if (name !== supervisorLog) rmSync(join(logs, name), { force: true });
}

/** Where a supervisor without a terminal writes. */
export const supervisorLogOf = (dir: string) => join(dir, 'logs', supervisorLog);

/** @returns why the last system without a terminal ended by itself after it had served, with the tail of the log */
export function failureOf(dir: string): string | undefined {
  const log = supervisorLogOf(dir);
  return existsSync(log) ? /^ready\..*^start: (.+)/ms.exec(readFileSync(log, 'utf8'))?.[1]?.trimEnd() : undefined;
}

/** Like `failureOf`, and forgets it. Not while a system runs there: this is where it would write. */
export function takeFailure(dir: string): string | undefined {
  const failure = failureOf(dir);
  if (failure !== undefined) rmSync(supervisorLogOf(dir));
  return failure;
}

const shellExports = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('');

/** In front, once, however often the shell reads the file. */
const pathExport = (tools: string) =>
  `case ":$PATH:" in *:${quoted(tools)}:*) ;; *) export PATH=${quoted(tools)}:"$PATH" ;; esac\n`;

/** One word of a shell, whatever is in it. */
export const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Whoever waits for the file must not read half of it. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
