/** Tokens that are presigned requests: whoever gets one asks AWS, or looks at the signature, and knows who we are. */
import { type AwsCredentials, presign } from './presign.ts';

/**
 * The token by which an EKS cluster knows an IAM identity. It is valid for 15 minutes from `now`, or until the
 * credentials end.
 *
 * @param cluster its name in EKS; the token is good for no other one
 * @see https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
 */
export function eksToken(credentials: AwsCredentials, region: string, cluster: string, now: Date): string {
  const url = presign(credentials, {
    service: 'sts',
    region,
    host: `sts.${region}.${domainOf(region)}`,
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { 'x-k8s-aws-id': cluster },
    expiresSeconds: 60,
    now,
  });
  return `k8s-aws-v1.${base64url(url)}`;
}

/**
 * The token by which MSK's brokers know an IAM identity (SASL OAUTHBEARER). It is valid for 15 minutes from `now`, and so
 * is the connection.
 *
 * @see https://github.com/aws/aws-msk-iam-sasl-signer-js
 */
export function mskToken(credentials: AwsCredentials, region: string, now: Date): string {
  const url = presign(credentials, {
    service: 'kafka-cluster',
    region,
    host: `kafka.${region}.amazonaws.com`,
    query: { Action: 'kafka-cluster:Connect' },
    expiresSeconds: 900,
    now,
  });
  // for the brokers' logs, and not part of what is signed
  return base64url(`${url}&User-Agent=topicsmith`);
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** @see https://docs.aws.amazon.com/general/latest/gr/sts.html */
const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');
