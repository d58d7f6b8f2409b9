/**
 * What test files get for `node:test` while the code is mutated: it collects their tests, so that they can be run often.
 * A function that is not here, or an option, fails as the file is loaded, rather than pass without having run.
 */

export type Run = () => unknown;
export type Test = { readonly name: string; readonly run: Run };
export type Suite = {
  readonly name: string;
  readonly tests: (Test | Suite)[];
} & Readonly<Record<Hook, Run[]>>;
type Hook = 'before' | 'after' | 'beforeEach' | 'afterEach';

const empty = (name: string): Suite => ({ name, tests: [], before: [], after: [], beforeEach: [], afterEach: [] });
let current = empty('');

/** The tests that `load` defines, in a suite of that name. */
export async function collect(name: string, load: Run): Promise<Suite> {
  const suite = empty(name);
  current = suite;
  await load();
  return suite;
}

function bare(run: Run): Run {
  if (typeof run !== 'function' || run.length > 0) throw new Error('options and context of tests are not known here');
  return run;
}

export function describe(name: string, define: Run): void {
  const outer = current;
  current = empty(name);
  outer.tests.push(current);
  bare(define)();
  current = outer;
}

const hook = (name: Hook) => (run: Run) => void current[name].push(bare(run));

export const test = (name: string, run: Run): void => void current.tests.push({ name, run: bare(run) });
export const before = hook('before');
export const after = hook('after');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');
export const { mock } = process.getBuiltinModule('node:test');
