import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filled } from '../../infra/generate/readme.ts';

test('what stands between the markers is replaced, and nothing else', () =>
  assert.equal(
    filled('before\n<!-- a -->\nold\n<!-- /a -->\nafter\n', { a: 'new\n' }),
    'before\n<!-- a -->\nnew\n<!-- /a -->\nafter\n',
  ));

test('a README without the markers is refused', () =>
  assert.throws(
    () => filled('# Topicsmith\n', { a: 'new' }),
    /README.md has to hold <!-- a --> and then <!-- \/a -->/,
  ));
