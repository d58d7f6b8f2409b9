/** What Prometheus itself says of our metrics and rules: promtool, and `promread` with its parsers (`prometheus/main.go`). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Artifact } from './artifacts.ts';
import { run } from './process.ts';

const sources = join(import.meta.dirname, 'prometheus');

/** Without service discovery, of which Prometheus has some hundred megabytes. */
const buildArgs = ['build', '-mod=readonly', '-tags=remove_all_sd', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
const programs = ['.', 'github.com/prometheus/prometheus/cmd/promtool'];

export const prometheusTools: Artifact = {
  name: 'prometheus',
  doing: 'building promtool with Go (once; takes some minutes)',
  sources: ['go.mod', 'go.sum', 'main.go'].map((file) => join(sources, file)),
  key: [...buildArgs, ...programs, process.platform, process.arch].join('\n'),
  tools: ['go'],
  lock: 'go',
  build: (into, signal) =>
    run('go', [...buildArgs, '-o', `${into}/`, ...programs], {
      cwd: sources,
      env: { ...process.env, CGO_ENABLED: '0' },
      signal,
    }),
};

/**
 * Runs one of the programs.
 *
 * @param directory of {@link prometheusTools}
 * @param input for its standard input
 * @returns what it prints; `problem` is undefined when it ended well
 */
export function ask(directory: string, program: 'promread' | 'promtool', args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(join(directory, program), args, { input, encoding: 'utf8' });
  return { out: stdout, problem: status === 0 ? undefined : `${stdout}${stderr}` };
}
