/** End to end, as in system.test.ts: what is held back, told and counted, what went wrong before, and a fleet. */
import { after, describe } from 'node:test';
import { startWorld } from '../support/e2e/world.ts';
import { approval } from './approval.ts';
import { dangers } from './dangers.ts';
import { deadLetters } from './dead-letters.ts';
import { events } from './events.ts';
import { everything } from './everything.ts';
import { fleet } from './fleet.ts';
import { forged } from './forged.ts';
import { imports } from './imports.ts';
import { metrics } from './metrics.ts';
import { oddBrokers } from './odd-brokers.ts';
import { tenants } from './tenants.ts';

const world = await startWorld();
after(() => world.stop());

describe('metrics', () => metrics(world));
describe('odd brokers', () => oddBrokers(world));
describe('tenants', () => tenants(world));
describe('dangers', () => dangers(world));
describe('approval', () => approval(world));
describe('events', () => events(world));
describe('forged messages', () => forged(world));
describe('imports', () => imports(world));
describe('dead letters', () => deadLetters(world));
describe('everything that is left', () => everything(world));
describe('a fleet', () => fleet(world));
