/** What `npm start`, `npm stop` and `npm run demo` do alike: usage, one line about what is wrong, exit codes. */

export type Program = {
  /** in front of every complaint */
  readonly name: string;
  /** how it is called, in front of ` -- OPTION` */
  readonly call: string;
  readonly usage: string;
  readonly main: (args: string[]) => Promise<void>;
  /** where complaints go; default stderr */
  readonly say?: (line: string) => void;
};

/** The options are wrong: the usage is printed with the message. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Errors whose message says all there is to say. */
const plain = ['MissingTool', 'DirectoryTaken', 'Unreachable', 'PartFailed'];

/** Runs a program with the arguments of this process. Exit code 2 for wrong options, 1 for what else goes wrong. */
export async function runProgram({ name, call, usage, main, say = toTerminal }: Program): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(usage);
  try {
    await main(args);
  } catch (caught) {
    const error = caught as Error & { code?: string };
    const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
    say(`${name}: ${isUsage || plain.includes(error.name) ? error.message : error.stack}`);
    if (error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') process.stderr.write(forgotten(call));
    if (isUsage) process.stderr.write(usage);
    process.exitCode = isUsage ? 2 : 1;
  }
}

/**
 * Without `--` npm takes options for its own and hands on their values only, if any.
 *
 * @param options names without hyphens; those of npm itself cannot be told apart and are not given
 * @throws UsageError when npm has kept one of them
 * @see https://docs.npmjs.com/cli/using-npm/config#environment-variables
 */
export function refuseKeptByNpm(options: readonly string[], call: string, env: NodeJS.ProcessEnv): void {
  const kept = options.find((option) => env[`npm_config_${option}`] !== undefined);
  if (kept !== undefined) throw new UsageError(`npm took --${kept} for its own. ${forgotten(call).trimEnd()}`);
}

const forgotten = (call: string) => `Did you forget the -- in front of the options? ${call} -- OPTION ...\n`;

const toTerminal = (line: string) => void process.stderr.write(`${line}\n`);
