/** End to end: the whole system is brought up once, used as its users do, and judged from outside. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startWorld } from '../support/e2e/world.ts';
import { badInput } from './bad-input.ts';
import { changes } from './changes.ts';
import { config } from './config.ts';
import { creation } from './creation.ts';
import { identity } from './identity.ts';
import { messages } from './messages.ts';
import { modes } from './modes.ts';
import { naming } from './naming.ts';
import { oddBrokers } from './odd-brokers.ts';
import { outages } from './outages.ts';
import { ownership } from './ownership.ts';
import { races } from './races.ts';

const world = await startWorld();
after(() => world.stop());

describe('outages', () => outages(world));
describe('creation and adoption', () => creation(world));
describe('changes', () => changes(world));
describe('config', () => config(world));
describe('odd brokers', () => oddBrokers(world));
describe('races', () => races(world));
describe('identity and deletion', () => identity(world));
describe('ownership', () => ownership(world));
describe('modes', () => modes(world));
describe('names', () => naming(world));
describe('bad input', () => badInput(world));
describe('messages', () => messages(world));

test('K128: everything that all this has left behind stays as it is, tick after tick', async () => {
  const { a, b, queues } = world;
  const versions = async () => [...(await a.versions()), ...(await b.versions())];
  await queues.drained();
  const before = await versions();
  for (let tick = 0; tick < 3; tick++) await queues.tick();
  assert.deepEqual(await versions(), before);
  assert.ok(before.length > 50);
});

test('in all of this nothing was ever deleted by name, replaced as a whole, or listed as a whole', () => {
  assert.deepEqual(world.violations, []);
});
