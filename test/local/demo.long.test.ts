/** `npm run demo`, read to its end and not. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { directory, isAlive } from './support.ts';

const program = join(import.meta.dirname, '..', '..', 'infra', 'local', 'demo.ts');
/** What a visitor's shell may point at: the demo has to keep out of it. */
const elsewhere = {
  KUBECONFIG: '/nowhere/kubeconfig',
  KAFKA_BROKERS: '127.0.0.1:9',
  SQS_ENDPOINT: 'http://127.0.0.1:9',
};

function demo(t: TestContext) {
  const TMPDIR = join(directory(t), 'tmp');
  mkdirSync(TMPDIR);
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...elsewhere, TMPDIR },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGTERM'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const pids = () =>
    readdirSync(TMPDIR)
      .flatMap((name) =>
        readFileSync(join(TMPDIR, name, 'processes'), 'utf8')
          .trim()
          .split('\n'),
      )
      .map((line) => JSON.parse(line).pid as number);
  return { child, ended, said, pids, left: () => readdirSync(TMPDIR) };
}

describe('npm run demo', () => {
  test('tells its tour to the end, and leaves nothing', async (t) => {
    const { ended, said, left } = demo(t);
    assert.equal(await ended, 0, said.stderr);
    const headings = said.stdout.split('\n').filter((line) => /^▌ \d/.test(line));
    assert.equal(headings.length, 6);
    assert.match(said.stdout, /That was the tour/);
    assert.deepEqual(left(), []);
  });

  test('ends everything as soon as nobody reads on, without a word', async (t) => {
    const { child, ended, said, pids, left } = demo(t);
    const started = new Promise<number[]>((resolve) => {
      child.stdout.once('data', () => {
        resolve(pids());
        child.stdout.destroy();
      });
    });
    const running = await started;
    assert.equal(running.length, 5);
    assert.equal(await ended, 130);
    assert.ok(!running.some(isAlive));
    assert.match(said.stderr, /runner: starting\n$/);
    assert.deepEqual(left(), []);
  });
});
