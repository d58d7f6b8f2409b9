import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isLoopback } from '../../core/loopback.ts';

/** Where the brokers are and how to speak to them. */
export type KafkaConfig = {
  /** `host:port` of some brokers; the others are learned from them */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** absent: plaintext. The broker's certificate is always verified, by `ca` (PEM) or by the well-known authorities */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: Sasl;
  /** ms to wait for the socket, and again for the login */
  readonly connectTimeoutMs: number;
  /** ms to wait for an answer */
  readonly requestTimeoutMs: number;
};

/** Secrets are asked for anew for each connection, so that a rotated one is found without a restart. */
export type Sasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: () => Promise<string>;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: () => Promise<string> };

type Env = Readonly<Record<string, string | undefined>>;

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
 * | `KAFKA_SASL_MECHANISM` | `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`; the first and last need TLS |
 * | `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD_FILE` | for the first three |
 * | `KAFKA_SASL_TOKEN_FILE` | for `OAUTHBEARER`: a file that somebody keeps fresh |
 *
 * @throws Error one line that names the variable and what it must hold
 */
export function kafkaConfigFromEnv(env: Env): KafkaConfig {
  const brokers = brokersFrom(env.KAFKA_BROKERS);
  const tls = tlsFrom(env);
  const sasl = saslFrom(env);
  if (sasl !== undefined && tls === undefined) refuseOpenSecret(sasl.mechanism, brokers);
  return {
    ...defaults,
    ...(env.KAFKA_CLIENT_ID && { clientId: env.KAFKA_CLIENT_ID }),
    brokers,
    ...(tls && { tls }),
    ...(sasl && { sasl }),
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

function tlsFrom(env: Env): KafkaConfig['tls'] {
  const wanted = env.KAFKA_TLS || 'false';
  if (wanted !== 'true' && wanted !== 'false') throw new Error(`KAFKA_TLS must be true or false, not "${wanted}"`);
  const files = ['KAFKA_CA_FILE', 'KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'] as const;
  if (wanted === 'false') {
    const stray = files.find((name) => env[name]);
    if (stray) throw new Error(`${stray} needs KAFKA_TLS=true`);
    return undefined;
  }
  if (!env.KAFKA_CERT_FILE !== !env.KAFKA_KEY_FILE)
    throw new Error('KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together');
  const [ca, cert, key] = files.map((name) => readPem(name, env[name]));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function readPem(name: string, file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN ')) return pem;
  } catch (error) {
    throw new Error(`${name} must name a readable PEM file: ${codeOf(error)}`);
  }
  throw new Error(`${name} must name a PEM file, and names another one`);
}

function saslFrom(env: Env): Sasl | undefined {
  const mechanism = env.KAFKA_SASL_MECHANISM;
  if (!mechanism) {
    const stray = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD_FILE', 'KAFKA_SASL_TOKEN_FILE'].find(
      (name) => env[name],
    );
    if (stray) throw new Error(`${stray} needs KAFKA_SASL_MECHANISM`);
    return undefined;
  }
  switch (mechanism) {
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const username = required(env, 'KAFKA_SASL_USERNAME', mechanism);
      return { mechanism, username, password: secretIn(required(env, 'KAFKA_SASL_PASSWORD_FILE', mechanism)) };
    }
    case 'OAUTHBEARER':
      return { mechanism, token: secretIn(required(env, 'KAFKA_SASL_TOKEN_FILE', mechanism)) };
    default:
      throw new Error(
        `KAFKA_SASL_MECHANISM must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, not "${mechanism}"`,
      );
  }
}

/** These two send the secret itself, so it leaves this machine over TLS only (RFC 4616 section 4, RFC 7628 section 4). */
function refuseOpenSecret(mechanism: Sasl['mechanism'], brokers: readonly string[]): void {
  if (mechanism !== 'PLAIN' && mechanism !== 'OAUTHBEARER') return;
  const remote = brokers.find((broker) => !isLoopback(parseAddress(broker, 'KAFKA_BROKERS').host));
  if (remote !== undefined)
    throw new Error(
      `KAFKA_SASL_MECHANISM=${mechanism} would send its secret to ${remote} in the clear: set KAFKA_TLS=true or use SCRAM-SHA-512`,
    );
}

function required(env: Env, name: string, mechanism: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} must be set for KAFKA_SASL_MECHANISM=${mechanism}`);
  return value;
}

/** Without the path: somebody may have set the variable to the secret itself, or the key. */
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).name;

/** A secret is not where it should be. */
export class SecretError extends Error {
  constructor(error: unknown) {
    super(`the credentials cannot be read: ${codeOf(error)}`);
    this.name = 'SecretError';
  }
}

/** Read at each connection; a final line break is not part of the secret. */
const secretIn = (file: string) => async () => {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new SecretError(error);
  }
};
