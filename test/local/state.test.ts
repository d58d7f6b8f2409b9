import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { identify } from '../../infra/local/process.ts';
import { claim, endLeftOvers, failureOf, supervisorLogOf, supervisorOf } from '../../infra/local/state.ts';
import { directory, isAlive } from './support.ts';

/** A process that nobody supervises any more. */
function leftOver(): number {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  child.unref();
  return child.pid ?? 0;
}

describe('the directory of a system', () => {
  test('is for its owner only', async (t) => {
    const dir = join(directory(t), 'new');
    const state = await claim(dir);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    state.publish({}, {});
    assert.equal(statSync(join(dir, 'env')).mode & 0o777, 0o600);
  });

  test('has one supervisor, and says which', async (t) => {
    const dir = directory(t);
    assert.equal(supervisorOf(dir), undefined);
    const state = await claim(dir);
    assert.deepEqual(supervisorOf(dir), identify(process.pid));
    await assert.rejects(claim(dir), {
      name: 'DirectoryTaken',
      message: /runs already \(process \d+\)\. To stop it: npm stop$/,
    });
    state.release();
    assert.equal(supervisorOf(dir), undefined);
  });

  test('that holds something else is left alone', async (t) => {
    const dir = directory(t);
    writeFileSync(join(dir, 'data'), 'precious');
    await assert.rejects(claim(dir), { name: 'DirectoryTaken', message: /is not empty/ });
    assert.deepEqual(readdirSync(dir), ['data']);
  });

  test('exports what a shell reads back as it was', async (t) => {
    const state = await claim(directory(t));
    state.publish({ KUBECONFIG: `/it's here/a b`, EMPTY: '' }, { pids: {} });
    const script = `. ${state.dir}/env && printf '%s|%s' "$KUBECONFIG" "$EMPTY"`;
    assert.equal(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout, `/it's here/a b|`);
    assert.deepEqual(JSON.parse(readFileSync(join(state.dir, 'ready'), 'utf8')), { pids: {} });
  });

  test('keeps its logs and nothing else of a system that has ended', async (t) => {
    const state = await claim(directory(t));
    state.publish({}, {});
    for (const folder of ['data', 'logs']) mkdirSync(join(state.dir, folder), { recursive: true });
    writeFileSync(join(state.dir, 'data', 'segment'), '');
    writeFileSync(join(state.dir, 'kubeconfig.tenant-a'), '');
    writeFileSync(join(state.dir, 'logs', 'kafka.log'), 'the end');
    state.retract();
    assert.ok(!existsSync(join(state.dir, 'ready')));
    state.release();
    assert.deepEqual(readdirSync(state.dir).sort(), ['logs', 'processes']);
    assert.deepEqual(readdirSync(join(state.dir, 'logs')), ['kafka.log']);
  });
});

describe('what a killed supervisor leaves behind', () => {
  test('is ended and removed by the next start', async (t) => {
    const dir = directory(t);
    const pid = leftOver();
    // as a supervisor writes it, killed in the middle of the next line
    writeFileSync(join(dir, 'processes'), `${JSON.stringify({ name: 'kafka', ...identify(pid) })}\n{"name":"run`);
    writeFileSync(join(dir, 'supervisor'), JSON.stringify({ pid: process.pid, startedAt: 'earlier' }));
    writeFileSync(join(dir, 'ready'), '{}');
    mkdirSync(join(dir, 'data'));
    const state = await claim(dir);
    assert.ok(!isAlive(pid));
    assert.ok(!existsSync(join(dir, 'ready')) && !existsSync(join(dir, 'data')));
    state.release();
  });

  test('does not include a later process that got the same pid', async (t) => {
    const dir = directory(t);
    const pid = leftOver();
    t.after(() => process.kill(pid, 'SIGKILL'));
    writeFileSync(join(dir, 'processes'), `${JSON.stringify({ name: 'kafka', pid, startedAt: 'earlier' })}\n`);
    assert.equal(await endLeftOvers(dir), 0);
    assert.ok(isAlive(pid));
  });
});

describe('the log of a system in the background', () => {
  const serves = 'elasticmq: starting\nready. To use it from a shell: . .topicsmith/env\n';
  const rows = [
    { reason: 'it ended by request', log: `${serves}stopping\nstopped\n`, want: undefined },
    { reason: 'it never served, which npm start has said', log: 'start: Java is missing\n', want: undefined },
    {
      reason: 'a part ended: its last words come with it',
      log: `${serves}stopping\nstart: kafka ended by itself (SIGKILL). End of kafka.log:\ndisk full\n`,
      want: 'kafka ended by itself (SIGKILL). End of kafka.log:\ndisk full',
    },
  ];
  for (const { reason, log, want } of rows)
    test(`says why it is gone: ${reason}`, async (t) => {
      const dir = directory(t);
      (await claim(dir)).release();
      assert.equal(failureOf(dir), undefined);
      writeFileSync(supervisorLogOf(dir), log);
      assert.equal(failureOf(dir), want);
    });
});
