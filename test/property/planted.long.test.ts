/** The histories are worth something: each of these bugs in the core is seen by them. `npm test` prints how soon. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Planted, planted } from './planted.ts';
import type { Found, Task } from './planted.worker.ts';

/** The same for all, so that a bug is either always seen or never. */
const seed = 110_000;
const histories = 1_500;

function search(bug: Planted | undefined): Promise<Found> {
  const task: Task = { bug, seed, histories: bug === undefined ? 200 : histories };
  const worker = new Worker(new URL('./planted.worker.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

describe('a bug that is planted in the core is caught', { concurrency: 2 }, () => {
  test('and without one nothing is', async () => {
    assert.deepEqual(await search(undefined), {});
  });

  for (const bug of planted)
    test(bug.reason, async (context) => {
      const source = readFileSync(new URL(`../../functions/core/${bug.file}`, import.meta.url), 'utf8');
      assert.equal(source.split(bug.find).length, 2, `${bug.file} no longer has this text once: ${bug.find}`);
      const { after, violation } = await search(bug);
      assert.ok(after !== undefined, `not seen in ${histories} histories`);
      context.diagnostic(`after ${after} histories: ${violation}`);
    });
});
