/** The commands, and what they have in common. */
import { Command, CommanderError, Option } from 'commander';
import product from '../../package.json' with { type: 'json' };
import { oneLine } from '../core/harmless.ts';
import { SettingsError } from '../settings/read.ts';
import { register as approve } from './approve.ts';
import type { ExitCode, Register, Run, Shell } from './command.ts';
import { register as completion } from './completion.ts';
import { register as dlq } from './dlq.ts';
import { register as doctor } from './doctor.ts';
import { register as drift } from './drift.ts';
import { register as importing } from './import.ts';
import { register as plan } from './plan.ts';
import { register as reconcile } from './reconcile.ts';
import { formats } from './render.ts';
import { register as status } from './status.ts';
import { register as uninstallCheck } from './uninstall-check.ts';

/** In the order of the help text. */
const commands: readonly Register[] = [
  plan,
  drift,
  approve,
  reconcile,
  status,
  dlq,
  doctor,
  importing,
  uninstallCheck,
  completion,
];

/**
 * Runs one command.
 *
 * @param args without the program's name
 * @returns the exit code; an error has been told then, in a line for each thing that is wrong
 */
export async function runCli(args: readonly string[], shell: Shell): Promise<ExitCode> {
  let code: ExitCode = 0;
  const run: Run =
    (work) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      for (const { variable, meant } of shell.strays)
        shell.err(`topicsmith: ${oneLine(variable, longestError)} is set, and no setting: ${meant} is one\n`);
      chooseAws(command.optsWithGlobals());
      code = await work(shell, command.optsWithGlobals(), command.args);
    };
  try {
    await programOf(shell, run).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    shell.progress(undefined);
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    for (const line of shell.signal.aborted ? ['interrupted'] : linesOf(error)) shell.err(`topicsmith: ${line}\n`);
    return 1;
  } finally {
    await shell.connect.close();
  }
}

/** Before any client is made: the AWS SDK reads these two from the environment of the process alone. */
function chooseAws({ profile, region }: { readonly profile?: string; readonly region?: string }): void {
  if (profile !== undefined) process.env.AWS_PROFILE = profile;
  if (region !== undefined) process.env.AWS_REGION = region;
}

/** A line for each thing that is wrong. */
const linesOf = (error: unknown): readonly string[] =>
  (error instanceof SettingsError ? error.problems : [(error as Error).message]).map((line) =>
    oneLine(line, longestError),
  );

/** Long enough for everything that a command has to say itself. */
const longestError = 4_000;

function programOf(shell: Shell, run: Run): Command {
  const program = new Command('topicsmith')
    .description('Looks after KafkaTopic objects: what would be done, what differs, what waits, and how the fleet is.')
    .version(product.version)
    .option('--kubeconfig <file>', 'kubeconfig to use, in place of KUBECONFIG')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', "namespace; default: the context's")
    .option('-A, --all-namespaces', 'all namespaces that are watched')
    .option('--profile <name>', 'AWS profile with the credentials to use')
    .option('--region <name>', 'AWS region')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(formats).default('table'))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: shell.out,
      writeErr: shell.err,
      getOutHasColors: () => shell.colour,
      getOutHelpWidth: () => shell.width,
      outputError: (text, write) =>
        write(
          `topicsmith: ${oneLine(text.replace(/^error: |\.?\n$/g, ''), longestError)}; --help shows what there is\n`,
        ),
    })
    .exitOverride();
  for (const register of commands) register(program, run);
  return program;
}
