/** A system under supervision: published when it serves, taken down when it is told to end or a part ends by itself. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { KUBERNETES_VERSION } from './apiserver.ts';
import type { Progress } from './artifacts.ts';
import { askedToEnd, ENDED_EARLY, endedWithUs } from './ending.ts';
import { writeKafkaTools } from './kafka-tools.ts';
import type { StartOptions } from './options.ts';
import { applySamples } from './samples.ts';
import { claim, type State } from './state.ts';
import { type System, startSystem } from './system.ts';

/**
 * Returns when all has ended by request; sets the exit code. Tells a parent process with an IPC channel when it serves.
 *
 * @throws what kept it from serving, or PartFailed; no process is left then
 */
export async function supervise(options: StartOptions, say: Progress): Promise<void> {
  const end = askedToEnd();
  process.exitCode = ENDED_EARLY;
  const state = await claim(options.dir);
  const endWithUs = endedWithUs();
  try {
    const system = await startSystem({
      ...options,
      progress: say,
      signal: end,
      onSpawn: (name, id) => {
        endWithUs(id);
        state.record(name, id);
      },
    });
    try {
      await serve(system, state, options, say, end);
    } finally {
      state.retract();
      say('stopping');
      await system.stop();
    }
  } catch (error) {
    if (!end.aborted) throw error;
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
  signal.throwIfAborted();
  const crash = system.crashed.then((failure) => Promise.reject(failure));
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  if (options.samples) await Promise.race([applySamples(system.exports, say, signal), crash]);
  if (system.kafka !== undefined) writeKafkaTools(state.tools, system.kafka.brokers);
  process.exitCode = 0;
  state.publish(system.exports, readyFile(system));
  say(`ready. To use it from a shell: . ${shortPath(join(options.dir, 'env'))}`);
  if (process.connected) {
    process.send?.({ ready: true });
    process.disconnect();
  }
  await Promise.race([crash, ended]);
}

function shortPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith('..') ? file : fromHere;
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
