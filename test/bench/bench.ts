/** `npm run bench`: how fast the whole system is and what it costs, seen from outside. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll, isRunning, type ProcessId, run, signalGroup } from '../../infra/local/process.ts';
import { startSystem } from '../../infra/local/system.ts';
import { type Options, optionsOf, UsageError, usage } from './arguments.ts';
import { measure, type Report } from './measure.ts';
import { root } from './product.ts';
import { render } from './render.ts';

/** Exit code of a shell's Ctrl-C. */
const interruptedCode = 130;

/** A file system in memory, on Linux. Containers often have a small one. */
const memory = '/dev/shm';
const roomNeeded = 4 * 2 ** 30;

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

async function bench(options: Options): Promise<Report> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  const spawned: ProcessId[] = [];
  process.on('exit', () => {
    for (const { pid } of spawned.filter(isRunning)) signalGroup(pid, 'SIGKILL');
  });
  const dir = mkdtempSync(join(options.data ?? dataFolder(), 'topicsmith-bench-'));
  const place = { dir, signal: end.signal, onSpawn: (_name: string, id: ProcessId) => void spawned.push(id) };
  const interrupted = new Promise<never>((_, reject) => {
    end.signal.addEventListener('abort', () => reject(new Interrupted('interrupted')));
  });
  let failed = false;
  try {
    return await Promise.race([interrupted, inSystem(place, options)]);
  } catch (error) {
    failed = !end.signal.aborted;
    throw error;
  } finally {
    say('stopping');
    await endAll(spawned, 0);
    clear(dir, failed);
  }
}

/** Memory, if it has room: on a disk, creating a topic costs a broker three times the CPU time, and etcd waits for it. */
function dataFolder(): string {
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > roomNeeded ? memory : tmpdir();
}

function clear(dir: string, keepLogs: boolean): void {
  if (keepLogs) say(`the logs stay in ${join(dir, 'logs')}`);
  const entries = readdirSync(dir).filter((name) => !keepLogs || name !== 'logs');
  for (const name of entries) rmSync(join(dir, name), { recursive: true });
  if (!keepLogs) rmSync(dir, { recursive: true });
}

/** In a process of its own: esbuild keeps some hundred megabytes for as long as the process that called it lives. */
const build = (signal: AbortSignal) => run(process.execPath, [join(root, 'infra', 'build.ts')], { signal });

type BenchPlace = {
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly onSpawn: (name: string, id: ProcessId) => void;
};

async function inSystem(place: BenchPlace, options: Options): Promise<Report> {
  const parts = ['apiserver', 'kafka', 'elasticmq'] as const;
  await build(place.signal);
  const system = await startSystem({ ...place, parts, env: ownEnvironment(), progress: say });
  const crash = system.crashed.then((failure) => Promise.reject(failure));
  try {
    return await Promise.race([measure({ system, place, progress: say }, options), crash]);
  } finally {
    await system.stop();
  }
}

/** Whatever the shell points at, all parts are our own: nobody else's system is put under load. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { KUBECONFIG: _k, KAFKA_BROKERS: _b, SQS_ENDPOINT: _s, ...env } = process.env;
  return env;
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  const report = await bench(options);
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : render(report));
}

main().catch((error: Error) => {
  const isPlain = ['UsageError', 'MissingTool', 'PartFailed', 'Interrupted'].includes(error.name);
  say(`bench: ${isPlain ? error.message : error.stack}`);
  if (error instanceof UsageError) say(usage);
  process.exitCode = error instanceof UsageError ? 2 : error instanceof Interrupted ? interruptedCode : 1;
});
