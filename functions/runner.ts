/**
 * Runs the functions of a serverless.yml without Lambda: plays the event source mappings from SQS queues and gives each
 * function processes with Lambda's limits. For one machine, for tests, and for clusters without Lambda.
 *
 * Queues are found by the `QueueName` they are defined with; `--queue Id=URL` says otherwise. `SQS_ENDPOINT` and AWS_*
 * reach SQS, or a server that speaks like it. With METRICS_PORT it serves `/healthz`, `/readyz` and `/metrics`, where the
 * figures of the functions are summed up. One line of JSON per invocation goes to standard output, everything else to
 * standard error.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { errorText, type Logger } from './adapters/log.ts';
import { sqsClient } from './adapters/sqs.ts';
import { logFor } from './log-for.ts';
import { type Mapping, mappingsOf, queuesUsed, readService } from './runner/config.ts';
import { startMapping } from './runner/mapping.ts';
import { noMetrics, type RunnerMetrics } from './runner/metrics.ts';
import { passOn } from './runner/output.ts';
import { type Started, servePages } from './runner/pages.ts';
import { ProcessPool } from './runner/process.ts';
import { openQueue, queueUrl } from './runner/queue.ts';
import * as kinds from './settings/kinds.ts';
import { readSettings, SettingsError, settingsIn } from './settings/read.ts';

const usage = `usage: runner [serverless.yml] [--function NAME] [--concurrency N] [--warm N] [--freeze]
              [--queue Id=URL ...] [--wait SECONDS] [--grace SECONDS]

  --function     runs this one only (default: all)
  --concurrency  batches in work at the same time per function, at most its maximumConcurrency (default 4)
  --warm         processes per function that have loaded it before the first message is taken (default 0)
  --freeze       stop processes between invocations, as Lambda does
  --queue        URL of a queue, by its logical id in the service
  --wait         seconds a poll waits for messages, at most 20 (default 2); longer is cheaper and ends later
  --grace        seconds that running invocations get when the runner is told to end (default 8)
`;

type Options = {
  readonly service: string;
  readonly functionName: string | undefined;
  readonly concurrency: number;
  readonly warm: number;
  readonly freeze: boolean;
  readonly queues: ReadonlyMap<string, string>;
  readonly waitSeconds: number;
  readonly graceSeconds: number;
};

function optionsOf(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      function: { type: 'string' },
      concurrency: { type: 'string', default: '4' },
      warm: { type: 'string', default: '0' },
      freeze: { type: 'boolean', default: false },
      queue: { type: 'string', multiple: true, default: [] },
      wait: { type: 'string', default: '2' },
      grace: { type: 'string', default: '8' },
    },
  });
  return {
    service: resolve(positionals[0] ?? 'serverless.yml'),
    functionName: values.function,
    concurrency: wholeNumber('--concurrency', values.concurrency, 1),
    warm: wholeNumber('--warm', values.warm, 0),
    freeze: values.freeze,
    queues: new Map(values.queue.map(queueOption)),
    waitSeconds: wholeNumber('--wait', values.wait, 0, 20),
    graceSeconds: wholeNumber('--grace', values.grace, 0),
  };
}

function wholeNumber(option: string, text: string, least: number, most = 1_000_000): number {
  const { read, expects } = kinds.wholeNumber(least, most);
  const number = read(text);
  if (number instanceof kinds.Unfit) throw new Error(`${option} is "${text}": it has to be ${expects}`);
  return number;
}

function queueOption(text: string): [string, string] {
  const [, id, url] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (id === undefined || url === undefined) throw new Error(`--queue is "${text}": it has to be Id=URL`);
  return [id, url];
}

async function queueUrls(sqs: SQSClient, names: ReadonlyMap<string, string>, given: ReadonlyMap<string, string>) {
  const entries = [...names].map(async ([id, name]) => [id, given.get(id) ?? (await queueUrl(sqs, name))] as const);
  return new Map(await Promise.all(entries));
}

/**
 * The whole environment of a function: what its service says, what the place gives (credentials and region, in a pod the
 * API server's address), and what Lambda itself adds.
 */
function environmentFor(mapping: Mapping, env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] =>
    /^(AWS|KUBERNETES_SERVICE)_/.test(entry[0]),
  );
  return {
    TZ: ':UTC',
    ...Object.fromEntries(given),
    AWS_LAMBDA_FUNCTION_NAME: mapping.functionName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(mapping.memoryMegabytes),
    ...mapping.environment,
  };
}

async function startFunction(
  mapping: Mapping,
  options: Options,
  sqs: SQSClient,
  log: Logger,
  metrics: RunnerMetrics | undefined,
): Promise<Started> {
  const queue = await openQueue(sqs, mapping.queueUrl, options.waitSeconds);
  if (queue.visibilitySeconds < mapping.timeoutSeconds)
    throw new Error(
      `function ${mapping.functionName}: its queue shows messages again after ${queue.visibilitySeconds} s, before its timeout of ${mapping.timeoutSeconds} s`,
    );
  const environment = environmentFor(mapping, process.env);
  const figures = metrics?.of(mapping.functionName, () => queue.depths()) ?? noMetrics;
  const onOutput = (output: Readable) =>
    void passOn(output, process.stderr, (line) => figures.printed(line)).catch((error: unknown) =>
      log.warn('output-lost', { function: mapping.functionName, error }),
    );
  const pool = new ProcessPool({
    ...mapping,
    environment,
    child: childFile(),
    freeze: options.freeze,
    ...(metrics && { onOutput }),
  });
  const concurrency = Math.min(options.concurrency, mapping.maximumConcurrency);
  const wanted = Math.min(options.warm, concurrency);
  if ((await pool.warm(wanted)) < Math.min(1, wanted))
    throw new Error(`function ${mapping.functionName}: its bundle cannot be loaded, see above`);
  const invoke = (event: SQSEvent) => pool.invoke(event);
  const running = startMapping({ ...mapping, queue, concurrency, log, invoke, metrics: figures });
  log.info('started', { function: mapping.functionName, queue: mapping.queueUrl, concurrency });
  return { running, pool, mapping };
}

/** The file that processes run: beside this program, as a bundle or as a source. */
function childFile(): string {
  const program = process.argv[1] ?? '';
  const files = ['./runner-child.cjs', './runner/child.ts'].map((file) => resolve(program, '..', file));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`there is no ${files[0]}; build it first`);
  return found;
}

/** Those of our own functions are known before the first message would fail by them; others' are their own business. */
function refuseWrongSettings(mappings: readonly Mapping[]): void {
  const problems = mappings.flatMap(({ functionName, environment }) =>
    functionName === 'reconcile' || functionName === 'resync' ? settingsIn(environment, functionName).problems : [],
  );
  if (problems.length > 0) throw new SettingsError([...new Set(problems)]);
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  const log = logFor(process.env, 'runner', (line) => void process.stdout.write(line));
  const settings = readSettings(process.env, 'runner');
  const sqs = sqsClient(settings, (options.waitSeconds + 5) * 1000);
  const service = readService(options.service, process.env, options.functionName);
  const mappings = mappingsOf(service, await queueUrls(sqs, queuesUsed(service), options.queues));
  refuseWrongSettings(mappings);
  const { METRICS_HOST: host, METRICS_PORT: port } = settings;
  const started: Started[] = [];
  const pages = port === undefined ? undefined : await servePages(started, host, port, log);
  const start = (mapping: Mapping) => startFunction(mapping, options, sqs, log, pages?.metrics);
  started.push(...(await Promise.all(mappings.map(start))));
  process.stderr.write(`runner: ready\n`);
  await endSignal();
  await end(started, options.graceSeconds);
  pages?.server.close();
  sqs.destroy();
}

/** Lets polls and invocations under way finish, then ends all processes; what was not finished stays in the queue. */
async function end(started: readonly Started[], graceSeconds: number): Promise<void> {
  const finished = new AbortController();
  const stopped = Promise.all(started.map(({ running }) => running.stop())).finally(() => finished.abort());
  await sleep(graceSeconds * 1000, undefined, { signal: finished.signal }).catch(() => {});
  await Promise.all(started.map(({ pool }) => pool.kill()));
  await stopped;
}

/** Resolves at the first SIGTERM or SIGINT. */
function endSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  return promise;
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof SettingsError) return error.problems;
  return [error instanceof Error ? error.message : errorText(error)];
}

main().catch((error: unknown) => {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  for (const line of linesOf(error)) process.stderr.write(`runner: ${line}\n`);
  if (isUsage) process.stderr.write(usage);
  process.exit(isUsage ? 2 : 1);
});
