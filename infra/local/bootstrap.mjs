/**
 * `node bootstrap.mjs FILE.ts ARGUMENT...` runs a file of this repository right after `git clone`, with any Node from 20
 * on: installs the packages of the lockfile where that has not been done, then runs the file with the Node 24 among them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

/** Exit code, or the signal that ended the child, as a shell reports it. */
const signalNumbers = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15, SIGHUP: 1 };

/** npm writes what it has installed into a lockfile of its own, at the end: an interrupted installation has none. */
function isInstalled() {
  const installedFile = join(modules, '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const installed = packages(installedFile);
  return Object.entries(packages(join(root, 'package-lock.json'))).every(([path, { optional, version, integrity }]) => {
    const found = installed[path];
    if (path === '') return true; // this package itself
    if (found === undefined) return optional === true; // for another platform
    return found.version === version && found.integrity === integrity;
  });
}

function install() {
  if (isInstalled()) return;
  console.error('packages: installing those of package-lock.json (once)');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) fail('npm is missing ("npm" was not found): install Node.js with npm');
  if (status !== 0) fail('npm ci failed: see above');
  console.error('packages: done');
}

function nodeToUse() {
  const own = Number(process.versions.node.split('.')[0]);
  const installed = join(modules, '.bin', 'node');
  if (existsSync(installed)) return installed;
  if (own >= NODE_MAJOR) return process.execPath;
  return fail(
    `Node.js ${process.versions.node} is too old and no newer one comes with the packages here: install Node.js ${NODE_MAJOR}`,
  );
}

function run(node, [file, ...args]) {
  // kafkajs 2.2.4 sets timers in the past, which Node 24 warns of once per process.
  const child = spawn(node, ['--disable-warning=TimeoutNegativeWarning', resolve(file), ...args], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes; the child decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signalNumbers[signal] ?? 0)));
}

function fail(line) {
  console.error(line);
  process.exit(1);
}

install();
run(nodeToUse(), process.argv.slice(2));
