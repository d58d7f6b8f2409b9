#!/usr/bin/env node
// The command line. `npm run build` and `npm start` make the bundle that starts fast; without it, or on an older Node.js
// than the bundle is for, the sources run: slower, after installing what package-lock.json names.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR = 24;
const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)));
const bundle = join(root, 'dist', 'cli.cjs');

if (existsSync(bundle) && Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) {
  nodeModule.enableCompileCache();
  await import(pathToFileURL(bundle).href);
} else {
  const main = existsSync(bundle) ? bundle : join(root, 'functions', 'cli.ts');
  const args = [join(root, 'infra', 'local', 'bootstrap.mjs'), main, ...process.argv.slice(2)];
  // the terminal sends Ctrl-C to all of them: the last one decides what it means
  process.on('SIGINT', () => {});
  spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
