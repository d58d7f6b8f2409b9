import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Locked,
  type Lockfile,
  type PackageFile,
  problemsIn,
  signaturesIn,
  vulnerabilitiesIn,
} from '../../infra/dependencies.ts';
import { table } from '../support/table.ts';

const read = (path: string) => readFileSync(path, 'utf8');

test('T144: pins, integrity, licences, scripts and reasons are as the policy says', () => {
  const lockfile: Lockfile = JSON.parse(read('package-lock.json'));
  assert.ok(Object.keys(lockfile.packages).length > 100);
  assert.deepEqual(problemsIn(JSON.parse(read('package.json')), lockfile, read('functions/DESIGN.md')), []);
});

test('T144: what is installed by hand or in CI runs no script of a package', () => {
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  for (const file of ['infra/local/bootstrap.mjs', '.ci/run']) assert.match(read(file), /--ignore-scripts/, file);
});

const good: Locked = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };
const design = 'x\n## Runtime dependencies\n\n| `a` | reason |\n\n## Decisions\n| `b` | other |\n';

/** The problems of a repository that is all well but for what is given. */
function problems({ manifest = {}, locked = {}, path = 'node_modules/a' }: Given): readonly string[] {
  const packages = { '': {}, [path]: { ...good, ...locked } };
  return problemsIn({ dependencies: { a: '1.0.0' }, ...manifest }, { lockfileVersion: 3, packages }, design);
}
type Given = { manifest?: PackageFile; locked?: Locked; path?: string };

table('T144: the policy', problems, [
  { reason: 'all is well', given: {}, want: [] },
  {
    reason: 'a range could become another version tomorrow',
    given: { manifest: { devDependencies: { b: '^1.0.0' } } },
    want: ['package.json has b as "^1.0.0": name one exact version'],
  },
  {
    reason: 'a repository is no release',
    given: { manifest: { optionalDependencies: { b: 'github:x/b' } } },
    want: ['package.json has b as "github:x/b": name one exact version'],
  },
  {
    reason: 'a weak hash shows nothing',
    given: { locked: { integrity: 'sha1-AAAA' } },
    want: ['node_modules/a has no sha512 integrity in package-lock.json'],
  },
  {
    reason: 'an address names a mirror',
    given: { locked: { resolved: 'https://mirror.example.com/a.tgz' } },
    want: ['node_modules/a has an address in package-lock.json: install with the .npmrc of this repository'],
  },
  {
    reason: 'a version that is an address',
    given: { locked: { version: 'git+ssh://x' } },
    want: ['node_modules/a has the version "git+ssh://x": it has to come from the registry'],
  },
  {
    reason: 'a link',
    given: { locked: { link: true } },
    want: ['node_modules/a is a link: it has to come from the registry'],
  },
  {
    reason: 'a licence with duties',
    given: { locked: { license: 'GPL-3.0-only' } },
    want: ['node_modules/a has licence GPL-3.0-only: look at it, and list it in infra/dependencies.ts'],
  },
  {
    reason: 'a licence for data is for tools only',
    given: { locked: { license: 'CC-BY-4.0' } },
    want: ['node_modules/a has licence CC-BY-4.0: look at it, and list it in infra/dependencies.ts'],
  },
  { reason: 'for tools', given: { locked: { license: 'CC-BY-4.0', dev: true } }, want: [] },
  { reason: 'one of two licences is enough', given: { locked: { license: '(GPL-2.0-only OR MIT)' } }, want: [] },
  {
    reason: 'a script at installation',
    given: { locked: { dev: true, hasInstallScript: true } },
    want: ['node_modules/a brings a script that runs when it is installed'],
  },
  {
    reason: 'but for a known one',
    given: { path: 'node_modules/esbuild', locked: { dev: true, hasInstallScript: true } },
    want: [],
  },
  {
    reason: 'which must not be shipped either',
    given: { path: 'node_modules/esbuild', locked: { hasInstallScript: true } },
    want: ['node_modules/esbuild brings a script that runs when it is installed'],
  },
  {
    reason: 'each runtime dependency has its reason, and no other',
    given: { manifest: { dependencies: { b: '1.0.0' } } },
    want: ['functions/DESIGN.md does not say why b is needed', 'functions/DESIGN.md lists a, which is no dependency'],
  },
]);

const known = (vulnerabilities: object) => JSON.stringify({ auditReportVersion: 2, vulnerabilities });

test('T144: a known vulnerability is bad news, no answer is none', () => {
  assert.equal(vulnerabilitiesIn(known({}))?.bad, undefined);
  assert.equal(vulnerabilitiesIn(known({ a: { severity: 'high' } }))?.bad, 'a (high)');
  for (const answer of ['', 'null', '{"message":"405 Method Not Allowed","error":{}}', 'npm error'])
    assert.equal(vulnerabilitiesIn(answer), undefined);
});

test('T144: so is a signature that is missing or wrong', () => {
  assert.equal(signaturesIn('{"invalid":[],"missing":[]}')?.bad, undefined);
  assert.equal(signaturesIn('{"invalid":[{"name":"a"}],"missing":[{"name":"b"}]}')?.bad, 'a, b');
  assert.equal(signaturesIn(''), undefined);
});
