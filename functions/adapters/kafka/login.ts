/** Who we are for the brokers: from files, from a secret, or signed on the spot. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { SettingsError } from '../../settings/read.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { mskToken } from '../aws/tokens.ts';
import type { KafkaSettings } from './config.ts';
import { type Credentials, SecretError } from './credentials.ts';
import { rememberedSecret } from './secret.ts';

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

export type Mechanism = NonNullable<KafkaSettings['KAFKA_SASL_MECHANISM']>;

/** What each mechanism logs in with. */
const needs: Readonly<Record<Mechanism, readonly (keyof Credentials)[]>> = {
  PLAIN: ['username', 'password'],
  'SCRAM-SHA-256': ['username', 'password'],
  'SCRAM-SHA-512': ['username', 'password'],
  OAUTHBEARER: ['token'],
  AWS_MSK_IAM: ['token'],
};

const pemFiles = { ca: 'KAFKA_CA_FILE', cert: 'KAFKA_CERT_FILE', key: 'KAFKA_KEY_FILE' } as const;
const files = { ...pemFiles, password: 'KAFKA_SASL_PASSWORD_FILE', token: 'KAFKA_SASL_TOKEN_FILE' } as const;

/**
 * What has to be set with what is seen to by `settings/rules.ts`.
 *
 * @throws SettingsError for files that cannot be read or are no PEM files
 */
export function loginOf(settings: KafkaSettings): Login {
  checkPemFiles(settings);
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SECRET_ARN: arn } = settings;
  const secret = arn === undefined ? undefined : rememberedSecret(arn);
  const sign = mechanism === 'AWS_MSK_IAM' ? tokenSource(settings.AWS_REGION ?? '') : undefined;
  const read = async (anew: boolean): Promise<Credentials> => {
    const credentials: Credentials = {
      ...(username && { username }),
      ...(await contents(settings)),
      ...(await secret?.(anew)),
      ...(sign && { token: await sign() }),
    };
    const problem = problemOf(credentials, settings);
    if (problem === undefined) return credentials;
    // what is remembered may have been mended meanwhile
    if (secret !== undefined && !anew) return read(true);
    throw problem;
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

function checkPemFiles(settings: KafkaSettings): void {
  const problems = Object.values(pemFiles).flatMap((name) => {
    const problem = settings[name] && pemProblem(settings[name]);
    return problem ? [`${name} has to name a PEM file: the one that is named ${problem}`] : [];
  });
  if (problems.length > 0) throw new SettingsError(problems);
}

/** Does not quote the path: it may be a key that was put there by mistake. */
function pemProblem(path: string): string | undefined {
  try {
    return isPem(readFileSync(path, 'utf8')) ? undefined : 'is none';
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}

const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/** Signed for each connection: a broker ends a connection with the token it was opened with. */
function tokenSource(region: string): () => Promise<string> {
  const credentials = awsCredentials();
  return async () => {
    try {
      return mskToken(await credentials(), region, new Date());
    } catch (cause) {
      throw new SecretError((cause as Error).message, { cause });
    }
  };
}

/** What is in the files now; a final line break is not part of a secret. */
async function contents(settings: KafkaSettings): Promise<Credentials> {
  const read = async ([part, name]: [string, (typeof files)[keyof typeof files]]) => {
    const path = settings[name];
    return path === undefined ? [] : [[part, (await readFile(path, 'utf8')).replace(/\r?\n$/, '')]];
  };
  try {
    return Object.fromEntries((await Promise.all(Object.entries(files).map(read))).flat());
  } catch (error) {
    // without the path: it may be the secret itself
    throw new SecretError(undefined, { cause: (error as NodeJS.ErrnoException).code });
  }
}

/** What no broker could accept. */
function problemOf(credentials: Credentials, settings: KafkaSettings): SecretError | undefined {
  const { KAFKA_TLS: tls, KAFKA_SASL_MECHANISM: mechanism } = settings;
  const { ca, cert, key, password } = credentials;
  const pems = [ca, cert, key].filter((pem) => pem !== undefined);
  const missing = mechanism && needs[mechanism].find((name) => !credentials[name]);
  const have = (what: string) => new SecretError(`the Kafka credentials have ${what}`);
  if (missing) return have(`no ${missing}, which ${mechanism} needs`);
  if (password && mechanism === undefined) return have('a password, and no mechanism for it: set KAFKA_SASL_MECHANISM');
  if (pems.length > 0 && !tls) return have('a certificate: set KAFKA_TLS=true');
  if (!pems.every(isPem)) return have('a certificate or key that is not PEM');
  if (!cert !== !key) return have('a certificate or its key, but not both');
  return cert ? misfitOf(credentials) : undefined;
}

function misfitOf({ cert, key, passphrase }: Credentials): SecretError | undefined {
  try {
    createSecureContext({ cert, key, passphrase });
    return undefined;
  } catch (cause) {
    const { code } = cause as { code?: string };
    return new SecretError(`certificate, key and passphrase for Kafka do not fit together (${code})`, { cause });
  }
}
