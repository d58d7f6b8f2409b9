/** `npm start`: brings up the system and keeps it up until Ctrl-C, `npm stop`, or the end of one of its parts. */
import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { kubeClient } from '../../functions/adapters/kube/client.ts';
import { KUBERNETES_VERSION } from './apiserver.ts';
import { root } from './functions.ts';
import { applyFiles } from './manifests.ts';
import { isRunning, type ProcessId, signalGroup } from './process.ts';
import {
  alreadyRuns,
  claim,
  DirectoryTaken,
  prepareDirectory,
  type State,
  supervisorLogOf,
  supervisorOf,
} from './state.ts';
import { type PartName, partNames, type System, startSystem } from './system.ts';

const usage = `usage: npm start [-- OPTION ...]

  --brokers 1|3     Kafka brokers (default 1)
  --topics samples  also apply the example KafkaTopics
  --detach          return when everything serves; end it with npm stop
  --only PART,...   some parts only: ${partNames.join(', ')}
  --dir DIRECTORY   where state, addresses and logs go (default .topicsmith)

KUBECONFIG, KAFKA_BROKERS and SQS_ENDPOINT, where set, replace the local part.
`;

type Options = {
  readonly dir: string;
  readonly brokers: 1 | 3;
  readonly samples: boolean;
  readonly detach: boolean;
  readonly parts: readonly PartName[];
};

class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Exit code of a shell's Ctrl-C, for an end before everything served. */
const ENDED_EARLY = 130;

function optionsOf(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      brokers: { type: 'string', default: '1' },
      topics: { type: 'string' },
      detach: { type: 'boolean', default: false },
      only: { type: 'string', default: partNames.join(',') },
      dir: { type: 'string', default: join(root, '.topicsmith') },
    },
  });
  const { brokers, topics, only, dir, detach } = values;
  if (brokers !== '1' && brokers !== '3') throw new UsageError(`--brokers is "${brokers}": it has to be 1 or 3`);
  if (topics !== undefined && topics !== 'samples')
    throw new UsageError(`--topics is "${topics}": there are only samples`);
  const unknown = only.split(',').find((name) => !partNames.some((part) => part === name));
  if (unknown !== undefined) throw new UsageError(`--only names "${unknown}": there are ${partNames.join(', ')}`);
  const parts = partNames.filter((part) => only.split(',').includes(part));
  return { dir: resolve(dir), brokers: brokers === '3' ? 3 : 1, samples: topics !== undefined, detach, parts };
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  const running = supervisorOf(options.dir);
  if (running !== undefined) throw new DirectoryTaken(alreadyRuns(options.dir, running));
  if (options.detach) await detach(options);
  else await supervise(options);
}

/** Progress goes to whoever waits: the process that detached this one, or the terminal. */
const say = (line: string) => {
  process.stderr.write(`${line}\n`);
  if (process.connected) process.send?.({ line });
};

/** Starts this program again without a terminal, repeats what it says, and leaves when everything serves. */
async function detach({ dir }: Options): Promise<void> {
  prepareDirectory(dir);
  mkdirSync(dirname(supervisorLogOf(dir)), { recursive: true });
  const log = openSync(supervisorLogOf(dir), 'w', 0o600);
  const args = process.argv.slice(2).filter((arg) => arg !== '--detach');
  const child = fork(import.meta.filename, args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'));
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on('message', (message: { line?: string; ready?: true }) => {
    if (message.line !== undefined) process.stderr.write(`${message.line}\n`);
    if (message.ready) resolve();
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
    resolve();
  });
  await promise;
  if (child.connected) child.disconnect();
  child.unref();
}

async function supervise(options: Options): Promise<void> {
  const end = new AbortController();
  // Signals that come again change nothing: the parts are being ended already.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  process.exitCode = ENDED_EARLY;
  const state = await claim(options.dir);
  const spawned: ProcessId[] = [];
  process.on('exit', () => {
    // None is left, unless this program itself failed.
    for (const id of spawned.filter(isRunning)) signalGroup(id.pid, 'SIGKILL');
  });
  try {
    const system = await startSystem({
      ...options,
      progress: say,
      signal: end.signal,
      onSpawn: (name, id) => {
        spawned.push(id);
        state.record(name, id);
      },
    });
    try {
      await serve(system, state, options, end.signal);
    } finally {
      state.retract();
      say('stopping');
      await system.stop();
    }
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    state.release();
  }
  say('stopped');
}

/** Publishes the addresses, then waits for the end. @throws PartFailed when it was the end of a part */
async function serve(system: System, state: State, options: Options, signal: AbortSignal): Promise<void> {
  if (options.samples) await applySamples(system);
  process.exitCode = 0;
  state.publish(system.exports, readyFile(system));
  say(`ready. To use it from a shell: . ${shortPath(join(options.dir, 'env'))}`);
  if (process.connected) {
    process.send?.({ ready: true });
    process.disconnect();
  }
  const ended = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const crash = await Promise.race([system.crashed, ended]);
  if (crash !== undefined) throw crash;
}

function shortPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith('..') ? file : fromHere;
}

async function applySamples({ exports }: System): Promise<void> {
  const kube = kubeClient(exports);
  try {
    await applyFiles(kube, sampleFiles());
  } finally {
    await kube.close();
  }
}

function sampleFiles(): string[] {
  const folder = join(root, 'crds', 'examples', 'valid');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

const readyFile = ({ parts, ports }: System) => ({
  pids: { supervisor: process.pid, ...Object.fromEntries([...parts].map(([name, { pid }]) => [name, pid])) },
  ports,
  versions: {
    node: process.versions.node,
    kubernetes: KUBERNETES_VERSION,
    kafka: versionOf('kafka'),
    elasticmq: versionOf('elasticmq'),
  },
});

/** The first version among its dependencies is that of the part itself. */
function versionOf(part: 'kafka' | 'elasticmq'): string | undefined {
  const pom = readFileSync(join(import.meta.dirname, part, 'pom.xml'), 'utf8');
  return /<dependency>.*?<version>(.+?)</s.exec(pom)?.[1];
}

main().catch((error: Error & { code?: string }) => {
  const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
  const isPlain = isUsage || ['MissingTool', 'DirectoryTaken', 'Unreachable', 'PartFailed'].includes(error.name);
  say(`start: ${isPlain ? error.message : error.stack}`);
  if (isUsage) process.stderr.write(usage);
  process.exitCode = isUsage ? 2 : 1;
});
