/** The first thing that runs after `git clone`, in a small repository of its own with an npm that only takes notes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../../infra/local/process.ts';
import { directory } from './support.ts';

const bootstrap = join(import.meta.dirname, '..', '..', 'infra', 'local', 'bootstrap.mjs');
const lockfile = {
  packages: {
    '': { name: 'clone' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/for-another-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
  },
};
const installed = { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } } };

/** @param npm what the npm of this machine does, as a shell script */
function clone(t: TestContext, npm: string) {
  const root = directory(t);
  const programs = join(root, 'programs');
  for (const folder of ['infra/local', 'programs']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(bootstrap, join(root, 'infra/local/bootstrap.mjs'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lockfile));
  writeFileSync(join(root, 'installed.json'), JSON.stringify(installed));
  writeFileSync(join(programs, 'npm'), `#!/bin/sh\necho "$@" >> calls\n${npm}\n`);
  chmodSync(join(programs, 'npm'), 0o755);
  const file = (script: string) => {
    writeFileSync(join(root, 'program.mjs'), script);
    return [join(root, 'infra/local/bootstrap.mjs'), join(root, 'program.mjs')];
  };
  const env = { ...process.env, PATH: `${programs}:/usr/bin:/bin` };
  return {
    root,
    run: (script: string, ...args: string[]) =>
      spawnSync(process.execPath, [...file(script), ...args], { cwd: root, env, encoding: 'utf8' }),
    launch: (script: string) => spawn(process.execPath, file(script), { cwd: root, env }),
    npmCalls: () =>
      existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [],
  };
}

const installs = 'mkdir -p node_modules && cp installed.json node_modules/.package-lock.json';
const hello = `console.log('hello', ...process.argv.slice(2)); process.exitCode = 7;`;

describe('the bootstrap', () => {
  test('installs what is missing once, without scripts, then runs the file with its arguments and exit code', (t) => {
    const { run, npmCalls } = clone(t, installs);
    for (const _ of [1, 2]) {
      const { stdout, status } = run(hello, '--brokers', '3');
      assert.equal(stdout, 'hello --brokers 3\n');
      assert.equal(status, 7);
    }
    assert.equal(npmCalls().length, 1);
    assert.match(npmCalls()[0] ?? '', /^ci --ignore-scripts/);
  });

  test('does not install again what the user has installed', (t) => {
    const { root, run, npmCalls } = clone(t, installs);
    spawnSync('sh', ['-c', installs], { cwd: root });
    assert.equal(run(hello).status, 7);
    assert.deepEqual(npmCalls(), []);
  });

  test('installs again when the lockfile asks for another version', (t) => {
    const { root, run, npmCalls } = clone(t, installs);
    run(hello);
    writeFileSync(
      join(root, 'package-lock.json'),
      JSON.stringify(lockfile).replace('"1.0.0","integrity":"sha512-a"', '"1.0.1","integrity":"sha512-c"'),
    );
    run(hello);
    assert.equal(npmCalls().length, 2);
  });

  test('stops with one line when npm fails, and tries again the next time', (t) => {
    const { run, npmCalls } = clone(t, 'exit 1');
    const { stderr, stdout, status } = run(hello);
    assert.equal(status, 1);
    assert.match(stderr, /^npm ci failed: see above$/m);
    assert.equal(stdout, '');
    run(hello);
    assert.equal(npmCalls().length, 2);
  });

  test('takes the Node that came with the packages', (t) => {
    const { root, run } = clone(t, `${installs} && mkdir -p node_modules/.bin`);
    run('');
    symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
    const { stdout } = run('console.log(process.argv0)');
    assert.equal(stdout.trim(), join(root, 'node_modules/.bin/node'));
  });

  test('hands signals on and ends as the program ends', async (t) => {
    const { launch } = clone(t, installs);
    const child = launch(`
      process.on('SIGTERM', () => { console.log('told'); process.exit(4); });
      console.log('running');
      setInterval(() => {}, 1000);`);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    assert.ok(await until(() => text.includes('running'), 30_000));
    child.kill('SIGTERM');
    assert.equal(await ended, 4);
    assert.equal(text, 'running\ntold\n');
  });
});
