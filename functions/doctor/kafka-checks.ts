/** The checks of the brokers. */
import type { BrokerInspection, Operation } from '../core/inspection.ts';
import { Failure } from '../core/outcome.ts';
import { type Check, type Finding, notChecked, once } from './check.ts';
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
import type { Inspections, Settings } from './list.ts';

/** Enough to meet every right that is missing, and one request. */
const topicsLookedAt = 500;

export function kafkaChecks(inspections: Inspections, settings: () => Promise<Settings>): readonly Check[] {
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
    check('cluster id', async (signal) => judgeClusterId(await bootstrap(signal), (await settings()).clusterId), [
      'settings',
    ]),
    check('advertised addresses', async (signal) => judgeAdvertised(await advertised(signal))),
    check('Kafka version', async (signal) =>
      // brokers that cannot name the others are told of by the first check that needs those
      judgeVersions([...(await bootstrap(signal)), ...(await advertised(signal).catch(() => []))]),
    ),
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
    check(
      'rights on the cluster',
      async (signal) =>
        judgeClusterRights(
          (await cluster(signal)).allowed,
          (await settings()).moveBytesPerSecond !== undefined,
          (await brokers(signal)).user,
        ),
      ['settings'],
    ),
    check(
      'rights on topics',
      async (signal) => {
        const names = await topicNames(inspections, await settings(), signal);
        if (names instanceof Error)
          return notChecked(
            `needs the names of the topics: ${names.message}`,
            'mend the definition and your rights first',
          );
        return topicRights(names, await brokers(signal), (await cluster(signal)).allowed, signal);
      },
      ['settings', 'API server'],
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

const topicNames = async ({ kube }: Inspections, { selects }: Settings, signal: AbortSignal) =>
  (await kube()).topicNames(topicsLookedAt, selects, signal).catch((error: Error) => error);

/** The right to create on the cluster is one for all names. */
async function topicRights(
  names: readonly string[],
  brokers: BrokerInspection,
  allowed: ReadonlySet<Operation>,
  signal: AbortSignal,
): Promise<Finding> {
  const found = await brokers.topics(names, signal);
  const absent = [...found].filter(([, seen]) => seen === 'absent').map(([name]) => name);
  const asks = absent.length > 0 && !allowed.has('Create');
  const createDenied = asks ? await brokers.mayNotCreate(absent, signal) : [];
  return judgeTopicRights({ found, createDenied }, brokers.user);
}
