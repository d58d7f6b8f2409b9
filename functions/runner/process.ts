/** Processes that run a function, one invocation at a time each, kept for the next one. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Ending } from './answer.ts';
import type { FromChild, Invoke } from './child.ts';

export type ProcessOptions = {
  /** the file to fork; it gets `bundle` and `exportName` as arguments */
  readonly child: string;
  readonly bundle: string;
  readonly exportName: string;
  /** the whole environment: nothing is inherited */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  /** stop the process between invocations, as Lambda does */
  readonly freeze: boolean;
  /** takes what a process prints; default: the runner's own standard error */
  readonly onOutput?: (output: Readable) => void;
};

export type Invocation = {
  readonly requestId: string;
  readonly pid: number | undefined;
  readonly coldStart: boolean;
  readonly ending: Ending;
};

/** Lambda's limit for loading a function. */
const initMillis = 10_000;

/** The processes of one function. The most recently used one is asked first, so that few stay warm. */
export class ProcessPool {
  readonly #options: ProcessOptions;
  readonly #idle: FunctionProcess[] = [];
  readonly #all = new Set<FunctionProcess>();
  #ended = false;
  #loads = true;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Starts processes ahead of their first invocation. @returns how many of them have loaded the function */
  async warm(count: number): Promise<number> {
    const started = Array.from({ length: count }, () => this.#start());
    this.#idle.push(...started);
    const loaded = await Promise.all(started.map(({ ready }) => ready));
    return loaded.filter(Boolean).length;
  }

  /** Runs the function on an event, in a process that waits or else in a new one. Never rejects. */
  async invoke(event: unknown): Promise<Invocation> {
    const requestId = randomUUID();
    if (this.#ended) return { requestId, pid: undefined, coldStart: false, ending: ended };
    const running = this.#takeIdle() ?? this.#start();
    const coldStart = running.invocations === 0;
    const ending = await running.invoke(requestId, event);
    if (running.alive) this.#idle.push(running);
    return { requestId, pid: running.pid, coldStart, ending };
  }

  /** Whether the process that was started last has loaded the function, or is about to. */
  get loads(): boolean {
    return this.#loads;
  }

  /** Ends all processes at once, also those with an invocation under way, and starts no more. */
  async kill(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#all].map((running) => running.kill()));
  }

  #takeIdle(): FunctionProcess | undefined {
    for (;;) {
      const running = this.#idle.pop();
      if (running === undefined || running.alive) return running;
    }
  }

  #start(): FunctionProcess {
    const started = new FunctionProcess(this.#options);
    this.#all.add(started);
    void started.exited.then(() => this.#all.delete(started));
    void started.ready.then((ready) => {
      this.#loads = ready;
    });
    return started;
  }
}

const ended: Ending = { kind: 'crashed', message: 'the runner is ending' };

class FunctionProcess {
  invocations = 0;
  /** how it ended, in words for people */
  readonly exited: Promise<string>;
  /** whether the bundle was loaded in time */
  readonly ready: Promise<boolean>;
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  /** ends the invocation under way */
  #end: (ending: Ending) => void = () => {};
  #gone = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#child = fork(options.child, [options.bundle, options.exportName], {
      env: options.environment,
      execArgv: [`--max-old-space-size=${options.memoryMegabytes}`],
      // standard output belongs to the runner's own trace
      stdio: ['ignore', options.onOutput === undefined ? 2 : 'pipe', 2, 'ipc'],
    });
    if (this.#child.stdout !== null) options.onOutput?.(this.#child.stdout);
    this.exited = endOf(this.#child).then((how) => {
      this.#gone = true;
      this.#end({ kind: 'crashed', message: how });
      return how;
    });
    this.ready = this.#started();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return !this.#gone && this.#child.connected;
  }

  async invoke(requestId: string, event: unknown): Promise<Ending> {
    const ready = await this.ready;
    if (!ready) return { kind: 'crashed', message: `did not start: ${await this.kill()}` };
    this.invocations += 1;
    if (this.#options.freeze) this.#child.kill('SIGCONT');
    const ending = await this.#ending(requestId, event);
    if (ending.kind === 'timeout') await this.kill();
    else if (this.#options.freeze && this.alive) this.#child.kill('SIGSTOP');
    return ending;
  }

  async kill(): Promise<string> {
    this.#child.kill('SIGKILL'); // works on a stopped process too
    return this.exited;
  }

  async #started(): Promise<boolean> {
    const time = new AbortController();
    const limit = setTimeout(() => time.abort(), initMillis);
    const loaded = once(this.#child, 'message', { signal: time.signal }).then(
      () => true,
      () => false,
    );
    const ready = await Promise.race([loaded, this.exited.then(() => false)]);
    clearTimeout(limit);
    return ready;
  }

  async #ending(requestId: string, event: unknown): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    const listen = (message: FromChild): void => {
      if ('requestId' in message && message.requestId === requestId) resolve(endingOf(message));
    };
    const milliseconds = this.#options.timeoutSeconds * 1000;
    const limit = setTimeout(() => resolve({ kind: 'timeout' }), milliseconds);
    // not a `then` on `exited`: each would stay there as long as the process lives
    this.#end = resolve;
    if (this.#gone) resolve({ kind: 'crashed', message: await this.exited });
    this.#child.on('message', listen);
    const invoke: Invoke = { requestId, event, deadline: Date.now() + milliseconds };
    // an error means that the process is gone, which `exited` reports
    if (this.alive) this.#child.send(invoke, () => {});
    const ending = await promise;
    clearTimeout(limit);
    this.#child.off('message', listen);
    return ending;
  }
}

const endingOf = (message: Exclude<FromChild, { ready: true }>): Ending =>
  'error' in message ? { kind: 'threw', message: message.error } : { kind: 'returned', value: message.value };

function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`));
  child.once('error', (error) => resolve(error.message));
  return promise;
}
