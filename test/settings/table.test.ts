/** The table against those who use it: the sources, serverless.yml and the README. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { readService } from '../../functions/runner/config.ts';
import { names, namesOf, type Reader, type Setting, settings } from '../../functions/settings/table.ts';
import { settingsTables } from '../../infra/generate/settings.ts';

const root = join(import.meta.dirname, '..', '..');
const known = new Set<string>(names);
/** Lambda sets these itself, and the AWS tools; nobody chooses them for us. */
const isLambdas = (name: string) =>
  name.startsWith('AWS_LAMBDA_') || /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/.test(name);

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
  const document = readService(join(root, 'serverless.yml'), {}).document as {
    provider: { environment: object };
    functions: Record<'reconcile' | 'resync', { environment: object }>;
    custom: { runner: { environment: object; functions: Record<'reconcile' | 'resync', object> } };
  };
  const { provider, functions } = document;
  const { runner } = document.custom;

  for (const reader of ['reconcile', 'resync'] as const)
    test(`passes on to ${reader} what it reads, and nothing else`, () => {
      const deployed = { ...provider.environment, ...functions[reader].environment };
      const passed = Object.keys({ ...deployed, ...runner.environment, ...runner.functions[reader] });
      // the region is Lambda's own
      const read = namesOf(reader).filter((name) => name !== 'AWS_REGION');
      assert.deepEqual(new Set(passed), new Set(read));
    });

  test('passes on to a function on AWS no files, of which there are none', () => {
    const passed = Object.keys({ ...provider.environment, ...functions.reconcile.environment });
    assert.deepEqual(
      passed.filter((name) => /_FILE$|^KUBECONFIG/.test(name)),
      [],
    );
  });

  test('reads no variable that is not in the table', () => {
    const files = ['serverless.yml', ...globSync('infra/*.yml', { cwd: root })];
    const text = files.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
    const uses = [...text.matchAll(/\$\{env:(\w+)|, env:(\w+)/g)].map(([, first, next]) => first ?? next ?? '');
    assert.ok(uses.length > 10);
    assert.deepEqual(
      uses.filter((name) => !known.has(name)),
      [],
    );
  });

  test('has the defaults of the table as defaults of its parameters', () => {
    const { Parameters } = parse(readFileSync(join(root, 'infra', 'parameters.yml'), 'utf8'));
    const variables = Object.entries(provider.environment as Record<string, { Ref: string }>);
    assert.ok(variables.length > 10);
    for (const [name, { Ref }] of variables) {
      const setting: Setting = settings[name as keyof typeof settings];
      const { Default } = Parameters[Ref];
      // MSK wants these two otherwise than a broker on one machine
      if (Default !== undefined && Default !== '' && !['KAFKA_TLS', 'KAFKA_SASL_MECHANISM'].includes(name))
        assert.equal(Default, setting.fallback, name);
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
    const rows = [...settingsTables().matchAll(/^\| `(\w+)` \| .+ \| .+ \| .+ \| .+ \|$/gm)].map(([, name]) => name);
    assert.deepEqual(new Set(rows), known);
    assert.equal(rows.length, names.length);
  });
});
