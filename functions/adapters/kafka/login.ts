/** Who we are for the brokers: from files, from a secret, or signed on the spot. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { awsCredentials, awsRegion } from '../aws/credentials.ts';
import { mskToken } from '../aws/tokens.ts';
import { type Credentials, SecretError } from './credentials.ts';
import { secretFromEnv } from './secret.ts';

type Env = NodeJS.ProcessEnv;

export type Login = {
  /** Credentials for one connection: asked for each time, so that what was rotated is found. @throws SecretError */
  read(): Promise<Credentials>;
  /**
   * What there is instead, after a broker has refused some.
   *
   * @returns undefined when there is nothing else
   * @throws SecretError
   */
  readAfter(refused: Credentials): Promise<Credentials | undefined>;
};

/** What each mechanism needs. */
const needs = {
  PLAIN: ['username', 'password'],
  'SCRAM-SHA-256': ['username', 'password'],
  'SCRAM-SHA-512': ['username', 'password'],
  OAUTHBEARER: ['token'],
  AWS_MSK_IAM: [],
} as const satisfies Readonly<Record<string, readonly (keyof Credentials)[]>>;

export type Mechanism = keyof typeof needs;
export const mechanisms = Object.keys(needs) as readonly Mechanism[];

const tlsFiles = { ca: 'KAFKA_CA_FILE', cert: 'KAFKA_CERT_FILE', key: 'KAFKA_KEY_FILE' } as const;
const files = { ...tlsFiles, password: 'KAFKA_SASL_PASSWORD_FILE', token: 'KAFKA_SASL_TOKEN_FILE' } as const;
const variables = { ...files, username: 'KAFKA_SASL_USERNAME' } as const;

/**
 * @param tls whether connections use TLS
 * @throws Error one line that names the variable and what it must hold
 */
export function loginFromEnv(env: Env, tls: boolean, mechanism: Mechanism | undefined): Login {
  const secret = secretFromEnv(env);
  checkTls(env, tls);
  checkSasl(env, mechanism, secret !== undefined);
  const sign = mechanism === 'AWS_MSK_IAM' ? tokenSource(env) : undefined;
  const read = async (anew: boolean): Promise<Credentials> => {
    const credentials: Credentials = {
      ...(env.KAFKA_SASL_USERNAME && { username: env.KAFKA_SASL_USERNAME }),
      ...(await contents(env)),
      ...(await secret?.(anew)),
      ...(sign && { token: await sign() }),
    };
    check(credentials, tls, mechanism);
    return credentials;
  };
  return {
    read: () => read(false),
    readAfter: async (refused) => {
      if (secret === undefined) return undefined;
      const others = await read(true);
      return isDeepStrictEqual({ ...others, token: '' }, { ...refused, token: '' }) ? undefined : others;
    },
  };
}

function checkTls(env: Env, tls: boolean): void {
  const names = Object.values(tlsFiles);
  const stray = names.find((name) => env[name]);
  if (!tls && stray) throw new Error(`${stray} needs KAFKA_TLS=true`);
  if (!env.KAFKA_CERT_FILE !== !env.KAFKA_KEY_FILE)
    throw new Error('KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together');
  for (const name of names) if (env[name]) checkPem(name, env[name]);
}

function checkPem(name: string, file: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${name} must name a readable PEM file: ${(error as Error).message}`);
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`${name} must name a PEM file, "${file}" is none`);
}

function checkSasl(env: Env, mechanism: Mechanism | undefined, hasSecret: boolean): void {
  const set = (names: readonly string[]) => names.find((name) => env[name]);
  const { ca, token, ...others } = variables;
  const twice = hasSecret ? set(Object.values(others)) : undefined;
  if (twice) throw new Error(`${twice} cannot be set beside KAFKA_SECRET_ARN: the secret has what it stands for`);
  if (mechanism === undefined) {
    const stray = set([variables.username, files.password, token]);
    if (stray) throw new Error(`${stray} needs KAFKA_SASL_MECHANISM`);
    return;
  }
  for (const name of needs[mechanism])
    if (!env[variables[name]] && (name === 'token' || !hasSecret))
      throw new Error(`${variables[name]} must be set for KAFKA_SASL_MECHANISM=${mechanism}`);
}

/** Signed for each connection: a broker ends a connection with the token it was opened with. */
function tokenSource(env: Env): () => Promise<string> {
  const credentials = awsCredentials(env);
  const region = awsRegion(env, 'KAFKA_SASL_MECHANISM=AWS_MSK_IAM');
  return async () => {
    try {
      return mskToken(await credentials(), region, new Date());
    } catch (cause) {
      throw new SecretError((cause as Error).message, { cause });
    }
  };
}

/** What is in the files now; a final line break is not part of a secret. */
async function contents(env: Env): Promise<Credentials> {
  const read = async ([name, variable]: [string, string]) =>
    env[variable] ? [[name, (await readFile(env[variable], 'utf8')).replace(/\r?\n$/, '')]] : [];
  try {
    return Object.fromEntries((await Promise.all(Object.entries(files).map(read))).flat());
  } catch (cause) {
    throw new SecretError(undefined, { cause });
  }
}

/** @throws SecretError for what no broker could accept */
function check(credentials: Credentials, tls: boolean, mechanism: Mechanism | undefined): void {
  const missing = mechanism && needs[mechanism].find((name) => !credentials[name]);
  if (missing) throw new SecretError(`the Kafka credentials have no ${missing}, which ${mechanism} needs`);
  const { ca, cert, key, passphrase } = credentials;
  if (!tls && (ca || cert || key))
    throw new SecretError('the Kafka credentials have a certificate: set KAFKA_TLS=true');
  if (!cert !== !key) throw new SecretError('the Kafka credentials have a certificate or its key, but not both');
  if ([ca, cert, key].some((pem) => pem?.includes('-----BEGIN ') === false))
    throw new SecretError('the Kafka credentials have a certificate or key that is not PEM');
  try {
    if (cert) createSecureContext({ cert, key, passphrase });
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new SecretError(`certificate, key and passphrase for Kafka do not fit together (${code})`, { cause });
  }
}
