/** One holder at a time, across processes. A holder that died without a word does not block anybody. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isRunning, type ProcessId } from './process.ts';

export type Lock = { release(): void };

/**
 * Takes the lock file, or says who holds it.
 *
 * @param path in a directory that exists
 */
export function tryLock(path: string): Lock | { readonly heldBy: ProcessId } {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    for (;;) {
      if (link(mine, path)) return { release: () => rmSync(path, { force: true }) };
      const holder = holderOf(path);
      if (holder !== undefined && isRunning(holder)) return { heldBy: holder };
      takeAway(path, holder, `${mine}.stale`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** @returns who wrote the lock file, running or not; undefined when there is none */
export function holderOf(path: string): ProcessId | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessId;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A link, unlike a plain creation, makes the file appear with its content. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Between the look and the move another process may have taken the lock: then it gets it back. */
function takeAway(path: string, dead: ProcessId | undefined, aside: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const taken = holderOf(aside);
  if (taken?.pid !== dead?.pid || taken?.startedAt !== dead?.startedAt) link(aside, path);
  rmSync(aside, { force: true });
}
