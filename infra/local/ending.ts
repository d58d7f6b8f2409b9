/** How a program that runs a system comes to its end without leaving any of its processes. */
import { isRunning, type ProcessId, signalGroup } from './process.ts';

/** Exit code of a shell's Ctrl-C, for an end before all was done. */
export const ENDED_EARLY = 130;

/**
 * @returns a signal that aborts when this program is asked to end, or when nobody reads what it prints any more
 *   (`| head`, a terminal that was closed). Being asked again changes nothing: the parts are being ended already.
 */
export function askedToEnd(): AbortSignal {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => end.abort());
  return end.signal;
}

/** @returns to be called for each process that was spawned: should this program itself fail, it ends by force too */
export function endedWithUs(): (id: ProcessId) => void {
  const spawned: ProcessId[] = [];
  process.on('exit', () => {
    for (const id of spawned.filter(isRunning)) signalGroup(id.pid, 'SIGKILL');
  });
  return (id) => void spawned.push(id);
}
