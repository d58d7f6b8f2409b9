/** Processes: told apart for certain, run to their end, and ended together with their children. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, told apart by its start time from a later one with the same pid. */
export type ProcessId = { readonly pid: number; readonly startedAt: string };

const POLL_MS = 25;

/** @returns undefined when there is no such process, or only its exit code is left of it */
export function identify(pid: number): ProcessId | undefined {
  const startedAt = existsSync('/proc/self/stat') ? startFromProc(pid) : startFromPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Field 22 of stat, in clock ticks since boot: proc(5). The name before it may hold spaces and brackets. */
function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [state, ...start] = (stdout ?? '').trim().split(/\s+/);
  return state === undefined || state === '' || state.startsWith('Z') ? undefined : start.join(' ');
}

export function isRunning(id: ProcessId): boolean {
  return identify(id.pid)?.startedAt === id.startedAt;
}

/** Sends a signal to a process and its children (it must lead its own group). A group that is gone already is fine. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends processes and their groups: politely, by force after `graceMs`. Returns when all are gone. */
export async function endAll(ids: readonly ProcessId[], graceMs: number): Promise<void> {
  await Promise.all(
    ids.filter(isRunning).map(async (id) => {
      signalGroup(id.pid, 'SIGTERM');
      if (!(await until(() => !isRunning(id), graceMs))) signalGroup(id.pid, 'SIGKILL');
      await until(() => !isRunning(id), Number.POSITIVE_INFINITY);
    }),
  );
}

/**
 * Asks again and again until the answer is yes.
 *
 * @param condition may throw: that ends the waiting at once
 * @returns false when `timeoutMs` passed first
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** ends the command and its children */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs a command to its end.
 *
 * @returns what it printed on stdout
 * @throws Error with the last lines of its output when it fails, the signal's reason when it was ended by that
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { signal, ...rest } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let everything = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
      everything += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      everything += chunk;
    });
    const end = () => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL');
    signal?.addEventListener('abort', end, { once: true });
    child.on('error', reject);
    child.on('close', (code, endedBy) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve(stdout);
      else reject(new Error(`${command} failed (${endedBy ?? `exit code ${code}`}):\n${lastLines(everything, 20)}`));
    });
  });
}

/** The last lines of a text that say something, long ones cut. */
export function lastLines(text: string, count: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => (line.length > 500 ? `${line.slice(0, 500)} ...` : line))
    .join('\n');
}
