/**
 * What this repository allows itself to depend on: `node infra/dependencies.ts` checks it offline, from the files that are
 * there. With `--audit` the registry is asked for known vulnerabilities and for its signatures too, where it can be reached.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Versions = Readonly<Record<string, string>>;
export type PackageFile = {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
};

/** An entry of package-lock.json. `dev`: nothing that ships needs it. @see https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export type Locked = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
};
export type Lockfile = { readonly lockfileVersion: number; readonly packages: Readonly<Record<string, Locked>> };

/** Licences that let anybody use and pass on what is under them. */
const licences = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
];
/** Besides, for what is not shipped. */
const licencesOfTools = [...licences, 'CC-BY-4.0', 'Python-2.0'];

/** Packages that may bring a script which npm would run: none is, installations are made with `--ignore-scripts`. */
const withScript: Readonly<Record<string, string>> = {
  'node_modules/es5-ext': 'prints a message',
  'node_modules/esbuild': 'puts its program in place of a wrapper, which is only faster',
};

/**
 * What is not as it has to be, a line each.
 *
 * @param design text of functions/DESIGN.md, whose table has a row for each runtime dependency
 */
export function problemsIn(manifest: PackageFile, lockfile: Lockfile, design: string): readonly string[] {
  const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '');
  return [
    ...(lockfile.lockfileVersion === 3 ? [] : [`package-lock.json has version ${lockfile.lockfileVersion}, not 3`]),
    ...unpinned(manifest),
    ...packages.flatMap(([path, locked]) => [...untraceable(path, locked), ...unexpected(path, locked)]),
    ...unexplained(manifest, design),
  ];
}

const unpinned = ({ dependencies, devDependencies, optionalDependencies }: PackageFile): string[] =>
  Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json has ${name} as "${version}": name one exact version`);

/** Whatever it was fetched from, its bytes are those that were looked at. Addresses would name somebody's mirror. */
function untraceable(path: string, { version = '', integrity = '', resolved, link }: Locked): string[] {
  if (link) return [`${path} is a link: it has to come from the registry`];
  return [
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity) ? [] : [`${path} has no sha512 integrity in package-lock.json`]),
    ...(/^\d+\.\d+\.\d+/.test(version)
      ? []
      : [`${path} has the version "${version}": it has to come from the registry`]),
    ...(resolved === undefined
      ? []
      : [`${path} has an address in package-lock.json: install with the .npmrc of this repository`]),
  ];
}

function unexpected(path: string, { license, dev = false, hasInstallScript = false }: Locked): string[] {
  const allowed = dev ? licencesOfTools : licences;
  const choices = (license ?? '').replace(/^\((.*)\)$/, '$1').split(' OR ');
  return [
    ...(choices.some((choice) => allowed.includes(choice))
      ? []
      : [`${path} has licence ${license ?? 'unknown'}: look at it, and list it in infra/dependencies.ts`]),
    ...(hasInstallScript && (!dev || !(path in withScript))
      ? [`${path} brings a script that runs when it is installed`]
      : []),
  ];
}

/** The table in DESIGN.md says why each is there. */
function unexplained({ dependencies = {} }: PackageFile, design: string): string[] {
  const [, section = ''] = design.split('\n## Runtime dependencies\n');
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
  const names = Object.keys(dependencies);
  return [
    ...names
      .filter((name) => !rows.includes(name))
      .map((name) => `functions/DESIGN.md does not say why ${name} is needed`),
    ...rows
      .filter((name) => !names.includes(name))
      .map((name) => `functions/DESIGN.md lists ${name}, which is no dependency`),
  ];
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Of packages that are installed: their own word for their licence, beside the lockfile's. */
function misnamed({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { license }]) => {
    const file = join(path, 'package.json');
    if (path === '' || !existsSync(join(root, file))) return [];
    const own = (JSON.parse(read(file)) as { license?: string }).license;
    return own === undefined || own === license
      ? []
      : [`${path} calls its licence ${own}, package-lock.json ${license}`];
  });
}

/** Whether the registry's answer is bad news; `undefined` where it cannot be had. */
type Verdict = { readonly what: string; readonly bad: string | undefined } | undefined;

const patienceMs = 20_000;

/** @see https://docs.npmjs.com/cli/commands/npm-audit */
async function npmAudit(...args: readonly string[]): Promise<string> {
  const options = { cwd: root, timeout: patienceMs, maxBuffer: 64 << 20 };
  return promisify(execFile)('npm', ['audit', '--json', ...args], options).then(
    ({ stdout }) => stdout,
    ({ stdout = '' }: { stdout?: string }) => stdout,
  );
}

/** @param json of `npm audit --omit=dev --json` */
export function vulnerabilitiesIn(json: string): Verdict {
  const { vulnerabilities } = parsed(json) as { vulnerabilities?: Readonly<Record<string, { severity: string }>> };
  if (vulnerabilities === undefined) return undefined;
  const found = Object.entries(vulnerabilities).map(([name, { severity }]) => `${name} (${severity})`);
  return { what: 'no known vulnerability in a runtime dependency', bad: found.join(', ') || undefined };
}

/** @param json of `npm audit signatures --json` */
export function signaturesIn(json: string): Verdict {
  const { invalid, missing } = parsed(json) as {
    invalid?: readonly { name: string }[];
    missing?: readonly { name: string }[];
  };
  if (invalid === undefined || missing === undefined) return undefined;
  const bad = [...invalid, ...missing].map(({ name }) => name).join(', ');
  return { what: 'every installed package has a valid signature of the registry', bad: bad || undefined };
}

function parsed(json: string): object {
  try {
    return JSON.parse(json) ?? {};
  } catch {
    return {};
  }
}

async function audit(): Promise<readonly string[]> {
  const [known, signed] = await Promise.all([npmAudit('--omit=dev'), npmAudit('signatures')]);
  const verdicts = { vulnerabilities: vulnerabilitiesIn(known), signatures: signaturesIn(signed) };
  return Object.entries(verdicts).flatMap(([name, verdict]) => {
    if (verdict === undefined) console.error(`audit: ${name} not checked: the registry does not answer that here`);
    else if (verdict.bad === undefined) console.error(`audit: ${verdict.what}`);
    else return [`audit: ${name}: ${verdict.bad}`];
    return [];
  });
}

async function main(): Promise<void> {
  const lockfile = JSON.parse(read('package-lock.json')) as Lockfile;
  const problems = [
    ...problemsIn(JSON.parse(read('package.json')), lockfile, read('functions/DESIGN.md')),
    ...misnamed(lockfile),
    ...(process.argv.includes('--audit') ? await audit() : []),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
