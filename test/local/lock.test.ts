import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tryLock } from '../../infra/local/lock.ts';
import { identify, run } from '../../infra/local/process.ts';
import { directory } from './support.ts';

const lockModule = join(import.meta.dirname, '..', '..', 'infra', 'local', 'lock.ts');

describe('a lock', () => {
  test('is held by one at a time, and names its holder', (t) => {
    const path = join(directory(t), 'lock');
    const lock = tryLock(path);
    assert.ok('release' in lock);
    assert.deepEqual(tryLock(path), { heldBy: identify(process.pid) });
    lock.release();
    assert.ok('release' in tryLock(path));
  });

  test('of a process that is gone is free', (t) => {
    const path = join(directory(t), 'lock');
    const script = `import { tryLock } from ${JSON.stringify(lockModule)}; tryLock(${JSON.stringify(path)});`;
    assert.equal(spawnSync(process.execPath, ['--input-type=module', '--eval', script]).status, 0);
    assert.ok(existsSync(path));
    assert.ok('release' in tryLock(path));
  });

  test('is not mistaken for that of a later process with the same pid', (t) => {
    const path = join(directory(t), 'lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'earlier' }));
    assert.ok('release' in tryLock(path));
  });

  test('left by a dead holder goes to exactly one of many that want it', async (t) => {
    const dir = directory(t);
    const path = join(dir, 'lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'earlier' }));
    // Each holds on to it until all have tried.
    const script = `
      import { tryLock } from ${JSON.stringify(lockModule)};
      import { readdirSync, writeFileSync } from 'node:fs';
      console.log('release' in tryLock(${JSON.stringify(path)}) ? 'mine' : 'held');
      writeFileSync(${JSON.stringify(dir)} + '/tried.' + process.pid, '');
      while (readdirSync(${JSON.stringify(dir)}).filter((name) => name.startsWith('tried')).length < 4);`;
    const one = () => run(process.execPath, ['--input-type=module', '--eval', script]);
    const answers = await Promise.all([one(), one(), one(), one()]);
    assert.deepEqual(answers.map((text) => text.trim()).sort(), ['held', 'held', 'held', 'mine']);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.includes('stale')),
      [],
    );
  });
});
