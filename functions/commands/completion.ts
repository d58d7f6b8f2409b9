/** `topicsmith completion`: what a shell has to know to complete commands and flags. */
import { Argument, type Command } from 'commander';
import { examples, type Register, type Work } from './command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const register: Register = (program, run) => {
  const completion: Work<object> = async (shell, _options, [name]) => {
    shell.out(name === 'fish' ? fishScript(program) : bashScript(program, name === 'zsh'));
    return 0;
  };
  program
    .command('completion')
    .summary('print a script that completes commands and flags')
    .description('Prints a script for your shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      examples(
        'source <(topicsmith completion bash)                                       # in ~/.bashrc',
        'source <(topicsmith completion zsh)                                        # in ~/.zshrc, after compinit',
        'topicsmith completion fish > ~/.config/fish/completions/topicsmith.fish',
      ),
    )
    .action(run(completion));
};

/** Each once: commands under a command share some. */
function flagsOf(program: Command, command: Command) {
  const all = [command, ...command.commands, program].flatMap(({ options }) => options);
  const named = all.filter(({ long }) => long !== undefined);
  return [...new Map(named.map((option) => [option.long, option])).values()];
}

/** What may follow a command beside flags, where that can be told. */
const valuesOf = (command: Command): readonly string[] => [
  ...command.commands.map((under) => under.name()),
  ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
];

/** zsh runs it with its own emulation of bash's completion. */
function bashScript(program: Command, isZsh: boolean): string {
  const names = program.commands.map((command) => command.name());
  const cases = program.commands.map((command) => {
    const words = [...valuesOf(command), ...flagsOf(program, command).map(({ long }) => long)];
    return `    ${command.name()}) words='${words.join(' ')}' ;;`;
  });
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_topicsmith() {
  local word command= words='${names.join(' ')}'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${names.join('|')}) command=$word; break ;; esac
  done
  case $command in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _topicsmith topicsmith
`;
}

function fishScript(program: Command): string {
  const line = (parts: readonly string[]) => `complete -c topicsmith ${parts.join(' ')}\n`;
  const commands = program.commands.flatMap((command) => {
    const seen = `-n '__fish_seen_subcommand_from ${command.name()}'`;
    const values = valuesOf(command);
    return [
      line(['-n __fish_use_subcommand', '-f', `-a ${command.name()}`, `-d ${quoted(command.summary())}`]),
      ...(values.length > 0 ? [line([seen, '-f', `-a ${quoted(values.join(' '))}`])] : []),
      ...flagsOf(program, command).map(({ long = '', description, required }) =>
        line([seen, `-l ${long.slice(2)}`, ...(required ? ['-r'] : []), `-d ${quoted(description)}`]),
      ),
    ];
  });
  return commands.join('');
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
