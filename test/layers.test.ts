/** Who may import whom: data flows one way, and the core knows nobody. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

type Rule = { readonly files: string; readonly except?: string; readonly may: readonly RegExp[] };

const inside = (folder: string) => new RegExp(`^functions/${folder}`);
const node = /^node:/;

/** What a file may import: paths from the repository's root for our own, bare names for packages. */
const rules: readonly Rule[] = [
  { files: 'functions/core/**/*.ts', may: [inside('core/'), /^node:(crypto|util)$/] },
  { files: 'functions/settings/*.ts', may: [inside('core/'), inside('settings/')] },
  { files: 'functions/adapters/aws/**/*.ts', may: [inside('core/'), inside('adapters/aws/'), /^@aws-sdk\//, node] },
  {
    files: 'functions/adapters/kafka/**/*.ts',
    may: [inside('core/'), inside('settings/'), inside('adapters/kafka/'), inside('adapters/aws/'), /^kafkajs/, node],
  },
  {
    files: 'functions/adapters/kube/**/*.ts',
    may: [
      inside('core/'),
      inside('settings/'),
      inside('adapters/kube/'),
      inside('adapters/aws/'),
      /^@kubernetes\/client-node$/,
      node,
    ],
  },
  { files: 'functions/adapters/*.ts', may: [inside('core/'), inside('adapters/'), /^@aws-sdk\//, node] },
  {
    files: 'functions/forwarder/**/*.ts',
    may: [
      inside('core/'),
      inside('forwarder/'),
      inside('adapters/'),
      /^@kubernetes\/client-node$/,
      /^prom-client$/,
      node,
    ],
  },
  // Clients of their own they have none: `connect.ts` makes them.
  {
    files: 'functions/commands/*.ts',
    except: 'functions/commands/connect.ts',
    may: [
      inside('core/'),
      inside('settings/'),
      inside('commands/'),
      inside('doctor/'),
      /^package\.json$/,
      /^commander$/,
      /^yaml$/,
      node,
    ],
  },
  { files: 'functions/doctor/*.ts', may: [inside('core/'), inside('doctor/')] },
  // Others could use the runner: it knows Lambda, SQS, the names of figures, and nothing of topics.
  {
    files: 'functions/runner/**/*.ts',
    may: [
      inside('runner/'),
      inside('adapters/(log|status-page).ts'),
      inside('core/(ports|metrics).ts'),
      /^prom-client$/,
      /^aws-lambda$/,
      /^@aws-sdk\//,
      /^yaml$/,
      node,
    ],
  },
];

const importsOf = (file: string): string[] => {
  const source = readFileSync(file, 'utf8');
  const names = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^'\s,()]+)'/g)].map((match) => match[1] ?? '');
  return names.map((name) => (name.startsWith('.') ? normalize(join(dirname(file), name)) : name));
};

for (const { files, except, may } of rules)
  test(`${files} imports only what its layer may know`, () => {
    const found = globSync(files).filter((file) => file !== except);
    assert.ok(found.length > 0, `no file matches ${files}`);
    const wrong = found.flatMap((file) =>
      importsOf(file)
        .filter((name) => !may.some((allowed) => allowed.test(name)))
        .map((name) => `${file} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

test('the core reads no clock, no environment and no random source', () => {
  const wrong = globSync('functions/core/**/*.ts').filter((file) =>
    /\b(Date\.now|new Date\(\)|Math\.random|randomUUID|process\.env|setTimeout|fetch\()/.test(
      readFileSync(file, 'utf8'),
    ),
  );
  assert.deepEqual(wrong, []);
});

test('nothing that ships starts processes or evaluates code, but the runner', () => {
  const wrong = globSync('functions/**/*.ts')
    .filter((file) => !file.startsWith('functions/runner'))
    .filter((file) => /child_process|\beval\(|new Function\(/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(wrong, []);
});

test('T131: certificate checks are switched off nowhere', () => {
  const wrong = globSync(['functions/**/*.ts', 'infra/**/*.{ts,mjs}']).filter((file) =>
    /rejectUnauthorized:\s*false|NODE_TLS_REJECT_UNAUTHORIZED['"\]]*\s*[=:]|skipTLSVerify:\s*true|insecure-skip-tls-verify['"]?\s*[:=]/.test(
      readFileSync(file, 'utf8'),
    ),
  );
  assert.deepEqual(wrong, []);
});
