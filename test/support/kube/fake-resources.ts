import { finalizer } from '../../../functions/core/api.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { parseClaimant, parseResource } from '../../../functions/core/parse.ts';
import type { Resources } from '../../../functions/core/ports.ts';
import type { TopicStatus } from '../../../functions/core/resource.ts';
import { type Key, keyOf } from '../../../functions/core/topic.ts';
import { Objects, type StoredObject } from './objects.ts';

/** A call, before its effect (a throw prevents it) or after it (a throw loses the answer). */
export type Site = { readonly call: keyof Resources; readonly key?: Key; readonly phase: 'before' | 'after' };

type Options = {
  /** clock of the API server; default: the real one */
  readonly now?: () => Date;
  /** watched namespaces; default: all */
  readonly namespaces?: readonly string[];
  /** sees every call twice; may throw a Failure, or wait */
  readonly fault?: (site: Site) => void | Promise<void>;
};

/** The Resources port over {@link Objects}, plus what a test needs to see. */
export type FakeResources = Resources & {
  readonly objects: Objects;
  /** replace it to make calls fail, wait or be counted */
  fault: NonNullable<Options['fault']>;
  /** writes that changed something */
  readonly writes: { status: number; finalizer: number };
  /** page tokens handed out so far are refused from now on */
  expireTokens(): void;
};

/** An in-memory API server behind the Resources port; one contract suite proves both. */
export function fakeResources({
  now = () => new Date(),
  namespaces = [],
  fault = () => {},
}: Options = {}): FakeResources {
  const objects = new Objects(now);
  const writes = { status: 0, finalizer: 0 };
  let tokens = 0;

  const watched = () => objects.all().filter(({ metadata }) => isWatched(metadata));
  const isWatched = ({ namespace }: Key) => namespaces.length === 0 || namespaces.includes(namespace);
  const read = (key: Key) => (isWatched(key) ? objects.get(key) : undefined);
  const counted = (kind: keyof typeof writes, key: Key, edit: (object: StoredObject) => StoredObject) => {
    const before = objects.get(key)?.metadata.resourceVersion;
    const after = objects.change(key, edit);
    if (after?.metadata.resourceVersion !== before) writes[kind]++;
    return after;
  };

  /** Effects happen at one instant; the hooks around them may wait, so that calls interleave. */
  async function at<T>(call: keyof Resources, key: Key | undefined, signal: AbortSignal, effect: () => T): Promise<T> {
    const site = { call, ...(key && { key }) };
    await fake.fault({ ...site, phase: 'before' });
    if (signal.aborted)
      throw new Failure('InternalError', 'Time ran out before the API server answered.', { retryable: true });
    const answer = effect();
    await fake.fault({ ...site, phase: 'after' });
    return answer;
  }

  const fake: FakeResources = {
    objects,
    writes,
    fault,
    expireTokens: () => {
      tokens++;
    },

    async read(keys, signal) {
      const one = (key: Key) => at('read', key, signal, () => asResource(read(key))).catch(asFailure);
      return new Map(await Promise.all(keys.map(async (key) => [keyOf(key), await one(key)] as const)));
    },

    claimants: (topicName, signal) =>
      at('claimants', undefined, signal, () =>
        watched()
          .filter((object) => parseResource(object).topicName === topicName)
          .map(parseClaimant),
      ),

    page: (limit, token, signal) =>
      at('page', undefined, signal, () => {
        const [age, last] = token?.split(':') ?? [String(tokens), ''];
        if (age !== String(tokens)) throw outdated('The page token has expired: start the listing again.');
        const rest = watched().filter(({ metadata }) => keyOf(metadata) > (last ?? ''));
        const items = rest.slice(0, limit);
        const end = items.at(-1);
        const more = end && rest.length > limit && { continue: `${tokens}:${keyOf(end.metadata)}` };
        return { items: items.map(parseResource), ...more };
      }),

    pageBehind: (token) => {
      const sorted = namespaces.toSorted();
      const [, last = sorted[0] ?? ''] = token?.split(':') ?? [];
      const next = sorted[sorted.indexOf(last.split('/')[0] ?? '') + 1];
      return last === '' || next === undefined ? undefined : `${tokens}:${next}`;
    },

    setFinalizer: ({ key, resourceVersion, finalizers }, present, signal) =>
      at('setFinalizer', key, signal, () => {
        const current = objects.get(key);
        if (current === undefined) return 'gone';
        if (current.metadata.resourceVersion !== resourceVersion) throw outdated('The object has changed.');
        const others = finalizers.filter((name) => name !== finalizer);
        return asResource(
          counted('finalizer', key, (object) => ({
            ...object,
            metadata: { ...object.metadata, finalizers: present ? [...others, finalizer] : others },
          })),
        );
      }),

    writeStatus: ({ key, uid }, status, signal) =>
      at('writeStatus', key, signal, () => {
        const current = asResource(objects.get(key));
        if (current === 'gone' || current.uid !== uid) return;
        if ((current.status?.observedGeneration ?? 0) > status.observedGeneration) return;
        counted('status', key, (object) => ({ ...object, status: applied(object.status, status) }));
      }),

    storeStatus: ({ key, resourceVersion }, status, signal) =>
      at('storeStatus', key, signal, () => {
        if (objects.get(key)?.metadata.resourceVersion !== resourceVersion) throw outdated('The object has changed.');
        const stored = counted('status', key, (object) => ({ ...object, status: applied(object.status, status) }));
        return parseResource(stored);
      }),
  };
  return fake;
}

const asResource = (object: StoredObject | undefined) => (object === undefined ? 'gone' : parseResource(object));

const outdated = (message: string): Failure => new Failure('ObservationOutdated', message, { retryable: true });

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}

const ours = ['Ready', 'Reconciling', 'Stalled'];

/** Server-side apply: our part is replaced, conditions of others stay. Plain JSON, as if it had been on the wire. */
function applied(old: StoredObject['status'], status: TopicStatus): NonNullable<StoredObject['status']> {
  const conditions = (old?.conditions ?? []) as readonly { type: string }[];
  const foreign = conditions.filter(({ type }) => !ours.includes(type));
  return JSON.parse(JSON.stringify({ ...status, conditions: [...status.conditions, ...foreign] }));
}
