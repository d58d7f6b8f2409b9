import { Failure } from '../../core/outcome.ts';
import { ApiError, type KubeClient, topicsPath } from './client.ts';
import { failureOf } from './failure.ts';

type Page = { items: readonly unknown[]; continue?: string };

const pageSize = 500;

/**
 * All objects that a selector finds in the watched namespaces, read fresh (no `resourceVersion`).
 *
 * @throws Failure when it cannot be complete: an error on any page, or more than `limit` objects
 */
export async function listAll(
  client: KubeClient,
  namespaces: readonly string[],
  selector: { fieldSelector: string },
  limit: number,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const list = () =>
    Promise.all(scopes(namespaces).map((namespace) => allPages(client, namespace, selector, limit, signal)));
  try {
    // an expired token between pages: the part read so far is from a past that is gone, so once more from the start
    const lists = await list().catch((error) => (isExpired(error) ? list() : Promise.reject(error)));
    return atMost(limit, lists.flat());
  } catch (error) {
    throw failureOf(error);
  }
}

async function allPages(
  client: KubeClient,
  namespace: string | undefined,
  selector: { fieldSelector: string },
  limit: number,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  let next: string | undefined;
  do {
    const page = await listOne(client, namespace, { ...selector, limit: pageSize, continue: next }, signal);
    items.push(...page.items);
    next = page.continue;
  } while (next !== undefined && items.length <= limit);
  return atMost(limit, items);
}

function atMost(limit: number, items: readonly unknown[]): readonly unknown[] {
  if (items.length <= limit) return items;
  throw new Failure('InternalError', `More than ${limit} objects want the same topic; delete the surplus.`, {
    retryable: true,
  });
}

/**
 * One page over the watched namespaces, one namespace after the other.
 *
 * @param token `<namespace>/<the API server's own token>`: either part may be empty
 */
export async function listPage(
  client: KubeClient,
  namespaces: readonly string[],
  limit: number,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const all = scopes(namespaces);
  const [name = '', ...rest] = token?.split('/') ?? [all[0]];
  const index = all.findIndex((namespace) => (namespace ?? '') === name);
  if (index === -1) throw expired('Its namespace is not watched any more');
  try {
    const page = await listOne(client, all[index], { limit, continue: rest.join('/') || undefined }, signal);
    if (page.continue !== undefined) return { items: page.items, continue: `${name}/${page.continue}` };
    return { items: page.items, ...(index + 1 < all.length && { continue: `${all[index + 1]}/` }) };
  } catch (error) {
    throw isExpired(error) ? expired('It is too old') : failureOf(error);
  }
}

const expired = (why: string): Failure =>
  new Failure('ObservationOutdated', `The page token has expired. ${why}: start the listing again.`, {
    retryable: true,
  });

const isExpired = (error: unknown): boolean => error instanceof ApiError && error.code === 410;

/** What to list: each watched namespace, or everything at once. */
const scopes = (namespaces: readonly string[]): readonly (string | undefined)[] =>
  namespaces.length === 0 ? [undefined] : namespaces;

type ListQuery = { limit: number; continue: string | undefined; fieldSelector?: string };

async function listOne(
  client: KubeClient,
  namespace: string | undefined,
  query: ListQuery,
  signal: AbortSignal,
): Promise<Page> {
  const answer = (await client.request('GET', topicsPath(namespace), { query, signal })) as {
    items: readonly unknown[];
    metadata: { continue?: string };
  };
  return { items: answer.items, ...(answer.metadata.continue && { continue: answer.metadata.continue }) };
}
