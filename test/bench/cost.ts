/** What some work cost, process by process. */
import { cpuBetween, machineCpuSeconds, type Usage, usageOf, type Watched } from './processes.ts';

export type MachineCost = {
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** of whatever else ran on the machine: when it is much, the times say little; undefined where it is not known */
  readonly othersCpuSeconds: number | undefined;
  /** at the end */
  readonly memory: Readonly<Record<string, Usage>>;
};

export async function spending<T>(pids: Watched, work: () => Promise<T>): Promise<{ result: T; cost: MachineCost }> {
  const machineBefore = machineCpuSeconds();
  const before = usageOf(pids);
  const result = await work();
  const after = usageOf(pids);
  const cpuSeconds = cpuBetween(before, after);
  const othersCpuSeconds = others(machineBefore, machineCpuSeconds(), cpuSeconds);
  return { result, cost: { cpuSeconds, othersCpuSeconds, memory: Object.fromEntries(after) } };
}

function others(before: number | undefined, after: number | undefined, ours: MachineCost['cpuSeconds']) {
  if (before === undefined || after === undefined) return undefined;
  return Math.max(0, after - before - Object.values(ours).reduce((sum, seconds) => sum + seconds, 0));
}
