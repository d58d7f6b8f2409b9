/** From environment variables to working parts. Made once per cold start and kept while the process is warm. */

import { setTimeout as sleep } from 'node:timers/promises';
import { emfMeter } from './adapters/emf.ts';
import { kafkaConfigFromEnv } from './adapters/kafka/config.ts';
import { connectTopics } from './adapters/kafka/topics.ts';
import { type KubeClient, kubeClient } from './adapters/kube/client.ts';
import { kubeEvents } from './adapters/kube/events.ts';
import { namespacesIn } from './adapters/kube/namespaces.ts';
import { kubeResources } from './adapters/kube/resources.ts';
import { createLogger } from './adapters/log.ts';
import type { Hide } from './batch.ts';
import type { InvocationMeter } from './core/metrics.ts';
import type { Logger } from './core/ports.ts';
import type { Ports } from './core/reconciler.ts';
import { installationIn } from './installation.ts';

type Env = NodeJS.ProcessEnv;

/** What every function needs: the core's ports, and how its own queue treats messages. */
export type Runtime = {
  readonly ports: Ports;
  readonly log: Logger;
  /** the same as the core's, to be flushed */
  readonly meter: InvocationMeter;
  readonly maxReceiveCount: number;
  readonly hide: Hide;
};

/**
 * The parts of a function that is fed by the queue at `env[queueVariable]`. Nothing is connected before it is used.
 *
 * | variable | meaning |
 * |---|---|
 * | `KUBECONFIG` | kubeconfig of this function's identity; without it client-node's defaults |
 * | `WATCH_NAMESPACES` | comma list; empty: all |
 * | `KAFKA_BROKERS` … | see `kafkaConfigFromEnv` |
 * | `KAFKA_CLUSTER_ID` … | see `installationIn` |
 * | `MAX_RECEIVE_COUNT` | of the function's queue |
 * | `LOG_LEVEL` | `debug`, `info`, `warn`, `error` |
 * | `METRICS_NAMESPACE` | of the figures in CloudWatch; empty: `Topicsmith`; `none`: no figures |
 *
 * @param onRequest called for each request to the API server or a broker
 * @throws Error one line that names the variable and what it must hold
 */
export function runtimeFromEnv(env: Env, queueVariable: string, onRequest = () => {}): Runtime {
  const log = createLogger({ level: env.LOG_LEVEL || 'info' });
  const meter = meterFor(env.METRICS_NAMESPACE || 'Topicsmith');
  const client = telling(kubeClient(env), onRequest);
  const ports = {
    resources: kubeResources(client, namespacesIn(env.WATCH_NAMESPACES)),
    events: kubeEvents(client, log),
    topics: connectTopics(kafkaConfigFromEnv(env), onRequest),
    installation: installationIn(env),
    now: () => new Date(),
    pause: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {}),
    log,
    meter,
  };
  return { ports, log, meter, maxReceiveCount: receiveCount(env), hide: hideIn(env, required(env, queueVariable)) };
}

const meterFor = (namespace: string): InvocationMeter =>
  emfMeter(namespace === 'none' ? { write: () => {} } : { namespace });

const telling = (client: KubeClient, onRequest: () => void): KubeClient => ({
  ...client,
  request: (...request) => {
    onRequest();
    return client.request(...request);
  },
});

/** @throws Error one line when the variable is not set */
export function required(env: Env, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function receiveCount(env: Env): number {
  const count = Number(required(env, 'MAX_RECEIVE_COUNT'));
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`MAX_RECEIVE_COUNT is "${env.MAX_RECEIVE_COUNT}": it has to be a whole number from 1`);
  return count;
}

/** Failures alone need the SDK, so a cold start does not wait for it. */
function hideIn(env: Env, queueUrl: string): Hide {
  let loaded: Promise<Hide> | undefined;
  const load = async (): Promise<Hide> => {
    const { changeVisibility, sqsClient } = await import('./adapters/sqs.ts');
    const sqs = sqsClient(env);
    return (delays, signal) => changeVisibility(sqs, queueUrl, delays, signal);
  };
  return async (delays, signal) => {
    loaded ??= load();
    return (await loaded)(delays, signal);
  };
}
