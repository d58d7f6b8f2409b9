/**
 * Random histories of people, objects, topics and brokers, with a process that dies or loses an answer anywhere. A judge
 * watches every write; afterwards the world is left alone and has to come to rest as wanted.
 *
 * `HISTORIES=20000` runs more, `SEED=…` the same ones again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { live } from './simulation.ts';
import { stories } from './steps.ts';

const numRuns = Number(process.env.HISTORIES ?? 2_000);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

test(`${numRuns} random histories lose nothing, come to rest, and say so truly`, async (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.asyncProperty(stories(30), async (story) => assert.deepEqual(await live(story), []));
  await fc.assert(property, { numRuns, seed });
});
