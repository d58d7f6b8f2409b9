/** `npm start` and `npm stop` as a user meets them, with the smallest real part: ElasticMQ. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { identify, until } from '../../infra/local/process.ts';
import { supervisorOf } from '../../infra/local/state.ts';
import { isAlive, temporary } from './support.ts';

const folder = join(import.meta.dirname, '..', '..', 'infra', 'local');
const nowhere = 'http://127.0.0.1:9'; // discard: nobody listens

function withoutOutside(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { KUBECONFIG, KAFKA_BROKERS, SQS_ENDPOINT, ...rest } = process.env;
  return { ...rest, ...env };
}

/** A directory for a system. What runs there is ended after the test, and only then the directory removed. */
function place(t: TestContext): string {
  const { path, remove } = temporary();
  t.after(() => {
    spawnSync(process.execPath, [join(folder, 'stop.ts'), '--dir', path]);
    remove();
  });
  return path;
}

/** Runs `start.ts` or `stop.ts` for a directory. */
const launch = (program: 'start' | 'stop', dir: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
  launchBare(program, ['--dir', dir, ...args], env);

function launchBare(program: 'start' | 'stop' | 'demo', args: string[], env: NodeJS.ProcessEnv = {}) {
  const all = [join(folder, `${program}.ts`), ...args];
  const child = spawn(process.execPath, all, { env: withoutOutside(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk;
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, ended, text: () => text };
}

async function outputOf({ ended, text }: ReturnType<typeof launchBare>) {
  const code = await ended;
  return { code, text: text() };
}

const emq = ['--only', 'elasticmq'];
const json = (dir: string, name: string) => JSON.parse(readFileSync(join(dir, name), 'utf8'));
const pidsOf = (dir: string): number[] => Object.values(json(dir, 'ready').pids);
/** The process of a part, as soon as it is recorded. */
async function firstPid(dir: string): Promise<number> {
  const processes = join(dir, 'processes');
  assert.ok(await until(() => existsSync(processes) && readFileSync(processes, 'utf8').endsWith('\n'), 30_000));
  return json(dir, 'processes').pid;
}
const isReady = (dir: string) => until(() => existsSync(join(dir, 'ready')), 180_000);

describe('npm start', () => {
  const { path, remove } = temporary();
  after(remove);
  const plainKubeconfig = join(path, 'kubeconfig');
  writeFileSync(
    plainKubeconfig,
    JSON.stringify({
      clusters: [{ name: 'plain', cluster: { server: nowhere } }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'plain', context: { cluster: 'plain', user: 'nobody' } }],
      'current-context': 'plain',
    }),
  );

  test('serves in the foreground until Ctrl-C, however often pressed, and leaves no process', async (t) => {
    const dir = place(t);
    // No chosen part talks to an API server, so this one is not touched.
    const { child, ended, text } = launch('start', dir, emq, { KUBECONFIG: '/nowhere/kubeconfig' });
    assert.ok(await isReady(dir), text());
    const pids = pidsOf(dir);
    assert.equal(pids.length, 2);
    assert.match(
      text(),
      /^elasticmq: starting\nelasticmq: serves at http.*\nready\. To use it from a shell: \. .*\/env\n$/,
    );
    child.kill('SIGINT');
    child.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.ok(!pids.some(isAlive));
    assert.match(text(), /stopping\nstopped\n$/);
    assert.ok(!existsSync(join(dir, 'ready')));
  });

  test('--detach returns when everything serves; a second start says so; npm stop ends it', async (t) => {
    const dir = place(t);
    const start = launch('start', dir, [...emq, '--detach']);
    assert.equal(await start.ended, 0, start.text());
    assert.ok(existsSync(join(dir, 'ready')));
    const pids = pidsOf(dir);
    assert.ok(pids.every(isAlive));
    const shell = spawnSync('sh', ['-c', `. ${dir}/env && echo $RECONCILE_QUEUE_URL $TICK_DLQ_URL`], {
      encoding: 'utf8',
    });
    assert.match(shell.stdout, /^http:.*\/reconcile\.fifo http:.*\/ticks-dlq\.fifo$/m);
    assert.equal(statSync(dir).mode & 0o777, 0o700);

    const second = launch('start', dir, [...emq, '--detach']);
    assert.equal(await second.ended, 1);
    assert.match(second.text(), /^start: The system in .* runs already \(process \d+\)\. To stop it: npm stop\n$/);
    assert.ok(pids.every(isAlive));

    const stop = launch('stop', dir);
    assert.equal(await stop.ended, 0);
    assert.equal(stop.text(), 'stopped\n');
    assert.ok(!pids.some(isAlive));
    assert.deepEqual(readdirSync(dir).sort(), ['logs', 'processes']);

    const again = launch('stop', dir);
    assert.equal(await again.ended, 0);
    assert.match(again.text(), /^nothing runs in /);
  });

  test('notices when a part ends, names it, shows the end of its log and fails', async (t) => {
    const dir = place(t);
    const { ended, text } = launch('start', dir, emq);
    assert.ok(await isReady(dir), text());
    const { supervisor, elasticmq } = json(dir, 'ready').pids;
    process.kill(elasticmq, 'SIGKILL');
    assert.equal(await ended, 1);
    assert.match(text(), /start: elasticmq ended by itself \(SIGKILL\)\. End of .*elasticmq\.log:\n.*ElasticMQ/s);
    assert.ok(!isAlive(supervisor));
  });

  test('clears up after a supervisor that was killed', async (t) => {
    const dir = place(t);
    const first = launch('start', dir, emq);
    assert.ok(await isReady(dir), first.text());
    const { elasticmq } = json(dir, 'ready').pids;
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(isAlive(elasticmq));
    const second = launch('start', dir, [...emq, '--detach']);
    assert.equal(await second.ended, 0, second.text());
    assert.ok(!isAlive(elasticmq));
    assert.ok(pidsOf(dir).every(isAlive));
  });

  test('ends what it has begun when it is interrupted before it serves', async (t) => {
    const dir = place(t);
    const { child, ended, text } = launch('start', dir, emq);
    const pid = await firstPid(dir);
    assert.ok(identify(pid) !== undefined);
    child.kill('SIGTERM');
    assert.equal(await ended, 130);
    assert.ok(!isAlive(pid));
    assert.ok(!existsSync(join(dir, 'ready')) && !text().includes('ready'));
  });

  test('ends what it has begun when nobody reads on what it says', async (t) => {
    const dir = place(t);
    const { child, ended } = launch('start', dir, emq);
    const pid = await firstPid(dir);
    child.stderr.destroy();
    await ended;
    assert.ok(!isAlive(pid));
    assert.ok(!existsSync(join(dir, 'ready')));
    assert.equal(supervisorOf(dir), undefined);
  });

  test('--detach does not mind when nobody reads on', async (t) => {
    const dir = place(t);
    const { child, ended, text } = launch('start', dir, [...emq, '--detach']);
    child.stderr.once('data', () => child.stderr.destroy());
    assert.equal(await ended, 0, text());
    assert.ok(pidsOf(dir).every(isAlive));
  });

  test('npm stop and the next start say what ended a system in the background, and where to read more', async (t) => {
    const dir = place(t);
    await launch('start', dir, [...emq, '--detach']).ended;
    const { supervisor, elasticmq } = json(dir, 'ready').pids;
    process.kill(elasticmq, 'SIGKILL');
    assert.ok(await until(() => !isAlive(supervisor), 30_000));
    const stop = launch('stop', dir);
    assert.equal(await stop.ended, 0);
    assert.match(
      stop.text(),
      /^nothing runs in .*: elasticmq ended by itself \(SIGKILL\)\. End of .*elasticmq\.log:\n/,
    );
    assert.match(stop.text(), /^All that was said: .*\/logs\/supervisor\.log$/m);

    const second = launch('start', dir, [...emq, '--detach']);
    assert.equal(await second.ended, 0, second.text());
    assert.match(second.text(), /^The system that ran in the background has ended by itself: elasticmq ended/);
    await launch('stop', dir).ended;
    assert.match((await outputOf(launch('stop', dir))).text, /^nothing runs in [^:]*\n$/);
  });

  const refusals = [
    {
      reason: 'a kubeconfig that is not there',
      args: ['--only', 'apiserver'],
      env: { KUBECONFIG: '/nowhere/kubeconfig' },
      want: /^start: The API server of KUBECONFIG \(\/nowhere\/kubeconfig\) cannot be used: .*no such file/m,
    },
    {
      reason: 'a kubeconfig without TLS',
      args: ['--only', 'apiserver'],
      env: { KUBECONFIG: plainKubeconfig },
      want: /^start: The API server of KUBECONFIG .* cannot be used: its server is http:\/\/127\.0\.0\.1:9: .*; give it an https address$/m,
    },
    {
      reason: 'brokers that do not answer',
      args: ['--only', 'kafka'],
      env: { KAFKA_BROKERS: '127.0.0.1:9' },
      want: /^start: No Kafka broker answers at KAFKA_BROKERS \(127\.0\.0\.1:9\)$/m,
    },
    {
      reason: 'a queue server that does not answer',
      args: emq,
      env: { SQS_ENDPOINT: nowhere },
      want: /^start: No SQS server answers at SQS_ENDPOINT \(http:\/\/127\.0\.0\.1:9\)$/m,
    },
    {
      reason: 'a part without one it needs',
      args: ['--only', 'forwarder'],
      env: {},
      want: /^start: forwarder needs apiserver: start it too, or set KUBECONFIG$/m,
    },
    {
      reason: 'no Java',
      args: emq,
      env: { PATH: '/nowhere' },
      want: /^start: Java is missing \("java" was not found\): install .*$/m,
    },
  ];
  for (const { reason, args, env, want } of refusals)
    test(`says in one line what is wrong with ${reason}, and leaves nothing running`, async (t) => {
      const dir = place(t);
      const { ended, text } = launch('start', dir, args, env);
      assert.equal(await ended, 1);
      assert.match(text(), want);
      assert.equal(
        text()
          .split('\n')
          .filter((line) => line.startsWith('start: ') || line.startsWith('    at ')).length,
        1,
      );
      assert.equal(readFileSync(join(dir, 'processes'), 'utf8'), '');
    });

  test('names every tool that the cache does not make unnecessary', async (t) => {
    const dir = place(t);
    const programs = join(dir, 'programs');
    mkdirSync(programs);
    symlinkSync(process.execPath, join(programs, 'node'));
    const { ended, text } = launch('start', join(dir, 'state'), [], {
      PATH: programs,
      XDG_CACHE_HOME: join(dir, 'cache'),
    });
    assert.equal(await ended, 1);
    for (const tool of ['Java', 'Maven', 'Go']) assert.match(text(), new RegExp(`^(start: )?${tool} is missing`, 'm'));
  });

  test('--topics needs the parts that look after topics', async (t) => {
    const { code, text } = await outputOf(launch('start', place(t), ['--topics', 'samples', '--only', 'apiserver']));
    assert.equal(code, 2);
    assert.match(text, /^start: --topics needs all parts: leave out --only\n/);
  });

  test('explains an option it does not know', async (t) => {
    const { ended, text } = launch('start', place(t), ['--brokers', '2']);
    assert.equal(await ended, 2);
    assert.match(text(), /^start: --brokers is "2": it has to be 1 or 3\nusage: npm start/);
  });
});

describe('the programs', () => {
  for (const program of ['start', 'stop', 'demo'] as const) {
    test(`${program} prints its usage when asked, and does nothing else`, async () => {
      const { code, text } = await outputOf(launchBare(program, ['--help']));
      assert.equal(code, 0);
      assert.match(text, new RegExp(`^usage: npm (run )?${program}\\b`));
    });

    test(`${program} refuses an option that it does not have`, async () => {
      const { code, text } = await outputOf(launchBare(program, ['--nonsense']));
      assert.equal(code, 2);
      assert.match(text, new RegExp(`^${program}: Unknown option '--nonsense'.*\nusage: npm`, 's'));
    });
  }

  const forgotten = [
    { reason: 'a value whose option npm has kept', program: 'stop', args: ['/a/directory'], env: {} },
    { reason: 'an option that npm has kept', program: 'start', args: [], env: { npm_config_detach: 'true' } },
  ] as const;
  for (const { reason, program, args, env } of forgotten)
    test(`${program} asks for the forgotten -- at ${reason}`, async () => {
      const { code, text } = await outputOf(launchBare(program, [...args], env));
      assert.equal(code, 2);
      assert.match(text, new RegExp(`Did you forget the -- in front of the options\\? npm ${program} -- OPTION`));
    });
});
