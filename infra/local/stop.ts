/** `npm stop`: ends the system of a directory and returns when all of it is gone. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isRunning, until } from './process.ts';
import { defaultDirectory, endLeftOvers, supervisorOf } from './state.ts';

const usage = `usage: npm stop [-- --dir DIRECTORY]

  --dir DIRECTORY   as given to npm start (default .topicsmith)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: defaultDirectory } } });
  const dir = resolve(values.dir);
  const supervisor = supervisorOf(dir);
  if (supervisor !== undefined) {
    process.kill(supervisor.pid, 'SIGTERM');
    await until(() => !isRunning(supervisor), Number.POSITIVE_INFINITY);
  }
  const left = await endLeftOvers(dir);
  if (supervisor !== undefined) console.error('stopped');
  else if (left > 0) console.error(`stopped ${left} processes whose supervisor was gone`);
  else console.error(`nothing runs in ${dir}`);
}

main().catch((error: Error & { code?: string }) => {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(`stop: ${isUsage ? `${error.message}\n${usage}` : error.stack}`);
  process.exitCode = isUsage ? 2 : 1;
});
