/**
 * `npm run package [-- -o json]`: everything that an installation on AWS needs, in `dist/package`: a zip for each
 * function, the template, and the list of packages inside. It asks nobody and reads no settings: the same sources give the
 * same bytes, for everybody.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { complaints } from './aws/rules.ts';
import { type Deployed, sbom } from './aws/sbom.ts';
import { extraSections, oslsTemplate, settled } from './aws/template.ts';
import { zip } from './aws/zip.ts';
import { buildBundles } from './build.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'dist', 'package');

/** What is deployed: logical id → bundle. */
const functions = { ReconcileLambdaFunction: 'reconcile', ResyncLambdaFunction: 'resync' } as const;

/** A cold start has to load a bundle, and a larger zip takes longer: growth shall be noticed. */
const budgetKilobytes = 700;

type Packed = Deployed & { readonly function: string; readonly bytes: number; readonly unpackedBytes: number };

type Summary = {
  readonly directory: string;
  readonly functions: readonly Packed[];
  readonly template: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly sbom: { readonly name: string; readonly packages: number; readonly sha256: string };
};

/**
 * Builds everything anew.
 *
 * @throws Error in lines: a bundle that does not compile, a zip above the budget, a template that breaks a rule
 */
export async function packageForAws(): Promise<Summary> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'code'), { recursive: true });
  const inputs = await buildBundles(Object.values(functions));
  const packed = Object.values(functions).map(pack);
  const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const list = sbom(inputs, lockfile, packed);
  const zips = new Map(Object.keys(functions).map((id, index) => [id, packed[index]?.name ?? '']));
  const template = settled(await oslsTemplate(root), zips, extraSections(root));
  const broken = [...aboveBudget(packed, budgetKilobytes), ...complaints(template)];
  if (broken.length > 0) throw new Error(broken.join('\n'));
  return {
    directory: relative(root, out),
    functions: packed,
    template: write('template.json', template),
    sbom: { ...write('sbom.json', list), packages: list.components.length },
  };
}

/** The zip stands in `dist`, where serverless.yml has it, and under the name of its content where it is uploaded from. */
function pack(name: string): Packed {
  const bundle = `dist/${name}.cjs`;
  const files = { [bundle]: bundle, [`${bundle}.LEGAL.txt`]: `${bundle}.LEGAL.txt`, LICENSE: 'LICENSE' };
  const contents = Object.entries(files).map(([path, file]) => [path, readFileSync(join(root, file))] as const);
  const bytes = zip(Object.fromEntries(contents));
  const sha256 = hash(bytes);
  const file = `${name}-${sha256.slice(0, 16)}.zip`;
  writeFileSync(join(root, 'dist', `${name}.zip`), bytes);
  writeFileSync(join(out, 'code', file), bytes);
  const unpackedBytes = contents.reduce((sum, [, content]) => sum + content.length, 0);
  return { function: name, name: file, sha256, bytes: bytes.length, unpackedBytes };
}

function write(name: string, content: object) {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  writeFileSync(join(out, name), text);
  return { name, bytes: statSync(join(out, name)).size, sha256: hash(text) };
}

const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
const kilobytes = (bytes: number): number => Math.ceil(bytes / 1000);

/** A line for each zip that is larger than it may be. */
export const aboveBudget = (packed: readonly Pick<Packed, 'name' | 'bytes'>[], budget: number): readonly string[] =>
  packed
    .filter(({ bytes }) => kilobytes(bytes) > budget)
    .map(
      ({ name, bytes }) =>
        `${name} has ${kilobytes(bytes)} kB, its budget is ${budget}: find what made it grow, or raise the budget in infra/package.ts`,
    );

const text = ({ directory, functions: packed, template, sbom: list }: Summary): string => `Packaged into ${directory}:
${packed
  .map(
    ({ name, bytes, unpackedBytes }) =>
      `  code/${name}   ${kilobytes(bytes)} kB of at most ${budgetKilobytes}, unpacked ${kilobytes(unpackedBytes)}`,
  )
  .join('\n')}
  ${template.name}   CloudFormation template, sha256 ${template.sha256.slice(0, 16)}…
  ${list.name}   ${list.packages} packages are inside
To deploy it: README, "Install on EKS + MSK".
`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { output: { type: 'string', short: 'o', default: 'text' } } });
  if (!['text', 'json'].includes(values.output)) throw new Error(`-o is "${values.output}": it has to be text or json`);
  const summary = await packageForAws();
  process.stdout.write(values.output === 'json' ? `${JSON.stringify(summary, null, 2)}\n` : text(summary));
}

if (import.meta.main)
  await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`package: ${error.message}\n`);
    process.exitCode = 1;
  });
