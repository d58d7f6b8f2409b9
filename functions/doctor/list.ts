/** Everything that can be wrong between kubectl and brokers, in the order in which it is told. */
import type {
  BrokerInspection,
  ForwarderHealth,
  Identity,
  KubeInspection,
  QueueInspection,
} from '../core/inspection.ts';
import { Failure } from '../core/outcome.ts';
import { type Check, type Finding, failed, notChecked, ok } from './check.ts';
import { judgeClock } from './clock.ts';
import {
  judgeAdvertised,
  judgeClusterId,
  judgeClusterRights,
  judgeConfigs,
  judgeReach,
  judgeTopicRights,
  judgeVersions,
  type Reached,
  watchedConfigs,
} from './kafka.ts';
import {
  definitionPath,
  judgeDefinition,
  judgePolicy,
  judgeRights,
  judgeServer,
  policyPaths,
  rightsOf,
  rightsOfYou,
} from './kube.ts';
import { counterpart, forbidden, judgeQueue, type QueueName, queueNames, unset } from './queues.ts';

/** Where facts come from. Each throws an Error of one line when its own settings are wrong. */
export type Inspections = {
  readonly kube: () => Promise<KubeInspection>;
  readonly queues: () => Promise<QueueInspection>;
  readonly brokers: () => Promise<BrokerInspection>;
  /** undefined when FORWARDER_URL is not set. @throws Failure */
  readonly forwarder: (signal: AbortSignal) => Promise<ForwarderHealth | undefined>;
};

/** The settings that are judged with the facts. */
export type Settings = { readonly clusterId: string | undefined; readonly moveBytesPerSecond: number | undefined };

export const checks = (inspections: Inspections, settings: () => Promise<Settings>): readonly Check[] => [
  ...kubeChecks(inspections),
  ...queueChecks(inspections),
  ...kafkaChecks(inspections, settings),
  forwarderCheck(inspections),
];

/** Asks once, however many checks want to know. */
function once<T>(ask: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let asked: Promise<T> | undefined;
  return (signal) => {
    asked ??= ask(signal);
    return asked;
  };
}

const identities: readonly Identity[] = ['forwarder', 'resync', 'reconciler'];

function kubeChecks({ kube: connect }: Inspections): readonly Check[] {
  const area = 'Kubernetes';
  const kube = once(connect);
  const server = once(async (signal) => (await kube(signal)).server(signal));
  const mend = 'KUBECONFIG, --kubeconfig and --context say which API server to use';
  const needs = ['API server'];
  const check = (name: string, run: Check['run']): Check => ({ area, name, needs, mend, run });
  return [
    {
      area,
      name: 'API server',
      mend,
      run: async (signal) => {
        const { url, version } = await server(signal);
        return judgeServer(url, version);
      },
    },
    check('API server clock', async (signal) => judgeClock('the API server', (await server(signal)).skewMs)),
    check('definition', async (signal) => judgeDefinition(await (await kube(signal)).stored(definitionPath, signal))),
    check('config rules', async (signal) => {
      const { stored } = await kube(signal);
      return judgePolicy(await Promise.all(policyPaths.map((path) => stored(path, signal))));
    }),
    check('your rights', async (signal) =>
      judgeRights('you', await (await kube(signal)).rights('you', rightsOfYou, signal)),
    ),
    ...identities.map((who) =>
      check(`rights of ${who}`, async (signal) =>
        judgeRights(who, await (await kube(signal)).rights(who, rightsOf(who), signal)),
      ),
    ),
  ];
}

const queueTitles: Readonly<Record<QueueName, string>> = {
  RECONCILE_QUEUE_URL: 'reconcile queue',
  RECONCILE_DLQ_URL: 'reconcile dead letters',
  TICK_QUEUE_URL: 'tick queue',
  TICK_DLQ_URL: 'tick dead letters',
};

function queueChecks({ queues: connect }: Inspections): readonly Check[] {
  const area = 'Queues';
  const mend = 'check the URL of the queue, AWS_REGION and credentials (--region, --profile), SQS_ENDPOINT';
  const queues = once(connect);
  const facts = new Map(
    queueNames.map((queue) => [queue, once(async (signal) => (await queues(signal)).attributes(queue, signal))]),
  );
  const factsOf = async (queue: QueueName, signal: AbortSignal) => facts.get(queue)?.(signal);
  const judge = async (queue: QueueName, signal: AbortSignal): Promise<Finding> => {
    const found = await factsOf(queue, signal);
    if (found === undefined) return unset(queue);
    if (found === 'forbidden') return forbidden();
    // what is wrong with the other one is said there
    const other = await factsOf(counterpart(queue), signal).catch(() => undefined);
    return judgeQueue(queue, found.attributes, typeof other === 'object' ? other.attributes : undefined);
  };
  return [
    ...queueNames.map((queue) => ({
      area,
      name: queueTitles[queue],
      mend,
      run: (signal: AbortSignal) => judge(queue, signal),
    })),
    {
      area,
      name: 'queue clock',
      mend,
      run: async (signal) => {
        const answers = await Promise.all(queueNames.map((queue) => factsOf(queue, signal).catch(() => undefined)));
        const answer = answers.find((found) => typeof found === 'object');
        return answer === undefined
          ? notChecked('needs a queue whose attributes can be read', 'mend the queues first')
          : judgeClock('the queue server', answer.skewMs);
      },
    },
  ];
}

/** Looks at so many topics, and asks for creations of so many: one request each. */
const topicsLookedAt = 500;
const creationsAskedFor = 20;

function kafkaChecks(inspections: Inspections, settings: () => Promise<Settings>): readonly Check[] {
  const area = 'Kafka';
  const brokers = once(inspections.brokers);
  const mend = 'try again; if this persists, the logs of the brokers say more';
  const bootstrap = once(async (signal) => {
    const inspection = await brokers(signal);
    return reachAll(inspection, inspection.addresses, signal);
  });
  const cluster = once(async (signal) => (await brokers(signal)).cluster(signal));
  const advertised = once(async (signal) => {
    const addresses = (await cluster(signal)).brokers.map(({ address }) => address);
    return reachAll(await brokers(signal), addresses, signal);
  });
  const check = (name: string, run: Check['run'], needs: readonly string[] = []): Check => ({
    area,
    name,
    needs: ['brokers', ...needs],
    mend,
    run,
  });
  return [
    {
      area,
      name: 'brokers',
      mend: 'see the settings of KAFKA_BROKERS, KAFKA_TLS and KAFKA_SASL_MECHANISM',
      run: async (signal) => judgeReach(await bootstrap(signal), (await brokers(signal)).login),
    },
    check('cluster id', async (signal) => judgeClusterId(await bootstrap(signal), (await settings()).clusterId)),
    check('advertised addresses', async (signal) => judgeAdvertised(await advertised(signal))),
    check('Kafka version', async (signal) => judgeVersions(await bootstrap(signal))),
    check('broker configs', async (signal) => {
      const { configs } = await brokers(signal);
      const unreachable = new Set((await advertised(signal)).filter(isFailure).map(({ address }) => address));
      const known = (await cluster(signal)).brokers.filter(({ address }) => !unreachable.has(address));
      return judgeConfigs(
        await Promise.all(
          known.map(async (broker) => [broker, await configs(broker, watchedConfigs, signal)] as const),
        ),
      );
    }),
    check('rights on the cluster', async (signal) =>
      judgeClusterRights(
        (await cluster(signal)).allowed,
        (await settings()).moveBytesPerSecond !== undefined,
        (await brokers(signal)).user,
      ),
    ),
    check(
      'rights on topics',
      async (signal) => topicRights(await inspections.kube(), await brokers(signal), await cluster(signal), signal),
      ['API server'],
    ),
  ];
}

const reachAll = (
  { reach }: BrokerInspection,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<readonly Reached[]> =>
  Promise.all(
    addresses.map(async (address) => {
      const outcome = await reach(address, signal).catch((error: Error) => {
        if (error instanceof Failure) return error;
        throw error;
      });
      return { address, outcome };
    }),
  );

const isFailure = ({ outcome }: Reached): boolean => outcome instanceof Failure;

/** The right to create on the cluster is one for all names. */
async function topicRights(
  kube: KubeInspection,
  brokers: BrokerInspection,
  { allowed }: Awaited<ReturnType<BrokerInspection['cluster']>>,
  signal: AbortSignal,
): Promise<Finding> {
  const names = await kube.topicNames(topicsLookedAt, signal).catch((error: Error) => error);
  if (names instanceof Error)
    return notChecked(`needs the names of the topics: ${names.message}`, 'mend the definition and your rights first');
  const [found, createDenied] = await Promise.all([
    brokers.topics(names, signal),
    names.length === 0 || allowed.has('Create') ? [] : brokers.mayNotCreate(names.slice(0, creationsAskedFor), signal),
  ]);
  return judgeTopicRights({ found, createDenied }, brokers.user);
}

function forwarderCheck({ forwarder }: Inspections): Check {
  return {
    area: 'Forwarder',
    name: 'forwarder',
    mend: 'is it running? FORWARDER_URL leads to its pages (METRICS_HOST, METRICS_PORT), through kubectl port-forward for one',
    run: async (signal) => {
      const health = await forwarder(signal);
      if (health === undefined)
        return notChecked(
          'FORWARDER_URL is not set',
          "set it to the address of the forwarder's pages, http://host:port",
        );
      const { problems, objects, keysWaiting } = health;
      return problems.length === 0
        ? ok(`ready; ${objects} objects, ${keysWaiting} names to send`)
        : failed(problems.join('; '), 'see its log; it goes on by itself once what it names works again');
    },
  };
}
