import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { isLoopback } from '../../core/address.ts';
import { group, plural, version } from '../../core/api.ts';
import { oneLine } from '../../core/harmless.ts';
import { type EksSettings, useEks } from './eks.ts';

/**
 * An answer of the API server that is not a success. `code` is the HTTP status, `reason` that of its Status object,
 * `continue` a token instead of one that has expired.
 */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly continue: string | undefined;

  constructor(code: number, reason: string, message: string, retryAfterMs?: number, next?: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.continue = next;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Options = {
  query?: Query;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
  /** is told the Date header of the answer, of one that is a failure too */
  onDate?: (date: string) => void;
};

export type KubeClient = {
  /** for `Watch`; shares credentials and connections */
  readonly kubeConfig: KubeConfig;
  /**
   * One JSON request. A socket that died unnoticed (frozen process, restarted server) is replaced and the request sent
   * once more; on 401 the credentials are read anew and it is sent once more. So send only what may be repeated.
   *
   * @returns the parsed answer
   * @throws ApiError for a status of 400 and above; AbortError once `signal` is aborted; the transport's error when there
   *   was no answer (also within `timeoutMs`)
   */
  request(method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE', path: string, options?: Options): Promise<unknown>;
  /** Reads the kubeconfig again, or signs a new token: e.g. after a 401 on a watch. */
  reload(): void;
  /** Ends idle connections. */
  close(): Promise<void>;
};

/** Which API server to talk to, and as whom; client-node's own defaults where nothing is set. */
export type KubeSettings = EksSettings & { readonly KUBECONFIG?: string | undefined };

/**
 * A connection to the EKS cluster of the settings, else to the API server of the kubeconfig that `KUBECONFIG` names;
 * without it client-node's own defaults (`~/.kube/config`, then the service account of the pod).
 *
 * @param timeoutMs for one request, its answer included
 * @param context of the kubeconfig; default: its current one
 * @throws Error when the kubeconfig cannot be read, has no such context with a cluster, or one whose certificate would not
 *   be checked
 */
export function kubeClient(settings: KubeSettings, timeoutMs = 10_000, context?: string): KubeClient {
  const kubeConfig = new KubeConfig();
  const connections = reuseConnections(kubeConfig);
  const reload = useEks(kubeConfig, settings) ?? (() => load(kubeConfig, settings.KUBECONFIG, context));
  reload();

  const request: KubeClient['request'] = async (method, path, options = {}) => {
    const once = () =>
      send(kubeConfig, method, path, options, timeoutMs).catch((error) => {
        // the caller's own deadline may be a TimeoutError too, and says nothing about the connection
        if (options.signal?.aborted && !(error instanceof ApiError)) throw givenUp(error);
        if (isTimeout(error)) connections.drop();
        throw error;
      });
    try {
      return await once();
    } catch (error) {
      if (options.signal?.aborted || !worthRepeating(error)) throw error;
      if (error instanceof ApiError) reload();
      return once();
    }
  };
  return { kubeConfig, request, reload, close: connections.close };
}

/** Path of KafkaTopics: all, those of a namespace, one, or its subresource. Names are encoded, never interpreted. */
export const topicsPath = (namespace?: string, name?: string, subresource?: 'status'): string =>
  [
    `/apis/${group}/${version}`,
    ...(namespace === undefined ? [] : ['namespaces', segment(namespace)]),
    plural,
    ...(name === undefined ? [] : [segment(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ].join('/');

function segment(name: string): string {
  if (['', '.', '..'].includes(name)) throw new Error(`'${name}' cannot be part of a path`);
  return encodeURIComponent(name);
}

function load(kubeConfig: KubeConfig, file: string | undefined, context: string | undefined): void {
  // who puts the kubeconfig itself into the variable must not find its token in a log
  const path = file && (/[\n{]/.test(file) ? 'of KUBECONFIG, which has to be a path,' : file);
  const which = `the kubeconfig${path ? ` ${path}` : ''}`;
  try {
    if (file) kubeConfig.loadFromFile(file);
    else kubeConfig.loadFromDefault();
  } catch (error) {
    throw new Error(`cannot read ${which}: ${withoutContents(error as Error)}`);
  }
  forgetFileTokens(kubeConfig);
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  const wanted = context === undefined ? 'current context' : `context "${context}"`;
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error(`${which} has no ${wanted} with a cluster`);
  refuseUnchecked(which, cluster);
}

/** The parser quotes the lines around what it does not like, and those may be credentials. */
function withoutContents({ message, code, mark }: Error & { code?: string; mark?: { line: number } }): string {
  if (mark !== undefined) return `it is not YAML at line ${mark.line + 1}`;
  return code === undefined ? oneLine(message) : (fileTroubles.get(code) ?? code);
}

const fileTroubles = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a directory'],
]);

/** Credentials go to a server that has shown its certificate, or stay on this machine. */
function refuseUnchecked(which: string, { server, skipTLSVerify }: { server: string; skipTLSVerify: boolean }): void {
  if (!URL.canParse(server)) throw new Error(`${which} has "${server}" as its server: it has to be a URL`);
  const { protocol, hostname, host } = new URL(server);
  if (protocol === 'https:' ? skipTLSVerify : !isLoopback(hostname))
    throw new Error(
      `${which} would send credentials to ${protocol}//${host} without checking its certificate: use https with certificate-authority-data, and no insecure-skip-tls-verify`,
    );
}

/** client-node 2.0.1 remembers a token that it has read from a file (a service account's) for a minute, whoever refuses it. */
function forgetFileTokens(kubeConfig: KubeConfig): void {
  const { authenticators } = kubeConfig as unknown as { authenticators: { lastRead?: Date | null }[] };
  for (const authenticator of authenticators) if (authenticator.lastRead) authenticator.lastRead = null;
}

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;
type Dispatching<T> = (cluster: { server?: string } | null, tls: Readonly<Record<string, unknown>>) => T;
type DispatcherOptions = { readonly type: string; readonly connect?: object };

/** How long an idle connection is kept: less than load balancers (60 s) and the API server itself (90 s) keep theirs. */
const keepAliveTimeout = 55_000;

/** Where a connection leads and how: server, its name, certificate authority, own certificate. */
type Target = readonly (string | Buffer | undefined)[];

/** Asked for every request: compared without copying the certificates. */
const sameTarget = (a: Target, b: Target): boolean =>
  a.every((part, at) => {
    const other = b[at];
    return part === other || (Buffer.isBuffer(part) && Buffer.isBuffer(other) && part.equals(other));
  });

/**
 * client-node 2.0.1 opens a TLS connection per request: it makes a dispatcher (a connection pool) each time. This keeps
 * the last one for as long as server and certificates stay the same.
 */
function reuseConnections(kubeConfig: KubeConfig): { drop(): void; close(): Promise<void> } {
  const open = kubeConfig as unknown as {
    createDispatcher: Dispatching<Dispatcher>;
    createDispatcherOptions: Dispatching<DispatcherOptions>;
  };
  const create = open.createDispatcher.bind(kubeConfig);
  let current: { target: Target; dispatcher: Dispatcher } | undefined;

  // requests under way, watches among them, end on the old connection
  const close = async () => {
    const dispatcher = current?.dispatcher;
    current = undefined;
    await dispatcher?.close();
  };
  open.createDispatcher = (cluster, tls) => {
    const target = [cluster?.server, tls.servername, tls.ca, tls.cert] as Target;
    if (current === undefined || !sameTarget(current.target, target)) {
      void close();
      // said outright, so that there is always a dispatcher, also for a server with a publicly trusted certificate, and
      // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      const options = { ...tls, rejectUnauthorized: true };
      current = {
        target,
        dispatcher: patient(create(cluster, options), open.createDispatcherOptions(cluster, options)),
      };
    }
    return current.dispatcher;
  };
  return { drop: () => void close(), close };
}

/**
 * The same dispatcher again, with patience: undici ends what was idle for 4 s, and client-node 2.0.1 has no way to say
 * otherwise, nor does it export the class. What goes through a proxy stays as it is.
 */
function patient(dispatcher: Dispatcher, { type, connect }: DispatcherOptions): Dispatcher {
  if (type !== 'agent') return dispatcher;
  const Agent = dispatcher.constructor as new (options: object) => Dispatcher;
  return new Agent({ connect: { ...connect, minVersion: 'TLSv1.2' }, keepAliveTimeout });
}

async function send(
  kubeConfig: KubeConfig,
  method: string,
  path: string,
  options: Options,
  timeoutMs: number,
): Promise<unknown> {
  const url = new URL(`${kubeConfig.getCurrentCluster()?.server.replace(/\/$/, '')}${path}`);
  for (const [name, value] of Object.entries(options.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const context = new RequestContext(url.href, HttpMethod.GET);
  await kubeConfig.applySecurityAuthentication(context);
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await (context.getDispatcher() as Dispatcher).request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: method as 'GET',
    headers: {
      ...context.getHeaders(),
      accept: 'application/json',
      'content-type': options.contentType ?? 'application/json',
    },
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  });
  if (typeof answer.headers.date === 'string') options.onDate?.(answer.headers.date);
  const text = await answer.body.text();
  if (answer.statusCode >= 400) throw apiError(answer.statusCode, text, answer.headers['retry-after']);
  return JSON.parse(text);
}

function apiError(code: number, body: string, retryAfter: string | string[] | undefined): ApiError {
  const { reason = 'Unknown', message = body, metadata } = parseStatus(body);
  const seconds = Number(retryAfter);
  return new ApiError(code, reason, message, seconds > 0 ? seconds * 1000 : undefined, metadata?.continue || undefined);
}

/** A Status object; proxies and the server's own panics answer with plain text instead. */
function parseStatus(body: string): { reason?: string; message?: string; metadata?: { continue?: string } } {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}

/** The server closed the connection while nobody listened. The codes of undici 8 over HTTP/1 and HTTP/2. */
const deadSocket = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'ECONNRESET',
  'EPIPE',
]);

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);
const givenUp = (cause: unknown) => new DOMException('the request was given up', { name: 'AbortError', cause });
const isTimeout = (error: unknown): boolean => (error as Error).name === 'TimeoutError';
const worthRepeating = (error: unknown): boolean =>
  error instanceof ApiError
    ? error.code === 401
    : deadSocket.has(codeOf(error)) || codeOf(error).startsWith('ERR_HTTP2');
