/** What `doctor` asks of brokers. It changes nothing, and each question goes over a connection of its own. */
import type { BrokerInspection, KnownBroker, Operation } from '../../core/inspection.ts';
import { Failure } from '../../core/outcome.ts';
import { slices } from '../../core/slices.ts';
import { topicsPerLook } from './batches.ts';
import type { KafkaConfig } from './config.ts';
import { Connection, ExchangeError } from './connection.ts';
import { judge, unmentioned, unreachable } from './failure.ts';
import { liveBroker } from './look.ts';
import {
  type Api,
  brokerResource,
  createTopics,
  describeCluster,
  describeConfigs,
  metadata,
  needed,
  type Throttled,
} from './requests.ts';
import { noId } from './wire.ts';

/** The cluster that `config` names. Connects when asked. */
export function inspectKafka(config: KafkaConfig): BrokerInspection {
  return {
    addresses: config.brokers,
    login: loginOf(config),
    user: config.username,
    reach: (address) =>
      withConnection(config, [address], async (connection) => ({
        clusterId: connection.clusterId,
        lacking: needed.flatMap((api) => lacking(connection, api)),
      })),
    cluster: () =>
      withConnection(config, config.brokers, async (connection) => {
        const answer = await ask(connection, describeCluster, { includeOperations: true });
        // it needs the right that listing moves needs
        const verdict = judge('reassignments', answer);
        if (verdict instanceof Failure) throw verdict;
        return { brokers: answer.brokers.map(liveBroker), allowed: operationsIn(answer.operations) };
      }),
    configs: (broker, keys) =>
      withConnection(config, [broker.address], (connection) => configs(connection, broker, keys)),
    topics: (names) => withConnection(config, config.brokers, (connection) => topics(connection, names)),
    mayNotCreate: (names) => withConnection(config, config.brokers, (connection) => mayNotCreate(connection, names)),
  };
}

function loginOf({ tls, mechanism, username }: KafkaConfig): string {
  const transport = tls ? 'TLS' : 'without TLS';
  return `${transport}, ${mechanism ?? 'no SASL'}${username === undefined ? '' : ` as ${username}`}`;
}

/** Over the first address that lets us in. @throws Failure, that of the first address when none does */
async function withConnection<T>(
  config: KafkaConfig,
  addresses: readonly string[],
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  let first: Failure | undefined;
  for (const address of addresses) {
    const connection = await Connection.open(address, config).catch((error) => unreachable(error));
    if (connection instanceof Failure) {
      first ??= connection;
      continue;
    }
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  }
  throw first ?? unmentioned('look');
}

/** @throws Failure */
async function ask<Request, Response extends Throttled>(
  connection: Connection,
  api: Api<Request, Response>,
  request: Request,
): Promise<Response> {
  try {
    return await connection.send(api, request);
  } catch (error) {
    throw error instanceof ExchangeError ? unreachable(error.cause) : error;
  }
}

function lacking(connection: Connection, api: (typeof needed)[number]): readonly string[] {
  try {
    connection.require(api);
    return [];
  } catch (error) {
    return [(error as Failure).message];
  }
}

/** Bits of the operations. @see https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/acl/AclOperation.java */
const bits: Readonly<Record<Operation, number>> = {
  Create: 5,
  Delete: 6,
  Alter: 7,
  Describe: 8,
  DescribeConfigs: 10,
  AlterConfigs: 11,
};

const operationsIn = (field: number): ReadonlySet<Operation> =>
  new Set((Object.keys(bits) as Operation[]).filter((operation) => (field & (1 << bits[operation])) !== 0));

/** A broker tells its configs only itself. */
async function configs(
  connection: Connection,
  { id }: KnownBroker,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string | null> | 'forbidden'> {
  const resources = [{ type: brokerResource, name: String(id), keys }];
  const request = { resources, includeSynonyms: false, includeDocumentation: false };
  const [described] = (await ask(connection, describeConfigs, request)).resources;
  if (described === undefined) throw unmentioned('rates');
  const verdict = judge('rates', described);
  if (verdict instanceof Failure && verdict.reason === 'NotAuthorized') return 'forbidden';
  if (verdict instanceof Failure) throw verdict;
  return new Map(described.configs.map(({ name, value }) => [name, value]));
}

async function topics(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<Operation> | 'absent' | 'hidden'>> {
  const found = new Map<string, ReadonlySet<Operation> | 'absent' | 'hidden'>();
  for (const part of slices(names, topicsPerLook)) {
    const request = {
      topics: part.map((name) => ({ id: noId, name })),
      autoCreate: false,
      includeTopicOperations: true,
    };
    for (const { name, code, operations } of (await ask(connection, metadata, request)).topics) {
      const verdict = judge('look', { code });
      if (name === null) continue;
      if (verdict instanceof Failure && verdict.reason === 'NotAuthorized') found.set(name, 'hidden');
      // a name that Kafka refuses is its object's trouble, which says so itself
      else found.set(name, verdict === 'ok' ? operationsIn(operations) : 'absent');
    }
  }
  return found;
}

/** `validateOnly`: the brokers look at rights before anything else, so a topic that is there already is told by another code. */
async function mayNotCreate(connection: Connection, names: readonly string[]): Promise<readonly string[]> {
  const denied: string[] = [];
  for (const part of slices(names, topicsPerLook)) {
    const topics = part.map((name) => ({ name, partitions: 1, replicationFactor: -1, assignments: [], configs: [] }));
    const answer = await ask(connection, createTopics, { topics, timeoutMs: 5_000, validateOnly: true });
    for (const { name, code, message } of answer.topics) {
      const verdict = judge('create', { code, message });
      if (verdict instanceof Failure && verdict.reason === 'NotAuthorized') denied.push(name);
    }
  }
  return denied;
}
