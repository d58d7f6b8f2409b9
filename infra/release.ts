/**
 * The definition as it was released last, `crds/released/kafkatopic.yaml`: what clusters have, and manifests rely on.
 *
 * `node infra/release.ts` writes it, with each release; `--check` writes nothing. Both fail when the present definition
 * breaks something that the released one allowed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import product from '../package.json' with { type: 'json' };
import { breaking, type Definition } from './generate/breaking.ts';
import { crd } from './generate/crd.ts';
import { yaml } from './generate/manifest.ts';

const file = new URL('../crds/released/kafkatopic.yaml', import.meta.url);
const comment = `The definition of release ${product.version}, by npm run release-crd; later ones must allow all that it does.`;

async function main(isCheck: boolean): Promise<void> {
  const released = parse(await readFile(file, 'utf8')) as Definition;
  const lines = breaking(released, crd());
  for (const line of lines) console.error(`crds/released: ${line}`);
  if (lines.length > 0) {
    console.error(
      'Clusters and manifests rely on that: keep it, or make a version of its own (functions/DESIGN.md, Releases)',
    );
    process.exitCode = 1;
  } else if (!isCheck) await writeFile(file, yaml([crd()], comment));
}

await main(process.argv.includes('--check'));
