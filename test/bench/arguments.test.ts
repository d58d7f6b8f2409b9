import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { table } from '../support/table.ts';
import { optionsOf, phaseNames, UsageError } from './arguments.ts';

describe('the command line of the benchmark', () => {
  test('needs no arguments', () => {
    const phases = new Set(phaseNames);
    assert.deepEqual(optionsOf([]), {
      count: 200,
      deletionPolicy: 'Delete',
      singles: 50,
      warmUp: 200,
      pause: 0,
      phases,
      data: undefined,
      json: false,
      profile: false,
    });
  });

  test('takes a number of objects and phases', () => {
    const options = optionsOf(['--count', '1000', '--phases=create, idle', '--json']);
    assert.ok(options !== 'help');
    assert.equal(options.count, 1000);
    assert.deepEqual([...options.phases].sort(), ['create', 'idle']);
    assert.equal(options.json, true);
  });

  test('takes a deletion policy', () => {
    const options = optionsOf(['--deletion-policy', 'Retain']);
    assert.ok(options !== 'help');
    assert.equal(options.deletionPolicy, 'Retain');
  });

  test('takes a size of fleet for a tick, and for a flood of drift', () => {
    const [ticked, drifted] = [optionsOf(['--resync', '10000']), optionsOf(['--fleet-drift', '5000'])];
    assert.ok(ticked !== 'help' && drifted !== 'help');
    assert.deepEqual([ticked.count, ticked.deletionPolicy, [...ticked.phases]], [10_000, 'Retain', ['resync']]);
    assert.deepEqual([drifted.count, drifted.deletionPolicy, [...drifted.phases]], [10_000, 'Retain', ['drift']]);
  });

  test('takes servers as cold as they start', () => {
    const options = optionsOf(['--warm-up', '0']);
    assert.ok(options !== 'help');
    assert.equal(options.warmUp, 0);
  });

  test('prints help before it complains about anything else', () => {
    assert.equal(optionsOf(['--help', '--count', 'many']), 'help');
  });

  table('a refusal', refusal, [
    {
      reason: 'zero objects are nothing to measure',
      given: ['--count', '0'],
      want: '--count is "0": it has to be a whole number from 1 to 10000',
    },
    {
      reason: 'the load has a bound',
      given: ['--count', '10001'],
      want: '--count is "10001": it has to be a whole number from 1 to 10000',
    },
    {
      reason: 'a warm-up has a bound too',
      given: ['--warm-up', '1001'],
      want: '--warm-up is "1001": it has to be a whole number from 0 to 1000',
    },
    {
      reason: 'a number in another notation is none',
      given: ['--count', '1e3'],
      want: '--count is "1e3": it has to be a whole number from 1 to 10000',
    },
    {
      reason: 'a tick and a flood of drift are measured one at a time',
      given: ['--resync', '1', '--fleet-drift', '1'],
      want: '--resync and --fleet-drift are two measurements: one at a time',
    },
    {
      reason: 'the flood has a bound too',
      given: ['--fleet-drift', '5001'],
      want: '--fleet-drift is "5001": it has to be a whole number from 1 to 5000',
    },
    {
      reason: 'the first object is not among those that are summarized',
      given: ['--singles', '1'],
      want: '--singles is "1": it has to be a whole number from 2 to 1000',
    },
    {
      reason: 'policies are written as in the objects',
      given: ['--deletion-policy', 'retain'],
      want: '--deletion-policy is "retain": there are Delete and Retain',
    },
    {
      reason: 'a misspelt phase would not be measured',
      given: ['--phases', 'create,groww'],
      want: '--phases names "groww": there are idle, create, resync, drift, grow, configure, delete, requests',
    },
    { reason: 'a misspelt option would have no effect', given: ['--cuont', '5'], want: "Unknown option '--cuont'" },
    {
      reason: 'a number without an option means nothing',
      given: ['1000'],
      want: "Unexpected argument '1000'",
    },
  ]);
});

function refusal(args: readonly string[]): string {
  try {
    optionsOf(args);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  throw new Error('accepted');
}
