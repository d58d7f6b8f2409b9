/** What a pod's containers find in their environment and where something is mounted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Place } from '../../../infra/local/part.ts';
import type { Kubectl } from '../e2e/kubectl.ts';
import type { Container, Env, PodSpec, Volume } from './types.ts';

const serviceAccountRoot = '/var/run/secrets/kubernetes.io/serviceaccount';

type Cluster = { readonly admin: Kubectl; readonly authority: string; readonly place: Place };

export class PodFiles {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #pod: string;

  constructor(cluster: Cluster, namespace: string, pod: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#pod = pod;
  }

  /** All that the spec says; nothing is inherited. */
  async environment(container: Container, podIp: string): Promise<Record<string, string>> {
    const env: Record<string, string> = {};
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      const files = await (configMapRef ? this.#config(configMapRef.name) : this.#secret(secretRef?.name));
      for (const [name, value] of Object.entries(files)) env[name] = value.toString();
    }
    for (const variable of container.env ?? []) env[variable.name] = expanded(textOf(variable, podIp), env);
    return env;
  }

  /** Path in the container → where it is. The token is one that the API server has made for the account. */
  async mounts(spec: PodSpec, container: Container): Promise<ReadonlyMap<string, string>> {
    const mounts = new Map<string, string>();
    for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
      const volume = spec.volumes?.find((volume) => volume.name === name) as Volume;
      const directory = await this.#volume(volume);
      mounts.set(mountPath, subPath === undefined ? directory : join(directory, subPath));
    }
    if (spec.automountServiceAccountToken)
      mounts.set(serviceAccountRoot, await this.#serviceAccount(spec.serviceAccountName ?? 'default'));
    return mounts;
  }

  /** A claim keeps its directory over pods, everything else is made anew. */
  async #volume(volume: Volume): Promise<string> {
    const { dir } = this.#cluster.place;
    const claim = volume.persistentVolumeClaim?.claimName;
    const directory = claim === undefined ? join(dir, 'pods', this.#pod, volume.name) : join(dir, 'claims', claim);
    mkdirSync(directory, { recursive: true });
    if (volume.configMap) write(directory, await this.#config(volume.configMap.name));
    if (volume.secret) {
      const { secretName, items } = volume.secret;
      const files = await this.#secret(secretName);
      for (const { key } of items ?? []) if (files[key] === undefined) throw new Error(`${secretName} has no ${key}`);
      write(directory, items ? Object.fromEntries(items.map(({ key, path }) => [path, files[key] as Buffer])) : files);
    }
    return directory;
  }

  /** The token is made by the API server, for that account. */
  async #serviceAccount(account: string): Promise<string> {
    const path = `/api/v1/namespaces/${this.#namespace}/serviceaccounts/${account}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3607 } };
    const { status } = (await this.#cluster.admin.call('POST', path, { body })) as { status: { token: string } };
    const directory = join(this.#cluster.place.dir, 'pods', this.#pod, 'serviceaccount');
    write(directory, { token: status.token, namespace: this.#namespace, 'ca.crt': this.#cluster.authority });
    return directory;
  }

  async #secret(name = ''): Promise<Record<string, Buffer>> {
    const path = `/api/v1/namespaces/${this.#namespace}/secrets/${name}`;
    const { data = {} } = (await this.#cluster.admin.call('GET', path)) as { data?: Record<string, string> };
    return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
  }

  async #config(name: string): Promise<Record<string, string>> {
    const path = `/api/v1/namespaces/${this.#namespace}/configmaps/${name}`;
    return ((await this.#cluster.admin.call('GET', path)) as { data?: Record<string, string> }).data ?? {};
  }
}

function textOf({ name, value = '', valueFrom }: Env, podIp: string): string {
  if (valueFrom === undefined) return value;
  if (valueFrom.fieldRef?.fieldPath === 'status.podIP') return podIp;
  throw new Error(`${name} comes from ${JSON.stringify(valueFrom)}, which is not known here`);
}

/** `$(NAME)`, as in a pod's spec; a name that is not set stays as it is. */
export const expanded = (text: string, env: Record<string, string>): string =>
  text.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);

function write(directory: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
}
