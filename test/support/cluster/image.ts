/** What a Containerfile makes, without a container engine: a directory, and how its program is called. */
import { cpSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Image = {
  /** holds what the image holds below its root */
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
};

/**
 * Carries out the instructions of a Containerfile that has one stage and runs nothing.
 *
 * @param context what COPY copies from
 * @param root an empty directory
 * @throws Error for an instruction it does not know, or a source that is not there
 */
export function buildImage(containerfile: string, context: string, root: string): Image {
  const image = { root, workdir: '/', user: '', entrypoint: [] as string[], command: [] as string[] };
  const text = readFileSync(containerfile, 'utf8').replaceAll(/^#.*\n/gm, '');
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const [instruction = '', ...words] = line.split(/\s+/);
    const rest = line.slice(instruction.length).trim();
    if (instruction === 'WORKDIR') image.workdir = rest;
    else if (instruction === 'COPY') copy(words, context, join(root, image.workdir));
    else if (instruction === 'USER') image.user = rest;
    else if (instruction === 'ENTRYPOINT') image.entrypoint = JSON.parse(rest);
    else if (instruction === 'CMD') image.command = JSON.parse(rest);
    else if (instruction !== 'ARG' && instruction !== 'FROM') throw new Error(`${instruction} is not known here`);
  }
  return image;
}

/** With several sources the target is a directory. */
function copy(words: readonly string[], context: string, workdir: string): void {
  const target = join(workdir, words.at(-1) ?? '');
  mkdirSync(target, { recursive: true });
  for (const pattern of words.slice(0, -1)) {
    const found = globSync(pattern, { cwd: context });
    if (found.length === 0) throw new Error(`COPY ${pattern}: there is no such file`);
    for (const file of found) cpSync(join(context, file), join(target, basename(file)), { recursive: true });
  }
}
