/** Helm as people call it, against one API server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments, stringify } from 'yaml';
import { helmPath } from '../../../infra/local/helm.ts';
import type { Manifest } from './types.ts';

export const chart = join(import.meta.dirname, '..', '..', '..', 'infra', 'chart');

export type Ended = { readonly code: number; readonly out: string; readonly err: string };
export type Values = Readonly<Record<string, unknown>>;

/** Smallest values of an installation on AWS. */
export const onAws: Values = {
  sqs: {
    region: 'eu-west-1',
    reconcileQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/000000000000/reconcile.fifo',
    tickQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/000000000000/ticks.fifo',
  },
};

/** Smallest values of one without AWS. */
export const withoutAws = (brokers: string): Values => ({
  inCluster: { enabled: true },
  elasticmq: { enabled: true },
  kafka: { brokers: brokers.split(',') },
});

/**
 * @param home where Helm keeps what it remembers
 * @param kubeconfig of an administrator; without one only `template` and `lint` work
 * @returns runs Helm; `values` go in as a file
 */
export async function helm(home: string, kubeconfig = '/nonexistent') {
  const command = await helmPath((line) => process.stderr.write(`${line}\n`));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  return async (args: readonly string[], values?: Values): Promise<Ended> => {
    const child = spawn(command, [...args, ...(values ? ['--values', '-'] : [])], { env });
    child.stdin.end(values ? stringify(values) : '');
    const ended = once(child, 'close');
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: ((await ended) as [number])[0], out, err };
  };
}

export type Helm = Awaited<ReturnType<typeof helm>>;

/** The same, where it has to work. @throws Error with what Helm said */
export async function succeeds(run: Promise<Ended>): Promise<string> {
  const { code, out, err } = await run;
  if (code !== 0) throw new Error(`helm ended with ${code}:\n${err}${out}`);
  return out;
}

export const namespace = 'topicsmith-system';

/** The objects of `helm template`, hooks too. */
export async function rendered(run: Helm, values: Values, ...args: readonly string[]): Promise<readonly Manifest[]> {
  const out = await succeeds(run(['template', 'topicsmith', chart, '--namespace', namespace, ...args], values));
  return manifestsIn(out);
}

export const manifestsIn = (yaml: string): readonly Manifest[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
