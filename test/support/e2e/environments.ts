/** Environments of running processes, as the kernel keeps them. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of a process and all that it has started. @returns name → value, for each process */
export function environmentsFrom(pid: number): readonly ReadonlyMap<string, string>[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => parentOf(one) === pid);
  return [environmentOf(pid), ...children.flatMap(environmentsFrom)];
}

/** The name of a process, in brackets before the other fields, may hold anything. @returns undefined for one that has ended */
function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

const environmentOf = (pid: number): ReadonlyMap<string, string> =>
  new Map(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
