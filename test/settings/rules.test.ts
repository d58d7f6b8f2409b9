import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Env, settingsIn } from '../../functions/settings/read.ts';
import { names, namesOf } from '../../functions/settings/table.ts';
import { table } from '../support/table.ts';

const kafka = namesOf('cli').filter((name) => name.startsWith('KAFKA_') || name === 'AWS_REGION');
const problems = (env: Env): readonly string[] =>
  settingsIn({ KAFKA_BROKERS: 'b-1:9092', ...env }, 'cli', kafka).problems;
const scram = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' };
const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kafka/topicsmith-AbCdEf';
const login = { KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD_FILE: '/password' };

table('rules', problems, [
  { reason: 'brokers alone are enough', given: {}, want: [] },
  { reason: 'a login is a mechanism with its parts', given: { ...scram, ...login }, want: [] },
  {
    reason: 'certificates are for TLS only, and all of them are named at once',
    given: { KAFKA_CA_FILE: '/ca', KAFKA_CERT_FILE: '/cert', KAFKA_KEY_FILE: '/key', KAFKA_TLS: 'false' },
    want: ['KAFKA_CA_FILE and KAFKA_CERT_FILE and KAFKA_KEY_FILE need KAFKA_TLS=true'],
  },
  {
    reason: 'a certificate is of no use without its key',
    given: { KAFKA_CERT_FILE: '/cert', KAFKA_TLS: 'true' },
    want: ['KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together: KAFKA_KEY_FILE is not set'],
  },
  {
    reason: 'nor a key without its certificate',
    given: { KAFKA_KEY_FILE: '/key', KAFKA_TLS: 'true' },
    want: ['KAFKA_CERT_FILE and KAFKA_KEY_FILE must be set together: KAFKA_CERT_FILE is not set'],
  },
  {
    reason: 'parts of a login without a mechanism would be ignored',
    given: login,
    want: ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE need KAFKA_SASL_MECHANISM'],
  },
  {
    reason: 'a mechanism asks for its parts',
    given: scram,
    want: ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE must be set for KAFKA_SASL_MECHANISM=SCRAM-SHA-512'],
  },
  {
    reason: 'a token is a login of its own',
    given: { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_TLS: 'true' },
    want: ['KAFKA_SASL_TOKEN_FILE must be set for KAFKA_SASL_MECHANISM=OAUTHBEARER'],
  },
  {
    reason: 'what is wrong by itself is told once, without what follows from it',
    given: { KAFKA_TLS: 'yes', KAFKA_CA_FILE: '/ca', KAFKA_SASL_MECHANISM: 'plain', ...login },
    want: [
      'KAFKA_TLS is "yes": it has to be true or false',
      'KAFKA_SASL_MECHANISM is "plain": it has to be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM',
    ],
  },
  {
    reason: 'a token of IAM goes over TLS only, and is for a region',
    given: { KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' },
    want: [
      'AWS_REGION must be set for KAFKA_SASL_MECHANISM=AWS_MSK_IAM',
      'KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs KAFKA_TLS=true',
    ],
  },
  {
    reason: 'a token of IAM needs neither name nor password',
    given: { KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', KAFKA_TLS: 'true', AWS_REGION: 'eu-central-1' },
    want: [],
  },
  { reason: 'a secret stands for name and password', given: { ...scram, KAFKA_SECRET_ARN: arn }, want: [] },
  {
    reason: 'nobody has to guess which of two passwords counts',
    given: { ...scram, ...login, KAFKA_SECRET_ARN: arn },
    want: ['KAFKA_SECRET_ARN stands for KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE: set one or the other'],
  },
  {
    reason: 'the authority of the brokers is no secret: it may be a file beside the secret',
    given: { ...scram, KAFKA_SECRET_ARN: arn, KAFKA_TLS: 'true', KAFKA_CA_FILE: '/ca' },
    want: [],
  },
]);

const eks = ['EKS_CLUSTER_NAME', 'KUBE_API_SERVER', 'KUBE_CA_DATA', 'AWS_REGION'] as const;
const cluster = {
  EKS_CLUSTER_NAME: 'prod',
  KUBE_API_SERVER: 'https://abc.eks.amazonaws.com',
  KUBE_CA_DATA: Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64'),
  AWS_REGION: 'eu-central-1',
};

table('settings of EKS', (env: Env) => settingsIn(env, 'reconcile', eks).problems, [
  { reason: 'are complete with the region', given: cluster, want: [] },
  { reason: 'are not needed', given: {}, want: [] },
  {
    reason: 'name a cluster, its address and its authority',
    given: { ...cluster, KUBE_API_SERVER: '', KUBE_CA_DATA: '' },
    want: [
      'EKS_CLUSTER_NAME and KUBE_API_SERVER and KUBE_CA_DATA must be set together: KUBE_API_SERVER and KUBE_CA_DATA are not set',
    ],
  },
  {
    reason: 'need the region, for which tokens are signed',
    given: { ...cluster, AWS_REGION: '' },
    want: ['EKS_CLUSTER_NAME needs AWS_REGION'],
  },
  {
    reason: 'lead over TLS only',
    given: { ...cluster, KUBE_API_SERVER: 'http://127.0.0.1' },
    want: ['KUBE_API_SERVER is "http://127.0.0.1": it has to be a URL with https'],
  },
  {
    reason: 'have the authority itself, not a file',
    given: { ...cluster, KUBE_CA_DATA: '/ca.pem' },
    want: ['KUBE_CA_DATA is "/ca.pem": it has to be a certificate (PEM) in base64, as EKS gives it'],
  },
]);

test('a reader to whom a rule says nothing is not told of it', () => {
  const all = Object.fromEntries(names.map((name) => [name, '']));
  const queues = { RECONCILE_QUEUE_URL: 'https://q/1/a', TICK_QUEUE_URL: 'https://q/1/b' };
  assert.deepEqual(settingsIn({ ...all, ...queues, ...scram }, 'forwarder').problems, []);
});
