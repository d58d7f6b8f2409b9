/** Which parts come from outside: KUBECONFIG, KAFKA_BROKERS and SQS_ENDPOINT, where set, replace the local part. */

const replacing = ['KUBECONFIG', 'KAFKA_BROKERS', 'SQS_ENDPOINT'] as const;
const MARKER = 'TOPICSMITH_LOCAL';

export type Outside = { readonly [name in (typeof replacing)[number]]?: string };

/**
 * Reads the environment. A shell that has read `.topicsmith/env` still holds the addresses of that system, perhaps one
 * that is gone: the marker in that file tells them apart from what the user has set.
 */
export function readOutside(env: NodeJS.ProcessEnv): Outside {
  const local = env[MARKER]?.split(' ') ?? [];
  const set = replacing.filter((name) => env[name] && !local.includes(`${name}=${env[name]}`));
  return Object.fromEntries(set.map((name) => [name, env[name]]));
}

/** @returns `exports` with the marker that lets `readOutside` know them again */
export function withMarker(exports: Readonly<Record<string, string>>, outside: Outside): Record<string, string> {
  const local = replacing.filter((name) => exports[name] !== undefined && outside[name] === undefined);
  return { ...exports, [MARKER]: local.map((name) => `${name}=${exports[name]}`).join(' ') };
}
