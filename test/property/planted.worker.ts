/** A thread with one bug in its core: the file is changed on its way into memory, nothing on disk is touched. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import type { Planted } from './planted.ts';

export type Task = { readonly bug: Planted | undefined; readonly seed: number; readonly histories: number };
/** `after`: how many histories it took; absent when none showed it. */
export type Found = { readonly after?: number; readonly violation?: string };

const { bug, seed, histories } = workerData as Task;
const changed = bug && new URL(`../../functions/core/${bug.file}`, import.meta.url).href;

registerHooks({
  load(url, context, nextLoad) {
    if (bug === undefined || url !== changed) return nextLoad(url, context);
    const source = readFileSync(fileURLToPath(url), 'utf8').replace(bug.find, () => bug.replace);
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});

const { live } = await import('./simulation.ts');
const { stories } = await import('./steps.ts');

/** Histories are made up as they are needed. */
const portion = 20;

async function search(): Promise<Found> {
  for (let lived = 0; lived < histories; lived += portion)
    for (const [at, story] of fc.sample(stories(30), { numRuns: portion, seed: seed + lived }).entries()) {
      const [violation] = await live(story).catch((error: Error) => [error.message]);
      if (violation !== undefined) return { after: lived + at + 1, violation };
    }
  return {};
}

parentPort?.postMessage(await search());
