/** `npm run demo`: a tour on a system of its own, of which nothing is left at the end, however it comes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askedToEnd, ENDED_EARLY, endedWithUs } from './ending.ts';
import { runProgram } from './program.ts';
import { claim, type State } from './state.ts';
import { type System, startSystem } from './system.ts';
import { heading, Tour } from './tour.ts';

const call = 'npm run demo';
const usage = `usage: ${call}

  A guided tour of about a minute, on a system of its own that is gone afterwards. It takes no options but --help.
`;

async function main(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  const end = askedToEnd();
  const dir = mkdtempSync(join(tmpdir(), 'topicsmith-demo-'));
  try {
    const state = await claim(dir); // should this process be killed, `npm stop -- --dir` ends what is left
    await demo(state, end);
  } catch (error) {
    if (!end.aborted) throw error;
    process.exitCode = ENDED_EARLY;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function demo(state: State, end: AbortSignal): Promise<void> {
  const endWithUs = endedWithUs();
  const system = await startSystem({
    dir: state.dir,
    env: ownSystemOnly(process.env),
    progress: (line) => console.error(line),
    signal: end,
    onSpawn: (name, id) => {
      endWithUs(id);
      state.record(name, id);
    },
  });
  try {
    await guide(system, end);
  } finally {
    await system.stop();
  }
}

/** @throws the reason of `end`, the failure of a part, or what the tour did not find as it should be */
async function guide(system: System, end: AbortSignal): Promise<void> {
  end.throwIfAborted();
  const interrupted = new Promise<never>((_, reject) => end.addEventListener('abort', () => reject(end.reason)));
  Object.assign(process.env, system.exports); // where the SDK looks for region and credentials
  const tour = new Tour(system);
  try {
    await Promise.race([tour.run(), interrupted, system.crashed.then((failure) => Promise.reject(failure))]);
    heading('That was the tour. `npm start` gives you a system on which you can type these commands yourself.');
  } finally {
    await tour.close();
  }
}

/** The tour makes and deletes topics: not in the cluster that the user's shell is pointed at. */
function ownSystemOnly({ KUBECONFIG, KAFKA_BROKERS, SQS_ENDPOINT, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

await runProgram({ name: 'demo', call, usage, main });
