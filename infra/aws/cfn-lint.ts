/** cfn-lint, AWS's checker for templates. It works offline: what resources look like comes with it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Artifact, obtain, type Progress } from '../local/artifacts.ts';
import { run } from '../local/process.ts';

const requirements = join(import.meta.dirname, 'cfn-lint.txt');

/** Python packages are for one version of Python. */
const python = () => spawnSync('python3', ['--version'], { encoding: 'utf8' }).stdout ?? '';

const cfnLint = (): Artifact => ({
  name: 'cfn-lint',
  doing: 'fetching it with pip (once)',
  sources: [requirements],
  key: [python(), process.platform, process.arch].join('\n'),
  tools: ['python'],
  lock: 'pip',
  build: (into, signal) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', into, '--requirement', requirements], {
      signal,
    }),
});

/**
 * How to start the cfn-lint of `cfn-lint.txt`: the machine's own where it is that one, else one in the build cache.
 *
 * @throws MissingTool without Python; Error when it cannot be fetched
 */
export async function cfnLintCommand(progress: Progress): Promise<{ command: string[]; env: NodeJS.ProcessEnv }> {
  const [, version] = /^cfn-lint==(.+)$/m.exec(readFileSync(requirements, 'utf8')) ?? [];
  const found = spawnSync('cfn-lint', ['--version'], { encoding: 'utf8' }).stdout?.trim();
  if (found === `cfn-lint ${version}`) return { command: ['cfn-lint'], env: process.env };
  const place = await obtain(cfnLint(), progress);
  return { command: ['python3', join(place, 'bin', 'cfn-lint')], env: { ...process.env, PYTHONPATH: place } };
}

/** What cfn-lint says of a template, for several regions; nothing when all is well. @throws as `cfnLintCommand` */
export async function lint(template: string, progress: Progress): Promise<readonly string[]> {
  const { command, env } = await cfnLintCommand(progress);
  const [program = '', ...first] = command;
  const args = [...first, '--format', 'parseable', '--regions', 'us-east-1', 'eu-west-1', '--', template];
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env });
  if (error !== undefined) throw error;
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}
