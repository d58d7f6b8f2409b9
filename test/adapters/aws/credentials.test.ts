/** Against the SDK's own chain, as processes outside Lambda use it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { awsCredentials, type CredentialSource } from '../../../functions/adapters/aws/credentials.ts';
import { eventually } from '../../support/kafka/eventually.ts';

const dir = mkdtempSync(join(tmpdir(), 'aws-credentials-'));
const requests: { readonly body: string; readonly authorization: string | undefined }[] = [];
/** answers each request with what `answer` says */
let answer: () => string;
const server = createServer(async (request, response) => {
  const body = await new Response(request as never).text();
  requests.push({ body, authorization: request.headers.authorization });
  response.end(answer());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  const file = join(dir, 'credentials');
  writeFileSync(file, '[staging]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = of the profile\n');
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(dir, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_REGION: 'eu-central-1',
  });
  requests.length = 0;
});

const keyOf = async (source: CredentialSource) => (await source()).accessKeyId;

/** The SDK replaces credentials in the last minutes of their life, and gives out the old ones until it has others. */
async function isReplaced(source: CredentialSource, change = () => {}): Promise<void> {
  const first = await keyOf(source);
  change();
  await eventually(async () => assert.notEqual(await keyOf(source), first));
}

test('the environment is looked at each time, as Lambda fills it', async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'ASIAONE',
    AWS_SECRET_ACCESS_KEY: 'one',
    AWS_SESSION_TOKEN: 'token',
  });
  const source = awsCredentials();
  assert.deepEqual(await source(), { accessKeyId: 'ASIAONE', secretAccessKey: 'one', sessionToken: 'token' });
  process.env.AWS_ACCESS_KEY_ID = 'ASIATWO';
  assert.equal(await keyOf(source), 'ASIATWO');
});

test('a profile that is asked for outranks the environment', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'ASIAONE', AWS_SECRET_ACCESS_KEY: 'one', AWS_PROFILE: 'staging' });
  assert.equal(await keyOf(awsCredentials()), 'AKIAPROFILE');
});

test('T143: EKS Pod Identity: credentials that are about to end are replaced', async () => {
  const tokenFile = join(dir, 'pod-identity');
  writeFileSync(tokenFile, 'of the pod');
  const variables = { AWS_CONTAINER_CREDENTIALS_FULL_URI: address, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile };
  Object.assign(process.env, variables);
  const Expiration = new Date(Date.now() + 60_000).toISOString();
  answer = () =>
    JSON.stringify({ AccessKeyId: `ASIA${requests.length}`, SecretAccessKey: 's', Token: 't', Expiration });
  const source = awsCredentials();
  await isReplaced(source);
  assert.equal(requests[0]?.authorization, 'of the pod');
});

test('T143: IAM roles for service accounts: the token of the moment is exchanged for credentials', async () => {
  const tokenFile = join(dir, 'web-identity');
  writeFileSync(tokenFile, 'of.the.account');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_STS: address,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/topicsmith',
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
  });
  const Expiration = new Date(Date.now() + 60_000).toISOString();
  answer = () => `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>ASIA${requests.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
    <SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration>
    </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
  const source = awsCredentials();
  await isReplaced(source, () => writeFileSync(tokenFile, 'renewed'));
  const tokens = requests.map(({ body }) => new URLSearchParams(body).get('WebIdentityToken'));
  assert.equal(tokens[0], 'of.the.account');
  assert.ok(tokens.includes('renewed'), String(tokens));
});

test('who has none is told what to do', async () => {
  await assert.rejects(awsCredentials()(), {
    message: /^no AWS credentials found: give this process a role, or set AWS_PROFILE \(.+\)$/,
  });
});
