/** A file for each manifest. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Manifest } from '../core/manifest.ts';
import { Problem } from './command.ts';
import { manifestsText } from './import-text.ts';

/**
 * Writes each manifest into a file of its own, named after the object; those of several namespaces go into a directory
 * for each. With one of the files there already nothing is written.
 *
 * @returns the paths, a line each
 * @throws Problem for a file that is there, or that cannot be written
 */
export async function writeEach(directory: string, manifests: readonly Manifest[]): Promise<string> {
  const several = new Set(manifests.map(({ metadata }) => metadata.namespace)).size > 1;
  const pathOf = ({ metadata: { namespace = '', name } }: Manifest) =>
    join(directory, several ? namespace : '', `${name}.yaml`);
  const there = manifests.map(pathOf).find((path) => existsSync(path));
  if (there !== undefined)
    throw new Problem(`${there} is there already, and nothing was written: move it away, or name another directory`);
  for (const manifest of manifests) write(pathOf(manifest), await manifestsText([manifest]));
  return manifests.map((manifest) => `${pathOf(manifest)}\n`).join('');
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    throw new Problem(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
  }
}
