/** The whole system on one machine, or some of its parts: for `npm start`, the demo, the tests and the benchmark. */
import { join } from 'node:path';
import { type ApiServer, apiServerBinary } from './apiserver.ts';
import { type Artifact, isCached, type Progress } from './artifacts.ts';
import { apiServer, kafkaCluster, type Start, sqsServer, Unreachable } from './backends.ts';
import { elasticMqJars } from './elasticmq.ts';
import { forwarderPart, runnerPart } from './functions.ts';
import { type KafkaCluster, kafkaJars } from './kafka.ts';
import { type PartName, partNames } from './options.ts';
import { type Outside, readOutside, withMarker } from './outside.ts';
import { type Part, type PartFailed, startAll } from './part.ts';
import { freePorts } from './ports.ts';
import { endAll, type ProcessId, run } from './process.ts';
import { localAws } from './queues.ts';
import { root } from './state.ts';
import { requireTools, type Tool } from './tools.ts';

export type { PartName };

export type SystemOptions = {
  /** directory for data, kubeconfigs and logs; exists, and has no system in it */
  readonly dir: string;
  /** default: all */
  readonly parts?: readonly PartName[];
  readonly brokers?: 1 | 3;
  /** inherited by forwarder and runner; KUBECONFIG, KAFKA_BROKERS and SQS_ENDPOINT in it replace a part */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  readonly onSpawn?: (name: string, id: ProcessId) => void;
};

export type System = {
  /** addresses and dummy credentials, as `.topicsmith/env` exports them */
  readonly exports: Readonly<Record<string, string>>;
  /** by name: as in `PartName`, with three brokers `kafka-1` to `kafka-3` */
  readonly parts: ReadonlyMap<string, Part>;
  /** undefined where it is not ours or not wanted */
  readonly apiServer: ApiServer | undefined;
  readonly kafka: KafkaCluster | undefined;
  readonly ports: Readonly<Record<string, number | readonly number[]>>;
  /** Settles with the first part that ends although nobody stopped it. */
  readonly crashed: Promise<PartFailed>;
  /** Ends all parts, the ones of ours first. */
  stop(): Promise<void>;
};

/**
 * Starts the parts at the same time, fetching and building what is missing, and waits until all of them serve.
 *
 * @throws MissingTool, Unreachable, PartFailed, or what else went wrong; no process is left then
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  const spawned: ProcessId[] = [];
  const onSpawn = (name: string, id: ProcessId) => {
    spawned.push(id);
    options.onSpawn?.(name, id);
  };
  const parts = options.parts ?? partNames;
  const outside = usedBy(parts, readOutside(options.env ?? process.env));
  const wanted = localParts(parts, outside);
  const { dir, brokers = 1, progress = () => {}, env = process.env } = options;
  const selective = Boolean(env.WATCH_LABEL_SELECTOR || env.WATCH_NAMESPACES);
  try {
    checkTools(wanted);
    return await bringUp({ dir, wanted, brokers, outside, selective, progress, signal, onSpawn }, stop, env);
  } catch (error) {
    stop.abort();
    await endAll(spawned, 0);
    throw error;
  }
}

const replacedBy = { apiserver: 'KUBECONFIG', kafka: 'KAFKA_BROKERS', elasticmq: 'SQS_ENDPOINT' } as const;
const needs: Partial<Record<PartName, readonly (keyof typeof replacedBy)[]>> = {
  forwarder: ['apiserver', 'elasticmq'],
  runner: ['apiserver', 'kafka', 'elasticmq'],
};

/** An API server that only happens to be the user's current one must not get our definitions. */
function usedBy(parts: readonly PartName[], outside: Outside): Outside {
  const used = new Set([...parts, ...parts.flatMap((part) => needs[part] ?? [])]);
  const entries = Object.entries(replacedBy).filter(([part]) => used.has(part as PartName));
  return Object.fromEntries(
    entries.map(([, name]) => [name, outside[name]]).filter(([, value]) => value !== undefined),
  );
}

/** @throws Unreachable when a part cannot do without one that is neither wanted nor comes from outside */
function localParts(wanted: readonly PartName[], outside: Outside): Set<PartName> {
  for (const part of wanted)
    for (const other of needs[part] ?? [])
      if (!wanted.includes(other) && outside[replacedBy[other]] === undefined)
        throw new Unreachable(`${part} needs ${other}: start it too, or set ${replacedBy[other]}`);
  return new Set(wanted.filter((part) => !(part in replacedBy && outside[replacedBy[part as 'kafka']] !== undefined)));
}

const artifacts: Partial<Record<PartName, Artifact>> = {
  apiserver: apiServerBinary,
  kafka: kafkaJars,
  elasticmq: elasticMqJars,
};

/** All complaints at once, before anything is fetched. What is in the cache needs no tool but Java to run it. */
function checkTools(wanted: ReadonlySet<PartName>): void {
  const tools = new Set<Tool>(wanted.has('kafka') || wanted.has('elasticmq') ? ['java'] : []);
  for (const part of wanted) {
    const artifact = artifacts[part];
    if (artifact !== undefined && !isCached(artifact)) for (const tool of artifact.tools) tools.add(tool);
  }
  requireTools([...tools]);
}

async function bringUp(start: Start, stop: AbortController, inherited: NodeJS.ProcessEnv): Promise<System> {
  const [api, kafka, sqs] = await all(stop, [apiServer(start), kafkaCluster(start), sqsServer(start), bundle(start)]);
  const exports = { ...localAws, ...api.exports, ...kafka.exports, ...sqs.exports };
  const env = { ...inherited, ...exports };
  const forwarder = start.wanted.has('forwarder')
    ? await forwarderPart(start, { ...env, ...kubeconfigFor(api.local, 'forwarder') })
    : undefined;
  const [runnerPort = 0] = await freePorts(1);
  const runner = start.wanted.has('runner')
    ? runnerPart(start, { ...env, ...functionKubeconfigs(api.local), METRICS_PORT: String(runnerPort) })
    : undefined;
  const ours = [forwarder?.part, runner].filter((part) => part !== undefined);
  const others = [...(api.local?.parts ?? []), ...(kafka.local?.parts ?? []), ...(sqs.local?.parts ?? [])];
  const crashed = Promise.race([...others, ...ours].map((part) => part.crashed));
  for (const part of ours) start.progress(`${part.name}: starting`);
  await Promise.race([startAll(ours), crashed.then((failure) => Promise.reject(failure))]);
  return {
    exports: {
      ...withMarker(exports, start.outside),
      ...(forwarder && { FORWARDER_URL: `http://127.0.0.1:${forwarder.port}` }),
      ...(runner && { RUNNER_URL: `http://127.0.0.1:${runnerPort}` }),
    },
    parts: new Map([...others, ...ours].map((part) => [part.name, part])),
    apiServer: api.local,
    kafka: kafka.local,
    ports: portsOf(api.local?.server, exports, start, forwarder?.port),
    crashed,
    stop: async () => {
      await Promise.all(ours.map((part) => part.stop()));
      await Promise.all(others.map((part) => part.stop()));
    },
  };
}

/** Like Promise.all, but leaves nothing running: the first failure ends the others, and they are waited for. */
async function all<T extends readonly Promise<unknown>[]>(
  stop: AbortController,
  tasks: readonly [...T],
): Promise<{ [index in keyof T]: Awaited<T[index]> }> {
  try {
    return await Promise.all(tasks);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(tasks);
    throw error;
  }
}

/** In a process of its own: esbuild keeps some hundred megabytes for as long as the process that called it lives. */
async function bundle({ wanted, signal }: Start): Promise<void> {
  if (!wanted.has('forwarder') && !wanted.has('runner')) return;
  await run(process.execPath, [join(root, 'infra', 'build.ts')], { signal });
}

const kubeconfigFor = (api: ApiServer | undefined, identity: 'forwarder') =>
  api === undefined ? {} : { KUBECONFIG: api.kubeconfigs[identity] };

/** As `serverless.yml` asks for them; without them both functions use KUBECONFIG. */
const functionKubeconfigs = (api: ApiServer | undefined) =>
  api === undefined
    ? {}
    : { KUBECONFIG_RECONCILER: api.kubeconfigs.reconciler, KUBECONFIG_RESYNC: api.kubeconfigs.resync };

function portsOf(
  server: string | undefined,
  exports: Readonly<Record<string, string>>,
  { wanted }: Start,
  forwarder: number | undefined,
) {
  const port = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));
  const { KAFKA_BROKERS, SQS_ENDPOINT } = exports;
  return {
    ...(server === undefined ? {} : { apiserver: port(server) }),
    ...(wanted.has('kafka') && KAFKA_BROKERS ? { kafka: KAFKA_BROKERS.split(',').map(port) } : {}),
    ...(wanted.has('elasticmq') && SQS_ENDPOINT ? { elasticmq: port(SQS_ENDPOINT) } : {}),
    ...(forwarder === undefined ? {} : { forwarder }),
  };
}
