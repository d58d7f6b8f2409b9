/** What settings ask of each other. */
import { addressIn, isLoopback, isPrivateUrl } from '../core/address.ts';
import type { Name } from './table.ts';

/** What is set, with defaults. */
export type Values = Readonly<Partial<Record<Name, unknown>>>;

export type Rule = {
  /** the rule is silent where one of them is wrong by itself */
  readonly about: readonly Name[];
  /** a line that names variables and what to do; undefined when all is well */
  readonly broken: (values: Values) => string | undefined;
};

const isSet = (values: Values, name: Name): boolean => values[name] !== undefined;
const andAll = (names: readonly Name[]): string => names.join(' and ');

/** These are of no use without the other one. */
function needing(names: readonly Name[], other: Name, value?: unknown): Rule {
  const wanted = value === undefined ? other : `${other}=${value}`;
  const isThere = (values: Values) => (value === undefined ? isSet(values, other) : values[other] === value);
  return {
    about: [...names, other],
    broken: (values) => {
      const stray = names.filter((name) => isSet(values, name));
      if (stray.length === 0 || isThere(values)) return undefined;
      return `${andAll(stray)} ${stray.length === 1 ? 'needs' : 'need'} ${wanted}`;
    },
  };
}

/** All of them or none. */
const together = (...names: readonly Name[]): Rule => ({
  about: names,
  broken: (values) => {
    const missing = names.filter((name) => !isSet(values, name));
    if (missing.length === 0 || missing.length === names.length) return undefined;
    return `${andAll(names)} must be set together: ${andAll(missing)} ${missing.length === 1 ? 'is' : 'are'} not set`;
  },
});

/** The other one stands for all of these. */
const replacedBy = (other: Name, ...names: readonly Name[]): Rule => ({
  about: [other, ...names],
  broken: (values) => {
    const twice = names.filter((name) => isSet(values, name));
    if (twice.length === 0 || !isSet(values, other)) return undefined;
    return `${other} stands for ${andAll(twice)}: set one or the other`;
  },
});

/** Where `name` has one of the values, these have to be set, unless another one stands for them. */
const completing = (name: Name, values: readonly string[], parts: readonly Name[], instead?: Name): Rule => ({
  about: [name, ...parts],
  broken: (given) => {
    const missing = instead && isSet(given, instead) ? [] : parts.filter((part) => !isSet(given, part));
    if (missing.length === 0 || !values.includes(String(given[name]))) return undefined;
    return `${andAll(missing)} must be set for ${name}=${given[name]}`;
  },
});

/**
 * All but SCRAM send the secret itself, so it leaves this machine over TLS only (RFC 4616 section 4, RFC 7628 section 4).
 * MSK takes tokens of IAM over TLS only, too.
 */
const noOpenSecret: Rule = {
  about: ['KAFKA_SASL_MECHANISM', 'KAFKA_TLS', 'KAFKA_BROKERS'],
  broken: ({ KAFKA_SASL_MECHANISM: mechanism, KAFKA_TLS: tls, KAFKA_BROKERS: brokers = [] }) => {
    if (!tls && mechanism === 'AWS_MSK_IAM') return 'KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs KAFKA_TLS=true';
    if (tls || (mechanism !== 'PLAIN' && mechanism !== 'OAUTHBEARER')) return undefined;
    const remote = (brokers as readonly string[]).find((broker) => !isLoopback(addressIn(broker)?.host ?? ''));
    if (remote === undefined) return undefined;
    return `KAFKA_SASL_MECHANISM=${mechanism} would send its secret to ${remote} in the clear: set KAFKA_TLS=true or use SCRAM-SHA-512`;
  },
};

/** Messages name objects and requests carry signatures, so they leave this machine over TLS unless somebody allows it. */
const noOpenQueue = (name: Name): Rule => ({
  about: [name, 'SQS_ALLOW_HTTP'],
  broken: (values) => {
    if (!isSet(values, name) || values.SQS_ALLOW_HTTP || isPrivateUrl(String(values[name]))) return undefined;
    return `${name} has plain http to another machine: use https, or SQS_ALLOW_HTTP=true in a network that is trusted`;
  },
});

export const rules: readonly Rule[] = [
  together('EKS_CLUSTER_NAME', 'KUBE_API_SERVER', 'KUBE_CA_DATA'),
  needing(['EKS_CLUSTER_NAME'], 'AWS_REGION'),
  needing(['KAFKA_CA_FILE', 'KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'], 'KAFKA_TLS', true),
  together('KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'),
  needing(['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD_FILE', 'KAFKA_SASL_TOKEN_FILE'], 'KAFKA_SASL_MECHANISM'),
  completing(
    'KAFKA_SASL_MECHANISM',
    ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD_FILE'],
    'KAFKA_SECRET_ARN',
  ),
  completing('KAFKA_SASL_MECHANISM', ['OAUTHBEARER'], ['KAFKA_SASL_TOKEN_FILE']),
  completing('KAFKA_SASL_MECHANISM', ['AWS_MSK_IAM'], ['AWS_REGION']),
  replacedBy(
    'KAFKA_SECRET_ARN',
    'KAFKA_CERT_FILE',
    'KAFKA_KEY_FILE',
    'KAFKA_SASL_USERNAME',
    'KAFKA_SASL_PASSWORD_FILE',
  ),
  noOpenSecret,
  noOpenQueue('SQS_ENDPOINT'),
  noOpenQueue('RECONCILE_QUEUE_URL'),
  noOpenQueue('RECONCILE_DLQ_URL'),
  noOpenQueue('TICK_QUEUE_URL'),
  noOpenQueue('TICK_DLQ_URL'),
];
