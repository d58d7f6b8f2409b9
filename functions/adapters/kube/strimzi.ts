/** Strimzi's KafkaTopics, for those who take over from it. */
import { strimziGroup } from '../../core/strimzi.ts';
import { ApiError, type KubeClient } from './client.ts';
import { failureOf } from './failure.ts';

const pageSize = 500;

/**
 * All of Strimzi's KafkaTopics, as the API server prefers them (`v1beta2` or `v1`).
 *
 * @param namespaces where to look; empty means everywhere
 * @returns parsed JSON; undefined where Strimzi's definitions are not installed
 * @throws Failure
 */
export async function strimziTopics(
  client: KubeClient,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<readonly unknown[] | undefined> {
  try {
    const api = `/apis/${strimziGroup}`;
    const { preferredVersion } = (await client.request('GET', api, { signal })) as {
      preferredVersion: { version: string };
    };
    const scopes = namespaces.length === 0 ? [''] : namespaces.map((name) => `/namespaces/${encodeURIComponent(name)}`);
    const lists = await Promise.all(
      scopes.map((scope) => listAll(client, `${api}/${preferredVersion.version}${scope}/kafkatopics`, signal)),
    );
    return lists.flat();
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw failureOf(error);
  }
}

async function listAll(client: KubeClient, path: string, signal: AbortSignal): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  let next: string | undefined;
  do {
    const query = { limit: pageSize, continue: next };
    const page = (await client.request('GET', path, { query, signal })) as {
      apiVersion: string;
      items: readonly object[];
      metadata: { continue?: string };
    };
    // items of a list do not all say what they are
    items.push(...page.items.map((item) => ({ apiVersion: page.apiVersion, kind: 'KafkaTopic', ...item })));
    next = page.metadata.continue || undefined;
  } while (next !== undefined);
  return items;
}
