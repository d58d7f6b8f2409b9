import { selectorIn } from '../adapters/kube/labels.ts';
import { namespacesIn } from '../adapters/kube/namespaces.ts';

import type { Selects } from './objects.ts';

export type Settings = {
  readonly requestQueueUrl: string;
  readonly tickQueueUrl: string;
  /** empty: all namespaces */
  readonly namespaces: readonly string[];
  readonly selects: Selects;
  readonly resyncMs: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
};

/**
 * Reads the forwarder's settings: `RECONCILE_QUEUE_URL`, `TICK_QUEUE_URL`, `WATCH_NAMESPACES` (comma list; default all),
 * `WATCH_LABEL_SELECTOR` (as kubectl's `-l`; default all),
 * `RESYNC_INTERVAL_SECONDS` (300), `METRICS_PORT` (0, a free one), `METRICS_HOST` (this machine only: 127.0.0.1).
 *
 * @throws Error naming the variable that is missing or wrong
 */
export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  return {
    requestQueueUrl: required(env, 'RECONCILE_QUEUE_URL'),
    tickQueueUrl: required(env, 'TICK_QUEUE_URL'),
    namespaces: namespacesIn(env.WATCH_NAMESPACES),
    selects: selectorIn(env.WATCH_LABEL_SELECTOR),
    resyncMs: 1000 * number(env, 'RESYNC_INTERVAL_SECONDS', { fallback: 300, least: 1, most: 86_400 }),
    metricsHost: env.METRICS_HOST || '127.0.0.1',
    metricsPort: number(env, 'METRICS_PORT', { fallback: 0, least: 0, most: 65_535 }),
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function number(
  env: NodeJS.ProcessEnv,
  name: string,
  range: { fallback: number; least: number; most: number },
): number {
  const { fallback, least, most } = range;
  const value = env[name] ? Number(env[name]) : fallback;
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`${name} is "${env[name]}": it has to be a whole number from ${least} to ${most}`);
  return value;
}
