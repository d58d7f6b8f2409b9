import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compacts, normalForm, sameValue, shortens, throttleKeys } from '../../functions/core/config.ts';
import type { ConfigType } from '../../functions/core/topic.ts';
import { entry } from '../support/build.ts';
import { table } from '../support/table.ts';

table('normal form', ([type, text]: readonly [ConfigType, string]) => normalForm(type, text), [
  { reason: 'the broker trims numbers (K050)', given: ['long', ' 7200000 '], want: '7200000' },
  { reason: 'a plus sign says nothing (K050)', given: ['int', '+7200000'], want: '7200000' },
  { reason: 'leading zeros say nothing (K050)', given: ['short', '007200000'], want: '7200000' },
  { reason: 'a minus sign does', given: ['long', '-1'], want: '-1' },
  { reason: 'numbers beyond 2^53 stay exact', given: ['long', '9223372036854775807'], want: '9223372036854775807' },
  { reason: 'what is no whole number is left to the broker', given: ['long', ' 1e6 '], want: '1e6' },
  { reason: 'digits with something after them are no number', given: ['long', '12x'], want: '12x' },
  { reason: 'something before digits is no number either', given: ['long', 'x12'], want: 'x12' },
  { reason: 'decimals have many spellings (K050)', given: ['double', '.5'], want: '0.5' },
  { reason: 'so has an exponent (K050)', given: ['double', ' 5e-1'], want: '0.5' },
  { reason: 'no decimal at all stays', given: ['double', ' half '], want: 'half' },
  { reason: 'an empty text is not zero', given: ['double', '  '], want: '' },
  { reason: 'an endless number is not a number', given: ['double', 'Infinity'], want: 'Infinity' },
  { reason: 'booleans are read in any case (K050)', given: ['boolean', ' TRUE '], want: 'true' },
  { reason: 'lists are sets (K051)', given: ['list', 'delete, compact,,delete'], want: 'compact,delete' },
  { reason: 'texts keep their case (K052)', given: ['string', ' LZ4 '], want: 'LZ4' },
  { reason: 'class names are texts', given: ['class', ' a.B '], want: 'a.B' },
  { reason: 'passwords are texts', given: ['password', ' p '], want: 'p' },
]);

test('values are the same in any spelling, a withheld one equals nothing', () => {
  assert.equal(sameValue(entry('cleanup.policy', 'compact,delete'), 'delete, compact'), true);
  assert.equal(sameValue(entry('retention.ms', '100'), '101'), false);
  assert.equal(sameValue(entry('retention.ms', '1', { value: null, sensitive: true }), '1'), false);
});

test('a policy compacts when compact is one of its items', () => {
  assert.equal(compacts('delete, compact'), true);
  assert.equal(compacts('delete'), false);
  assert.equal(compacts('compactish'), false);
});

table('keeps less', ([before, after]: readonly [string, string]) => shortens(before, after), [
  { reason: 'a smaller limit', given: ['1000', '999'], want: true },
  { reason: 'the same limit does not', given: ['1000', '1000'], want: false },
  { reason: 'a larger limit does not', given: ['1000', '1001'], want: false },
  { reason: 'any limit after none', given: ['-1', '9223372036854775807'], want: true },
  { reason: 'no limit does not', given: ['1000', '-1'], want: false },
  { reason: 'an unknown value before counts as for ever', given: ['?', '1000'], want: true },
  { reason: 'an unknown value after counts as less', given: ['1000', '10x'], want: true },
  {
    reason: 'neighbours at the end of the range are told apart',
    given: ['9223372036854775807', '9223372036854775806'],
    want: true,
  },
]);

test('the throttles of a rebalancer are nobody else’s (K062)', () => {
  assert.deepEqual([...throttleKeys].sort(), [
    'follower.replication.throttled.replicas',
    'leader.replication.throttled.replicas',
  ]);
});
