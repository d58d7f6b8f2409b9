import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless, harmlessLines, oneLine } from '../../functions/core/harmless.ts';
import { table } from '../support/table.ts';

table('T137, T138: text of others', harmless, [
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

table('T138: one line', (text: string) => oneLine(text), [
  { reason: 'line breaks end nothing', given: 'a\r\nb\n\n c\td', want: 'a b c d' },
  { reason: 'a terminal is not steered', given: 'a\u001b[31mb\u0007', want: 'a\\u001b[31mb\\u0007' },
  { reason: 'text does not turn its direction', given: 'a\u202eb', want: 'a\\u202eb' },
  { reason: 'a line separator is a space', given: 'a\u2028b', want: 'a b' },
  { reason: 'a long text is cut', given: 'x'.repeat(10_000), want: `${'x'.repeat(299)}…` },
  { reason: 'a text that just fits is not cut', given: 'x'.repeat(300), want: 'x'.repeat(300) },
  { reason: 'no character is cut through', given: `${'x'.repeat(298)}😀😀`, want: `${'x'.repeat(298)}…` },
  { reason: 'no escape is cut through', given: `${'x'.repeat(295)}\u001bxxxxxxxxx`, want: `${'x'.repeat(295)}…` },
]);

table('T136: in one line what is called a secret is not repeated', (text: string) => oneLine(text), [
  { reason: 'a setting', given: 'a password="x y" b', want: 'a password=*** b' },
  {
    reason: 'a login as JAAS has it',
    given: `sasl.jaas.config=org.x.PlainLoginModule required username="me" password="hunter2";`,
    want: 'sasl.jaas.config=org.x.PlainLoginModule required username="me" password=***;',
  },
  {
    reason: 'a right is none',
    given: 'secretsmanager:GetSecretValue is needed',
    want: 'secretsmanager:GetSecretValue is needed',
  },
  { reason: 'a member of JSON', given: '{"token":"abc","x":1}', want: '{"token":***,"x":1}' },
  { reason: 'a header', given: 'Authorization: Bearer abc.def', want: 'Authorization: Bearer ***' },
  { reason: 'a key with words before it', given: 'aws_secret_access_key: abc', want: 'aws_secret_access_key: ***' },
  { reason: 'one that has no end', given: `password='abc`, want: 'password=***' },
  {
    reason: 'the word alone is none',
    given: 'The page token has expired: go on',
    want: 'The page token has expired: go on',
  },
  { reason: 'nor is the name of a file', given: 'KAFKA_SASL_TOKEN_FILE: none', want: 'KAFKA_SASL_TOKEN_FILE: none' },
]);
