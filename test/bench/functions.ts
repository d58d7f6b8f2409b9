/** What the functions would be billed for, from the runner's log: a line of JSON per invocation, and what functions write. */
import { readFileSync, statSync } from 'node:fs';
import type { Directive } from '../../functions/adapters/emf.ts';

export type FunctionUse = {
  readonly invocations: number;
  /** from handing over the event to the answer, cold starts included; ms, summed up */
  readonly ms: number;
  readonly coldStarts: number;
};

export type FunctionsUse = {
  readonly functions: Readonly<Record<string, FunctionUse>>;
  /** bytes that functions wrote to their log, figures included */
  readonly logBytes: number;
  /** figures with their dimensions, each once: what CloudWatch counts as custom metrics */
  readonly series: readonly string[];
};

/** A place in the log. */
export class RunnerMark {
  readonly #path: string;
  readonly #from: number;

  constructor(path: string) {
    this.#path = path;
    this.#from = statSync(path).size;
  }

  /** What was written since the mark. */
  used(): FunctionsUse {
    return usedIn(readFileSync(this.#path).subarray(this.#from).toString().split('\n'));
  }
}

/** @param lines of the runner's log: its own and those of the functions, as they came */
export function usedIn(lines: readonly string[]): FunctionsUse {
  const functions: Record<string, FunctionUse> = {};
  const series = new Set<string>();
  let logBytes = 0;
  for (const line of lines) {
    const entry = parsed(line);
    if (entry === undefined) continue;
    if (isInvocation(entry)) {
      functions[entry.function] = added(functions[entry.function], entry);
      continue;
    }
    logBytes += Buffer.byteLength(line) + 1;
    for (const name of seriesIn(entry)) series.add(name);
  }
  return { functions, logBytes, series: [...series].toSorted() };
}

type Entry = Readonly<Record<string, unknown>>;
type InvocationLine = { readonly function: string; readonly ms: number; readonly coldStart: boolean };

function parsed(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  return JSON.parse(line);
}

const isInvocation = (entry: Entry): entry is Entry & InvocationLine => entry.event === 'invocation';

function added(use: FunctionUse | undefined, { ms, coldStart }: InvocationLine): FunctionUse {
  const { invocations = 0, ms: before = 0, coldStarts = 0 } = use ?? {};
  return { invocations: invocations + 1, ms: before + ms, coldStarts: coldStarts + (coldStart ? 1 : 0) };
}

function seriesIn(entry: Entry): string[] {
  const { CloudWatchMetrics = [] } = (entry._aws ?? {}) as { CloudWatchMetrics?: readonly Directive[] };
  return CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const values = names.map((name) => `${name}=${entry[name]}`);
      return Metrics.map(({ Name }) => [Name, ...values].join(' '));
    }),
  );
}
