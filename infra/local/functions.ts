/** The parts that are ours: the forwarder, and the runner with the functions. Both run as built bundles. */
import { join } from 'node:path';
import { answers } from './elasticmq.ts';
import { Part, type Place } from './part.ts';
import { freePorts } from './ports.ts';
import { root } from './state.ts';

const GRACE_MS = 10_000;

/**
 * How the forwarder's process is started: 10,000 objects then take half the memory (100 MB instead of 200), and 10,000
 * edits a third more of its CPU time. By itself V8 lets garbage lie while the machine has memory, and glibc has an arena
 * per thread, each of which keeps what was freed in it.
 */
export const lean = { args: ['--optimize-for-size'], env: { MALLOC_ARENA_MAX: '1' } } as const;

/**
 * @param env its whole environment but for the port of its health and metrics
 * @param bundle the built forwarder
 */
export async function forwarderPart(
  place: Place,
  env: NodeJS.ProcessEnv,
  bundle = join(root, 'dist', 'forwarder.cjs'),
): Promise<{ part: Part; port: number }> {
  const [port = 0] = await freePorts(1);
  const part = new Part(
    {
      name: 'forwarder',
      command: process.execPath,
      args: [...lean.args, bundle],
      env: { ...lean.env, ...env, METRICS_PORT: String(port) },
      log: join(place.dir, 'logs', 'forwarder.log'),
      ready: () => answers(`http://127.0.0.1:${port}/readyz`, [200]),
      graceMs: GRACE_MS,
    },
    place,
  );
  return { part, port };
}

/** As many as the runner has in work at the same time by itself, so that the first burst waits for no cold start. */
const WARM_PROCESSES = '4';

/**
 * @param env its whole environment, with METRICS_PORT for its pages, from which `serverless.yml` takes what it hands to the functions
 * @param service the `serverless.yml`
 * @param options more arguments
 */
export function runnerPart(
  place: Place,
  env: NodeJS.ProcessEnv,
  service = join(root, 'serverless.yml'),
  options: readonly string[] = [],
): Part {
  return new Part(
    {
      name: 'runner',
      command: process.execPath,
      args: [join(root, 'dist', 'runner.cjs'), service, '--warm', WARM_PROCESSES, ...options],
      cwd: root,
      env,
      log: join(place.dir, 'logs', 'runner.log'),
      ready: async (output) => output().includes('runner: ready'),
      graceMs: GRACE_MS,
    },
    place,
  );
}
