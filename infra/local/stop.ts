/** `npm stop`: ends the system of a directory and returns when all of it is gone. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isRunning, until } from './process.ts';
import { runProgram } from './program.ts';
import { defaultDirectory, endLeftOvers, failureOf, supervisorLogOf, supervisorOf } from './state.ts';

const call = 'npm stop';
const usage = `usage: ${call} [-- OPTION ...]

  --dir DIRECTORY   as given to npm start (default .topicsmith)
  --help            print this

Objects, topics and messages of the system are gone afterwards; its logs stay.
`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { dir: { type: 'string', default: defaultDirectory } } });
  const dir = resolve(values.dir);
  const supervisor = supervisorOf(dir);
  if (supervisor !== undefined) {
    process.kill(supervisor.pid, 'SIGTERM');
    await until(() => !isRunning(supervisor), Number.POSITIVE_INFINITY);
  }
  const left = await endLeftOvers(dir);
  if (supervisor !== undefined) console.error('stopped');
  else if (left > 0) console.error(`stopped ${left} processes whose supervisor was gone`);
  else console.error(`nothing runs in ${dir}${why(dir)}`);
}

function why(dir: string): string {
  const failure = failureOf(dir);
  return failure === undefined ? '' : `: ${failure}\nAll that was said: ${supervisorLogOf(dir)}`;
}

await runProgram({ name: 'stop', call, usage, main });
