/** What the answers of the brokers say: pure functions from facts to findings. */
import type { KnownBroker, Operation } from '../core/inspection.ts';
import { Failure } from '../core/outcome.ts';
import { type Finding, failed, notChecked, ok, warning } from './check.ts';

/** What came of connecting to one address. */
export type Reached = {
  readonly address: string;
  readonly outcome: { readonly clusterId: string; readonly lacking: readonly string[] } | Failure;
};

const failures = (reached: readonly Reached[]) =>
  reached.flatMap(({ address, outcome }) => (outcome instanceof Failure ? [{ address, failure: outcome }] : []));
const successes = (reached: readonly Reached[]) =>
  reached.flatMap(({ outcome }) => (outcome instanceof Failure ? [] : [outcome]));
const sentence = (troubles: ReturnType<typeof failures>): string =>
  troubles.map(({ address, failure }) => `${address}: ${failure.message}`).join('; ');

/** The addresses of KAFKA_BROKERS: one that answers is enough to work, and each that does not is one less to fall back on. */
export function judgeReach(reached: readonly Reached[], login: string): Finding {
  const troubles = failures(reached);
  const [first] = troubles;
  if (first === undefined) return ok(`${reached.map(({ address }) => address).join(', ')}: ${login}`);
  const mend = mendOf(first.failure);
  return troubles.length === reached.length ? failed(sentence(troubles), mend) : warning(sentence(troubles), mend);
}

function mendOf({ reason, message }: Failure): string {
  if (reason === 'NotAuthenticated')
    return 'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and what is in the secret or the file of the password or token';
  if (/TLS/.test(message)) return 'check KAFKA_TLS, KAFKA_CA_FILE and the port: brokers have one for each way to speak';
  return 'check KAFKA_BROKERS, and that nothing between here and there (security group, firewall, DNS) is in the way';
}

/** Brokers send clients on to the addresses that they advertise, whatever address a client came by. */
export function judgeAdvertised(reached: readonly Reached[]): Finding {
  const troubles = failures(reached);
  if (reached.length === 0)
    return failed('the cluster names no broker that is up', 'see whether the brokers run, and what their logs say');
  if (troubles.length > 0)
    return failed(
      `brokers cannot be reached where they say they are: ${sentence(troubles)}`,
      "the brokers' advertised.listeners must name addresses that lead to them from here, and from the functions",
    );
  return ok(reached.length === 1 ? 'the broker is where it says' : `all ${reached.length} brokers are where they say`);
}

export function judgeVersions(reached: readonly Reached[]): Finding {
  const lacking = [...new Set(successes(reached).flatMap((outcome) => outcome.lacking))];
  return lacking.length === 0
    ? ok('the brokers know every request that we send')
    : failed(lacking.join('; '), 'upgrade Kafka to 3.0 or newer');
}

/** @param wanted KAFKA_CLUSTER_ID */
export function judgeClusterId(reached: readonly Reached[], wanted: string | undefined): Finding {
  const found = [...new Set(successes(reached).map(({ clusterId }) => clusterId))];
  if (found.length > 1)
    return failed(`the addresses lead to different clusters: ${found.join(', ')}`, 'mend KAFKA_BROKERS');
  const [id = ''] = found;
  if (wanted === undefined)
    return warning(
      `it is ${id}, and any would be taken: KAFKA_CLUSTER_ID is not set`,
      `KAFKA_CLUSTER_ID=${id} keeps an address that leads elsewhere from being believed`,
    );
  return id === wanted
    ? ok(`${id}, as KAFKA_CLUSTER_ID says`)
    : failed(
        `it is ${id}, and KAFKA_CLUSTER_ID is ${wanted}: nothing is written (WrongCluster)`,
        'mend KAFKA_BROKERS, or KAFKA_CLUSTER_ID where the cluster is another one for good',
      );
}

/** Settings of brokers that get in our way. */
export const watchedConfigs = ['auto.create.topics.enable', 'delete.topic.enable'] as const;

export type BrokerConfigs = readonly (readonly [KnownBroker, ReadonlyMap<string, string | null> | 'forbidden'])[];

/** One warning for all brokers and objects together. */
export function judgeConfigs(configs: BrokerConfigs): Finding {
  const brokersWith = (key: string, value: string): string =>
    configs
      .filter(([, found]) => found !== 'forbidden' && found.get(key) === value)
      .map(([{ id }]) => id)
      .join(', ');
  const creating = brokersWith('auto.create.topics.enable', 'true');
  const keeping = brokersWith('delete.topic.enable', 'false');
  const troubles = [
    ...(creating === ''
      ? []
      : [
          {
            says: `auto.create.topics.enable is true at broker ${creating}: any client makes topics by mentioning them, and objects then find topics with other settings than theirs`,
            mend: 'set auto.create.topics.enable=false',
          },
        ]),
    ...(keeping === ''
      ? []
      : [
          {
            says: `delete.topic.enable is false at broker ${keeping}: deletionPolicy Delete cannot be kept`,
            mend: 'set delete.topic.enable=true, or use deletionPolicy Retain only',
          },
        ]),
  ];
  if (troubles.length > 0)
    return warning(troubles.map(({ says }) => says).join('; '), troubles.map(({ mend }) => mend).join('; '));
  if (configs.length === 0)
    return notChecked('needs a broker that can be reached', 'mend "advertised addresses" first');
  if (configs.some(([, found]) => found === 'forbidden'))
    return notChecked(
      'we may not read the configs of brokers, which nothing but doctor needs',
      'grant DescribeConfigs on the cluster, or see to auto.create.topics.enable=false yourself',
    );
  return ok('topics come and go only when somebody asks for it');
}

const grant = (user: string | undefined, operations: readonly Operation[], resource: string): string =>
  `kafka-acls --add --allow-principal User:${user ?? 'NAME'} ${operations.map((name) => `--operation ${name}`).join(' ')} ${resource}`;

const lackingOf = (needed: readonly Operation[], allowed: ReadonlySet<Operation>): Operation[] =>
  needed.filter((operation) => !allowed.has(operation));

/**
 * Rights on the cluster: only moves of replicas need them.
 *
 * @param limited REASSIGNMENT_BYTES_PER_SECOND is set
 */
export function judgeClusterRights(
  allowed: ReadonlySet<Operation>,
  limited: boolean,
  user: string | undefined,
): Finding {
  const lacking = lackingOf(
    ['Describe', 'Alter', ...(limited ? (['DescribeConfigs', 'AlterConfigs'] as const) : [])],
    allowed,
  );
  if (lacking.length === 0) return ok('replicas may be moved');
  return warning(
    `no right to ${lacking.join(', ')} on the cluster: changes of replicationFactor end with NotAuthorized`,
    grant(user, lacking, '--cluster'),
  );
}

/** `found`: as `BrokerInspection.topics`. `createDenied`: those that are absent and may not be created. */
export type TopicFacts = {
  readonly found: ReadonlyMap<string, ReadonlySet<Operation> | 'absent' | 'hidden'>;
  readonly createDenied: readonly string[];
};

const always: readonly Operation[] = ['Describe', 'DescribeConfigs', 'Alter', 'AlterConfigs'];

/** Rights on the topics that objects name. Without Delete all but `deletionPolicy: Delete` works. */
export function judgeTopicRights({ found, createDenied }: TopicFacts, user: string | undefined): Finding {
  if (found.size === 0) return ok('no object names a topic yet');
  const lacking = new Map<Operation, string[]>(createDenied.length > 0 ? [['Create', [...createDenied]]] : []);
  for (const [name, allowed] of found) {
    if (allowed === 'absent') continue;
    const denied = allowed === 'hidden' ? (['Describe'] as const) : lackingOf([...always, 'Delete'], allowed);
    for (const operation of denied) lacking.set(operation, [...(lacking.get(operation) ?? []), name]);
  }
  if (lacking.size === 0) return ok(lookedAt(found));
  const says = [...lacking].map(([operation, names]) => `no right to ${operation} ${named(names)}`).join('; ');
  const topics = new Set([...lacking.values()].flat());
  const mend = grant(user, [...lacking.keys()], topics.size === 1 ? `--topic ${[...topics][0]}` : "--topic '*'");
  return [...lacking.keys()].every((operation) => operation === 'Delete')
    ? warning(`${says}: deletionPolicy Delete ends with NotAuthorized`, mend)
    : failed(says, mend);
}

/** Of a topic that is not there yet nothing but its creation can be asked about. */
function lookedAt(found: TopicFacts['found']): string {
  const absent = [...found.values()].filter((seen) => seen === 'absent').length;
  const there = found.size - absent;
  if (there === 0) return `no topic is there yet; ${absent} may be created`;
  const others = absent === 0 ? '' : `; ${absent} ${absent === 1 ? 'is' : 'are'} not there yet, and may be created`;
  return `all that is needed, on ${there} ${there === 1 ? 'topic' : 'topics'}${others}`;
}

const named = ([first = '', ...others]: readonly string[]): string =>
  others.length === 0 ? `topic ${first}` : `topic ${first} and ${others.length} more`;
