import type { AwsCredentials } from './presign.ts';

/** Credentials of this moment. @throws Error one line when there are none */
export type CredentialSource = () => Promise<AwsCredentials>;

/**
 * Where the SDK would find credentials, too: in the environment, where Lambda puts them, looked at each time; otherwise
 * the SDK's own chain (profiles, web identity, container, instance), which renews what ends. The chain is loaded when it
 * is first needed, so a function never waits for it.
 */
export function awsCredentials(env = process.env): CredentialSource {
  let chain: Promise<CredentialSource> | undefined;
  return async () => {
    const accessKeyId = env.AWS_ACCESS_KEY_ID;
    const secretAccessKey = env.AWS_SECRET_ACCESS_KEY;
    // a profile that was asked for outranks them, as in the SDK
    if (accessKeyId && secretAccessKey && !env.AWS_PROFILE)
      return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN || undefined };
    chain ??= import('./credential-chain.ts').then(({ credentialChain }) => credentialChain());
    return (await chain)().catch((cause) => {
      const { message } = cause as Error;
      throw new Error(`no AWS credentials found: give this process a role, or set AWS_PROFILE (${message})`, { cause });
    });
  };
}
