/**
 * The command line: arguments → command → printed result → exit code. Results go to standard output, everything else to
 * standard error. Clients are loaded by the command that needs them, so that `--help` is there at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connections, Shell } from './commands/command.ts';
import { connections } from './commands/connect.ts';
import { runCli } from './commands/program.ts';
import { lookalikes } from './settings/lookalikes.ts';
import { type Name, namesOf } from './settings/table.ts';

/** The shell that this process runs in. */
function shellOf(connect: Connections, signal: AbortSignal): Shell {
  const { stdin, stdout, stderr } = process;
  const read: ReadonlySet<Name> = new Set(namesOf('cli'));
  const isAttended = stdin.isTTY && stderr.isTTY;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    // says no for NO_COLOR and TERM=dumb too
    colour: stdout.isTTY && stdout.hasColors(),
    width: Math.min(stdout.columns ?? 100, 100),
    progress: (line = '') => void (stderr.isTTY && stderr.write(`\r\x1b[2K${line}`)),
    ask: isAttended ? (question) => ask(question, signal) : undefined,
    input: async () => (await stdin.setEncoding('utf8').toArray()).join(''),
    now: () => new Date(),
    pause: (ms, until) => sleep(ms, undefined, { signal: until }).catch(() => {}),
    signal,
    strays: lookalikes(process.env).filter(({ meant }) => read.has(meant)),
    connect,
  };
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}

async function main(): Promise<void> {
  // Node's own warnings are for programmers: kafkajs 2.2.4 sets timers in the past, of which Node 24 warns.
  process.removeAllListeners('warning');
  // whoever reads has enough, as `| head` does
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    process.exitCode = 130;
  });
  const code = await runCli(process.argv.slice(2), shellOf(connections(process.env), interrupted.signal));
  process.exitCode ??= code;
}

void main();
