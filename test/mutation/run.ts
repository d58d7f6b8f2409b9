/** Runs collected tests one after another, as often as wanted. */
import type { Run, Suite, Test } from './node-test.ts';

/** `problem`: what it failed with */
export type Ended = { readonly id: string; readonly name: string; readonly ms: number; readonly problem?: string };

export type Options = {
  /** ids of those to run; default: all */
  readonly only: ReadonlySet<string> | undefined;
  /** nothing runs after one that failed */
  readonly bail: boolean;
  readonly onStart: (id: string) => void;
};

type Placed = { readonly id: string; readonly name: string; readonly test: Test; readonly suites: readonly Suite[] };

/** Its place among the tests of a file is the id of a test: names can be there twice. */
function* placed(suite: Suite): Iterable<Placed> {
  let count = 0;
  function* walk(suites: readonly Suite[]): Iterable<Placed> {
    for (const test of suites.at(-1)?.tests ?? [])
      if ('tests' in test) yield* walk([...suites, test]);
      else {
        const name = [...suites, test].map(({ name }) => name).join(' › ');
        yield { id: `${suite.name}#${++count}`, name, test, suites };
      }
  }
  yield* walk([suite]);
}

/** @param file a suite that stands for a file */
export async function runFile(file: Suite, { only, bail, onStart }: Options): Promise<readonly Ended[]> {
  const ended: Ended[] = [];
  const chosen = [...placed(file)].filter(({ id }) => only?.has(id) ?? true);
  const open: Suite[] = [];
  /** why the setup of a suite failed: then none of its tests can be trusted */
  const unusable = new Map<Suite, unknown>();
  const leave = async (suites: readonly Suite[]): Promise<void> => {
    while (open.some((suite) => !suites.includes(suite))) await all(open.pop()?.after);
  };
  for (const { id, name, test, suites } of chosen) {
    onStart(id);
    const start = performance.now();
    const problem = await problemOf(async () => {
      await leave(suites);
      for (const suite of suites.slice(open.length)) {
        open.push(suite);
        await all(suite.before).catch((error) => unusable.set(suite, error));
      }
      for (const suite of suites) if (unusable.has(suite)) throw unusable.get(suite);
      for (const { beforeEach } of suites) await all(beforeEach);
      try {
        await test.run();
      } finally {
        for (const { afterEach } of suites.toReversed()) await all(afterEach);
      }
    });
    ended.push({ id, name, ms: performance.now() - start, ...(problem !== undefined && { problem }) });
    if (problem !== undefined && bail) break;
  }
  const problem = await problemOf(() => leave([]));
  if (problem !== undefined) ended.push({ id: `${file.name}#after`, name: `${file.name} › after`, ms: 0, problem });
  return ended;
}

async function all(runs: readonly Run[] = []): Promise<void> {
  for (const run of runs) await run();
}

/**
 * Also what nobody waits for may fail, until all that is due has been done. What fails still later counts against the test
 * that runs then: nothing says whose it is.
 */
async function problemOf(run: Run): Promise<string | undefined> {
  const stray = Promise.withResolvers<never>();
  stray.promise.catch(() => {});
  process.on('uncaughtException', stray.reject).on('unhandledRejection', stray.reject);
  try {
    await Promise.race([run(), stray.promise]);
    await new Promise(setImmediate);
    await Promise.race([stray.promise, undefined]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  } finally {
    process.off('uncaughtException', stray.reject).off('unhandledRejection', stray.reject);
  }
}
