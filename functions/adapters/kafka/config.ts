import { type Login, loginFromEnv, type Mechanism, mechanisms } from './login.ts';

/** Where the brokers are and how to speak to them. */
export type KafkaConfig = {
  /** `host:port` of some brokers; the others are learned from them */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** the brokers' certificates are always verified */
  readonly tls: boolean;
  /** absent: no SASL */
  readonly mechanism?: Mechanism;
  /** as far as it is known before a connection is made */
  readonly username?: string;
  readonly login: Login;
  /** ms to wait for the socket, and again for the login */
  readonly connectTimeoutMs: number;
  /** ms to wait for an answer */
  readonly requestTimeoutMs: number;
};

type Env = NodeJS.ProcessEnv;

/** A cold start with TLS in a private network takes longer than kafkajs' own 1,000 ms. */
const defaults = { clientId: 'topicsmith', connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

/**
 * Reads the connection settings from environment variables.
 *
 * | variable | meaning |
 * |---|---|
 * | `KAFKA_BROKERS` | `host:port`, separated by commas; required |
 * | `KAFKA_CLIENT_ID` | name in broker logs and quotas; default `topicsmith` |
 * | `KAFKA_TLS` | `true` or `false` (default) |
 * | `KAFKA_CA_FILE` | PEM file of the authority that signed the brokers' certificates |
 * | `KAFKA_CERT_FILE`, `KAFKA_KEY_FILE` | our own certificate (mTLS), both or none |
 * | `KAFKA_SASL_MECHANISM` | `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER` or `AWS_MSK_IAM`; only SCRAM does without TLS |
 * | `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD_FILE` | for the first three |
 * | `KAFKA_SASL_TOKEN_FILE` | for `OAUTHBEARER`: a file that somebody keeps fresh |
 * | `KAFKA_SECRET_ARN` | a secret in Secrets Manager, in place of user name, password, certificate and key |
 * | `AWS_REGION` | for `AWS_MSK_IAM` |
 *
 * @throws Error one line that names the variable and what it must hold
 */
export function kafkaConfigFromEnv(env: Env): KafkaConfig {
  const brokers = brokersFrom(env.KAFKA_BROKERS);
  const tls = tlsFrom(env);
  const mechanism = mechanismFrom(env);
  const login = loginFromEnv(env, tls, mechanism);
  if (mechanism !== undefined && !tls) refuseOpenSecret(mechanism, brokers);
  return {
    ...defaults,
    ...(env.KAFKA_CLIENT_ID && { clientId: env.KAFKA_CLIENT_ID }),
    brokers,
    tls,
    ...(mechanism && { mechanism }),
    ...(env.KAFKA_SASL_USERNAME && { username: env.KAFKA_SASL_USERNAME }),
    login,
  };
}

function brokersFrom(value: string | undefined): string[] {
  const brokers = (value ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0) throw new Error('KAFKA_BROKERS must list the brokers as host:port, separated by commas');
  for (const broker of brokers) parseAddress(broker, 'KAFKA_BROKERS');
  return brokers;
}

/**
 * Takes `host:port` apart; an IPv6 host stands in brackets.
 *
 * @throws Error one line that names `source`
 */
export function parseAddress(address: string, source: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535)
    throw new Error(`${source} must hold host:port, for example broker-1:9092, not "${address}"`);
  return { host, port };
}

function tlsFrom(env: Env): boolean {
  const wanted = env.KAFKA_TLS || 'false';
  if (wanted !== 'true' && wanted !== 'false') throw new Error(`KAFKA_TLS must be true or false, not "${wanted}"`);
  return wanted === 'true';
}

function mechanismFrom({ KAFKA_SASL_MECHANISM: name }: Env): Mechanism | undefined {
  const mechanism = mechanisms.find((known) => known === name);
  if (name && mechanism === undefined)
    throw new Error(`KAFKA_SASL_MECHANISM must be one of ${mechanisms.join(', ')}, not "${name}"`);
  return mechanism;
}

/**
 * All but SCRAM send the secret itself, so it leaves this machine over TLS only (RFC 4616 section 4, RFC 7628 section 4).
 * A token of IAM is good for everything that the role may do in MSK, and MSK has TLS anyway.
 */
function refuseOpenSecret(mechanism: Mechanism, brokers: readonly string[]): void {
  if (mechanism === 'AWS_MSK_IAM') throw new Error('KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs KAFKA_TLS=true');
  if (mechanism !== 'PLAIN' && mechanism !== 'OAUTHBEARER') return;
  const remote = brokers.find((broker) => !isLoopback(parseAddress(broker, 'KAFKA_BROKERS').host));
  if (remote !== undefined)
    throw new Error(
      `KAFKA_SASL_MECHANISM=${mechanism} would send its secret to ${remote} in the clear: set KAFKA_TLS=true or use SCRAM-SHA-512`,
    );
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
