/**
 * The built reconcile function in a process of its own, before a real API server and a real broker, with somebody in
 * between who sees each call to the outside and can end the process at any of them. The harness itself plays the queue:
 * a message whose process died is handed to another process at once.
 */

import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildChanged } from '../../../infra/build.ts';
import type { System } from '../../../infra/local/system.ts';
import { type KafkaProxy, startKafkaProxy } from '../kafka/proxy.ts';
import { type KubeProxy, startKubeProxy } from '../kube/proxy.ts';
import { Broker } from './broker.ts';
import { Kubectl } from './kubectl.ts';
import { Processes } from './processes.ts';
import { type Crash, Sentry, type Site, watchKafka, watchKube } from './sentry.ts';
import { eventAbout, failedOf, Worker } from './worker.ts';
import { scratchDirectory, startParts } from './world.ts';

export type Trace = { readonly sites: readonly Site[]; readonly deaths: number };

export type CrashWorld = {
  readonly user: Kubectl;
  readonly admin: Kubectl;
  readonly broker: Broker;
  /** what passes between the function and Kafka, or the API server */
  readonly kafka: KafkaProxy;
  readonly kube: KubeProxy;
  /** requests to Kafka that the product must never send */
  readonly violations: readonly string[];
  /** Puts a process in place that has worked on nothing yet: it has no connections, so that calls can be counted. */
  renew(): Promise<void>;
  /**
   * Delivers a message about an object again and again until it is done with.
   *
   * @param crash ends the process there, once; with a number past the last call right after its answer, which is lost then
   */
  work(name: string, crash?: Crash): Promise<Trace>;
  /** Another process of the function, that nobody kills. @param env what is otherwise in its environment */
  worker(env?: Readonly<Record<string, string>>): Worker;
  /** Delivers a message once, to a new process that dies there. */
  die(name: string, crash: Crash): Promise<void>;
  stop(): Promise<void>;
};

const mostDeliveries = 5;

export async function startCrashWorld(): Promise<CrashWorld> {
  const dir = scratchDirectory();
  const system = await startParts(dir, ['apiserver', 'kafka']);
  const world = await crashWorldOn({ dir, system, exports: system.exports });
  return {
    ...world,
    async stop() {
      await world.stop();
      await system.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Parts that run already. `exports`: the brokers among them; `dir`: of the API server. */
export type Parts = {
  readonly dir: string;
  readonly system: System;
  readonly exports: Readonly<Record<string, string>>;
};

/** @param settings more of the environment of the function. `stop` ends what this has started, and not the parts */
export async function crashWorldOn(
  { dir, system, exports }: Parts,
  settings: Readonly<Record<string, string>> = {},
): Promise<CrashWorld> {
  await buildChanged();
  const { KAFKA_BROKERS = '', KAFKA_CLUSTER_ID = '' } = exports;
  const kafka = await startKafkaProxy(KAFKA_BROKERS);
  const kube = await startKubeProxy(apiServerOf(system).server, {
    key: readFileSync(join(dir, 'data', 'apiserver', 'tls', 'apiserver.key')),
    cert: readFileSync(join(dir, 'data', 'apiserver', 'tls', 'apiserver.crt')),
  });
  const queue = await startQueue();
  const environment = {
    ...exports,
    ...settings,
    KUBECONFIG: kubeconfigVia(kube, apiServerOf(system).kubeconfigs.reconciler, dir),
    KAFKA_BROKERS: kafka.address,
    KAFKA_CLUSTER_ID,
    SQS_ENDPOINT: queue.endpoint,
    RECONCILE_QUEUE_URL: `${queue.endpoint}/reconcile.fifo`,
    MAX_RECEIVE_COUNT: '20',
    METRICS_NAMESPACE: 'none',
    LOG_LEVEL: 'error',
  };
  const processes = new Processes(environment);
  const workers: Worker[] = [];
  const sentry = new Sentry(() => processes.killCurrent());
  watchKube(kube, sentry);
  watchKafka(kafka, sentry);
  const broker = new Broker(KAFKA_BROKERS.split(',')[0] ?? '', join(dir, 'data', 'kafka-1', 'data'));
  await broker.connect();
  const user = new Kubectl(apiServerOf(system).kubeconfigs['tenant-a']);
  const admin = new Kubectl(apiServerOf(system).kubeconfigs.admin);
  await user.canApply();
  return {
    user,
    admin,
    broker,
    kafka,
    kube,
    violations: kafka.violations,
    renew: () => processes.killCurrent(),
    work: (name, crash) => work(processes, sentry, name, crash),
    worker: (env = {}) => {
      const worker = new Worker({ ...environment, ...env });
      workers.push(worker);
      return worker;
    },
    die: async (name, crash) => {
      await processes.killCurrent();
      sentry.begin(crash);
      const { ending } = await processes.invoke(eventAbout([name], 1));
      if (ending.kind !== 'crashed') throw new Error(`the process did not die: ${ending.kind}`);
    },
    async stop() {
      user.close();
      admin.close();
      await Promise.all([broker.close(), processes.end(), ...workers.map((worker) => worker.end())]);
      await Promise.all([kafka.close(), kube.close()]);
      queue.close();
    },
  };
}

function apiServerOf({ apiServer }: System) {
  if (apiServer === undefined) throw new Error('the system has no API server');
  return apiServer;
}

async function work(processes: Processes, sentry: Sentry, name: string, crash?: Crash): Promise<Trace> {
  sentry.begin(crash);
  let deaths = 0;
  for (let receives = 1; receives <= mostDeliveries; receives++) {
    const { ending } = await processes.invoke(eventAbout([name], receives));
    if (ending.kind === 'crashed' && sentry.struck) deaths++;
    else if (ending.kind !== 'returned') throw new Error(`the function ended otherwise: ${JSON.stringify(ending)}`);
    else if (failedOf(ending).length > 0) continue;
    else if (sentry.isDueAtTheEnd()) {
      await processes.killCurrent();
      deaths++;
    } else return { sites: sentry.sites, deaths };
  }
  throw new Error(`after ${mostDeliveries} deliveries there is still work to do`);
}

function kubeconfigVia({ server }: KubeProxy, kubeconfig: string, dir: string): string {
  const file = join(dir, 'kubeconfig.proxied');
  writeFileSync(file, readFileSync(kubeconfig, 'utf8').replace(/server: .*/, `server: ${server}`), { mode: 0o600 });
  return file;
}

/** Takes every wish for another visibility: messages come back when the harness says so. */
async function startQueue(): Promise<{ endpoint: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { Entries } = JSON.parse(await new Response(request as never).text());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ Successful: Entries.map(({ Id }: { Id: string }) => ({ Id })), Failed: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
