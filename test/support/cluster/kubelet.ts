/**
 * A kubelet without containers: runs the pods of Deployments and Jobs as processes. What a pod's spec says about command,
 * environment, mounted files and service account is what they get; each pod has an address of its own on the loopback.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Part, type Place } from '../../../infra/local/part.ts';
import type { Kubectl } from '../e2e/kubectl.ts';
import type { Image } from './image.ts';
import { expanded, PodFiles } from './pod-files.ts';
import type { Container, Deployment, Job, PodSpec, Probe, Service } from './types.ts';

/** Makes a program of an image that is not ours. @param mounts path in the container → directory */
export type Foreign = (mounts: ReadonlyMap<string, string>, podIp: string) => { command: string; args: string[] };

export type KubeletOptions = {
  readonly admin: Kubectl;
  /** of the API server */
  readonly server: string;
  readonly authority: string;
  readonly place: Place;
  readonly image: Image;
  /** by the beginning of their names */
  readonly foreign: ReadonlyMap<string, Foreign>;
};

type Pod = {
  readonly ip: string;
  readonly labels: Record<string, string>;
  readonly parts: readonly Part[];
  readonly graceMs: number;
};

const pollMs = 100;

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, Pod>();
  #started = 0;

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** Starts a pod of a Deployment and waits until it is ready by its own probe; then the one before it is ended. */
  async deploy(namespace: string, name: string): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const { spec } = (await this.#options.admin.call('GET', path)) as Deployment;
    if (spec.strategy?.type === 'Recreate') await this.stop(name);
    const before = this.#pods.get(name);
    const pod = await this.#pod(namespace, name, spec.template.spec, spec.template.metadata.labels);
    this.#pods.set(name, pod);
    await Promise.all(pod.parts.map((part) => part.start()));
    if (before !== undefined) await end(before);
  }

  /** Ends a pod as a kubelet does: SIGTERM, and time to end in. @throws Error when that was too short */
  async stop(name: string): Promise<void> {
    const pod = this.#pods.get(name);
    this.#pods.delete(name);
    if (pod !== undefined) await end(pod);
  }

  /** Runs Jobs that nobody has run, for as long as something else takes. @returns what that comes to */
  async runJobsDuring<T>(namespace: string, running: Promise<T>): Promise<T> {
    const over = new AbortController();
    const ended = running.finally(() => over.abort());
    const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    while (!over.signal.aborted) {
      const { items } = (await this.#options.admin.call('GET', jobs)) as { items: Job[] };
      const waiting = items.find(({ status }) => status?.conditions === undefined);
      if (waiting !== undefined) await this.#job(namespace, waiting);
      else await sleep(pollMs, undefined, { signal: over.signal }).catch(() => {});
    }
    return ended;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#pods.values()].flatMap(({ parts }) => parts.map((part) => part.kill())));
  }

  /** What the containers of a pod have printed goes here. */
  log = (name: string, container: string): string => join(this.#options.place.dir, 'logs', `${name}-${container}.log`);

  /** Address of a pod that runs. */
  address = (name: string): string => this.#pods.get(name)?.ip ?? '';

  /** Runs the pod of a Job to its end, and says in the Job's status how it ended. */
  async #job(namespace: string, { metadata: { name }, spec }: Job): Promise<void> {
    const startTime = new Date().toISOString();
    const { spec: pod } = spec.template;
    const [container] = pod.containers as [Container];
    const { command, args, env, cwd } = await this.#process(namespace, name, pod, container, this.#nextIp());
    const log = openSync(this.log(name, container.name), 'w');
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log] });
    const [code] = (await once(child, 'exit')) as [number];
    closeSync(log);
    const body = { status: jobStatus(code, startTime) };
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}/status`;
    await this.#options.admin.call('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  }

  async #pod(namespace: string, name: string, spec: PodSpec, labels: Record<string, string>) {
    const ip = this.#nextIp();
    const parts = [];
    for (const container of spec.containers) {
      const program = await this.#process(namespace, name, spec, container, ip);
      const log = this.log(name, container.name);
      const ready = () => answers(container, ip);
      const graceMs = graceOf(spec);
      parts.push(new Part({ name: `${name}-${container.name}`, ...program, log, ready, graceMs }, this.#options.place));
    }
    return { ip, labels, parts, graceMs: graceOf(spec) };
  }

  /** 127.x.y.z: the number of the process keeps systems on one machine apart. */
  #nextIp(): string {
    this.#started += 1;
    return `127.${1 + (process.pid % 200)}.${(process.pid >> 8) % 250}.${this.#started}`;
  }

  async #process(namespace: string, name: string, spec: PodSpec, container: Container, podIp: string) {
    const files = new PodFiles(this.#options, namespace, name);
    const mounts = await files.mounts(spec, container);
    const own = await files.environment(container, podIp);
    const { hostname, port } = new URL(this.#options.server);
    const env = { ...own, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, HOME: '/nonexistent' };
    const foreign = [...this.#options.foreign].find(([image]) => container.image.startsWith(image))?.[1];
    if (foreign !== undefined) return { ...foreign(mounts, podIp), env: { ...env, PATH: process.env.PATH } };
    const { root, workdir, entrypoint, command } = this.#options.image;
    const [, ...args] = [...(container.command ?? entrypoint), ...(container.args ?? command)];
    const pod = {
      hosts: { localhost: podIp, ...(await this.#services(namespace)) },
      mounts: Object.fromEntries(mounts),
    };
    return {
      command: process.execPath, // the images' base has the same
      args: args.map((arg) => expanded(arg, own)),
      cwd: join(root, workdir),
      env: {
        ...env,
        NODE_OPTIONS: nodeOptions(container),
        POD: JSON.stringify(pod),
      },
    };
  }

  /** Cluster DNS: names of Services → the pod that they select. */
  async #services(namespace: string): Promise<Record<string, string>> {
    const path = `/api/v1/namespaces/${namespace}/services`;
    const { items } = (await this.#options.admin.call('GET', path)) as { items: Service[] };
    const running = [...this.#pods.values()];
    const found = items.flatMap(({ metadata, spec }): [string, string][] => {
      const wanted = Object.entries(spec.selector ?? {});
      const pod = running.find(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
      return pod === undefined ? [] : [[`${metadata.name}.${namespace}.svc`, pod.ip]];
    });
    return Object.fromEntries(found);
  }
}

const graceOf = ({ terminationGracePeriodSeconds = 30 }: PodSpec): number => terminationGracePeriodSeconds * 1000;

async function end({ parts, graceMs }: Pod): Promise<void> {
  const began = performance.now();
  await Promise.all(parts.map((part) => part.stop()));
  if (performance.now() - began >= graceMs) throw new Error(`${parts[0]?.name} was still there after ${graceMs} ms`);
}

/** A root file system that is read-only is one to Node as well: it writes nowhere then. */
const nodeOptions = ({ securityContext }: Container): string =>
  [
    `--require ${join(import.meta.dirname, 'container.cjs')}`,
    ...(securityContext?.readOnlyRootFilesystem
      ? ['--permission', '--allow-fs-read=*', '--allow-child-process', '--disable-warning=SecurityWarning']
      : []),
  ].join(' ');

/** By the container's readiness probe; without one a container is ready as soon as it runs. */
async function answers({ readinessProbe, ports = [] }: Container, host: string): Promise<boolean> {
  if (readinessProbe?.httpGet === undefined) return true;
  const { path, port: wanted, scheme } = readinessProbe.httpGet as NonNullable<Probe['httpGet']>;
  const port = typeof wanted === 'number' ? wanted : ports.find(({ name }) => name === wanted)?.containerPort;
  // a kubelet does not verify the certificate either
  const options = { host, port, path, timeout: 2000, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const call = (scheme === 'HTTPS' ? https : http)(options, (answer) => {
      answer.resume();
      resolve((answer.statusCode ?? 500) < 400);
    });
    call.on('error', () => resolve(false)).on('timeout', () => call.destroy());
    call.end();
  });
}

/** @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions */
function jobStatus(code: number, startTime: string): object {
  const now = new Date().toISOString();
  const condition = (type: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
    reason: 'ended',
  });
  return code === 0
    ? { startTime, completionTime: now, succeeded: 1, conditions: ['SuccessCriteriaMet', 'Complete'].map(condition) }
    : { startTime, failed: 1, conditions: ['FailureTarget', 'Failed'].map(condition) };
}
