/** The forwarder as the process it is, from the bundle that ships, for tests against real servers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { parseRequest } from '../../functions/core/request.ts';
import { buildChanged, dist } from '../../infra/build.ts';
import { lean } from '../../infra/local/functions.ts';
import { receive, remove } from '../support/sqs/real-queues.ts';

await buildChanged();

type LogLine = { readonly level: string; readonly event: string; readonly [field: string]: unknown };

export class ForwarderProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = '';

  /** @param env what it needs beside the credentials and addresses of this process */
  constructor(env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [...lean.args, join(dist, 'forwarder.cjs')], {
      env: { ...lean.env, ...process.env, METRICS_PORT: '0', LOG_LEVEL: 'info', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit').then(([code]) => code as number | null);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get logs(): LogLine[] {
    const complete = this.#output.slice(0, this.#output.lastIndexOf('\n') + 1);
    return complete
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as Kubernetes does. @returns its exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.send(signal);
    return this.#exited;
  }

  exited(): Promise<number | null> {
    return this.#exited;
  }

  /** @returns status and body of one of its three pages */
  async get(path: string): Promise<{ status: number; text: string }> {
    const listening = await until('the forwarder listens', () => this.logs.find(({ event }) => event === 'listening'));
    const response = await fetch(`http://127.0.0.1:${listening.port}${path}`);
    return { status: response.status, text: await response.text() };
  }

  async ready(): Promise<void> {
    await until('the forwarder is ready', async () => (await this.get('/readyz')).status === 200);
  }

  async notReady(): Promise<string> {
    return until('the forwarder is not ready', async () => {
      const { status, text } = await this.get('/readyz');
      return status === 503 && text;
    });
  }

  async metric(name: string): Promise<number> {
    const { text } = await this.get('/metrics');
    const value = text
      .split('\n')
      .find((line) => line.startsWith(`topicsmith_forwarder_${name} `))
      ?.split(' ')[1];
    return Number(value ?? 0);
  }
}

/** Asks until the answer is not empty. @throws Error naming what did not come */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  boundMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  for (const end = performance.now() + boundMs; performance.now() < end; await delay(20)) {
    const answer = await ask();
    if (answer) return answer as NonNullable<Exclude<T, false>>;
  }
  throw new Error(`not within ${boundMs / 1000} s: ${what}`);
}

/** Names of the objects that messages ask for, as they come, until all of `names` have come. Takes them off the queue. */
export async function namesUntil(
  sqs: SQSClient,
  queueUrl: string,
  names: readonly string[],
  boundMs = 30_000,
): Promise<string[]> {
  const seen: string[] = [];
  await until(
    `messages for ${names.join(', ')}`,
    async () => {
      for (const { body, receiptHandle } of await receive(sqs, queueUrl, 10)) {
        const request = parseRequest(body);
        seen.push('malformed' in request ? request.malformed : request.name);
        await remove(sqs, queueUrl, receiptHandle);
      }
      return names.every((name) => seen.includes(name));
    },
    boundMs,
  );
  return seen;
}
