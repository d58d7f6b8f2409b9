/** The API server as any user reaches it: plain HTTPS with the kubeconfig's token. Shares no code with the product. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import { group, version } from '../../functions/core/api.ts';

/** A KafkaTopic as it comes over the wire, as far as the benchmark looks. */
export type StoredTopic = {
  readonly metadata: { readonly name: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: { readonly numPartitions?: number; readonly config?: Readonly<Record<string, unknown>> };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly numPartitions?: number;
    readonly config?: Readonly<Record<string, string>>;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
};

export type WatchEvent = { readonly type: string; readonly object: StoredTopic };

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
export type Body = { readonly type: string; readonly value: unknown };

/** Bodies by their content type. */
export const json = (value: unknown): Body => ({ type: 'application/json', value });
export const mergePatch = (value: unknown): Body => ({ type: 'application/merge-patch+json', value });
export const applyPatch = (value: unknown): Body => ({ type: 'application/apply-patch+yaml', value });

export const apiVersion = `${group}/${version}`;

/** Path of the KafkaTopics of a namespace, of one, or of its status. */
export const topicPath = (namespace: string, name?: string, subresource?: 'status'): string =>
  [`/apis/${apiVersion}/namespaces/${namespace}/kafkatopics`, name, subresource]
    .filter((part) => part !== undefined)
    .join('/');

export class Api {
  readonly #server: URL;
  readonly #token: string;
  readonly #ca: Buffer;
  readonly #agent: Agent;
  readonly #watches = new Set<IncomingMessage>();

  /** @param kubeconfig file with a token; @param connections requests under way at the same time */
  constructor(kubeconfig: string, connections: number) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
    this.#server = new URL(clusters[0].cluster.server);
    this.#token = users[0].user.token;
    this.#ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64');
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca: this.#ca });
  }

  /** @throws Error with the server's own message for any status but 2xx */
  async request(method: Method, path: string, body?: Body): Promise<unknown> {
    const response = await this.#open(method, path, this.#agent, body);
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${messageOf(text)}`);
    return JSON.parse(text);
  }

  /**
   * Lists nothing: tells what happens after this call. Over a connection of its own, and another one when the server ends
   * the watch, as it does to readers that lag behind on a busy machine.
   *
   * @param onEnd it cannot be gone on with
   */
  async watch(namespace: string, onEvent: (event: WatchEvent) => void, onEnd: (error: Error) => void): Promise<void> {
    const { metadata } = (await this.request('GET', `${topicPath(namespace)}?limit=1`)) as {
      metadata: { resourceVersion: string };
    };
    let version = metadata.resourceVersion;
    const take = (line: string) => {
      const event = JSON.parse(line) as WatchEvent;
      if (event.type === 'ERROR') return onEnd(new Error(`the API server ended the watch: ${line}`));
      version = event.object.metadata.resourceVersion;
      onEvent(event);
    };
    const follow = async (): Promise<void> => {
      const response = await this.#openWatch(`${topicPath(namespace)}?watch=1&resourceVersion=${version}`);
      createInterface({ input: response }).on('line', take);
      response.on('close', () => void follow().catch(onEnd));
    };
    await follow();
  }

  close(): void {
    for (const watch of this.#watches) watch.removeAllListeners('close').destroy();
    this.#agent.destroy();
  }

  async #openWatch(path: string): Promise<IncomingMessage> {
    const response = await this.#open('GET', path, new Agent({ ca: this.#ca }));
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`);
    this.#watches.add(response);
    response.on('error', () => {}); // 'close' follows
    return response.on('close', () => this.#watches.delete(response));
  }

  #open(method: Method, path: string, agent: Agent, body?: Body): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body.value);
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': body.type }),
    };
    return new Promise((resolve, reject) => {
      request(new URL(path, this.#server), { method, agent, headers }, resolve).on('error', reject).end(text);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function messageOf(text: string): string {
  try {
    return JSON.parse(text).message;
  } catch {
    return text;
  }
}
