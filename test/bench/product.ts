/** The processes that are measured: the forwarder, and the runner with the functions, as built bundles. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { forwarderPart, runnerPart } from '../../infra/local/functions.ts';
import { type PartFailed, type Place, startAll } from '../../infra/local/part.ts';
import { until } from '../../infra/local/process.ts';
import type { Watched } from './processes.ts';

export const root = join(import.meta.dirname, '..', '..');

export type ProductOptions = {
  /** addresses and credentials of everything */
  readonly env: NodeJS.ProcessEnv;
  /** for our processes alone, functions included */
  readonly extra?: Readonly<Record<string, string>>;
};

export type Product = {
  readonly pids: Watched;
  /** Settles with the first process that ends although nobody stopped it. */
  readonly crashed: Promise<PartFailed>;
  stop(): Promise<void>;
};

/** The forwarder's own tick would fall into any phase. */
const never = '86400';

const queueVariables = {
  ReconcileQueue: 'RECONCILE_QUEUE_URL',
  ReconcileDeadLetterQueue: 'RECONCILE_DLQ_URL',
  TickQueue: 'TICK_QUEUE_URL',
  TickDeadLetterQueue: 'TICK_DLQ_URL',
} as const;

/** Starts them in an installation that serves already, and waits for the tick of the start. `dist/` is built. */
export async function startProduct(place: Place, { env, extra = {} }: ProductOptions): Promise<Product> {
  const whole = { ...env, ...extra, RESYNC_INTERVAL_SECONDS: never };
  const { part: forwarder, port } = await forwarderPart(place, { ...whole, KUBECONFIG: env.KUBECONFIG_FORWARDER });
  const runner = runnerPart(place, whole, writeService(place.dir, extra), queueArguments(whole));
  await startAll([forwarder, runner]);
  if (!(await until(() => hasTicked(port), 60_000))) throw new Error('the forwarder has sent no tick');
  return {
    pids: new Map([forwarder, runner].map(({ name, pid }) => [name, pid ?? 0])),
    crashed: Promise.race([forwarder.crashed, runner.crashed]),
    stop: async () => {
      await Promise.all([forwarder.stop(), runner.stop()]);
    },
  };
}

async function hasTicked(port: number): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return /^topicsmith_forwarder_ticks_total [1-9]/m.test(metrics);
}

const queueArguments = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(queueVariables).flatMap(([id, variable]) => ['--queue', `${id}=${env[variable]}`]);

/** The serverless.yml of this repository with more environment for the functions, which inherit nothing. */
function writeService(dir: string, extra: Readonly<Record<string, string>>): string {
  const folder = join(dir, 'service');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const part of ['dist', 'infra']) symlinkSync(join(root, part), join(folder, part));
  const service = parse(readFileSync(join(root, 'serverless.yml'), 'utf8'));
  Object.assign(service.provider.environment, extra);
  const file = join(folder, 'serverless.yml');
  writeFileSync(file, stringify(service));
  return file;
}
