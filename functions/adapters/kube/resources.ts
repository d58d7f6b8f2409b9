import { apiVersion, fieldManager, finalizer, kind } from '../../core/api.ts';
import { Failure } from '../../core/outcome.ts';
import { parseClaimant, parseResource } from '../../core/parse.ts';
import type { Claimant, Resources } from '../../core/ports.ts';
import type { TopicResource, TopicStatus } from '../../core/resource.ts';
import { type Key, keyOf } from '../../core/topic.ts';
import { ApiError, type KubeClient, topicsPath } from './client.ts';
import { failureOf } from './failure.ts';
import { listAll, listPage, pageBehind } from './listing.ts';

const parallelReads = 16;
const statusTries = 5;
const maxClaimants = 5_000;

/**
 * KafkaTopics at a real API server.
 *
 * @param namespaces the watched ones; empty means all. Nothing is asked about any other
 */
export function kubeResources(client: KubeClient, namespaces: readonly string[]): Resources {
  const isWatched = ({ namespace }: Key) => namespaces.length === 0 || namespaces.includes(namespace);

  async function readOne(key: Key, signal: AbortSignal): Promise<TopicResource | 'gone'> {
    if (!isWatched(key)) return 'gone';
    return orGone(async () => parseResource(await client.request('GET', pathOf(key), { signal })));
  }

  return {
    async read(keys, signal) {
      const outcomes = new Map<string, TopicResource | 'gone' | Failure>();
      await inParallel(keys, parallelReads, async (key) => {
        outcomes.set(keyOf(key), await readOne(key, signal).catch(failureOf));
      });
      return outcomes;
    },

    async claimants(topicName, signal) {
      const byField = { fieldSelector: `spec.topicName=${escaped(topicName)}` };
      const byName = { fieldSelector: `metadata.name=${escaped(topicName)}` };
      const lists = await Promise.all(
        [byField, byName].map((selector) => listAll(client, namespaces, selector, maxClaimants, signal)),
      );
      return claimantsOf(topicName, lists.flat());
    },

    async page(limit, token, signal) {
      const { items, continue: next } = await listPage(client, namespaces, limit, token, signal);
      return { items: items.map(parseResource), ...(next !== undefined && { continue: next }) };
    },

    pageBehind: (token) => pageBehind(namespaces, token),

    async setFinalizer({ key, resourceVersion, finalizers }, present, signal) {
      const others = finalizers.filter((name) => name !== finalizer);
      const now = await orGone(async () =>
        parseResource(
          await client.request('PATCH', pathOf(key), {
            body: { metadata: { resourceVersion, finalizers: present ? [...others, finalizer] : others } },
            contentType: 'application/merge-patch+json',
            signal,
          }),
        ),
      );
      // the API server answers with the object also when losing its last finalizer has just ended it
      return now !== 'gone' && now.deleting && now.finalizers.length === 0 ? 'gone' : now;
    },

    async writeStatus(resource, status, signal) {
      let current = resource;
      for (let tries = 0; tries < statusTries; tries++) {
        if ((await applyStatus(client, current, status, signal)) !== 'changed') return;
        const now = await readOne(resource.key, signal);
        if (now === 'gone' || isBeyond(now, resource.uid, status)) return;
        current = now;
      }
      throw new Failure('ObservationOutdated', 'The object changed at every attempt to write its status.', {
        retryable: true,
      });
    },

    async storeStatus(resource, status, signal) {
      const stored = await applyStatus(client, resource, status, signal);
      if (typeof stored !== 'string') return stored;
      throw new Failure('ObservationOutdated', `The object is ${stored} since it was looked at.`, { retryable: true });
    },
  };
}

const pathOf = ({ namespace, name }: Key): string => topicsPath(namespace, name);

/** Another object under the same name, or a status about a newer generation: ours is of no use any more. */
const isBeyond = (now: TopicResource, uid: string, { observedGeneration }: TopicStatus): boolean =>
  now.uid !== uid || (now.status?.observedGeneration ?? 0) > observedGeneration;

/**
 * Server-side apply replaces what we wrote before and leaves the conditions of others. The resourceVersion is what
 * protects a re-created object: a `uid` in the body is not checked (Kubernetes 1.36).
 */
async function applyStatus(
  client: KubeClient,
  { key, resourceVersion }: TopicResource,
  status: TopicStatus,
  signal: AbortSignal,
): Promise<TopicResource | 'gone' | 'changed'> {
  try {
    const stored = await client.request('PATCH', topicsPath(key.namespace, key.name, 'status'), {
      query: { fieldManager, force: true },
      body: { apiVersion, kind, metadata: { ...key, resourceVersion }, status },
      contentType: 'application/apply-patch+yaml',
      signal,
    });
    return parseResource(stored);
  } catch (error) {
    if (error instanceof ApiError && error.code === 409) return 'changed';
    if (isNotFound(error)) return 'gone';
    throw failureOf(error);
  }
}

/** By exact name: the list by `metadata.name` also shows objects whose `spec.topicName` is another. */
function claimantsOf(topicName: string, objects: readonly unknown[]): readonly Claimant[] {
  const claims = objects.filter((object) => parseResource(object).topicName === topicName).map(parseClaimant);
  return [...new Map(claims.map((claimant) => [claimant.uid, claimant])).values()];
}

async function orGone<T>(request: () => Promise<T>): Promise<T | 'gone'> {
  try {
    return await request();
  } catch (error) {
    if (isNotFound(error)) return 'gone';
    throw failureOf(error);
  }
}

/** The object is missing. Without its CRD the server answers 404 too, in plain text: that is not "gone". */
const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 404 && error.reason === 'NotFound';

/** @see https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/fields/selector.go (EscapeValue) */
const escaped = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
