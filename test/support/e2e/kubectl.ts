/** What users do at the API server, as `kubectl` does it: plain HTTPS with a kubeconfig, and nothing of the product's own. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
};

/** What waits for approval. */
export type Plan = {
  readonly hash: string;
  readonly destructive: boolean;
  readonly actions: readonly {
    readonly type: string;
    readonly field?: string;
    readonly from?: string;
    readonly to?: string;
    readonly destructive: boolean;
  }[];
  readonly refusals?: readonly { readonly reason: string; readonly message: string }[];
};

/** A move of replicas that is under way. `assignment`: brokers by partition, joined by commas. */
export type Reassignment = {
  readonly step: string;
  readonly replicationFactor: number;
  readonly partitionsDone: number;
  readonly partitionsTotal: number;
  readonly assignment: Readonly<Record<string, string>>;
};

/** A KafkaTopic as the API server shows it. */
export type KafkaTopic = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly observedGeneration: number;
    readonly conditions: readonly Condition[];
    readonly topicName?: string;
    readonly topicId?: string;
    readonly clusterId?: string;
    readonly origin?: string;
    readonly numPartitions?: number;
    readonly replicationFactor?: number;
    readonly config?: Readonly<Record<string, string>>;
    readonly drift?: readonly { field: string; desired: string; observed: string; since: string }[];
    readonly plan?: Plan;
    readonly reassignment?: Reassignment;
    readonly lastHandledReconcileAt?: string;
  };
};

/** The API server said no. `message` is what the user reads. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Texts = Readonly<Record<string, string>>;
type Options = { readonly body?: unknown; readonly contentType?: string; readonly accept?: string };

const deadlineMs = 60_000;
/** The API server ends idle connections after 90 s, maybe under a request that has just begun. */
const idleMs = 30_000;
const pollMs = 20;

/** One user in one namespace. */
export class Kubectl {
  readonly namespace: string;
  readonly #kubeconfig: string;
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #userAgent: string;
  readonly #more: Texts;

  /**
   * @param kubeconfig a file with one cluster and one user, who has a token
   * @param userAgent what the audit log calls the program that asks
   * @param more headers of every request
   */
  constructor(kubeconfig: string, namespace = 'default', userAgent = 'bystander', more: Texts = {}) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
    const { server, 'certificate-authority-data': authority } = clusters[0].cluster;
    this.namespace = namespace;
    this.#kubeconfig = kubeconfig;
    this.#userAgent = userAgent;
    this.#more = more;
    this.#server = server;
    this.#token = users[0].user.token;
    this.#agent = new Agent({ keepAlive: true, timeout: idleMs, ca: Buffer.from(authority, 'base64') });
  }

  /** The same user in another namespace, over connections of its own. */
  in(namespace: string): Kubectl {
    return new Kubectl(this.#kubeconfig, namespace, this.#userAgent, this.#more);
  }

  /** `kubectl apply --server-side --validate=strict` of a KafkaTopic. @throws Refused */
  async apply(name: string, spec: unknown, annotations: Texts = {}, labels: Texts = {}): Promise<KafkaTopic> {
    const body = {
      apiVersion: 'cache.example.com/v1alpha1',
      kind: 'KafkaTopic',
      metadata: { name, annotations, labels },
      spec,
    };
    const path = `${this.#path(name)}?fieldManager=kubectl&force=true&fieldValidation=Strict`;
    return (await this.call('PATCH', path, { body, contentType: 'application/apply-patch+yaml' })) as KafkaTopic;
  }

  /** Waits until every object can be applied: the policy that adds finalizers learns of a new definition last. */
  async canApply(): Promise<void> {
    const [apiVersion, kind] = ['cache.example.com/v1alpha1', 'KafkaTopic'];
    const body = { apiVersion, kind, metadata: { name: 'probe' }, spec: { deletionPolicy: 'Delete' } };
    const deadline = performance.now() + deadlineMs;
    const probe = () => this.call('POST', `${this.#path()}?dryRun=All`, { body }).then(() => undefined, String);
    for (let refusal = await probe(); refusal !== undefined; refusal = await probe()) {
      if (performance.now() > deadline) throw new Error(`KafkaTopics cannot be applied: ${refusal}`);
      await sleep(pollMs);
    }
  }

  /** Applies what should be refused. @returns what the user reads */
  async refusal(name: string, spec: unknown): Promise<string> {
    try {
      await this.apply(name, spec);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The same for a manifest as somebody typed it. @param spec YAML in flow style. @throws Refused */
  async applyText(name: string, spec: string): Promise<KafkaTopic> {
    const body = `{apiVersion: cache.example.com/v1alpha1, kind: KafkaTopic, metadata: {name: ${name}}, spec: ${spec}}`;
    const path = `${this.#path(name)}?fieldManager=kubectl&force=true&fieldValidation=Strict`;
    return (await this.call('PATCH', path, { body, contentType: 'application/apply-patch+yaml' })) as KafkaTopic;
  }

  /** The same for a whole manifest, as it stands in a file. @throws Refused */
  async applyManifest(name: string, text: string): Promise<void> {
    const path = `${this.#path(name)}?fieldManager=kubectl&force=true&fieldValidation=Strict`;
    await this.call('PATCH', path, { body: text, contentType: 'application/apply-patch+yaml' });
  }

  /** Waits until the API server answers at a path, as it does some time after a definition was made. */
  async serves(path: string): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    const probe = () => this.call('GET', path).then(() => undefined, String);
    for (let refusal = await probe(); refusal !== undefined; refusal = await probe()) {
      if (performance.now() > deadline) throw new Error(`${path} is not served: ${refusal}`);
      await sleep(pollMs);
    }
  }

  /** Writes into the status, which tenants may not. @param status a JSON merge patch */
  async patchStatus(name: string, status: unknown): Promise<void> {
    const contentType = 'application/merge-patch+json';
    await this.call('PATCH', `${this.#path(name)}/status`, { body: { status }, contentType });
  }

  /** @param body a JSON merge patch. @throws Refused */
  async patch(name: string, body: unknown): Promise<KafkaTopic> {
    const contentType = 'application/merge-patch+json';
    return (await this.call('PATCH', this.#path(name), { body, contentType })) as KafkaTopic;
  }

  async delete(name: string): Promise<void> {
    await this.call('DELETE', this.#path(name));
  }

  /** @returns undefined when there is none */
  async get(name: string): Promise<KafkaTopic | undefined> {
    try {
      return (await this.call('GET', this.#path(name))) as KafkaTopic;
    } catch (error) {
      if (error instanceof Refused && error.code === 404) return undefined;
      throw error;
    }
  }

  /** `kubectl get kt`, as the table that it prints. @returns cells by column, for each object */
  async table(): Promise<readonly ReadonlyMap<string, unknown>[]> {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { columnDefinitions, rows } = (await this.call('GET', this.#path(), { accept })) as {
      columnDefinitions: readonly { name: string }[];
      rows: readonly { cells: readonly unknown[] }[];
    };
    return rows.map(({ cells }) => new Map(columnDefinitions.map(({ name }, at) => [name, cells[at]])));
  }

  /** Where a tick over all namespaces goes on behind the first object. */
  async pageToken(): Promise<string> {
    const { metadata } = (await this.call('GET', '/apis/cache.example.com/v1alpha1/kafkatopics?limit=1')) as {
      metadata: { continue: string };
    };
    return `/${metadata.continue}`;
  }

  async list(): Promise<readonly KafkaTopic[]> {
    return ((await this.call('GET', this.#path())) as { items: readonly KafkaTopic[] }).items;
  }

  /** Name and version of every object. */
  async versions(): Promise<readonly string[]> {
    return (await this.list()).map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  }

  /** Waits until the object says this about its present generation. @throws Error with what it says, after 60 s */
  async says(name: string, reason: string): Promise<KafkaTopic> {
    const object = await this.#until(name, (object) => {
      const ready = conditionOf(object, 'Ready');
      return ready?.reason === reason && ready.observedGeneration === object?.metadata.generation;
    });
    return object as KafkaTopic;
  }

  /** `kubectl wait --for=condition=Ready`, at the present generation. */
  ready = (name: string): Promise<KafkaTopic> => this.says(name, 'Synced');

  /** `kubectl wait --for=delete` */
  async gone(name: string): Promise<void> {
    await this.#until(name, (object) => object === undefined);
  }

  /** Waits until the condition holds for the object. */
  async holds(name: string, condition: (object: KafkaTopic) => boolean): Promise<KafkaTopic> {
    return (await this.#until(name, (object) => object !== undefined && condition(object))) as KafkaTopic;
  }

  async #until(name: string, condition: (object: KafkaTopic | undefined) => boolean): Promise<KafkaTopic | undefined> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const object = await this.get(name);
      if (condition(object)) return object;
      if (performance.now() > deadline) throw new Error(`${name} still says: ${JSON.stringify(object, undefined, 1)}`);
      await sleep(pollMs);
    }
  }

  #path(name?: string): string {
    const topics = `/apis/cache.example.com/v1alpha1/namespaces/${this.namespace}/kafkatopics`;
    return name === undefined ? topics : `${topics}/${encodeURIComponent(name)}`;
  }

  /** @throws Refused for a status of 400 and above */
  call(method: string, path: string, options: Options = {}): Promise<unknown> {
    const { body, contentType = 'application/json', accept = 'application/json' } = options;
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept,
      'content-type': contentType,
      'user-agent': this.#userAgent,
      ...this.#more,
    };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call = request(`${this.#server}${path}`, { method, headers, agent: this.#agent }, async (answer) => {
      const code = answer.statusCode ?? 0;
      const text = await new Response(answer as never).text();
      if (code < 400) resolve(JSON.parse(text));
      else reject(new Refused(code, messageOf(text)));
    });
    call.on('error', reject);
    call.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

export const conditionOf = (object: KafkaTopic | undefined, type: string): Condition | undefined =>
  object?.status?.conditions?.find((condition) => condition.type === type);

/** The message of a Status object, or whatever else came. */
function messageOf(text: string): string {
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text;
  }
}
