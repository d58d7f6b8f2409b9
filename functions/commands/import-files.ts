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
 * @param manifests with names that the API server takes, so that no path leaves the directory
 * @returns the paths, a line each
 * @throws Problem for a file that is there, or that cannot be written: it names those that were
 */
export async function writeEach(directory: string, manifests: readonly Manifest[]): Promise<string> {
  const several = new Set(manifests.map(({ metadata }) => metadata.namespace)).size > 1;
  const pathOf = ({ metadata: { namespace = '', name } }: Manifest) =>
    join(directory, several ? namespace : '', `${name}.yaml`);
  const there = manifests.map(pathOf).find((path) => existsSync(path));
  if (there !== undefined)
    throw new Problem(`${there} is there already, and nothing was written: move it away, or name another directory`);
  const written: string[] = [];
  for (const manifest of manifests) {
    write(pathOf(manifest), await manifestsText([manifest]), written);
    written.push(pathOf(manifest));
  }
  return written.map((path) => `${path}\n`).join('');
}

function write(path: string, text: string, before: readonly string[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    const others = before.length === 0 ? 'nothing was written' : `written before it: ${before.join(', ')}`;
    throw new Problem(`cannot write ${path}: ${why}; ${others}`);
  }
}
