/** The runner as a program, a function made of a few lines, and queues of its own on the SQS server at `SQS_ENDPOINT`. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { stringify } from 'yaml';
import { hide, makeQueue, receive, testClient } from '../support/sqs/real-queues.ts';

/** A line of the runner's trace. */
export type Invocation = {
  readonly event: string;
  readonly function: string;
  readonly pid: number;
  readonly coldStart: boolean;
  readonly messages: number;
  readonly groups: readonly string[];
  readonly startedAt: number;
  readonly ms: number;
  readonly outcome: 'succeeded' | 'failures' | 'threw' | 'timeout' | 'crashed';
  readonly failures: number;
  readonly late: number;
  readonly message?: string;
};

export type WorldOptions = {
  /**
   * Body of `async (event, context) => { … }`. `note(value)` leaves a value for `world.notes()`; `again` says that the
   * first message was received before, `invocations` counts those of this process.
   */
  readonly handler: string;
  /** what the bundle does while it is loaded; it may `note`, too */
  readonly loading?: string;
  readonly timeoutSeconds?: number;
  readonly maxReceiveCount?: number;
  readonly batchSize?: number;
  readonly maximumConcurrency?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** the runner serves its pages */
  readonly pages?: true;
  /** messages that are there before the runner: they come in as few batches as possible */
  readonly waiting?: readonly Sent[];
};

/** Longer than any test: a message comes back when the test says so. */
const visibilitySeconds = 180;

const program = join(import.meta.dirname, '..', '..', 'functions', 'runner.ts');
export const awsEnvironment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  SQS_ENDPOINT: process.env.SQS_ENDPOINT ?? '',
};

export type Sent = { readonly group: string; readonly body: string };

/** Starts a runner; dispose of it when done. */
export async function startWorld(options: WorldOptions) {
  const { maxReceiveCount = 100, waiting = [] } = options;
  const sqs = testClient();
  const folder = await mkdtemp(join(tmpdir(), 'runner-'));
  const deadLetters = await makeQueue(sqs);
  const queue = await fifoQueue(deadLetters, maxReceiveCount);
  await writeFile(join(folder, 'serverless.yml'), stringify(service(options, queue.name)));
  await writeFile(join(folder, 'work.cjs'), bundle(options, folder));
  for (const file of ['notes', 'records']) await writeFile(join(folder, file), '');
  await send(waiting);
  const runner = new Runner(folder, options.args ?? [], options.pages && { METRICS_PORT: '0' });
  await runner.ready();

  return {
    runner,
    folder,
    queueUrl: queue.url,
    send,
    /** Messages in the queue, seen or in flight. */
    async left(): Promise<number> {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const command = new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...names] });
      const { Attributes = {} } = await sqs.send(command);
      return Number(Attributes[names[0]]) + Number(Attributes[names[1]]);
    },
    /** Makes messages that failed visible at once, instead of at the end of their visibility timeout. */
    async redeliver(...bodies: readonly string[]) {
      const seen = await records();
      for (const wanted of bodies) {
        const last = seen.findLast(({ body }) => body === wanted);
        await hide(sqs, queue.url, last?.receiptHandle ?? '', 0);
      }
    },
    /** What the function was given, in order. */
    records,
    /** Waits for the first dead letter. A long poll does not notice a message that is moved, so it asks each second. */
    async deadLetter() {
      for (;;) {
        const [letter] = await receive(sqs, deadLetters, 1);
        if (letter !== undefined) return letter;
      }
    },
    notes: () => linesOf('notes'),
    async [Symbol.asyncDispose]() {
      await runner.kill();
      // processes that have just lost their runner may still write into it
      await rm(folder, { recursive: true, maxRetries: 5 });
      sqs.destroy();
    },
  };

  async function send(messages: readonly Sent[]) {
    if (messages.length === 0) return;
    const Entries = messages.map(({ group, body }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: randomUUID(),
    }));
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    assert.deepEqual(Failed, []);
  }

  async function linesOf(file: string): Promise<unknown[]> {
    const text = await readFile(join(folder, file), 'utf8');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  async function records(): Promise<SQSRecord[]> {
    return ((await linesOf('records')) as SQSRecord[][]).flat();
  }

  async function fifoQueue(deadLetterUrl: string, receives: number) {
    const name = `test-${randomUUID()}.fifo`;
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
    );
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: receives });
    const created = await sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: { FifoQueue: 'true', VisibilityTimeout: String(visibilitySeconds), RedrivePolicy },
      }),
    );
    return { name, url: created.QueueUrl ?? '' };
  }
}

function service(options: WorldOptions, queueName: string) {
  const { timeoutSeconds = 60, batchSize = 10, maximumConcurrency = 4, environment = {} } = options;
  const sqs = {
    arn: { 'Fn::GetAtt': ['Work', 'Arn'] },
    batchSize,
    maximumConcurrency,
    functionResponseType: 'ReportBatchItemFailures',
  };
  return {
    provider: { runtime: 'nodejs24.x', memorySize: 128 },
    functions: { work: { handler: 'work.handler', timeout: timeoutSeconds, environment, events: [{ sqs }] } },
    resources: [{ Resources: { Work: { Type: 'AWS::SQS::Queue', Properties: { QueueName: queueName } } } }],
  };
}

const bundle = ({ handler, loading = '' }: WorldOptions, folder: string) => `
const { appendFileSync } = require('node:fs');
const write = (file, value) => appendFileSync(${JSON.stringify(folder)} + '/' + file, JSON.stringify(value) + '\\n');
const note = (value) => write('notes', value);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let invocations = 0;
${loading}
exports.handler = async (event, context) => {
  invocations += 1;
  const again = event.Records[0].attributes.ApproximateReceiveCount !== '1';
  write('records', event.Records);
  ${handler}
};
`;

/** A runner that was started, and what it says. */
export class Runner {
  readonly invocations: Invocation[] = [];
  errors = '';
  /** of its pages, once it has said so */
  port: number | undefined;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #changed = Promise.withResolvers<void>();

  constructor(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, [program, join(folder, 'serverless.yml'), ...args], {
      env: { ...awsEnvironment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#process, 'exit');
    void this.#exited.then(() => this.#notify());
    if (this.#process.stdout === null || this.#process.stderr === null) throw new Error('no pipes');
    createInterface(this.#process.stdout).on('line', (line) => {
      const entry = JSON.parse(line) as Invocation & { readonly port: number };
      if (entry.event === 'invocation') this.invocations.push(entry);
      if (entry.event === 'listening') this.port = entry.port;
      this.#notify();
    });
    this.#process.stderr.on('data', (chunk) => {
      this.errors += String(chunk);
      this.#notify();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** One of its pages. */
  async get(path: '/healthz' | '/readyz' | '/metrics'): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  ready(): Promise<void> {
    return this.until(() => this.errors.includes('runner: ready'));
  }

  /** Resolves when `holds()`; looks again whenever the runner says something. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        throw new Error(`the runner has ended: ${this.errors}`);
      await this.#changed.promise;
    }
  }

  /** Resolves when so many messages were handed to the function and answered. */
  async handled(messages: number): Promise<void> {
    await this.until(() => this.invocations.reduce((sum, invocation) => sum + invocation.messages, 0) >= messages);
  }

  async exit(signal: NodeJS.Signals): Promise<{ code: number | null }> {
    this.#process.kill(signal);
    const [code] = await this.#exited;
    return { code: code as number | null };
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.exit('SIGTERM');
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
