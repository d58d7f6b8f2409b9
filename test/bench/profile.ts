/** Where the product's processes spend their CPU time: sampled by `profiler.ts` inside them, read here. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { until } from '../../infra/local/process.ts';

/** CPU seconds of one kind of process, all its processes together. */
export type Profile = {
  readonly busySeconds: number;
  /** self time, most first: a package of node_modules, `topicsmith`, `node`, or V8's `(garbage collector)`, `(program)` */
  readonly packages: readonly Share[];
  readonly functions: readonly Share[];
};
export type Share = { readonly name: string; readonly seconds: number };

/** What V8 writes, times in µs. @see https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-Profile */
export type CpuProfile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};
type CallFrame = {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
};

const endMs = 10_000;

export class Profiler {
  readonly #folder: string;

  /** @param dir gets a folder for the profiles */
  constructor(dir: string) {
    this.#folder = join(dir, 'profiles');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** For all processes that are to be sampled. */
  get environment(): Record<string, string> {
    const preload = pathToFileURL(join(import.meta.dirname, 'profiler.ts')).href;
    return { NODE_OPTIONS: `--import=${preload}`, BENCH_PROFILES: this.#folder };
  }

  /** @param pids all of them have the environment; those that start meanwhile are sampled from their start */
  start(pids: Iterable<number>): void {
    writeFileSync(join(this.#folder, 'on'), '');
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
  }

  /** @returns by kind, of the processes that are still there */
  async stop(kinds: ReadonlyMap<number, string>): Promise<Readonly<Record<string, Profile>>> {
    rmSync(join(this.#folder, 'on'));
    const files = new Map([...kinds].map(([pid, kind]) => [join(this.#folder, `${pid}.cpuprofile`), kind]));
    for (const pid of kinds.keys()) process.kill(pid, 'SIGUSR2');
    if (!(await until(() => [...files.keys()].every((file) => existsSync(file)), endMs)))
      throw new Error(`not all processes have written their profile after ${endMs / 1000} s`);
    const byKind = new Map<string, CpuProfile[]>();
    for (const [file, kind] of files) {
      byKind.set(kind, [...(byKind.get(kind) ?? []), JSON.parse(readFileSync(file, 'utf8'))]);
      rmSync(file);
    }
    return Object.fromEntries([...byKind].map(([kind, profiles]) => [kind, summarizeProfiles(profiles, originOf)]));
  }
}

/** @param origin package and name of a function, by where it stands */
export function summarizeProfiles(
  profiles: readonly CpuProfile[],
  origin: (frame: CallFrame) => { readonly packageName: string; readonly functionName: string },
): Profile {
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let busySeconds = 0;
  for (const [frame, seconds] of profiles.flatMap(selfTimes)) {
    if (frame.functionName === '(idle)' || frame.url === 'node:inspector') continue; // the latter is the sampling itself
    const { packageName, functionName } = origin(frame);
    busySeconds += seconds;
    packages.set(packageName, (packages.get(packageName) ?? 0) + seconds);
    const name = `${functionName} [${packageName}]`;
    functions.set(name, (functions.get(name) ?? 0) + seconds);
  }
  return { busySeconds, packages: mostFirst(packages), functions: mostFirst(functions).slice(0, 25) };
}

/** A sample stands for the time until the next one. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): [CallFrame, number][] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  return samples.flatMap((id, index): [CallFrame, number][] => {
    const frame = frames.get(id);
    return frame === undefined ? [] : [[frame, (timeDeltas[index + 1] ?? 0) / 1e6]];
  });
}

const mostFirst = (times: ReadonlyMap<string, number>): Share[] =>
  [...times].map(([name, seconds]) => ({ name, seconds })).sort((a, b) => b.seconds - a.seconds);

const maps = new Map<string, SourceMap | undefined>();

/** Through the source map of the bundle that the function is in. */
function originOf({ functionName, url, lineNumber, columnNumber }: CallFrame) {
  if (url === '')
    return { packageName: functionName.startsWith('(') ? 'V8' : 'node', functionName: functionName || '(anonymous)' };
  if (!url.startsWith('file:') && !url.startsWith('/'))
    return { packageName: 'node', functionName: `${functionName || '(anonymous)'} ${url}` };
  const entry = mapOf(url.startsWith('file:') ? fileURLToPath(url) : url)?.findEntry(lineNumber, columnNumber);
  const source = entry !== undefined && 'originalSource' in entry ? entry.originalSource : url;
  const line = entry !== undefined && 'originalLine' in entry ? `:${entry.originalLine + 1}` : '';
  return {
    packageName: packageOf(source),
    functionName: `${functionName || '(anonymous)'} ${source.slice(source.lastIndexOf('/') + 1)}${line}`,
  };
}

function mapOf(bundle: string): SourceMap | undefined {
  if (!maps.has(bundle)) {
    const file = `${bundle}.map`;
    maps.set(bundle, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined);
  }
  return maps.get(bundle);
}

/** `…/node_modules/@scope/name/…` → `@scope/name`. */
export function packageOf(source: string): string {
  const [, scoped] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source) ?? [];
  return scoped ?? 'topicsmith';
}
