import type { Logger } from '../adapters/log.ts';
import { type StatusServer, serveStatus } from '../adapters/status-page.ts';
import type { Mapping } from './config.ts';
import type { RunningMapping } from './mapping.ts';
import { createRunnerMetrics, type RunnerMetrics } from './metrics.ts';
import type { ProcessPool } from './process.ts';

/** A function at work. */
export type Started = {
  readonly mapping: Mapping;
  readonly running: RunningMapping;
  readonly pool: ProcessPool;
};

/** Longer than any poll and pause. */
const slackMillis = 5 * 60_000;

/**
 * Serves the pages of a runner.
 *
 * @param started its functions, looked at when somebody asks; while there are none it is not ready
 * @throws Error when the address cannot be had
 */
export async function servePages(
  started: readonly Started[],
  host: string,
  port: number,
  log: Logger,
): Promise<{ readonly metrics: RunnerMetrics; readonly server: StatusServer }> {
  const metrics = createRunnerMetrics();
  const page = {
    stuck: () => (started.some(isStuck) ? 'a poll or an invocation does not end' : undefined),
    problems: () => (started.length === 0 ? ['not started yet'] : started.flatMap(problemsOf)),
    metrics,
  };
  const server = await serveStatus(page, host, port);
  log.info('listening', { host, port: server.port });
  return { metrics, server };
}

const isStuck = ({ running, mapping }: Started): boolean =>
  running.silentMs() > mapping.timeoutSeconds * 1000 + slackMillis;

const problemsOf = ({ running, pool, mapping }: Started): readonly string[] => [
  ...[running.problem() ?? []].flat(),
  ...(pool.loads ? [] : [`function ${mapping.functionName}: its bundle cannot be loaded`]),
];
