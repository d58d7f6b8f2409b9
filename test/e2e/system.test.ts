/** End to end: the whole system is brought up once, used as its users do, and judged from outside. The life of a topic. */
import { after, describe } from 'node:test';
import { startWorld } from '../support/e2e/world.ts';
import { badInput } from './bad-input.ts';
import { changes } from './changes.ts';
import { conditions } from './conditions.ts';
import { config } from './config.ts';
import { creation } from './creation.ts';
import { deletion } from './deletion.ts';
import { identity } from './identity.ts';
import { messages } from './messages.ts';
import { modes } from './modes.ts';
import { naming } from './naming.ts';
import { outages } from './outages.ts';
import { ownership } from './ownership.ts';
import { races } from './races.ts';

const world = await startWorld();
after(() => world.stop());

describe('outages', () => outages(world));
describe('creation and adoption', () => creation(world));
describe('changes', () => changes(world));
describe('config', () => config(world));
describe('races', () => races(world));
describe('identity', () => identity(world));
describe('deletion', () => deletion(world));
describe('ownership', () => ownership(world));
describe('modes', () => modes(world));
describe('names', () => naming(world));
describe('bad input', () => badInput(world));
describe('conditions', () => conditions(world));
describe('messages', () => messages(world));
