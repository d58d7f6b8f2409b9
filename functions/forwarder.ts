/**
 * The forwarder process: watches KafkaTopics and puts the names of those that need a look into the queue, with a resync
 * tick now and then. Any number of them may run; more than one makes no difference but in the load.
 */
import { kubeClient } from './adapters/kube/client.ts';
import { createLogger, errorText, type Logger } from './adapters/log.ts';
import { queueDepth, requestQueue, sqsClient, tickQueue } from './adapters/sqs.ts';
import { serveStatus } from './adapters/status-page.ts';
import { Forwarder } from './forwarder/run.ts';
import { topicSource } from './forwarder/source.ts';
import { systemClock } from './forwarder/time.ts';
import { logFor } from './log-for.ts';
import { readSettings, SettingsError } from './settings/read.ts';
import type { Settings } from './settings/table.ts';

/** A pod has 30 s between SIGTERM and SIGKILL. */
const flushMs = 10_000;

function assemble(settings: Settings<'forwarder'>, log: Logger): Forwarder {
  const { RECONCILE_QUEUE_URL: requestQueueUrl, TICK_QUEUE_URL: tickQueueUrl } = settings;
  const kube = kubeClient(settings);
  const sqs = sqsClient(settings);
  const sources = new Map(
    settings.WATCH_NAMESPACES.map((namespace) => [`namespace ${namespace}`, topicSource(kube, { namespace })]),
  );
  if (sources.size === 0) sources.set('all namespaces', topicSource(kube));
  return new Forwarder({
    sources,
    selects: settings.WATCH_LABEL_SELECTOR,
    requests: requestQueue(sqs, requestQueueUrl, log),
    ticks: tickQueue(sqs, tickQueueUrl),
    probe: (signal) => queueDepth(sqs, requestQueueUrl, signal),
    clock: systemClock,
    random: Math.random,
    log,
    resyncMs: 1000 * settings.RESYNC_INTERVAL_SECONDS,
  });
}

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const log = logFor(env, 'forwarder');
  const settings = readSettings(env, 'forwarder');
  const { METRICS_HOST: host, METRICS_PORT: port = 0 } = settings;
  const forwarder = assemble(settings, log);
  const server = await serveStatus(forwarder, host, port);
  log.info('listening', { host, port: server.port });
  const stop = async (signal: NodeJS.Signals) => {
    log.info('stopping', { signal });
    const left = await forwarder.stop(flushMs);
    if (left > 0) log.warn('keys-left-behind', { keys: left });
    server.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await forwarder.run();
}

/** Whatever nobody expected ends the process: the next one starts from a list and a tick. */
function fail(error: unknown): never {
  const problems = error instanceof SettingsError ? error.problems : [errorText(error)];
  for (const problem of problems) createLogger().error('failed', { error: problem });
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
main(process.env).catch(fail);
