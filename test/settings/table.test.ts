/** The table against those who use it: the sources, serverless.yml and the README. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readService } from '../../functions/runner/config.ts';
import { names, namesOf, type Reader, type Setting, settings } from '../../functions/settings/table.ts';
import { withSettings } from '../../infra/generate/settings.ts';

const root = join(import.meta.dirname, '..', '..');
const known = new Set<string>(names);
/** Lambda sets these itself; nobody chooses them. */
const isLambdas = (name: string) => name.startsWith('AWS_LAMBDA_');

describe('the sources', () => {
  const sources = globSync('functions/**/*.ts', { cwd: root }).map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
  /** Where `pattern` matches, with what it caught. */
  const found = (pattern: RegExp) =>
    sources.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([, name = '']) => ({ path, name })));

  test('read no variable that is not in the table', () => {
    const read = found(/\benv\s*(?:\.|\[['"`])\s*([A-Za-z_0-9]+)/g);
    assert.ok(read.length > 0);
    assert.deepEqual(
      read.filter(({ name }) => !known.has(name) && !isLambdas(name)),
      [],
    );
  });

  test('read by a computed name in the reader alone; the runner does for serverless.yml', () => {
    assert.deepEqual(
      new Set(found(/\benv\s*\[(?!['"`])/g).map(({ path }) => path)),
      new Set(['functions/settings/read.ts', 'functions/settings/lookalikes.ts', 'functions/runner/config.ts']),
    );
  });

  test('take nothing out of the environment by its parts', () => {
    assert.deepEqual(found(/\{([^{}=]*)\}\s*=\s*(?:process\.)?env\b/g), []);
  });
});

describe('serverless.yml', () => {
  const required = { KAFKA_BROKERS: 'b:1', KUBECONFIG: 'k' };
  const { provider, functions } = readService(join(root, 'serverless.yml'), required).document as {
    provider: { environment: object };
    functions: Record<'reconcile' | 'resync', { environment: object }>;
  };

  for (const reader of ['reconcile', 'resync'] as const)
    test(`passes on to ${reader} what it reads, and nothing else`, () => {
      const passed = Object.keys({ ...provider.environment, ...functions[reader].environment });
      // the region is Lambda's own
      const read = namesOf(reader).filter((name) => name !== 'AWS_REGION');
      assert.deepEqual(new Set(passed), new Set(read));
    });

  test('and what it includes read no variable that is not in the table, and say the same default', () => {
    const files = ['serverless.yml', ...globSync('infra/*.yml', { cwd: root })];
    const text = files.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
    const uses = [...text.matchAll(/\$\{env:(\w+)(?:, *'([^']*)')?/g)];
    assert.ok(uses.length > 10);
    for (const [, name = '', fallback = ''] of uses) {
      assert.ok(known.has(name), name);
      const setting: Setting = settings[name as keyof typeof settings];
      if (fallback !== '') assert.equal(fallback, setting.fallback, name);
    }
  });
});

describe('the table', () => {
  test('says for each variable what holds where it is not set', () => {
    const silent = Object.entries<Setting>(settings).filter(
      ([, { required = [], readers, fallback, otherwise }]) =>
        fallback === undefined && otherwise === undefined && required.length < readers.length,
    );
    assert.deepEqual(silent, []);
  });

  test('requires of readers only what they read', () => {
    const wrong = Object.entries<Setting>(settings).filter(([, { required = [], readers }]) =>
      required.some((reader: Reader) => !readers.includes(reader)),
    );
    assert.deepEqual(wrong, []);
  });

  test('is what the README shows, a row for each variable', () => {
    const page = withSettings('before\n<!-- settings -->\nold\n<!-- /settings -->\nafter\n');
    const rows = [...page.matchAll(/^\| `(\w+)` \| .+ \| .+ \| .+ \| .+ \|$/gm)].map(([, name]) => name);
    assert.deepEqual(new Set(rows), known);
    assert.equal(rows.length, names.length);
    assert.match(page, /^before\n<!-- settings -->\n.*\n<!-- \/settings -->\nafter\n$/s);
    assert.doesNotMatch(page, /\bold\b/);
  });

  test('has no place in a README without its markers', () => {
    assert.throws(() => withSettings('# Topicsmith\n'), /README.md has to hold <!-- settings -->/);
  });
});
