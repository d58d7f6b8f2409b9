import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { yamlText } from '../../functions/commands/yaml.ts';

const values = {
  'key \u009b': ['\u009b31m', '\u202eabc', '\u007f', '\u001b', '\u2028', '\u{e0001}', '\ufeff', 'a\tb'],
  lines: 'first\nsecond\n',
  long: `${'word '.repeat(50)}\u200b${'word '.repeat(50)}`,
  plain: ['yes', '1e3', 'ü 🦊', '', 'a: b'],
};

describe('YAML', () => {
  for (const options of [{}, { lineWidth: 0, compat: 'yaml-1.1' as const }, { aliasDuplicateObjects: false }])
    test(`holds no character that acts, and means the same (${JSON.stringify(options)})`, async () => {
      const text = await yamlText(values, options);
      assert.doesNotMatch(text, /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(parse(text), values);
    });

  test('what does no harm is written as before', async () =>
    assert.equal(await yamlText({ a: 'b', c: 'ü' }, {}), 'a: b\nc: ü\n'));
});
