import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Env, readSettings, SettingsError } from '../../settings/read.ts';
import { type NameOf, namesOf, type Settings } from '../../settings/table.ts';

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

/** The settings of the connection, as `settings/table.ts` has them. */
export type KafkaSettings = Settings<'cli', KafkaName>;
type KafkaName = Extract<NameOf<'cli'>, `KAFKA_${string}`>;

/** A cold start with TLS in a private network takes longer than kafkajs' own 1,000 ms. */
const timeouts = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

/** As the environment has it. @throws SettingsError with everything that is wrong about `KAFKA_…` */
export function kafkaConfigFromEnv(env: Env): KafkaConfig {
  const isKafka = (name: NameOf<'cli'>): name is KafkaName => name.startsWith('KAFKA_');
  return kafkaConfig(readSettings(env, 'cli', namesOf('cli').filter(isKafka)));
}

/**
 * How to connect as the settings say. Certificates and keys are read now, what is for logging in at each login.
 *
 * @throws SettingsError for files that cannot be read or are no PEM files
 */
export function kafkaConfig(settings: KafkaSettings): KafkaConfig {
  const sasl = saslFrom(settings);
  return {
    ...timeouts,
    clientId: settings.KAFKA_CLIENT_ID,
    brokers: settings.KAFKA_BROKERS,
    ...(settings.KAFKA_TLS && { tls: tlsFrom(settings) }),
    ...(sasl && { sasl }),
  };
}

const pemFiles = { ca: 'KAFKA_CA_FILE', cert: 'KAFKA_CERT_FILE', key: 'KAFKA_KEY_FILE' } as const;

function tlsFrom(settings: KafkaSettings): NonNullable<KafkaConfig['tls']> {
  const problems: string[] = [];
  const entries = Object.entries(pemFiles).flatMap(([part, name]) => {
    const path = settings[name];
    if (path === undefined) return [];
    const pem = pemIn(path);
    if ('problem' in pem) problems.push(`${name} has to name a PEM file: ${pem.problem}`);
    return 'problem' in pem ? [] : [[part, pem.text]];
  });
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.fromEntries(entries);
}

/** The problem does not quote the path: it may be a key that was put there by mistake. */
function pemIn(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const text = readFileSync(path, 'utf8');
    return text.includes('-----BEGIN ') ? { text } : { problem: 'the one that is named is none' };
  } catch (error) {
    return { problem: `the one that is named cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** Which of them has to be set with which is seen to by `settings/rules.ts`. */
function saslFrom(settings: KafkaSettings): Sasl | undefined {
  const {
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username = '',
    KAFKA_SASL_PASSWORD_FILE: passwordFile = '',
    KAFKA_SASL_TOKEN_FILE: tokenFile = '',
  } = settings;
  if (mechanism === undefined) return undefined;
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: secretIn(tokenFile) };
  return { mechanism, username, password: secretIn(passwordFile) };
}

/** A secret is not where it should be. */
export class SecretError extends Error {
  constructor(cause: unknown) {
    super('the credentials cannot be read', { cause });
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
