/** Sees each call of the function to the outside, and ends its process where it was told to. */
import { apiKeys, type KafkaProxy } from '../kafka/proxy.ts';
import type { ApiRequest, KubeProxy } from '../kube/proxy.ts';

/** A call to the outside. `writes`: it changes something there. */
export type Site = { readonly name: string; readonly writes: boolean };

/**
 * Where the process dies, at the call with this number in the flow: `before` it is passed on, or `during` it, when it has
 * taken effect and nobody has heard of it yet. After a call is before the next one.
 */
export type Crash = { readonly call: number; readonly mode: 'before' | 'during' };

/** Counts the calls of one flow, and strikes at the one where it was told to. */
export class Sentry {
  sites: Site[] = [];
  struck = false;
  readonly #kill: () => Promise<void>;
  #crash: Crash | undefined;

  constructor(kill: () => Promise<void>) {
    this.#kill = kill;
  }

  begin(crash: Crash | undefined): void {
    this.sites = [];
    this.struck = false;
    this.#crash = crash;
  }

  /** @returns the call's number, or `dropped` */
  async arrives(site: Site): Promise<number | 'dropped'> {
    const call = this.sites.push(site) - 1;
    return (await this.#strike({ call, mode: 'before' })) ? 'dropped' : call;
  }

  /** @returns whether the answer is lost */
  answered = (call: number): Promise<boolean> => this.#strike({ call, mode: 'during' });

  /** The crash is meant for the moment behind the last call. */
  isDueAtTheEnd(): boolean {
    if (this.struck || this.#crash === undefined) return false;
    if (this.#crash.call !== this.sites.length) throw new Error(`call ${this.#crash.call} never came`);
    this.struck = true;
    return true;
  }

  async #strike({ call, mode }: Crash): Promise<boolean> {
    if (this.struck || this.#crash?.call !== call || this.#crash.mode !== mode) return false;
    this.struck = true;
    await this.#kill();
    return true;
  }
}

export function watchKube(proxy: KubeProxy, sentry: Sentry): void {
  const calls = new WeakMap<ApiRequest, number>();
  proxy.hooks.onRequest = async (request) => {
    const call = await sentry.arrives({ name: siteOf(request), writes: request.method !== 'GET' });
    if (call === 'dropped') return 'drop';
    calls.set(request, call);
    return 'forward';
  };
  proxy.hooks.onResponse = async (request) => ((await sentry.answered(calls.get(request) ?? -1)) ? 'drop' : 'deliver');
}

function siteOf({ method, url }: ApiRequest): string {
  const { pathname, searchParams } = new URL(url, 'https://api');
  const field = searchParams.get('fieldSelector')?.split('=')[0];
  if (field !== undefined) return `LIST by ${field}`;
  if (pathname.endsWith('/events')) return `${method} event`;
  return `${method} ${pathname.endsWith('/status') ? 'status' : 'object'}`;
}

/** The function sends nothing else that changes topics. */
const writes: ReadonlyMap<number, string> = new Map(
  (
    [
      'createTopics',
      'deleteTopics',
      'createPartitions',
      'incrementalAlterConfigs',
      'legacyAlterConfigs',
      'alterPartitionReassignments',
    ] as const
  ).map((name) => [apiKeys[name], name]),
);
const reads: ReadonlyMap<number, string> = new Map([
  [18, 'apiVersions'],
  ...(['listOffsets', 'metadata', 'describeConfigs', 'listPartitionReassignments'] as const).map(
    (name) => [apiKeys[name], name] as const,
  ),
]);

export function watchKafka(proxy: KafkaProxy, sentry: Sentry): void {
  const calls = new WeakMap<object, number>();
  proxy.hooks.onRequest = async (request) => {
    const { apiKey } = request;
    const name = writes.get(apiKey) ?? reads.get(apiKey) ?? `API ${apiKey}`;
    const call = await sentry.arrives({ name, writes: writes.has(apiKey) });
    if (call === 'dropped') return 'drop';
    calls.set(request, call);
    return 'forward';
  };
  proxy.hooks.onResponse = async (request) => ((await sentry.answered(calls.get(request) ?? -1)) ? 'drop' : 'deliver');
}
