import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as collected from './node-test.ts';
import { type Options, runFile } from './run.ts';

const seen: string[] = [];
const says = (what: string) => () => void seen.push(what);
const fails = (message: string) => () => {
  throw new Error(message);
};

/** What came of tests that are defined like this, a line each, and what they did meanwhile. */
async function ran(define: () => void, { only, bail = false }: Partial<Options> = {}) {
  seen.length = 0;
  const file = await collected.collect('file', define);
  const ended = await runFile(file, { only, bail, onStart: (id) => void seen.push(id) });
  return { lines: ended.map(({ name, problem = 'passed' }) => `${name}: ${problem}`), seen: [...seen], file };
}

test('tests run in their order, with the hooks of their suites around them', async () => {
  const { lines, seen } = await ran(() => {
    collected.before(says('before file'));
    collected.after(says('after file'));
    collected.test('first', says('first'));
    collected.describe('suite', () => {
      collected.before(says('before suite'));
      collected.beforeEach(says('each'));
      collected.afterEach(says('each after'));
      collected.after(says('after suite'));
      collected.test('inner', says('inner'));
    });
    collected.test('last', says('last'));
  });
  assert.deepEqual(lines, ['file › first: passed', 'file › suite › inner: passed', 'file › last: passed']);
  assert.deepEqual(seen, [
    ...['file#1', 'before file', 'first'],
    ...['file#2', 'before suite', 'each', 'inner', 'each after'],
    ...['file#3', 'after suite', 'last', 'after file'],
  ]);
});

test('what fails is told, wherever it does', async () => {
  const { lines } = await ran(() => {
    collected.test('at once', fails('one'));
    collected.test('later', () => Promise.reject(new Error('two')));
    collected.describe('suite', () => {
      collected.beforeEach(fails('three'));
      collected.test('inner', () => {});
    });
    collected.after(fails('four'));
    collected.test('well', () => {});
  });
  assert.deepEqual(lines, [
    'file › at once: one',
    'file › later: two',
    'file › suite › inner: three',
    'file › well: passed',
    'file › after: four',
  ]);
});

test('where the setup of a suite fails none of its tests passes', async () => {
  const { lines, seen } = await ran(() => {
    collected.describe('suite', () => {
      collected.before(fails('no setup'));
      collected.test('first', says('first'));
      collected.test('second', says('second'));
    });
    collected.test('outside', says('outside'));
  });
  assert.deepEqual(lines, [
    'file › suite › first: no setup',
    'file › suite › second: no setup',
    'file › outside: passed',
  ]);
  assert.deepEqual(seen, ['file#1', 'file#2', 'file#3', 'outside']);
});

const three = () => {
  for (const name of ['a', 'b', 'c']) collected.test(name, name === 'b' ? fails('no') : says(name));
};

test('only those that are asked for run, and none after the first failure where that is enough', async () => {
  assert.deepEqual((await ran(three, { only: new Set(['file#1', 'file#3']) })).lines, [
    'file › a: passed',
    'file › c: passed',
  ]);
  assert.deepEqual((await ran(three, { bail: true })).lines, ['file › a: passed', 'file › b: no']);
});

test('a test that expects a context or has options cannot be collected: it would pass without having run', () => {
  const odd = collected.test as (...args: readonly unknown[]) => void;
  assert.throws(() => odd('with a context', (_: unknown) => {}), /not known here/);
  assert.throws(() => odd('with options', { skip: true }, () => {}), /not known here/);
});
