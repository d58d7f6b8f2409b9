/** What the parts of ours talk to: API server, brokers, queue server; each local, or from outside where that is set. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ApiError, type KubeClient, kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import { apiVersion, kind } from '../../functions/core/api.ts';
import { type ApiServer, apiServerBinary, startApiServer } from './apiserver.ts';
import { type Artifact, obtain, type Progress } from './artifacts.ts';
import { answers, type ElasticMq, elasticMqJars, startElasticMq } from './elasticmq.ts';
import { type KafkaCluster, kafkaJars, liveBrokers, startKafka } from './kafka.ts';
import { applyFiles } from './manifests.ts';
import type { PartName } from './options.ts';
import type { Outside } from './outside.ts';
import type { Place } from './part.ts';
import { until } from './process.ts';
import { createQueues } from './queues.ts';
import { root } from './state.ts';

/** Something from outside cannot be used: one line that says what. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export type Start = Place & {
  readonly wanted: ReadonlySet<PartName>;
  readonly brokers: 1 | 3;
  readonly outside: Outside;
  /** is for some objects only: those with certain labels, or in certain namespaces */
  readonly selective: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/** `local` is absent where it comes from outside or is not wanted; `exports` are addresses, as the environment has them. */
export type Backend<Local> = { readonly local?: Local; readonly exports: Readonly<Record<string, string>> };

/** With definitions, policies and roles in it. @throws Unreachable */
export async function apiServer(start: Start): Promise<Backend<ApiServer>> {
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

/**
 * Definitions, policies and roles: whatever is there. Objects that nobody works on must not get a finalizer; and where the
 * functions run as whoever the KUBECONFIG from outside names, the guards would not know them.
 */
function manifestFiles({ selective, outside }: Start): string[] {
  const definitions = readdirSync(join(root, 'crds')).filter((name) => name.endsWith('.yaml'));
  const guards = outside.KUBECONFIG === undefined ? ['admission-guards.yaml'] : [];
  const others = ['rbac.yaml', ...guards, ...(selective ? [] : ['admission-finalizer.yaml'])];
  return [...definitions.map((name) => join(root, 'crds', name)), ...others.map((name) => join(root, 'infra', name))];
}

/** Lists from the server's own cache, which answers 429 until it has filled ("storage is (re)initializing"). */
async function servesTopics(kube: KubeClient): Promise<boolean> {
  try {
    await kube.request('GET', topicsPath(), { query: { resourceVersion: 0, limit: 1 } });
    return true;
  } catch (error) {
    if (error instanceof ApiError && [404, 429].includes(error.code)) return false;
    throw error;
  }
}

/** The policies learn of a new kind on their own; until then creating one of it is answered with 503. */
async function takesTopics(kube: KubeClient): Promise<boolean> {
  const body = { apiVersion, kind, metadata: { name: 'probe' }, spec: { deletionPolicy: 'Delete' } };
  try {
    await kube.request('POST', topicsPath('default'), { query: { dryRun: 'All' }, body });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.code !== 503; // a policy of the cluster's own may refuse it
  }
}

async function install(KUBECONFIG: string, start: Start): Promise<void> {
  const kube = kubeClient({ KUBECONFIG });
  try {
    refusePlainHttp(kube);
    const missing = await applyFiles(kube, manifestFiles(start));
    if (missing.length > 0) start.progress(`apiserver: does not know ${missing.join(', ')}; doing without`);
    const serves = async () => (await servesTopics(kube)) && (await takesTopics(kube));
    if (!(await until(serves, 15_000))) throw new Error('KafkaTopics are defined, but not served');
  } finally {
    await kube.close();
  }
}

/** Without TLS, as by `kubectl proxy`, only where the file says so: client-node would refuse in words of its own. */
function refusePlainHttp({ kubeConfig }: KubeClient): void {
  const { server, skipTLSVerify } = kubeConfig.getCurrentCluster() ?? {};
  if (server?.startsWith('http:') && !skipTLSVerify)
    throw new Error(
      `its server is ${server}: what is sent there could be read and changed on the way; give it an https address`,
    );
}

/** @throws Unreachable */
export async function kafkaCluster(start: Start): Promise<Backend<KafkaCluster>> {
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

/** With its queues. @throws Unreachable */
export async function sqsServer(start: Start): Promise<Backend<ElasticMq>> {
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

/** `fetch failed` and the like say nothing; what caused them does. */
function causeOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message || String((cause as NodeJS.ErrnoException).code ?? cause.name);
}
