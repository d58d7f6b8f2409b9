import type { Logger } from '../adapters/log.ts';

const reasonsKept = 20;

/** Whether something outside can be reached, and if not, why: for readiness, and for one log line per change. */
export class Link {
  readonly #name: string;
  readonly #log: Logger;
  readonly #told = new Set<string>();
  #problem: string | undefined = 'not reached yet';

  constructor(name: string, log: Logger) {
    this.#name = name;
    this.#log = log;
  }

  /** Why it cannot be used now; undefined while it can. */
  get problem(): string | undefined {
    return this.#problem && `${this.#name}: ${this.#problem}`;
  }

  up(): void {
    if (this.#problem !== undefined) this.#log.info('link-up', { link: this.#name });
    this.#problem = undefined;
    this.#told.clear();
  }

  /** Tells each reason once until the link is up again, however often it is tried. */
  down(reason: string): void {
    this.#problem = reason;
    if (this.#told.has(reason) || this.#told.size >= reasonsKept) return;
    this.#told.add(reason);
    this.#log.warn('link-down', { link: this.#name, reason });
  }
}
