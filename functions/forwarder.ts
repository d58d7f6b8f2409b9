/**
 * The forwarder process: watches KafkaTopics and puts the names of those that need a look into the queue, with a resync
 * tick now and then. Any number of them may run; more than one makes no difference but in the load.
 */
import { kubeClient } from './adapters/kube/client.ts';
import { createLogger, errorText, type Logger } from './adapters/log.ts';
import { queueDepth, requestQueue, sqsClient, tickQueue } from './adapters/sqs.ts';
import { serveStatus } from './adapters/status-page.ts';
import { Forwarder } from './forwarder/run.ts';
import { type Settings, settingsOf } from './forwarder/settings.ts';
import { topicSource } from './forwarder/source.ts';
import { systemClock } from './forwarder/time.ts';

/** A pod has 30 s between SIGTERM and SIGKILL. */
const flushMs = 10_000;

function assemble(env: NodeJS.ProcessEnv, settings: Settings, log: Logger): Forwarder {
  const { namespaces, selects, requestQueueUrl, tickQueueUrl, resyncMs } = settings;
  const kube = kubeClient(env);
  const sqs = sqsClient(env);
  const sources = new Map(namespaces.map((namespace) => [`namespace ${namespace}`, topicSource(kube, { namespace })]));
  if (sources.size === 0) sources.set('all namespaces', topicSource(kube));
  return new Forwarder({
    sources,
    selects,
    requests: requestQueue(sqs, requestQueueUrl, log),
    ticks: tickQueue(sqs, tickQueueUrl),
    probe: (signal) => queueDepth(sqs, requestQueueUrl, signal),
    clock: systemClock,
    random: Math.random,
    log,
    resyncMs,
  });
}

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const log = createLogger({ level: env.LOG_LEVEL || 'info' });
  const settings = settingsOf(env);
  const forwarder = assemble(env, settings, log);
  const server = await serveStatus(forwarder, settings.metricsHost, settings.metricsPort);
  log.info('listening', { host: settings.metricsHost, port: server.port });
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
  createLogger().error('failed', { error: errorText(error) });
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
main(process.env).catch(fail);
