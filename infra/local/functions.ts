/** The parts that are ours: the forwarder, and the runner with the functions. Both run as built bundles. */
import { join } from 'node:path';
import { answers } from './elasticmq.ts';
import { Part, type Place } from './part.ts';
import { freePorts } from './ports.ts';
import { root } from './state.ts';

const GRACE_MS = 10_000;

/** @param env its whole environment but for the port of its health and metrics */
export async function forwarderPart(place: Place, env: NodeJS.ProcessEnv): Promise<{ part: Part; port: number }> {
  const [port = 0] = await freePorts(1);
  const part = new Part(
    {
      name: 'forwarder',
      command: process.execPath,
      args: [join(root, 'dist', 'forwarder.cjs')],
      env: { ...env, METRICS_PORT: String(port) },
      log: join(place.dir, 'logs', 'forwarder.log'),
      ready: () => answers(`http://127.0.0.1:${port}/readyz`, [200]),
      graceMs: GRACE_MS,
    },
    place,
  );
  return { part, port };
}

/** @param env its whole environment, from which `serverless.yml` takes what it hands to the functions */
export function runnerPart(place: Place, env: NodeJS.ProcessEnv): Part {
  return new Part(
    {
      name: 'runner',
      command: process.execPath,
      args: [join(root, 'dist', 'runner.cjs'), join(root, 'serverless.yml'), '--warm', '1'],
      cwd: root,
      env,
      log: join(place.dir, 'logs', 'runner.log'),
      ready: async (output) => output().includes('runner: ready'),
      graceMs: GRACE_MS,
    },
    place,
  );
}
