/** A part of the local system: one process with a log file, started until it serves, watched until it is stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, lastLines, type ProcessId, signalGroup, until } from './process.ts';

export type PartSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** file that stdout and stderr are appended to */
  readonly log: string;
  /**
   * Does it serve? Asked again and again; throwing means it never will.
   *
   * @param output what it has printed since this start
   */
  readonly ready: (output: () => string) => Promise<boolean>;
  /** how long it may take to end by itself, in milliseconds; 0 for a process whose data goes away with it */
  readonly graceMs: number;
};

/** What the parts of one system share. */
export type Place = {
  /** directory for data and, in `logs`, for the log files; exists */
  readonly dir: string;
  /** called for each process before anything else can fail */
  readonly onSpawn?: (name: string, id: ProcessId) => void;
  readonly signal?: AbortSignal | undefined;
  /** what processes inherit that are given no environment of their own; default: this process's */
  readonly env?: NodeJS.ProcessEnv;
};

/** A part ended although nobody stopped it, or never served. The message names it and shows the tail of its log. */
export class PartFailed extends Error {
  override readonly name = 'PartFailed';
}

/** JVMs on a machine that is busy take their time. */
const READY_TIMEOUT_MS = 180_000;
const TAIL_LINES = 20;

export class Part {
  /** Settles with the reason when the part ends although nobody stopped or killed it. */
  readonly crashed: Promise<PartFailed>;
  readonly name: string;
  readonly log: string;
  #spec: PartSpec;
  #place: Place;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #reportCrash!: (failure: PartFailed) => void;

  constructor(spec: PartSpec, place: Place) {
    this.#spec = spec;
    this.#place = place;
    this.name = spec.name;
    this.log = spec.log;
    this.crashed = new Promise((resolve) => {
      this.#reportCrash = resolve;
    });
  }

  /** undefined while it is not running */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the process and waits until it serves. After `stop` or `kill` it starts again with the same command, hence on
   * the same port and data.
   *
   * @throws PartFailed; the process is gone then
   */
  async start(): Promise<void> {
    const before = existsSync(this.log) ? statSync(this.log).size : 0;
    const output = () => readFileSync(this.log).subarray(before).toString();
    const child = this.#spawn();
    try {
      const ready = await until(
        async () => this.#stillRuns(child) && (await this.#spec.ready(output)),
        READY_TIMEOUT_MS,
        this.#place.signal,
      );
      if (!ready) throw this.#failure(`does not serve after ${READY_TIMEOUT_MS / 1000} s`);
    } catch (error) {
      await this.kill();
      throw error;
    }
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#reportCrash(this.#failure(`ended by itself (${signal ?? `exit code ${code}`})`));
    });
  }

  /** Ends it and its children, by force when it takes longer than its grace. Nothing happens if it does not run. */
  async stop(): Promise<void> {
    const pid = this.#forget();
    if (pid === undefined) return;
    const gone = this.#gone;
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), this.#spec.graceMs);
    signalGroup(pid, this.#spec.graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    await gone;
    clearTimeout(timer);
    signalGroup(pid, 'SIGKILL'); // children that outlived it
  }

  /** Ends it and its children at once, as a crash would. */
  async kill(): Promise<void> {
    const pid = this.#forget();
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    await this.#gone;
  }

  /** Holds it: connections stay open, nothing is answered. */
  pause(): void {
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGCONT');
  }

  /** From here on its end is nobody's concern. */
  #forget(): number | undefined {
    const pid = this.#child?.pid;
    this.#child = undefined;
    return pid;
  }

  #spawn(): ChildProcess {
    const { command, args, env, cwd, log, name } = this.#spec;
    mkdirSync(dirname(log), { recursive: true });
    const output = openSync(log, 'a', 0o600);
    // A group of its own: Ctrl-C on the terminal reaches the supervisor only, and ending the part ends its children.
    const child = spawn(command, args, {
      stdio: ['ignore', output, output],
      detached: true,
      cwd,
      env: env ?? this.#place.env ?? process.env,
    });
    closeSync(output);
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve()); // could not be spawned
    });
    const id = child.pid === undefined ? undefined : identify(child.pid);
    if (id !== undefined) this.#place.onSpawn?.(name, id);
    return child;
  }

  #stillRuns(child: ChildProcess): boolean {
    if (child.pid === undefined) throw this.#failure(`could not be started (${this.#spec.command})`);
    if (child.exitCode === null && child.signalCode === null) return true;
    throw this.#failure(`ended before it served (${child.signalCode ?? `exit code ${child.exitCode}`})`);
  }

  #failure(what: string): PartFailed {
    const tail = existsSync(this.log) ? lastLines(readFileSync(this.log, 'utf8'), TAIL_LINES) : '';
    return new PartFailed(`${this.name} ${what}.${tail === '' ? '' : ` End of ${this.log}:\n${tail}`}`);
  }
}

/** Starts parts at the same time. If one fails, all are ended before it throws. */
export async function startAll(parts: readonly Part[]): Promise<void> {
  const started = await Promise.allSettled(parts.map((part) => part.start()));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await Promise.all(parts.map((part) => part.kill()));
  throw failed.reason;
}
