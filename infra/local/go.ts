/** Programs that are built from a Go module of ours, which pins what they are made of. */
import { basename, join } from 'node:path';
import type { Artifact } from './artifacts.ts';
import { run } from './process.ts';

export type GoPrograms = {
  /** what one waits for, without the word "building" */
  readonly title: string;
  /** directory of the module; its name is the artifact's */
  readonly module: string;
  /** files of the module that decide the result */
  readonly files: readonly string[];
  /** of `go build` */
  readonly flags: readonly string[];
  /** what is built; default: the module's own program */
  readonly packages?: readonly string[];
  /** where, within the artifact's directory: a file, or its own directory (empty) for several programs */
  readonly output: string;
};

/** Without C, so that no compiler for it has to be there. */
export function goPrograms({ title, module, files, flags, packages = [], output }: GoPrograms): Artifact {
  const args = ['build', '-mod=readonly', ...flags];
  return {
    name: basename(module),
    doing: `building ${title} with Go (once; takes some minutes)`,
    sources: files.map((file) => join(module, file)),
    key: [...args, ...packages, process.platform, process.arch].join('\n'),
    tools: ['go'],
    lock: 'go',
    build: (into, signal) =>
      run('go', [...args, '-o', `${into}/${output}`, ...(packages.length === 0 ? ['.'] : packages)], {
        cwd: module,
        env: { ...process.env, CGO_ENABLED: '0' },
        signal,
      }),
  };
}
