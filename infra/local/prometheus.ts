/** What Prometheus itself says of our metrics and rules: promtool, and `promread` with its parsers (`prometheus/main.go`). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { goPrograms } from './go.ts';

/** Without service discovery, of which Prometheus has some hundred megabytes. */
export const prometheusTools = goPrograms({
  title: 'promtool',
  module: join(import.meta.dirname, 'prometheus'),
  files: ['go.mod', 'go.sum', 'main.go'],
  flags: ['-tags=remove_all_sd', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'],
  packages: ['.', 'github.com/prometheus/prometheus/cmd/promtool'],
  output: '',
});

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
