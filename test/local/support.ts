/** Small real processes and directories for the tests of the local system. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Part, type PartSpec, type Place } from '../../infra/local/part.ts';
import { identify } from '../../infra/local/process.ts';

/** An empty directory, until it is removed. */
export function temporary(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'topicsmith-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** An empty directory that goes away with the test. */
export function directory(t: TestContext): string {
  const { path, remove } = temporary();
  t.after(remove);
  return path;
}

/** A part that runs a script and serves as soon as it has printed `serving`. It is ended after the test. */
export function part(t: TestContext, script: string, spec: Partial<PartSpec> = {}, place: Partial<Place> = {}): Part {
  const dir = place.dir ?? directory(t);
  const made = new Part(
    {
      name: 'worker',
      command: process.execPath,
      args: ['--eval', script],
      log: join(dir, 'logs', 'worker.log'),
      ready: async (output) => output().includes('serving'),
      graceMs: 5_000,
      ...spec,
    },
    { dir, ...place },
  );
  t.after(() => made.kill());
  return made;
}

export const serve = `console.log('serving'); setInterval(() => {}, 1000);`;

export const isAlive = (pid: number) => identify(pid) !== undefined;

/** The number that a script printed behind `child:`. */
export const printedPid = (log: string) => Number(/child:(\d+)/.exec(readFileSync(log, 'utf8'))?.[1]);
