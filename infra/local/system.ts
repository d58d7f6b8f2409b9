/** The whole system on one machine, or some of its parts: for `npm start`, the demo, the tests and the benchmark. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { kubeClient } from '../../functions/adapters/kube/client.ts';
import { type ApiServer, apiServerBinary, startApiServer } from './apiserver.ts';
import { type Artifact, isCached, obtain, type Progress } from './artifacts.ts';
import { answers, elasticMqJars, startElasticMq } from './elasticmq.ts';
import { forwarderPart, root, runnerPart } from './functions.ts';
import { type KafkaCluster, kafkaJars, liveBrokers, startKafka } from './kafka.ts';
import { applyFiles } from './manifests.ts';
import { type Outside, readOutside, withMarker } from './outside.ts';
import { type Part, type PartFailed, type Place, startAll } from './part.ts';
import { endAll, type ProcessId, run } from './process.ts';
import { createQueues, localAws, type QueueUrls } from './queues.ts';
import { requireTools, type Tool } from './tools.ts';

export const partNames = ['apiserver', 'kafka', 'elasticmq', 'forwarder', 'runner'] as const;
export type PartName = (typeof partNames)[number];

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

/** Something from outside cannot be used: one line that says what. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

type Start = Place & {
  readonly wanted: ReadonlySet<PartName>;
  readonly brokers: 1 | 3;
  readonly outside: Outside;
  readonly progress: Progress;
  readonly signal: AbortSignal;
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
  const outside = readOutside(options.env ?? process.env);
  const wanted = localParts(options.parts ?? partNames, outside);
  const { dir, brokers = 1, progress = () => {} } = options;
  try {
    await checkTools(wanted);
    return await bringUp(
      { dir, wanted, brokers, outside, progress, signal, onSpawn },
      stop,
      options.env ?? process.env,
    );
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
async function checkTools(wanted: ReadonlySet<PartName>): Promise<void> {
  const tools = new Set<Tool>(wanted.has('kafka') || wanted.has('elasticmq') ? ['java'] : []);
  for (const part of wanted) {
    const artifact = artifacts[part];
    if (artifact !== undefined && !isCached(artifact)) for (const tool of artifact.tools) tools.add(tool);
  }
  await requireTools([...tools]);
}

async function bringUp(start: Start, stop: AbortController, inherited: NodeJS.ProcessEnv): Promise<System> {
  const [api, kafka, sqs] = await all(stop, [apiServer(start), kafkaCluster(start), sqsServer(start), bundle(start)]);
  const exports = { ...localAws, ...api.exports, ...kafka.exports, ...sqs.exports };
  const env = { ...inherited, ...exports };
  const forwarder = start.wanted.has('forwarder')
    ? await forwarderPart(start, { ...env, ...kubeconfigFor(api.local, 'forwarder') })
    : undefined;
  const runner = start.wanted.has('runner')
    ? runnerPart(start, { ...env, ...functionKubeconfigs(api.local) })
    : undefined;
  const ours = [forwarder?.part, runner].filter((part) => part !== undefined);
  for (const part of ours) start.progress(`${part.name}: starting`);
  await startAll(ours);
  const others = [...(api.local?.parts ?? []), ...(kafka.local?.parts ?? []), ...(sqs.local?.parts ?? [])];
  return {
    exports: withMarker(exports, start.outside),
    parts: new Map([...others, ...ours].map((part) => [part.name, part])),
    apiServer: api.local,
    kafka: kafka.local,
    ports: portsOf(api.local?.server, exports, start, forwarder?.port),
    crashed: Promise.race([...others, ...ours].map((part) => part.crashed)),
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

async function apiServer(start: Start): Promise<{ local?: ApiServer; exports: Record<string, string> }> {
  if (start.outside.KUBECONFIG !== undefined) {
    const KUBECONFIG = resolve(start.outside.KUBECONFIG); // the parts have another working directory
    start.progress(`apiserver: using the one of KUBECONFIG (${KUBECONFIG})`);
    await install(KUBECONFIG, start).catch((error: Error) => {
      throw new Unreachable(`The API server of KUBECONFIG (${KUBECONFIG}) cannot be used: ${causeOf(error)}`);
    });
    return { exports: { KUBECONFIG } };
  }
  if (!start.wanted.has('apiserver')) return { exports: {} };
  const local = await startApiServer(start, await obtained(apiServerBinary, start));
  await install(local.kubeconfigs.admin, start);
  start.progress('apiserver: serves, with KafkaTopics and roles');
  return { local, exports: { KUBECONFIG: local.kubeconfigs.admin } };
}

/** Definitions, policies and roles: whatever is there. */
function manifestFiles(): string[] {
  const definitions = readdirSync(join(root, 'crds')).filter((name) => name.endsWith('.yaml'));
  return [...definitions.map((name) => join(root, 'crds', name)), join(root, 'infra', 'rbac.yaml')];
}

async function install(KUBECONFIG: string, { progress }: Start): Promise<void> {
  const kube = kubeClient({ KUBECONFIG });
  try {
    const missing = await applyFiles(kube, manifestFiles());
    if (missing.length > 0) progress(`apiserver: does not know ${missing.join(', ')}; doing without`);
  } finally {
    await kube.close();
  }
}

async function kafkaCluster(start: Start): Promise<{ local?: KafkaCluster; exports: Record<string, string> }> {
  const { KAFKA_BROKERS } = start.outside;
  if (KAFKA_BROKERS !== undefined) {
    start.progress(`kafka: using KAFKA_BROKERS (${KAFKA_BROKERS})`);
    if ((await liveBrokers(KAFKA_BROKERS)) === 0)
      throw new Unreachable(`No Kafka broker answers at KAFKA_BROKERS (${KAFKA_BROKERS})`);
    return { exports: { KAFKA_BROKERS } };
  }
  if (!start.wanted.has('kafka')) return { exports: {} };
  const local = await startKafka(start, await obtained(kafkaJars, start));
  start.progress(`kafka: serves at ${local.brokers}`);
  return { local, exports: { KAFKA_BROKERS: local.brokers, KAFKA_CLUSTER_ID: local.clusterId } };
}

type SqsServer = {
  local?: { readonly parts: readonly Part[] };
  exports: Partial<QueueUrls & { SQS_ENDPOINT: string }>;
};

async function sqsServer(start: Start): Promise<SqsServer> {
  const { SQS_ENDPOINT } = start.outside;
  if (SQS_ENDPOINT !== undefined) {
    start.progress(`elasticmq: using SQS_ENDPOINT (${SQS_ENDPOINT})`);
    if (!(await answers(SQS_ENDPOINT)))
      throw new Unreachable(`No SQS server answers at SQS_ENDPOINT (${SQS_ENDPOINT})`);
    return { exports: { SQS_ENDPOINT, ...(await createQueues(SQS_ENDPOINT)) } };
  }
  if (!start.wanted.has('elasticmq')) return { exports: {} };
  const local = await startElasticMq(start, await obtained(elasticMqJars, start));
  start.progress(`elasticmq: serves at ${local.endpoint}`);
  return { local, exports: { SQS_ENDPOINT: local.endpoint, ...local.queues } };
}

async function obtained(artifact: Artifact, { progress, signal }: Start): Promise<string> {
  const place = await obtain(artifact, progress, signal);
  progress(`${artifact.name}: starting`);
  return place;
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

/** `fetch failed` and the like say nothing; what caused them does. */
function causeOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message || String((cause as NodeJS.ErrnoException).code ?? cause.name);
}
