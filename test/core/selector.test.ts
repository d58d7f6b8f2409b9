import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSelector } from '../../functions/core/selector.ts';
import { table } from '../support/table.ts';

const gold = { team: 'a', tier: 'gold' };
const selects = ([selector, labels]: readonly [string, Readonly<Record<string, string>>]): boolean =>
  parseSelector(selector)(new Map(Object.entries(labels)));

table('a label selector', selects, [
  { reason: 'that is empty takes everything', given: ['', {}], want: true },
  { reason: 'of spaces is empty', given: [' ', {}], want: true },
  { reason: 'may have spaces around its parts', given: [' team=a , tier = gold ', gold], want: true },
  { reason: 'may have spaces in a set', given: ['tier in ( silver ,gold )', gold], want: true },
  { reason: 'takes an empty value of a set', given: ['team in (,b)', { team: '' }], want: true },
  {
    reason: 'leaves an object without the label, though a set has an empty value',
    given: ['team in (,b)', {}],
    want: false,
  },
  { reason: 'takes an equal value', given: ['team=a', gold], want: true },
  { reason: 'takes it with two signs too', given: ['team == a', gold], want: true },
  { reason: 'leaves another value', given: ['team=b', gold], want: false },
  { reason: 'leaves an object without the label', given: ['team=a', {}], want: false },
  { reason: 'takes any other value', given: ['team!=b', gold], want: true },
  { reason: 'takes an object without the label for any other value', given: ['team!=b', {}], want: true },
  { reason: 'takes a value of a set', given: ['tier in (silver, gold)', gold], want: true },
  { reason: 'leaves a value of a set that is not wanted', given: ['tier notin (gold)', gold], want: false },
  { reason: 'takes an object without the label for notin', given: ['tier notin (gold)', {}], want: true },
  { reason: 'asks for a label whatever its value', given: ['team', gold], want: true },
  { reason: 'asks for no such label', given: ['!team', gold], want: false },
  { reason: 'asks for all of its parts', given: ['team=a,tier in (silver,gold),!legacy', gold], want: true },
  { reason: 'takes names with a prefix', given: ['example.com/team=a', { 'example.com/team': 'a' }], want: true },
  { reason: 'takes an empty value', given: ['team=', { team: '' }], want: true },
  { reason: 'knows no inherited label', given: ['constructor', {}], want: false },
]);

for (const wrong of [
  'team=a=b',
  'in (a)',
  'team in ()',
  'team in a',
  'a b',
  'team=a,,tier=b',
  '=a',
  'team in (a b)',
  'team=-a',
  'team in (a,-b)',
])
  test(`"${wrong}" is refused with the part that is wrong`, () => {
    assert.throws(() => parseSelector(wrong), /is not a requirement of a label selector/);
  });
