/** What a check is, and how a list of them is run. */

/** `notChecked`: nobody could look, which is neither good nor bad news. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'notChecked';

/** `says`: what was found, one line. `mend`: what to do about it; only things that are well have none. */
export type Finding = { readonly verdict: Verdict; readonly says: string; readonly mend?: string };

export const ok = (says: string): Finding => ({ verdict: 'ok', says });
export const warning = (says: string, mend: string): Finding => ({ verdict: 'warning', says, mend });
export const failed = (says: string, mend: string): Finding => ({ verdict: 'failed', says, mend });
export const notChecked = (says: string, mend: string): Finding => ({ verdict: 'notChecked', says, mend });

/** `name` is unique. `needs`: names of checks in front of it that must not have failed. */
export type Check = {
  readonly area: string;
  readonly name: string;
  readonly needs?: readonly string[];
  /** Whatever it throws is a failure that says its message. */
  readonly run: (signal: AbortSignal) => Promise<Finding>;
  /** what to do when it throws */
  readonly mend: string;
};

export type Checked = Finding & Pick<Check, 'area' | 'name'>;

/**
 * Runs all checks side by side, each as soon as those that it needs have ended. None can stop another.
 *
 * @param withinMs for one check: what has not answered by then has failed
 * @returns in the order of the list
 */
export function runChecks(
  checks: readonly Check[],
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly Checked[]> {
  const running = new Map<string, Promise<Checked>>();
  for (const check of checks) {
    const needed = (check.needs ?? []).map((name) => running.get(name) as Promise<Checked>);
    running.set(check.name, runAfter(check, needed, withinMs, signal));
  }
  return Promise.all(running.values());
}

async function runAfter(
  check: Check,
  needed: readonly Promise<Checked>[],
  withinMs: number,
  signal: AbortSignal,
): Promise<Checked> {
  const { area, name, mend } = check;
  const missing = (await Promise.all(needed)).find(({ verdict }) => verdict === 'failed' || verdict === 'notChecked');
  if (missing !== undefined)
    return { area, name, ...notChecked(`needs: ${missing.name}`, `mend "${missing.name}" first`) };
  const finding = await within(check, withinMs, signal).catch((error: Error) => failed(error.message, mend));
  return { area, name, ...finding };
}

/** A connection that is being made cannot be called off, so it is not waited for. */
async function within({ run }: Check, ms: number, signal: AbortSignal): Promise<Finding> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`no answer within ${ms / 1000} s`)), ms);
  const ended = AbortSignal.any([signal, over.signal]);
  const tooLate = new Promise<never>((_, reject) => {
    ended.addEventListener('abort', () => reject(ended.reason));
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([run(ended), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks once, however many checks want to know. */
export function once<T>(ask: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let asked: Promise<T> | undefined;
  return (signal) => {
    asked ??= ask(signal);
    return asked;
  };
}
