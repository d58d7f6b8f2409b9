/** The built function before a real API server and real brokers, message by message: what a queue would not show. */
import { after, describe } from 'node:test';
import { startCrashWorld } from '../support/e2e/crash-world.ts';
import { batches } from './worker/batches.ts';
import { guard } from './worker/guard.ts';
import { lateness } from './worker/lateness.ts';
import { rivals } from './worker/rivals.ts';
import { statusWrites } from './worker/status-writes.ts';
import { withoutRulesAtAll } from './worker/without-rules.ts';

const world = await startCrashWorld();
after(() => world.stop());

describe('batches', () => batches(world));
describe('guard', () => guard(world));
describe('rivals', () => rivals(world));
describe('answers and requests that are late', () => lateness(world));
describe('status writes', () => statusWrites(world));
describe('objects that the rules would not let in', () => withoutRulesAtAll(world));
