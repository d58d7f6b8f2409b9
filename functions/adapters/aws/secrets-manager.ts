/** Secrets Manager. Importing this file loads the SDK: whoever needs it imports it when he does. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { refusePlainHttp } from '../https-only.ts';

/** Other places for it, as all SDKs know them. */
const endpoints = ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL'] as const;

/**
 * Reads the text of the secret's current version.
 *
 * @param arn its region is the one that is asked
 * @returns undefined when it holds no text
 * @throws the SDK's error
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function secretReader(env: NodeJS.ProcessEnv, arn: string): () => Promise<string | undefined> {
  for (const name of endpoints) if (env[name]) refusePlainHttp(name, env[name]);
  const client = new SecretsManagerClient({
    region: arn.split(':')[3] ?? '',
    maxAttempts: 2, // a connection that was kept alive may be dead
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
  return async () => (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
}
