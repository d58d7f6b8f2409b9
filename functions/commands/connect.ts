/** Connections of the command line, over the same adapters and environment variables as the functions. */
import type { KubeSettings } from '../adapters/kube/client.ts';
import type { KubeInspection, QueueInspection, QueueVariable } from '../core/inspection.ts';
import type { Inspections } from '../doctor/list.ts';
import { installationNames, installationOf } from '../installation.ts';
import { type Env, readSettings } from '../settings/read.ts';
import type { NameOf, Settings } from '../settings/table.ts';
import type { CommonOptions, Connections, Kube, Queues } from './command.ts';
import { Problem, queueUnset } from './command.ts';

/** Clients are loaded by whoever asks for them first, and closed together. */
export function connections(env: Env): Connections {
  const closers: (() => unknown)[] = [];
  return {
    kube: (options) => kube(env, options, closers),
    async topics() {
      const [{ kafkaConfigFromEnv }, { connectTopics }] = await Promise.all([
        import('../adapters/kafka/config.ts'),
        import('../adapters/kafka/topics.ts'),
      ]);
      const topics = connectTopics(kafkaConfigFromEnv(env));
      closers.push(() => topics.close());
      return topics;
    },
    queues: () => queues(env, closers),
    installation: async () => installationOf(readSettings(env, 'cli', installationNames)),
    inspections: (options) => inspections(env, options, closers),
    close: async () => void (await Promise.allSettled(closers.map(async (close) => close()))),
  };
}

async function kube(env: Env, options: CommonOptions, closers: (() => unknown)[]): Promise<Kube> {
  const [{ kubeClient }, { kubeResources }, { strimziTopics }, { annotate }] = await Promise.all([
    import('../adapters/kube/client.ts'),
    import('../adapters/kube/resources.ts'),
    import('../adapters/kube/strimzi.ts'),
    import('../adapters/kube/annotate.ts'),
  ]);
  const client = explained(() => kubeClient(apiServerOf(env, options), 10_000, options.context));
  closers.push(() => client.close());
  const watched = settingIn(env, 'WATCH_NAMESPACES');
  const context = client.kubeConfig.getContextObject(client.kubeConfig.getCurrentContext());
  const isWatched = (name: string) => watched.length === 0 || watched.includes(name);
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? context?.namespace ?? 'default');
  if (namespace !== undefined && !isWatched(namespace))
    throw new Problem(
      `namespace ${namespace} is not among those of WATCH_NAMESPACES (${watched.join(', ')}): use -n with one of them`,
    );
  const all = kubeResources(client, watched);
  const here = namespace === undefined ? all : kubeResources(client, [namespace]);
  return {
    namespace,
    isWatched: (key) => isWatched(key.namespace),
    read: all.read,
    page: (limit, token, signal) => here.page(limit, token, signal).catch(explain),
    claimants: all.claimants,
    strimziTopics: async (signal) =>
      (await strimziTopics(client, namespace === undefined ? watched : [namespace], signal)) ?? noStrimzi(),
    annotate: (resource, annotation, value, signal) => annotate(client, resource, annotation, value, signal),
  };
}

/** The API server of the flags, where there are any: EKS is for when nobody says otherwise. @throws SettingsError */
const apiServerOf = (env: Env, { kubeconfig, context }: CommonOptions) =>
  kubeconfig === undefined && context === undefined ? readSettings(env, 'cli', eksNames) : { KUBECONFIG: kubeconfig };

const eksNames = ['EKS_CLUSTER_NAME', 'KUBE_API_SERVER', 'KUBE_CA_DATA', 'AWS_REGION'] as const;

/** One setting alone: what is wrong with others is for those who need them. @throws SettingsError */
const settingIn = <N extends NameOf<'cli'>>(env: Env, name: N): Settings<'cli', N>[N] =>
  readSettings(env, 'cli', [name, 'SQS_ALLOW_HTTP'])[name];

/** @throws Problem in place of an error about the kubeconfig */
function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Problem(`${(error as Error).message}; KUBECONFIG, --kubeconfig and --context say which one to use`);
  }
}

/** What to do about the API server, where that can be told. */
function explain(error: unknown): never {
  const { message } = error as Error;
  if (message.startsWith('The API server answered 404'))
    throw new Problem('the API server has no definition of KafkaTopic: kubectl apply -f crds/');
  if (message.startsWith('The API server does not answer'))
    throw new Problem(`${message}; KUBECONFIG, --kubeconfig and --context say which one to use`);
  throw error;
}

function noStrimzi(): never {
  throw new Problem("the API server knows no KafkaTopics of Strimzi's: -f reads them from files");
}

async function queues(env: Env, closers: (() => unknown)[]): Promise<Queues> {
  const sqs = await sqsOf(env, closers);
  const [{ queueDepth, requestQueue }, { deadLetterQueue }] = await Promise.all([
    import('../adapters/sqs.ts'),
    import('../adapters/dead-letters.ts'),
  ]);
  return {
    requests() {
      const url = settingIn(env, 'RECONCILE_QUEUE_URL');
      if (!url)
        throw new Problem('RECONCILE_QUEUE_URL is not set: it names the queue to send to; --annotate does without');
      return requestQueue(sqs, url);
    },
    deadLetters(queue) {
      const [dead, source] = deadLetterVariables[queue];
      return deadLetterQueue(sqs, urlIn(env, dead), urlIn(env, source));
    },
    async depth(queue, signal) {
      const url = settingIn(env, queue);
      return url ? queueDepth(sqs, url, signal) : undefined;
    },
  };
}

async function sqsOf(env: Env, closers: (() => unknown)[]) {
  const { sqsClient } = await import('../adapters/sqs.ts');
  const sqs = sqsClient(readSettings(env, 'cli', ['SQS_ENDPOINT', 'SQS_CA_FILE', 'SQS_ALLOW_HTTP']));
  closers.push(() => sqs.destroy());
  return sqs;
}

/** Clients of their own: what is wrong with one part's settings must not keep the others from being looked at. */
function inspections(env: Env, options: CommonOptions, closers: (() => unknown)[]): Inspections {
  return {
    kube: () => kubeInspection(env, options, closers),
    queues: () => queueInspection(env, closers),
    async brokers() {
      const [{ kafkaConfigFromEnv }, { inspectKafka }] = await Promise.all([
        import('../adapters/kafka/config.ts'),
        import('../adapters/kafka/inspect.ts'),
      ]);
      return inspectKafka(kafkaConfigFromEnv(env));
    },
    async forwarder(signal) {
      const url = settingIn(env, 'FORWARDER_URL');
      if (url === undefined) return undefined;
      const { forwarderHealth } = await import('../adapters/forwarder.ts');
      return forwarderHealth(url, signal);
    },
  };
}

async function kubeInspection(env: Env, options: CommonOptions, closers: (() => unknown)[]): Promise<KubeInspection> {
  const [{ kubeClient }, { kubeResources }, { inspectKube }] = await Promise.all([
    import('../adapters/kube/client.ts'),
    import('../adapters/kube/resources.ts'),
    import('../adapters/kube/inspect.ts'),
  ]);
  const connected = (settings: KubeSettings, context?: string) => {
    const client = explained(() => kubeClient(settings, 10_000, context));
    closers.push(() => client.close());
    return client;
  };
  const client = connected(apiServerOf(env, options), options.context);
  const namespaces = settingIn(env, 'WATCH_NAMESPACES');
  return inspectKube({
    client,
    resources: kubeResources(client, namespaces),
    namespaces,
    clientOf: (who) => {
      const file = settingIn(env, kubeconfigOf[who]);
      return file === undefined ? undefined : connected({ KUBECONFIG: file });
    },
  });
}

async function queueInspection(env: Env, closers: (() => unknown)[]): Promise<QueueInspection> {
  const sqs = await sqsOf(env, closers);
  const { queueAttributes } = await import('../adapters/sqs.ts');
  return {
    async attributes(variable, signal) {
      const url = settingIn(env, variable);
      return url ? queueAttributes(sqs, url, signal) : undefined;
    },
  };
}

const kubeconfigOf = {
  forwarder: 'KUBECONFIG_FORWARDER',
  resync: 'KUBECONFIG_RESYNC',
  reconciler: 'KUBECONFIG_RECONCILER',
} as const;

const deadLetterVariables = {
  reconcile: ['RECONCILE_DLQ_URL', 'RECONCILE_QUEUE_URL'],
  ticks: ['TICK_DLQ_URL', 'TICK_QUEUE_URL'],
} as const;

function urlIn(env: Env, variable: QueueVariable): string {
  const url = settingIn(env, variable);
  if (!url) throw new Problem(queueUnset(variable));
  return url;
}
