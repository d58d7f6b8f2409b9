import type { Readable } from 'node:stream';
import { HttpMethod, RequestContext } from '@kubernetes/client-node';
import { ApiError, type KubeClient, topicsPath } from '../adapters/kube/client.ts';
import { Interrupted, type InterruptionReason } from './interrupted.ts';
import { lines } from './lines.ts';
import type { Random } from './time.ts';

export type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: unknown;
};

export type ListPage = {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
};

/** The KafkaTopics of one scope at the API server. Both methods throw `Interrupted`, also while iterating. */
export interface Source {
  /** One page of a consistent list. @param token the previous page's `continue` */
  list(token: string | undefined, signal: AbortSignal): Promise<ListPage>;

  /**
   * Events after `resourceVersion`. The promise resolves when the server has accepted the watch; the iteration ends
   * when the server ends the stream, as it does every few minutes.
   */
  watch(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>;
}

export type SourceOptions = {
  /** one namespace; absent: all */
  readonly namespace?: string;
  /** objects per list page */
  readonly limit?: number;
  /**
   * Longest silence on a watch. The server sends a bookmark about once a minute, so 110 s notices a dead stream within
   * two of them. A watch from a version of the future (etcd restored from a backup) is silent too.
   */
  readonly silenceMs?: number;
  readonly random?: Random;
};

/**
 * Lists and watches over the API server.
 *
 * Not client-node's `Watch`: that (2.0.1) drops lines it cannot parse without a word, and a lost event has to be noticed.
 */
export function topicSource(client: KubeClient, options: SourceOptions = {}): Source {
  const { namespace, limit = 500, silenceMs = 110_000, random = Math.random } = options;
  const path = topicsPath(namespace);
  return {
    async list(token, signal) {
      try {
        return pageOf(await client.request('GET', path, { query: { limit, continue: token }, signal }));
      } catch (error) {
        throw interruption(error);
      }
    },
    async watch(resourceVersion, signal) {
      const query = new URLSearchParams({
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion,
        timeoutSeconds: String(Math.round(300 + 300 * random())),
      });
      try {
        return events(client, await open(client, `${path}?${query}`, silenceMs, signal));
      } catch (error) {
        throw noticed(client, error);
      }
    },
  };
}

function pageOf(answer: unknown): ListPage {
  const { items, metadata } = (answer ?? {}) as {
    items?: unknown;
    metadata?: { resourceVersion?: unknown; continue?: unknown };
  };
  const version = metadata?.resourceVersion;
  if (!Array.isArray(items) || typeof version !== 'string') throw new Interrupted('garbled', 'the list is not a list');
  const token = metadata?.continue;
  return { items, resourceVersion: version, continue: typeof token === 'string' && token !== '' ? token : undefined };
}

async function open(client: KubeClient, path: string, silenceMs: number, signal: AbortSignal): Promise<Readable> {
  const url = new URL(`${client.kubeConfig.getCurrentCluster()?.server.replace(/\/$/, '')}${path}`);
  const context = new RequestContext(url.href, HttpMethod.GET);
  await client.kubeConfig.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher() as NonNullable<ReturnType<RequestContext['getDispatcher']>>;
  const { statusCode, headers, body } = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers: { ...context.getHeaders(), accept: 'application/json' },
    signal,
    headersTimeout: 10_000,
    bodyTimeout: silenceMs,
  });
  if (statusCode === 200) return body;
  await body.dump();
  const retryAfterMs = Number(headers['retry-after']) * 1000 || undefined;
  throw new ApiError(statusCode, 'Watch', `the watch was answered with ${statusCode}`, retryAfterMs);
}

async function* events(client: KubeClient, body: Readable): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of lines(body)) yield eventOf(line);
  } catch (error) {
    throw noticed(client, error);
  }
}

function eventOf(line: string): WatchEvent {
  const { type, object } = parsed(line);
  if (type === 'ERROR') throw statusError(object);
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK')
    throw new Interrupted('garbled', 'a watch event is of no known type');
  return { type, object };
}

function parsed(line: string): { type?: unknown; object?: unknown } {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    throw new Interrupted('garbled', 'a watch event is not JSON');
  }
}

/** An ERROR event holds a Status. Whatever it says, the stream is over and the version is not to be trusted. */
function statusError(status: unknown): Interrupted {
  const { code, message } = (status ?? {}) as { code?: unknown; message?: unknown };
  return new Interrupted(code === 410 ? 'expired' : 'refused', `the watch ended: ${String(code)} ${String(message)}`);
}

/** A connection that went silent is not to be used again, and credentials that were refused are to be read again. */
function noticed(client: KubeClient, error: unknown): Interrupted {
  const interrupted = interruption(error);
  if (interrupted.reason === 'silent') void client.close();
  if (interrupted.reason !== 'unauthenticated') return interrupted;
  try {
    client.reload();
    return interrupted;
  } catch (cause) {
    return new Interrupted('unauthenticated', (cause as Error).message, { cause });
  }
}

const reasonOf: Readonly<Record<number, InterruptionReason>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'missing',
  410: 'expired',
  429: 'throttled',
  504: 'expired', // ResourceVersionTooLarge
};

function interruption(error: unknown): Interrupted {
  if (error instanceof Interrupted) return error;
  if (error instanceof ApiError) {
    const { code, message, retryAfterMs } = error;
    return new Interrupted(reasonOf[code] ?? 'refused', `${code}: ${message}`, { retryAfterMs, cause: error });
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  const silent = code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT';
  return new Interrupted(silent ? 'silent' : 'lost', String(code ?? message), { cause: error });
}
