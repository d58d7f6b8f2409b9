/** A system under supervision: published when it serves, taken down when it is told to end or a part ends by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { kubeClient } from '../../functions/adapters/kube/client.ts';
import { KUBERNETES_VERSION } from './apiserver.ts';
import type { Progress } from './artifacts.ts';
import { applyFiles } from './manifests.ts';
import type { StartOptions } from './options.ts';
import { isRunning, type ProcessId, signalGroup } from './process.ts';
import { claim, root, type State } from './state.ts';
import { type System, startSystem } from './system.ts';

/** Exit code of a shell's Ctrl-C, for an end before everything served. */
const ENDED_EARLY = 130;

/**
 * Returns when all has ended by request; sets the exit code. Tells a parent process with an IPC channel when it serves.
 *
 * @throws what kept it from serving, or PartFailed; no process is left then
 */
export async function supervise(options: StartOptions, say: Progress): Promise<void> {
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
      await serve(system, state, options, say, end.signal);
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
async function serve(
  system: System,
  state: State,
  options: StartOptions,
  say: Progress,
  signal: AbortSignal,
): Promise<void> {
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
