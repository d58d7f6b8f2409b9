/** AWS Signature Version 4 in the query of a URL, for the two tokens that are such URLs (`tokens.ts`). */
import { createHash, createHmac } from 'node:crypto';

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** of temporary credentials, such as a role's */
  readonly sessionToken?: string | undefined;
};

/** A GET of `/` at `host`, to be signed. */
export type Presignable = {
  readonly service: string;
  readonly region: string;
  readonly host: string;
  readonly query: Readonly<Record<string, string>>;
  /** signed beside `host`; whoever sends the request has to send them, too */
  readonly headers?: Readonly<Record<string, string>>;
  /** for how long the URL may be used, in seconds from `now` */
  readonly expiresSeconds: number;
  readonly now: Date;
};

/**
 * The request as an https URL that anybody can send in our name.
 *
 * @returns the query sorted by name, the signature last
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function presign(credentials: AwsCredentials, request: Presignable): string {
  const { service, region, host, now } = request;
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const scope = [day, region, service, 'aws4_request'];
  const headers = canonicalHeaders({ ...request.headers, host });
  const signedHeaders = headers.map(([name]) => name).join(';');
  const query = canonicalQuery({
    ...request.query,
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': [credentials.accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    'X-Amz-Expires': String(request.expiresSeconds),
    ...(credentials.sessionToken && { 'X-Amz-Security-Token': credentials.sessionToken }),
    'X-Amz-SignedHeaders': signedHeaders,
  });
  const lines = headers.map(([name, value]) => `${name}:${value}`);
  const canonicalRequest = ['GET', '/', query, ...lines, '', signedHeaders, sha256('')].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, [algorithm, time, scope.join('/'), sha256(canonicalRequest)].join('\n')).toString('hex');
  return `https://${host}/?${query}&X-Amz-Signature=${signature}`;
}

const algorithm = 'AWS4-HMAC-SHA256';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const canonicalHeaders = (headers: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(headers)
    .map(([name, value]): [string, string] => [
      name.toLowerCase(),
      value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, ''),
    ])
    .sort(byName);

const canonicalQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(byName)
    .map((pair) => pair.join('='))
    .join('&');

/** By code units, whatever the language of this machine. */
const byName = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Everything but the unreserved characters of RFC 3986. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
