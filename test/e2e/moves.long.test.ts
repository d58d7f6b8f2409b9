/** The whole system on three brokers in three racks, for the objects with certain labels, and with a limit on its moves. */
import { after, describe } from 'node:test';
import { ours, startMoves } from '../support/e2e/three-brokers.ts';
import { gauges } from './metrics.ts';
import { brokersThatGo } from './moves/down.ts';
import { interruptedMoves } from './moves/interrupted.ts';
import { othersMoves } from './moves/others.ts';
import { ownMoves } from './moves/own.ts';
import { selectors } from './selectors.ts';

const world = await startMoves();
after(() => world.stop());

describe('brokers that go', () => brokersThatGo(world));
describe('moves of our own', () => ownMoves(world));
describe('moves of others', () => othersMoves(world));
describe('label selectors', () => selectors(world));
describe('metrics', () =>
  gauges(world, ours, ({ team, legacy }) => ['moves', 'a'].includes(team ?? '') && legacy === undefined));
describe('moves that are interrupted', () => interruptedMoves(world));
