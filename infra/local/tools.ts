/** The tools that must be on the machine. They are asked only when something has to be built or run with them. */
import { spawnSync } from 'node:child_process';

export type Tool = 'java' | 'maven' | 'go' | 'python';

type Requirement = {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  /** the version in what the command prints: [major, minor] */
  readonly version: RegExp;
  readonly least: readonly [number, number];
  readonly install: string;
};

const requirements: Record<Tool, Requirement> = {
  java: {
    title: 'Java',
    command: 'java',
    args: ['-version'],
    version: /version "(\d+)(?:\.(\d+))?/,
    least: [17, 0],
    install: 'a JDK or JRE 17 or newer, e.g. "apt install openjdk-17-jre-headless" or "brew install openjdk"',
  },
  maven: {
    title: 'Maven',
    command: 'mvn',
    args: ['-v'],
    version: /Apache Maven (\d+)\.(\d+)/,
    least: [3, 6],
    install: 'Apache Maven, e.g. "apt install maven" or "brew install maven"',
  },
  go: {
    title: 'Go',
    command: 'go',
    args: ['version'],
    version: /go version go(\d+)\.(\d+)/,
    least: [1, 26],
    install: 'Go 1.26 or newer from https://go.dev/dl/',
  },
  python: {
    title: 'Python',
    command: 'python3',
    args: ['-m', 'pip', '--version'],
    version: /\(python (\d+)\.(\d+)\)/,
    least: [3, 11],
    install: 'Python 3.11 or newer with pip, e.g. "apt install python3-pip" or "brew install python"',
  },
};

/** Some tools are missing or too old: a line for each, with what to install. */
export class MissingTool extends Error {
  override readonly name = 'MissingTool';
}

/** @throws MissingTool */
export function requireTools(tools: readonly Tool[]): void {
  const complaints = tools.map(complaint).filter((line) => line !== undefined);
  if (complaints.length > 0) throw new MissingTool(complaints.join('\n'));
}

/** @returns what is wrong with the tool and what to install, in one line; undefined when it will do */
export function complaint(tool: Tool): string | undefined {
  const { title, command, args, version, least, install } = requirements[tool];
  const answer = spawnSync(command, args, { encoding: 'utf8' });
  if (answer.error !== undefined) return `${title} is missing ("${command}" was not found): install ${install}`;
  const found = version.exec(`${answer.stdout}${answer.stderr}`);
  if (answer.status !== 0 || found === null)
    return `${title} does not work ("${command} ${args.join(' ')}" failed): install ${install}`;
  const [major, minor] = [Number(found[1]), Number(found[2] ?? 0)];
  if (major > least[0] || (major === least[0] && minor >= least[1])) return undefined;
  return `${title} ${major}.${minor} is too old, ${least.join('.')} is needed: install ${install}`;
}
