/**
 * Stryker's test runner: all test files are loaded into one process, in which Stryker changes the code and which knows which
 * test reaches which line. A process for each file and change, as its runner for `node:test` has it, takes ten times as long.
 *
 * What runs as a module is loaded (a table, a function's definition) is changed only by loading it: the files are loaded anew
 * then, under new addresses. Node never forgets a module, so the process ends after some of that (`maxTestRunnerReuse`).
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
import { type Ended, type Options, runFile } from './run.ts';

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
  #suites: Map<string, Suite> | undefined;
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

  /** Whatever loads that module: nothing else can tell how it was loaded. */
  #dependents(url: string): ReadonlySet<string> {
    const found = new Set([url]);
    for (const one of found) for (const importer of this.#importers.get(one) ?? []) found.add(importer);
    return found;
  }

  capabilities = () => ({ reloadEnvironment: true });

  async dryRun({ disableBail }: DryRunOptions): Promise<DryRunResult> {
    const result = await this.#run([...this.#files], undefined, !disableBail);
    const { mutantCoverage } = context();
    return { ...result, ...(mutantCoverage && { mutantCoverage }) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, reloadEnvironment, testFilter, hitLimit, disableBail } = options;
    const stryker: { -readonly [Name in keyof InstrumenterContext]: InstrumenterContext[Name] | undefined } = context();
    stryker.hitLimit = hitLimit;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    if (reloadEnvironment) this.#suites = undefined;
    const problem = await this.#load();
    stryker.activeMutant = activeMutant.id;
    if (problem !== undefined) return toMutantRunResult({ status: DryRunStatus.Complete, tests: [resultOf(problem)] });
    const dependents = this.#dependents(pathToFileURL(options.sandboxFileName).href);
    const files = this.#files.filter((file) => dependents.has(pathToFileURL(file).href));
    const result = await this.#run(files, testFilter && new Set(testFilter), !disableBail);
    return toMutantRunResult(determineHitLimitReached(stryker.hitCount, hitLimit) ?? result);
  }

  /** Code that cannot be loaded fails as each test of it would. */
  async #load(): Promise<Ended | undefined> {
    if (this.#suites !== undefined) return undefined;
    this.#generation++;
    const suites = new Map<string, Suite>();
    for (const file of this.#files)
      try {
        suites.set(file, await collect(file, () => import(pathToFileURL(file).href)));
      } catch (error) {
        return { id: file, name: file, ms: 0, problem: String(error) };
      }
    this.#suites = suites;
    return undefined;
  }

  async #run(files: readonly string[], only: ReadonlySet<string> | undefined, bail: boolean): Promise<DryRunResult> {
    const problem = await this.#load();
    if (problem !== undefined) return { status: DryRunStatus.Error, errorMessage: `${problem.id}: ${problem.problem}` };
    const onStart = (id: string) => {
      context().currentTestId = id;
    };
    const options: Options = { only, bail, onStart };
    const tests: TestResult[] = [];
    for (const file of files) {
      const ended = await runFile(this.#suites?.get(file) as Suite, options);
      tests.push(...ended.map(resultOf));
      if (!bail || ended.every(({ problem }) => problem === undefined)) continue;
      this.#files.splice(this.#files.indexOf(file), 1);
      this.#files.unshift(file);
      break;
    }
    return { status: DryRunStatus.Complete, tests };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'one-process', InOneProcess)];

/** `testFiles` is an option of Stryker's own, for less than all tests: with it what runs as a module is loaded stays unchanged. */
export const strykerValidationSchema = { properties: { tests: { type: 'array', items: { type: 'string' } } } };
