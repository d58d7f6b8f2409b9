/** From environment variables to working parts. Made once per cold start and kept while the process is warm. */

import { setTimeout as sleep } from 'node:timers/promises';
import { emfMeter } from './adapters/emf.ts';
import { kafkaConfig } from './adapters/kafka/config.ts';
import { connectTopics } from './adapters/kafka/topics.ts';
import { type KubeClient, kubeClient } from './adapters/kube/client.ts';
import { kubeEvents } from './adapters/kube/events.ts';
import { kubeResources } from './adapters/kube/resources.ts';
import { createLogger } from './adapters/log.ts';
import type { Hide } from './batch.ts';
import type { InvocationMeter } from './core/metrics.ts';
import type { Logger } from './core/ports.ts';
import type { Ports } from './core/reconciler.ts';
import { installationOf } from './installation.ts';
import { logFor } from './log-for.ts';
import { type Env, readSettings } from './settings/read.ts';
import type { Settings } from './settings/table.ts';

/** Settings that both functions have. */
type Common = Settings<'reconcile'>;

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
 * The settings of a function. Names that look like those of settings and are none are logged, whatever else is wrong.
 *
 * @throws SettingsError with everything that is wrong
 */
export function functionSettings<R extends 'reconcile' | 'resync'>(env: Env, reader: R): Settings<R> {
  logFor(env, reader);
  return readSettings(env, reader);
}

/**
 * The parts of a function that is fed by the queue at `queueUrl`. Nothing is connected before it is used.
 *
 * @param onRequest called for each request to the API server or a broker
 * @throws Error one line: a file that a setting names is not as it has to be
 */
export function runtimeOf(settings: Common, queueUrl: string, onRequest = () => {}): Runtime {
  const log = createLogger({ level: settings.LOG_LEVEL });
  const meter = meterFor(settings.METRICS_NAMESPACE);
  const client = telling(kubeClient(settings), onRequest);
  const ports = {
    resources: kubeResources(client, settings.WATCH_NAMESPACES),
    events: kubeEvents(client, log),
    topics: connectTopics(kafkaConfig(settings), onRequest),
    installation: installationOf(settings),
    now: () => new Date(),
    pause: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {}),
    log,
    meter,
  };
  return { ports, log, meter, maxReceiveCount: settings.MAX_RECEIVE_COUNT, hide: hideIn(settings, queueUrl) };
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

/** Failures alone need the SDK, so a cold start does not wait for it. */
function hideIn(settings: Common, queueUrl: string): Hide {
  let loaded: Promise<Hide> | undefined;
  const load = async (): Promise<Hide> => {
    const { changeVisibility, sqsClient } = await import('./adapters/sqs.ts');
    const sqs = sqsClient(settings);
    return (delays, signal) => changeVisibility(sqs, queueUrl, delays, signal);
  };
  return async (delays, signal) => {
    loaded ??= load();
    return (await loaded)(delays, signal);
  };
}
