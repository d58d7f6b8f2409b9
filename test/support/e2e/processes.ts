import { join } from 'node:path';
import { ProcessPool } from '../../../functions/runner/process.ts';

const bundles = join(import.meta.dirname, '..', '..', '..', 'dist');

/** The process that works now, and one that waits to take its place. */
export class Processes {
  readonly #environment: Readonly<Record<string, string>>;
  #current: ProcessPool;
  #spare: ProcessPool;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
    this.#current = this.#start();
    this.#spare = this.#start();
  }

  invoke(event: unknown) {
    return this.#current.invoke(event);
  }

  /** SIGKILL. @returns when it has ended */
  async killCurrent(): Promise<void> {
    const dying = this.#current;
    this.#current = this.#spare;
    this.#spare = this.#start();
    await dying.kill();
  }

  async end(): Promise<void> {
    await Promise.all([this.#current.kill(), this.#spare.kill()]);
  }

  #start(): ProcessPool {
    const pool = new ProcessPool({
      child: join(bundles, 'runner-child.cjs'),
      bundle: join(bundles, 'reconcile.cjs'),
      exportName: 'handler',
      environment: this.#environment,
      memoryMegabytes: 512,
      timeoutSeconds: 30,
      freeze: false,
    });
    pool.warm(1);
    return pool;
  }
}
