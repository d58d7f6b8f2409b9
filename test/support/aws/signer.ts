/** AWS's own signer, which knows nothing of ours: signs, and tells who signed. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentials, Presignable } from '../../../functions/adapters/aws/presign.ts';

/** SHA-256 in the shape that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret as string | NodeJS.ArrayBufferView;
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', key);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('nobody asks for this');
  }
}

/** @returns the query of the signed URL */
export async function signedQuery(
  credentials: AwsCredentials,
  { service, region, host, query, headers, expiresSeconds, now }: Presignable,
): Promise<Readonly<Record<string, unknown>>> {
  const { sessionToken, ...keys } = credentials;
  const signer = new SignatureV4({
    service,
    region,
    credentials: { ...keys, ...(sessionToken !== undefined && { sessionToken }) },
    sha256: Sha256,
  });
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname: host,
    path: '/',
    query: { ...query },
    headers: { ...headers, host },
  };
  return (await signer.presign(request, { signingDate: now, expiresIn: expiresSeconds })).query ?? {};
}

/** What somebody who is shown a presigned URL wants to know before he believes it. */
export type Expected = {
  readonly service: string;
  readonly host: RegExp;
  /** of the query, exactly */
  readonly query: Readonly<Record<string, string>>;
  /** signed beside `host` */
  readonly headers?: Readonly<Record<string, string>>;
  /** parameters that are not signed */
  readonly unsigned?: readonly string[];
  /** seconds from its signing, whatever the URL says */
  readonly validSeconds: number;
  /** by access key */
  readonly known: ReadonlyMap<string, AwsCredentials>;
};

/**
 * Who signed a URL, found out as AWS does: by signing the same again.
 *
 * @returns the access key
 * @throws Error what is wrong with it
 */
export async function signerOf(url: string, expected: Expected): Promise<string> {
  const { protocol, host, pathname, searchParams } = new URL(url);
  const { 'X-Amz-Signature': signature, ...all } = Object.fromEntries(searchParams);
  const [accessKeyId = '', , region = '', service] = (all['X-Amz-Credential'] ?? '').split('/');
  const signedAt = instantOf(all['X-Amz-Date'] ?? '');
  const query = Object.fromEntries(
    Object.entries(all).filter(([name]) => !name.startsWith('X-Amz-') && !expected.unsigned?.includes(name)),
  );
  const credentials = expected.known.get(accessKeyId);
  if (protocol !== 'https:' || pathname !== '/' || !expected.host.test(host)) throw new Error(`another host: ${host}`);
  if (service !== expected.service) throw new Error(`another service: ${service}`);
  if (JSON.stringify(query) !== JSON.stringify(expected.query)) throw new Error(`asks for ${JSON.stringify(query)}`);
  if (credentials === undefined) throw new Error(`unknown access key: ${accessKeyId}`);
  const ageSeconds = (Date.now() - signedAt.getTime()) / 1000;
  if (ageSeconds > expected.validSeconds || ageSeconds < -60) throw new Error(`signed ${ageSeconds} s ago`);
  const again = await signedQuery(credentials, {
    service,
    region,
    host,
    query,
    ...(expected.headers && { headers: expected.headers }),
    expiresSeconds: Number(all['X-Amz-Expires']),
    now: signedAt,
  });
  if (again['X-Amz-Signature'] !== signature) throw new Error('the signature does not match');
  return accessKeyId;
}

function instantOf(time: string): Date {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
