/** Kafka credentials that Secrets Manager keeps, and may replace at any time. */
import { type Credentials, SecretError } from './credentials.ts';

/** Its fields, and what they are here. A secret may have others, which are for somebody else. */
const fields = {
  username: 'username',
  password: 'password',
  certificate: 'cert',
  privateKey: 'key',
  privateKeyPassphrase: 'passphrase',
  ca: 'ca',
} as const satisfies Readonly<Record<string, keyof Credentials>>;

const rememberMs = 5 * 60_000;
/** What was read within this time is not read again, though refused: several brokers refuse it one after the other. */
const freshMs = 1_000;

/** @param anew do not take what is remembered, since a broker has refused it. @throws SecretError */
export type SecretSource = (anew: boolean) => Promise<Credentials>;

/** The secret, remembered for at most five minutes. */
export function rememberedSecret(arn: string): SecretSource {
  let reader: Promise<() => Promise<string | undefined>> | undefined;
  return remembered(async () => {
    reader ??= import('../aws/secrets-manager.ts').then(({ secretReader }) => secretReader(arn));
    return credentialsIn(await (await reader)().catch(notGiven));
  });
}

/** Those who ask at the same time share one answer; errors are not remembered. */
function remembered(read: () => Promise<Credentials>): SecretSource {
  let last: { readonly value: Promise<Credentials>; readonly at: number } | undefined;
  return async (anew) => {
    if (last === undefined || Math.abs(Date.now() - last.at) >= (anew ? freshMs : rememberMs)) {
      const reading = { value: read(), at: Date.now() };
      last = reading;
      reading.value.catch(() => {
        if (last === reading) last = undefined;
      });
    }
    return last.value;
  };
}

/** @param text is never part of an error. @throws SecretError one line that names the field and what it must hold */
export function credentialsIn(text: string | undefined): Credentials {
  const secret = parsed(text);
  const found = Object.entries(fields).flatMap(([field, name]) => {
    const value = secret[field];
    if (value === undefined || value === null) return [];
    if (typeof value !== 'string' || value === '') throw unusable(`"${field}" must be text, and not empty`);
    return [[name, value]];
  });
  return Object.fromEntries(found);
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // the parser's own words would show a piece of the secret
  }
  throw unusable(`it must be a JSON object with some of ${Object.keys(fields).join(', ')}`);
}

const unusable = (what: string) => new SecretError(`the secret of KAFKA_SECRET_ARN cannot be used: ${what}`);

/** Errors of the SDK carry details of the request: only their name or code is passed on. */
function notGiven(cause: unknown): never {
  type SdkError = { name: string; code?: string; $metadata?: { httpStatusCode?: number } };
  const { name, code = name, $metadata } = cause as SdkError;
  const what =
    $metadata?.httpStatusCode === undefined
      ? `Secrets Manager cannot be asked: ${code}`
      : `Secrets Manager refuses: ${name}${advice(name)}`;
  throw new SecretError(`the secret of KAFKA_SECRET_ARN cannot be read: ${what}`, { cause });
}

const advice = (name: string): string =>
  /AccessDenied|Decryption/.test(name) ? '; secretsmanager:GetSecretValue and kms:Decrypt are needed' : '';
