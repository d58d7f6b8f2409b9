/**
 * Stryker's test runner: all test files are loaded into one process, in which Stryker changes the code and which knows which
 * test reaches which line. A process for each file and change, as its runner for `node:test` has it, takes ten times as long.
 *
 * What runs as a module is loaded (a table, a function's definition) is changed only by loading it: test files are loaded anew
 * then, under new addresses, one after another until a test fails. Node never forgets a module, so the process ends after
 * some of that (`maxTestRunnerReuse`).
 */
import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { collect, type Suite } from './node-test.ts';
import { type Ended, runFile } from './run.ts';

const collector = import.meta.resolve('./node-test.ts');

function context(): InstrumenterContext {
  const all = globalThis as unknown as Record<string, InstrumenterContext | undefined>;
  all[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
  return all[INSTRUMENTER_CONSTANTS.NAMESPACE] as InstrumenterContext;
}

const resultOf = ({ id, name, ms, problem }: Ended): TestResult => ({
  ...{ id, name, timeSpentMs: ms },
  ...(problem === undefined ? { status: TestStatus.Success } : { status: TestStatus.Failed, failureMessage: problem }),
});

class InOneProcess implements TestRunner {
  static readonly inject = tokens(commonTokens.options);
  /** relative to the directory with the changed code; those that found something lately come first */
  readonly #files: string[];
  /** of this generation, by file */
  readonly #suites = new Map<string, Suite>();
  #generation = 0;
  /** who imports a module, by address without generation */
  readonly #importers = new Map<string, Set<string>>();

  constructor(options: Readonly<Record<string, unknown>>) {
    this.#files = globSync(options.tests as string[]).sort();
    const ours = pathToFileURL(join(process.cwd(), '/')).href;
    registerHooks({
      resolve: (specifier, parent, next) => {
        if (specifier === 'node:test') return { url: collector, shortCircuit: true };
        const resolved = next(specifier, parent);
        if (!resolved.url.startsWith(ours) || resolved.url.includes('/node_modules/')) return resolved;
        const importers = this.#importers.get(resolved.url) ?? new Set();
        this.#importers.set(resolved.url, importers.add(parent.parentURL?.replace(/\?\d+$/, '') ?? ''));
        return { ...resolved, url: `${resolved.url}?${this.#generation}` };
      },
    });
  }

  capabilities = () => ({ reloadEnvironment: true });

  async dryRun({ disableBail }: DryRunOptions): Promise<DryRunResult> {
    await this.#loadAll();
    const tests = await this.#run(this.#files, undefined, !disableBail);
    const { mutantCoverage } = context();
    return { status: DryRunStatus.Complete, tests, ...(mutantCoverage && { mutantCoverage }) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, reloadEnvironment, testFilter, hitLimit, disableBail } = options;
    const stryker: { -readonly [Name in keyof InstrumenterContext]: InstrumenterContext[Name] | undefined } = context();
    stryker.hitLimit = hitLimit;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.activeMutant = undefined;
    if (reloadEnvironment) this.#renew();
    if (mutantActivation === 'runtime' || this.#importers.size === 0) await this.#loadAll();
    if (mutantActivation === 'static') this.#renew();
    stryker.activeMutant = activeMutant.id;
    const files = this.#dependents(options.sandboxFileName);
    const tests = await this.#run(files, testFilter && new Set(testFilter), !disableBail);
    return toMutantRunResult(
      determineHitLimitReached(stryker.hitCount, hitLimit) ?? { status: DryRunStatus.Complete, tests },
    );
  }

  #renew(): void {
    this.#suites.clear();
    this.#generation++;
  }

  async #loadAll(): Promise<void> {
    for (const file of this.#files) await this.#suite(file);
  }

  async #suite(file: string): Promise<Suite> {
    const suite = this.#suites.get(file) ?? (await collect(file, () => import(pathToFileURL(file).href)));
    this.#suites.set(file, suite);
    return suite;
  }

  /** The test files that import a module, also by others. What reads it as a file, or in another process, is not counted. */
  #dependents(module: string): readonly string[] {
    const found = new Set([pathToFileURL(module).href]);
    for (const one of found) for (const importer of this.#importers.get(one) ?? []) found.add(importer);
    return this.#files.filter((file) => found.has(pathToFileURL(file).href));
  }

  async #run(files: readonly string[], only: ReadonlySet<string> | undefined, bail: boolean): Promise<TestResult[]> {
    const tests: TestResult[] = [];
    for (const file of [...files]) {
      const ended = await this.#runFile(file, only, bail);
      tests.push(...ended.map(resultOf));
      if (!bail || ended.every(({ problem }) => problem === undefined)) continue;
      this.#files.splice(this.#files.indexOf(file), 1);
      this.#files.unshift(file);
      break;
    }
    return tests;
  }

  /** A file that cannot be loaded fails as each of its tests would. */
  async #runFile(file: string, only: ReadonlySet<string> | undefined, bail: boolean): Promise<readonly Ended[]> {
    const onStart = (id: string) => {
      context().currentTestId = id;
    };
    try {
      return await runFile(await this.#suite(file), { only, bail, onStart });
    } catch (error) {
      return [{ id: file, name: file, ms: 0, problem: String(error) }];
    }
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'one-process', InOneProcess)];

/** `testFiles` is an option of Stryker's own, for less than all tests: with it what runs as a module is loaded stays unchanged. */
export const strykerValidationSchema = { properties: { tests: { type: 'array', items: { type: 'string' } } } };
