import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { generateAuthTokenFromCredentialsProvider } from 'aws-msk-iam-sasl-signer-js';
import fc from 'fast-check';
import { type AwsCredentials, type Presignable, presign } from '../../../functions/adapters/aws/presign.ts';
import { eksToken, mskToken } from '../../../functions/adapters/aws/tokens.ts';
import { signedQuery } from '../../support/aws/signer.ts';

const keys: AwsCredentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const temporary: AwsCredentials = { ...keys, sessionToken: 'IQoJb3JpZ2luX2VjE+/==' };
const now = new Date('2026-11-22T10:11:12.999Z');
const request: Presignable = {
  service: 'sts',
  region: 'eu-central-1',
  host: 'sts.eu-central-1.amazonaws.com',
  query: { Action: 'GetCallerIdentity' },
  expiresSeconds: 60,
  now,
};

const queryOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

const identityOf = ({ sessionToken, ...rest }: AwsCredentials) => (sessionToken ? { ...rest, sessionToken } : rest);

/** The same parameters with the same values, the signature among them. */
async function sameAsAws(credentials: AwsCredentials, presignable: Presignable): Promise<void> {
  const expected = await signedQuery(credentials, presignable);
  assert.deepEqual(queryOf(presign(credentials, presignable)), { ...expected });
}

describe("AWS's own signer gives the same URL", () => {
  for (const [reason, credentials, change] of [
    ['for long-lived keys', keys, {}],
    ['for temporary credentials, whose token has to be encoded', temporary, {}],
    ['with signed headers beside the host', keys, { headers: { 'x-k8s-aws-id': 'prod', 'A-First': 'x' } }],
    ['with blanks in a header', keys, { headers: { 'x-k8s-aws-id': '  a \t  b ' } }],
    ['with a blank that HTTP does not know as one', keys, { headers: { 'x-k8s-aws-id': '\u2003a' } }],
    ['with characters that encodeURIComponent leaves alone', keys, { query: { "a!'()*b": "~-_.!'()*" } }],
    ['with blanks, plus, percent and slashes', keys, { query: { a: ' +%/&=?#' } }],
    ['with letters of other scripts', keys, { query: { grüße: '日本🙂' } }],
    ['with names that sort by code, not by language', keys, { query: { b: '1', B: '2', ä: '3', a: '4', _: '5' } }],
    ['on the first day of a year', keys, { now: new Date('2027-01-01T00:00:00.000Z') }],
  ] as const)
    test(reason, () => sameAsAws(credentials, { ...request, ...change }));

  test('for whatever people have as keys, regions, tokens and parameters', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const credentials = fc.record(
      { accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/), secretAccessKey: text, sessionToken: text },
      { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
    );
    const name = text.filter((key) => !/^(x-amz-|__proto__$)/i.test(key));
    const presignable = fc.record({
      service: fc.stringMatching(/^[a-z-]{1,12}$/),
      region: fc.stringMatching(/^[a-z]{2}-[a-z]{4,9}-[1-9]$/),
      host: fc.domain(),
      query: fc.dictionary(name, fc.string({ unit: 'grapheme' })),
      headers: fc.dictionary(fc.stringMatching(/^x-of-[a-z0-9-]{1,9}$/), text),
      expiresSeconds: fc.integer({ min: 1, max: 604_800 }),
      now: fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
    });
    await fc.assert(fc.asyncProperty(credentials, presignable, sameAsAws), { numRuns: 500 });
  });
});

test('parameters are sorted, the signature is last', () => {
  const names = [...new URL(presign(temporary, request)).searchParams.keys()];
  assert.deepEqual(names, [...names.slice(0, -1).toSorted(), 'X-Amz-Signature']);
});

describe('the token for EKS', () => {
  const token = eksToken(temporary, 'eu-central-1', 'prod', now);

  test("is AWS's own URL of GetCallerIdentity, with the cluster's name signed", async () => {
    const [prefix, encoded = ''] = token.split(/(?<=^k8s-aws-v1\.)/);
    assert.equal(prefix, 'k8s-aws-v1.');
    assert.match(encoded, /^[A-Za-z0-9_-]+$/);
    const url = Buffer.from(encoded, 'base64url').toString();
    assert.ok(url.startsWith('https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&'));
    const expected = await signedQuery(temporary, {
      ...request,
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { 'x-k8s-aws-id': 'prod' },
    });
    assert.deepEqual(queryOf(url), { ...expected });
    assert.equal(queryOf(url)['X-Amz-SignedHeaders'], 'host;x-k8s-aws-id');
  });

  test('is for one cluster, and one moment', () => {
    assert.notEqual(eksToken(temporary, 'eu-central-1', 'test', now), token);
    assert.notEqual(eksToken(temporary, 'eu-central-1', 'prod', new Date(now.getTime() + 1000)), token);
  });

  test('names the endpoint of the partition', () => {
    const url = Buffer.from(eksToken(keys, 'cn-north-1', 'prod', now).slice(11), 'base64url').toString();
    assert.ok(url.startsWith('https://sts.cn-north-1.amazonaws.com.cn/?'), url);
  });
});

for (const [who, credentials] of Object.entries({ keys, temporary }))
  test(`the token for MSK is that of AWS's own library, but for the User-Agent (${who})`, async () => {
    mock.timers.enable({ apis: ['Date'], now });
    try {
      const { token } = await generateAuthTokenFromCredentialsProvider({
        region: 'eu-central-1',
        awsCredentialsProvider: async () => identityOf(credentials),
      });
      const [theirs, ours] = [token, mskToken(credentials, 'eu-central-1', now)].map((encoded) => {
        assert.match(encoded, /^[A-Za-z0-9_-]+$/);
        const { protocol, host, pathname, searchParams } = new URL(Buffer.from(encoded, 'base64url').toString());
        const { 'User-Agent': agent, ...signed } = Object.fromEntries(searchParams);
        return { agent, place: [protocol, host, pathname], signed };
      });
      assert.deepEqual({ ...ours, agent: '' }, { ...theirs, agent: '' });
      assert.equal(ours?.agent, 'topicsmith');
    } finally {
      mock.timers.reset();
    }
  });
