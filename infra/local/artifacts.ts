/**
 * What is fetched or built once and used ever after: a directory per part and content, below the user's cache directory.
 * A directory there is complete: it is built aside and renamed, and marked for as long as something is still added to it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLock } from './lock.ts';
import { requireTools, type Tool } from './tools.ts';

export type Artifact = {
  readonly name: string;
  /** what one waits for, as a progress line */
  readonly doing: string;
  /** files that decide the content, besides `key` */
  readonly sources: readonly string[];
  /** anything else that does: options of the build, the platform */
  readonly key: string;
  readonly tools: readonly Tool[];
  /** artifacts with the same lock are built one after the other */
  readonly lock: string;
  readonly build: (into: string, signal: AbortSignal | undefined) => Promise<unknown>;
  /** Adds what can be made only where the artifact stays. It works without: a failure is said, and that is all. */
  readonly finish?: (place: string, signal: AbortSignal | undefined) => Promise<unknown>;
};

export type Progress = (line: string) => void;

const WAIT_MS = 200;

/** `$XDG_CACHE_HOME/topicsmith`, or the same below `~/.cache` (XDG Base Directory: a relative path does not count). */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(base, 'topicsmith');
}

/** Where the artifact is or will be. */
export function placeOf(artifact: Artifact, cache = cacheDirectory()): string {
  const hash = createHash('sha256').update(artifact.key);
  for (const file of artifact.sources) hash.update(`\n${basename(file)}\n`).update(readFileSync(file));
  return join(cache, `${artifact.name}-${hash.digest('hex').slice(0, 16)}`);
}

export const isCached = (artifact: Artifact, cache = cacheDirectory()): boolean => isThere(placeOf(artifact, cache));

const unfinished = (place: string): string => `${place}.unfinished`;
const isThere = (place: string): boolean => existsSync(place) && !existsSync(unfinished(place));

/**
 * Gives the artifact's directory, building it first if it is not in the cache.
 *
 * @throws MissingTool when it must be built and cannot; Error when the build fails
 */
export async function obtain(
  artifact: Artifact,
  progress: Progress,
  signal?: AbortSignal,
  cache = cacheDirectory(),
): Promise<string> {
  const place = placeOf(artifact, cache);
  if (isThere(place)) return place;
  requireTools(artifact.tools);
  mkdirSync(cache, { recursive: true });
  const lock = await waitForLock(join(cache, `${artifact.lock}.lock`), artifact, progress, signal);
  try {
    if (!isThere(place)) await buildInto(place, artifact, progress, signal);
  } finally {
    lock.release();
  }
  return place;
}

async function waitForLock(path: string, artifact: Artifact, progress: Progress, signal: AbortSignal | undefined) {
  for (let told = false; ; told = true) {
    const lock = tryLock(path);
    if ('release' in lock) return lock;
    if (!told) progress(`${artifact.name}: waiting for process ${lock.heldBy.pid}, which is preparing something too`);
    await delay(WAIT_MS, undefined, { signal });
  }
}

async function buildInto(place: string, artifact: Artifact, progress: Progress, signal: AbortSignal | undefined) {
  const started = performance.now();
  const aside = `${place}.incomplete`;
  progress(`${artifact.name}: ${artifact.doing}`);
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  await artifact.build(aside, signal);
  rmSync(place, { recursive: true, force: true }); // whoever made it was cut off
  writeFileSync(unfinished(place), '');
  renameSync(aside, place);
  await finish(place, artifact, progress, signal);
  rmSync(unfinished(place));
  progress(`${artifact.name}: done in ${Math.round((performance.now() - started) / 1000)} s`);
}

async function finish(place: string, artifact: Artifact, progress: Progress, signal: AbortSignal | undefined) {
  try {
    await artifact.finish?.(place, signal);
  } catch (error) {
    signal?.throwIfAborted();
    progress(`${artifact.name}: goes on without what would make it start faster: ${(error as Error).message}`);
  }
}
