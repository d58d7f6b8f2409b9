/** `npm run package`, run as a person runs it, in two copies of this repository. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../../../infra/local/process.ts';
import { aboveBudget } from '../../../infra/package.ts';
import { contentsOf } from '../../support/aws/zip.ts';
import { golden } from '../../support/golden.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const sources = [
  'functions',
  'infra',
  'LICENSE',
  'package.json',
  'package-lock.json',
  'serverless.yml',
  'tsconfig.json',
];

mkdirSync(join(root, 'dist'), { recursive: true });
const place = mkdtempSync(join(root, 'dist', 'copies-'));
after(() => rmSync(place, { recursive: true }));

/** As a clone is after `npm ci`; the packages' files are shared, so that it takes a second. */
function copy(name: string): string {
  const folder = join(place, name);
  mkdirSync(folder);
  for (const source of sources) cpSync(join(root, source), join(folder, source), { recursive: true });
  const made = spawnSync('cp', ['-al', realpathSync(join(root, 'node_modules')), join(folder, 'node_modules')]);
  assert.equal(made.status, 0, String(made.stderr));
  return folder;
}

const packaged = async (folder: string, shell: string, env: NodeJS.ProcessEnv, args = '') =>
  run('sh', ['-c', `${shell}; exec "$0" infra/package.ts ${args}`, process.execPath], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: place, ...env },
  });

const filesIn = (folder: string): Map<string, Buffer> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name))] as const)
      .map(([path, content]) => [path.slice(folder.length + 1), content] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('npm run package', () => {
  let here: Map<string, Buffer>;
  let there: Map<string, Buffer>;
  let said: string;
  let summary: Summary;

  before(async () => {
    const [one, two] = [copy('one'), copy('a longer name for two')];
    said = await packaged(one, 'umask 022', { TZ: 'Pacific/Kiritimati' });
    const surroundings = { TZ: 'America/St_Johns', KAFKA_BROKERS: 'b:1', AWS_REGION: 'us-east-2', KUBECONFIG: '/none' };
    summary = JSON.parse(await packaged(two, 'umask 077', surroundings, '-o json'));
    here = filesIn(join(one, 'dist', 'package'));
    there = filesIn(join(two, 'dist', 'package'));
  });

  const read = (name: string) => JSON.parse(String(here.get(name)));

  test('T144: gives the same bytes in another directory, time zone and second, with another umask and environment', () => {
    assert.equal(here.size, 4);
    assert.deepEqual([...here.keys()], [...there.keys()]);
    for (const [name, content] of here)
      assert.equal(sha256(content), sha256(there.get(name) ?? content.subarray(1)), name);
  });

  test('tells people and programs what it made', () => {
    assert.match(
      said,
      /^Packaged into dist\/package:\n {2}code\/reconcile-\w{16}\.zip {3}\d+ kB of at most \d+, unpacked \d+\n/,
    );
    for (const [name, { sha256: wanted, bytes }] of [
      ...summary.functions.map((one) => [`code/${one.name}`, one] as const),
      ['template.json', summary.template] as const,
      ['sbom.json', summary.sbom] as const,
    ])
      assert.deepEqual([sha256(here.get(name) ?? Buffer.of()), here.get(name)?.length], [wanted, bytes], name);
  });

  test('a zip holds the bundle, which needs nothing else, and the licences', async () => {
    for (const { name, function: bundle } of summary.functions) {
      const contents = contentsOf(here.get(`code/${name}`) ?? Buffer.of());
      assert.deepEqual([...contents.keys()], ['LICENSE', `dist/${bundle}.cjs`, `dist/${bundle}.cjs.LEGAL.txt`]);
      for (const { mode, time, bytes } of contents.values()) {
        assert.deepEqual([mode.toString(8), time], ['100644', '1980-01-01 00:00:00']);
        assert.ok(bytes.length > 0);
      }
      const folder = mkdtempSync(join(tmpdir(), 'topicsmith-zip-'));
      try {
        mkdirSync(join(folder, 'dist'));
        for (const [path, { bytes }] of contents) writeFileSync(join(folder, path), bytes);
        const program = `console.log(typeof require('./dist/${bundle}.cjs').handler)`;
        const printed = await run(process.execPath, ['-e', program], { cwd: folder, env: {} });
        assert.equal(printed, 'function\n');
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  });

  test('a function is deployed from the zip with its content in its name', () => {
    for (const { function: name, sha256: hash } of summary.functions) {
      const id = name === 'reconcile' ? 'ReconcileLambdaFunction' : 'ResyncLambdaFunction';
      assert.deepEqual(read('template.json').Resources[id].Properties.Code, {
        S3Bucket: { Ref: 'CodeBucket' },
        S3Key: { 'Fn::Sub': `\${CodePrefix}${name}-${hash.slice(0, 16)}.zip` },
      });
    }
  });

  test('the template is the one in test/golden', () => {
    golden(
      'aws.template.json.txt',
      String(here.get('template.json')).replaceAll(/(?<=re\w+-)[0-9a-f]{16}(?=\.zip)/g, 'HASH'),
    );
  });

  test('T144: the list of packages says what npm says of the lockfile', async () => {
    const printed = await run('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], { cwd: root });
    const known = new Map<string, Component>(JSON.parse(printed).components.map((one: Component) => [one.purl, one]));
    const { components } = read('sbom.json') as { components: Component[] };
    assert.ok(components.length > 20);
    for (const { purl, version, hashes } of components)
      assert.deepEqual(
        { version, hashes },
        { version: known.get(purl)?.version, hashes: known.get(purl)?.hashes },
        purl,
      );
  });

  test('T144: the list has every package of which there is code in the bundles, and no other', () => {
    const { components } = read('sbom.json') as { components: (Component & { name: string; group?: string })[] };
    const listed = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const only = ['commander', 'yaml', 'prom-client']; // the command line, the runner, the forwarder
    assert.deepEqual(
      Object.keys(dependencies)
        .filter((name) => !listed.includes(name))
        .sort(),
      only.toSorted(),
    );
    assert.deepEqual(
      listed.filter((name) => /esbuild|osls|typescript|biome/.test(name)),
      [],
    );
  });
});

test('a zip above its budget is told by its name, one that just fits is not', () => {
  const zips = [
    { name: 'a.zip', bytes: 700_000 },
    { name: 'b.zip', bytes: 700_001 },
  ];
  assert.deepEqual(aboveBudget(zips, 700), [
    'b.zip has 701 kB, its budget is 700: find what made it grow, or raise the budget in infra/package.ts',
  ]);
});

test('npm run package names an output that it does not know, before it does anything', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'infra', 'package.ts'), '-o', 'xml']);
  assert.deepEqual([status, String(stderr)], [1, 'package: -o is "xml": it has to be text or json\n']);
});

type Made = { readonly name: string; readonly bytes: number; readonly sha256: string };
type Summary = {
  readonly functions: readonly (Made & { readonly function: string })[];
  readonly template: Made;
  readonly sbom: Made;
};
type Component = { readonly purl: string; readonly version: string; readonly hashes: readonly object[] };
