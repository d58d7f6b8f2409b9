/** The command line from the bundle that ships, as an operator runs it: an administrator who reaches all brokers. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildChanged, dist } from '../../../infra/build.ts';
import { type KafkaProxy, startKafkaProxy } from '../kafka/proxy.ts';
import type { World } from './world.ts';

export type CommandLine = {
  /** Runs a command. @throws Error unless its exit code is 0 */
  run(...args: readonly string[]): Promise<{ readonly out: string; readonly err: string }>;
  /** what passes between it and Kafka */
  readonly kafka: KafkaProxy;
  close(): Promise<void>;
};

export async function commandLine({ system, brokers }: World): Promise<CommandLine> {
  await buildChanged();
  const kafka = await startKafkaProxy(brokers);
  const env = { PATH: process.env.PATH, ...system.exports, KAFKA_BROKERS: kafka.address };
  const run: CommandLine['run'] = async (...args) => {
    const child = spawn(process.execPath, [join(dist, 'cli.cjs'), ...args], { env });
    child.stdin.end();
    const [out, err, code] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    if (code !== 0) throw new Error(`topicsmith ${args.join(' ')} ended with ${code}: ${err}`);
    return { out, err };
  };
  return { run, kafka, close: () => kafka.close() };
}

const textOf = async (stream: NodeJS.ReadableStream): Promise<string> =>
  (await (stream as NodeJS.ReadStream).setEncoding('utf8').toArray()).join('');
