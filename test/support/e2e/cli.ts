/** The command line that ships, in the environment that `npm start` gives to a shell. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const bundle = join(import.meta.dirname, '..', '..', '..', 'dist', 'cli.cjs');

/** Runs it with pipes. @param exports of the system @param cwd where files are written */
export async function topicsmith(
  exports: Readonly<Record<string, string>>,
  cwd: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [bundle, ...args], { cwd, env: { PATH: process.env.PATH, ...exports } });
  child.stdin.end();
  const ended = once(child, 'close');
  const textOf = async (stream: typeof child.stdout) => (await stream.setEncoding('utf8').toArray()).join('');
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [code] = (await ended) as [number | null];
  return { code, out, err };
}
