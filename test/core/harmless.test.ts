import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless, harmlessLines } from '../../functions/core/harmless.ts';
import { table } from '../support/table.ts';

table('text of others', harmless, [
  { reason: 'letters of any language stay', given: 'ü 猫 🦊 a-b_c.d', want: 'ü 猫 🦊 a-b_c.d' },
  {
    reason: 'control characters of ASCII',
    given: 'a\u001b[31m\u0007\n\t\u007f',
    want: 'a\\u001b[31m\\u0007\\u000a\\u0009\\u007f',
  },
  { reason: 'those behind it, of which one begins a sequence alone', given: '\u009b31m', want: '\\u009b31m' },
  { reason: 'what turns text round', given: '\u202ea\u2066\u061c', want: '\\u202ea\\u2066\\u061c' },
  { reason: 'what cannot be seen', given: 'a\u200bb\ufeff\u00ad', want: 'a\\u200bb\\ufeff\\u00ad' },
  { reason: 'separators that break lines', given: '\u2028\u2029\u0085', want: '\\u2028\\u2029\\u0085' },
  { reason: 'half a character', given: 'a\ud800', want: 'a\\ud800' },
  { reason: 'two halves of one that acts, as JSON has them', given: '\u{e0001}', want: '\\udb40\\udc01' },
]);

test('lines stay lines where they are wanted', () =>
  assert.equal(harmlessLines('{\n  "a": "\u009b"\n}\n'), '{\n  "a": "\\u009b"\n}\n'));
