import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync('SECURITY.md', 'utf8');
const tests = globSync('test/**/*.ts').map((file) => readFileSync(file, 'utf8'));

test('every test that SECURITY.md names is there, with the row at the start of its name', () => {
  const ids = new Set(page.match(/\b[TK]\d{3}\b/g));
  assert.ok(ids.size > 15);
  const named = (id: string) => tests.some((text) => new RegExp(`['"\`](?:[TK]\\d{3}, )*${id}[:,]`).test(text));
  assert.deepEqual(
    [...ids].filter((id) => !named(id)),
    [],
  );
});

test('every script that SECURITY.md names is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };
  const named = [...page.matchAll(/npm run (\w+)/g)].map(([, name = '']) => name);
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
});
