/** Where a process dies, or loses an answer, in the middle of a pass. */
export type Death = {
  /** the outside call at which it happens: counted from 0 over all ports, or the first of that method */
  readonly call: number | string;
  /** `before`: not sent. `after`: carried out, nobody hears of it. `lost`: carried out, the caller sees a timeout. `failed`: not carried out, and the caller sees that it failed. */
  readonly at: 'before' | 'after' | 'lost' | 'failed';
};

/** The error that a caller sees when an answer is lost. */
export type LostAnswer = (method: string, args: readonly unknown[]) => unknown;

/**
 * Ports as one process sees them. Once it is dead nothing it calls is carried out and nothing it waits for answers, as
 * after SIGKILL: its other promises simply never settle.
 */
export class Mortal {
  #death: Death | undefined;
  readonly #died = Promise.withResolvers<'died'>();
  #calls = 0;
  #dead = false;

  constructor(death?: Death) {
    this.#death = death;
  }

  /** Wraps every method of a port. @param lost what a caller gets whose answer is lost; it may throw */
  port<T extends object>(port: T, lost: LostAnswer): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#call(String(name), args, () => member.apply(target, args), lost);
      },
    });
  }

  /** Runs a pass until it ends or dies. */
  async run<T>(work: () => Promise<T>): Promise<T | 'died'> {
    return Promise.race([work(), this.#died.promise]);
  }

  async #call(method: string, args: unknown[], carryOut: () => unknown, lost: LostAnswer): Promise<unknown> {
    if (this.#dead) return forever();
    const here = this.#fateOf(method);
    if (here === 'before') return this.#die();
    if (here === 'failed') return lost(method, args);
    const answer = await carryOut();
    if (here === 'after') return this.#die();
    return here === 'lost' ? lost(method, args) : answer;
  }

  #fateOf(method: string): Death['at'] | undefined {
    const call = this.#calls++;
    const death = this.#death;
    if (death === undefined || (death.call !== call && death.call !== method)) return undefined;
    this.#death = undefined;
    return death.at;
  }

  #die(): Promise<never> {
    this.#dead = true;
    this.#died.resolve('died');
    return forever();
  }
}

const forever = (): Promise<never> => new Promise(() => {});
