/** Sees from outside when objects have become what was asked for. */
import type { Api, StoredTopic, WatchEvent } from './api.ts';

export type Wish = (event: WatchEvent) => boolean;

/** Longer than a message can be hidden after a failure (180 s, `VisibilityTimeout`): then something is broken. */
const stalledMs = 200_000;

type Waiting = {
  readonly missing: Set<string>;
  readonly seenAt: Map<string, number>;
  readonly wish: Wish;
  readonly resolve: (seenAt: ReadonlyMap<string, number>) => void;
  readonly reject: (error: Error) => void;
  lastProgress: number;
};

export class Watcher {
  readonly #last = new Map<string, WatchEvent>();
  #waiting: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Watches a namespace from now on. */
  static async start(api: Api, namespace: string): Promise<Watcher> {
    const watcher = new Watcher();
    await api.watch(
      namespace,
      (event) => watcher.#take(event),
      (error) => watcher.#waiting?.reject(error),
    );
    return watcher;
  }

  /**
   * To be called before the requests are sent. One wait at a time.
   *
   * @param names objects that have to fulfil the wish with an event from now on
   * @returns when each was first seen to, by the clock of `performance.now()`
   * @throws Error that names an object and what it says of itself, when nothing moves for some minutes
   */
  seen(names: readonly string[], wish: Wish): Promise<ReadonlyMap<string, number>> {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>();
    const waiting = {
      missing: new Set(names),
      seenAt: new Map(),
      wish,
      resolve,
      reject,
      lastProgress: performance.now(),
    };
    this.#waiting = waiting;
    this.#timer = setInterval(() => this.#checkProgress(waiting), 1_000);
    return promise.finally(() => {
      this.#waiting = undefined;
      clearInterval(this.#timer);
    });
  }

  #take(event: WatchEvent): void {
    const now = performance.now();
    const { name } = event.object.metadata;
    this.#last.set(name, event);
    const waiting = this.#waiting;
    if (!waiting?.missing.has(name) || !waiting.wish(event)) return;
    waiting.seenAt.set(name, now);
    waiting.missing.delete(name);
    waiting.lastProgress = now;
    if (waiting.missing.size === 0) waiting.resolve(waiting.seenAt);
  }

  #checkProgress({ missing, seenAt, lastProgress, reject }: Waiting): void {
    if (performance.now() - lastProgress < stalledMs) return;
    const [name = ''] = missing;
    const state = describe(this.#last.get(name)?.object);
    reject(
      new Error(
        `${missing.size} of ${missing.size + seenAt.size} objects do not get there, and none has for ${stalledMs / 1000} s; ${name} ${state}`,
      ),
    );
  }
}

/** At its own generation, and as wanted. */
export const isReady = ({ type, object }: WatchEvent): boolean =>
  type !== 'DELETED' &&
  object.status?.observedGeneration === object.metadata.generation &&
  (object.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false);

export const isGone = ({ type }: WatchEvent): boolean => type === 'DELETED';

function describe(object: StoredTopic | undefined): string {
  const ready = object?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (object === undefined) return 'was never seen';
  if (ready === undefined) return 'has no status';
  return `says Ready=${ready.status}, ${ready.reason}: ${ready.message}`;
}
