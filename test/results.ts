/** What the last run of each test file came to, kept beside the other reports that Git ignores. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const file = join(root, 'reports', 'tests.json');

/** `file`: where the test is written; one file may be run by several test files. */
export type Result = { readonly file: string; readonly name: string; readonly passed: boolean };

/** By test file, as a path from the repository's root. */
export type Results = Readonly<Record<string, readonly Result[]>>;

/** @returns undefined before the first run */
export function readResults(): Results | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** @param replace forgets the results of all other files, too: after a run of everything */
export function writeResults(results: Results, replace: boolean): void {
  mkdirSync(dirname(file), { recursive: true });
  const all = replace ? results : { ...readResults(), ...results };
  writeFileSync(file, `${JSON.stringify(all, undefined, 1)}\n`);
}

/** The reporter's absolute path, as one that is the same on every machine. */
export const inRepository = (path: string): string => relative(root, path);
