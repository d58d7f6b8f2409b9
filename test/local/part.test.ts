import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PartFailed, startAll } from '../../infra/local/part.ts';
import { until } from '../../infra/local/process.ts';
import { directory, isAlive, part, printedPid, serve } from './support.ts';

const withChild = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  console.log('child:' + child.pid);
  ${serve}`;
const stubborn = `process.on('SIGTERM', () => {}); ${serve}`;

describe('a part', () => {
  test('has started when it serves, not before', async (t) => {
    const worker = part(t, `setTimeout(() => { ${serve} }, 200)`);
    const started = performance.now();
    await worker.start();
    assert.ok(performance.now() - started >= 200);
    assert.ok(isAlive(worker.pid ?? 0));
  });

  test('that ends by itself is a crash, told with its name, exit code and the end of its log', async (t) => {
    const worker = part(
      t,
      `console.log('serving'); setTimeout(() => { console.log('disk full'); process.exit(3) }, 200)`,
    );
    await worker.start();
    const failure = await worker.crashed;
    assert.match(
      failure.message,
      /^worker ended by itself \(exit code 3\)\. End of .*worker\.log:\nserving\ndisk full$/,
    );
  });

  test('that is killed by somebody else is a crash too', async (t) => {
    const worker = part(t, serve);
    await worker.start();
    process.kill(worker.pid ?? 0, 'SIGKILL');
    assert.match((await worker.crashed).message, /^worker ended by itself \(SIGKILL\)/);
  });

  test('that ends before it serves fails to start, with the end of its log', async (t) => {
    const worker = part(t, `console.error('no such option'); process.exit(2)`);
    await assert.rejects(worker.start(), (error) => {
      assert.ok(error instanceof PartFailed);
      assert.match(error.message, /^worker ended before it served \(exit code 2\)\. End of .*:\nno such option$/);
      return true;
    });
    assert.equal(worker.pid, undefined);
  });

  test('whose program does not exist fails to start and says which', async (t) => {
    const worker = part(t, serve, { command: '/nowhere/program' });
    await assert.rejects(worker.start(), /worker could not be started \(\/nowhere\/program\)/);
  });

  test('that is stopped is gone with its children, and that is no crash', async (t) => {
    const worker = part(t, withChild);
    await worker.start();
    const pids = [worker.pid ?? 0, printedPid(worker.log)];
    assert.ok(pids.every(isAlive));
    await worker.stop();
    assert.ok(await until(() => !pids.some(isAlive), 30_000));
    assert.equal(await Promise.race([worker.crashed, 'no crash']), 'no crash');
  });

  test('that does not care about SIGTERM is ended by force after its grace', async (t) => {
    const worker = part(t, stubborn, { graceMs: 100 });
    await worker.start();
    const pid = worker.pid ?? 0;
    await worker.stop();
    assert.ok(!isAlive(pid));
  });

  test('starts again after it was killed, and only what it prints now counts', async (t) => {
    const worker = part(t, serve);
    await worker.start();
    const first = worker.pid;
    await worker.kill();
    assert.ok(!isAlive(first ?? 0));
    await worker.start();
    assert.notEqual(worker.pid, first);
  });

  test('is told to the place as soon as it runs', async (t) => {
    const seen: string[] = [];
    const worker = part(t, serve, {}, { onSpawn: (name, id) => seen.push(`${name} ${id.pid}`) });
    await worker.start();
    assert.deepEqual(seen, [`worker ${worker.pid}`]);
  });

  test('that is waited for ends when the start is given up', async (t) => {
    const giveUp = new AbortController();
    const worker = part(
      t,
      `console.log('child:' + process.pid); setInterval(() => {}, 1000)`,
      {},
      { signal: giveUp.signal },
    );
    const starting = worker.start();
    assert.ok(await until(() => Number.isInteger(printedPid(worker.log)), 30_000));
    giveUp.abort();
    await assert.rejects(starting, { name: 'AbortError' });
    assert.ok(!isAlive(printedPid(worker.log)));
  });
});

describe('parts together', () => {
  test('when one fails to start, the others are ended', async (t) => {
    const dir = directory(t);
    const good = part(t, serve, { log: `${dir}/good.log` });
    const bad = part(t, 'process.exit(1)', { name: 'bad', log: `${dir}/bad.log` });
    await assert.rejects(startAll([good, bad]), /^PartFailed: bad ended before it served/);
    assert.equal(good.pid, undefined);
  });
});
