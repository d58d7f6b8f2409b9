/** Secrets Manager. Importing this file loads the SDK: whoever needs it imports it when he does. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { isPrivateUrl } from '../../core/address.ts';
import { verifiedTls } from '../../core/tls.ts';

/**
 * Reads the text of the secret's current version. The SDK's own variables and profiles may name another place to ask than
 * Amazon's, over TLS or on this machine.
 *
 * @param arn its region is the one that is asked
 * @returns undefined when it holds no text
 * @throws the SDK's error
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function secretReader(arn: string): () => Promise<string | undefined> {
  const client = new SecretsManagerClient({
    region: arn.split(':')[3] ?? '',
    maxAttempts: 2, // a connection that was kept alive may be dead
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 3_000,
      throwOnRequestTimeout: true,
      httpsAgent: verifiedTls,
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname } = args.request as { protocol: string; hostname: string };
      if (!isPrivateUrl(`${protocol}//${hostname}`)) throw Object.assign(new Error(), { name: 'PlainHttpRefused' });
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' }, // next to the wire
  );
  return async () => (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
}
