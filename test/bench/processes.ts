/** What processes cost, from /proc (Linux; elsewhere nothing is known). @see proc(5) */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** `processes` at the same time under one name. `rss` and `pss` in bytes. */
export type Usage = {
  readonly cpuSeconds: number;
  readonly rss: number;
  readonly pss: number;
  readonly processes: number;
};
export type UsageByName = ReadonlyMap<string, Usage>;

/** Those of the runner are told apart by the bundle they run, the function's name. */
export type Watched = ReadonlyMap<string, number>;

const known = existsSync('/proc/self/stat');
const ticksPerSecond = known ? Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100 : 100;

/**
 * @param watched name → pid
 * @returns by name, and for the children of the one named `runner` by function
 */
export function usageOf(watched: Watched): UsageByName {
  const usage = new Map<string, Usage>();
  for (const [pid, name] of namesByPid(watched)) add(usage, name, measure(pid));
  return usage;
}

/** All processes that are there now, those of the functions included. */
export function namesByPid(watched: Watched): ReadonlyMap<number, string> {
  if (!known) return new Map();
  return new Map(
    [...watched].flatMap(([name, pid]): [number, string][] => [
      [pid, name],
      ...(name === 'runner' ? childrenOf(pid).map((child): [number, string] => [child, functionOf(child)]) : []),
    ]),
  );
}

/** CPU seconds that all processes of this machine have used since it started; undefined where that is not known. */
export function machineCpuSeconds(): number | undefined {
  if (!known) return undefined;
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(/\s+/).slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq].reduce((sum: number, value = 0) => sum + value, 0);
  return ticks / ticksPerSecond;
}

/** CPU seconds between two looks, by name. A process that ended in between counts to its parent. */
export function cpuBetween(before: UsageByName, after: UsageByName): Readonly<Record<string, number>> {
  const names = [...after.keys()];
  return Object.fromEntries(
    names.map((name) => [name, (after.get(name)?.cpuSeconds ?? 0) - (before.get(name)?.cpuSeconds ?? 0)]),
  );
}

function add(usage: Map<string, Usage>, name: string, more: Usage | undefined): void {
  if (more === undefined) return;
  const { cpuSeconds, rss, pss, processes } = usage.get(name) ?? { cpuSeconds: 0, rss: 0, pss: 0, processes: 0 };
  usage.set(name, {
    cpuSeconds: cpuSeconds + more.cpuSeconds,
    rss: rss + more.rss,
    pss: pss + more.pss,
    processes: processes + 1,
  });
}

/** @returns undefined for a process that has ended meanwhile */
function measure(pid: number): Usage | undefined {
  try {
    const fields = statOf(pid);
    // utime, stime, and those of the children it has waited for: fields 14 to 17
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
    return { cpuSeconds: ticks / ticksPerSecond, rss: bytes('Rss'), pss: bytes('Pss'), processes: 1 };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  }
}

/** From field 3 on: the name before may hold spaces and brackets. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** The bundle among its arguments, such as `dist/reconcile.cjs`. */
function functionOf(pid: number): string {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const bundle = args.findLast((arg) => arg.endsWith('.cjs')) ?? 'other';
  return bundle.slice(bundle.lastIndexOf('/') + 1).replace('.cjs', '');
}
