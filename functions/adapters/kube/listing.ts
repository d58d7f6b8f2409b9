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
  const { scope, own, behind } = placeOf(namespaces, token);
  try {
    const page = await listOn(client, scope, limit, own, signal);
    const next = page.continue === undefined ? behind : `${scope ?? ''}/${page.continue}`;
    return { items: page.items, ...(next !== undefined && { continue: next }) };
  } catch (error) {
    throw isExpired(error) ? expired('It is too old') : failureOf(error);
  }
}

/** @returns the token of the first page behind the namespace that `token` is in, if there is one */
export const pageBehind = (namespaces: readonly string[], token: string | undefined): string | undefined =>
  placeOf(namespaces, token).behind;

/** What a token says: which namespace, where in it, and the token for the namespace behind it. */
function placeOf(namespaces: readonly string[], token: string | undefined) {
  const all = scopes(namespaces);
  const [name = '', ...own] = token?.split('/') ?? [all[0]];
  const index = all.findIndex((namespace) => (namespace ?? '') === name);
  if (index === -1) throw expired('Its namespace is not watched any more');
  const behind = index + 1 < all.length ? `${all[index + 1]}/` : undefined;
  return { scope: all[index], own: own.join('/') || undefined, behind };
}

/**
 * With a token that has expired the API server gives one for the same place in the list as it is now. Pages of different
 * age do no harm here: what changed in between is a change that the watch shows, or the next tick.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
async function listOn(
  client: KubeClient,
  namespace: string | undefined,
  limit: number,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const list = (from: string | undefined) => listOne(client, namespace, { limit, continue: from }, signal);
  try {
    return await list(token);
  } catch (error) {
    if (!isExpired(error) || error.continue === undefined) throw error;
    return list(error.continue);
  }
}

const expired = (why: string): Failure =>
  new Failure('ObservationOutdated', `The page token has expired. ${why}: start the listing again.`, {
    retryable: true,
  });

const isExpired = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 410;

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
