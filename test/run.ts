/**
 * `npm test [-- --all | FILES… --test-name-pattern=PATTERN]`: brings up the parts that tests talk to, runs the test files,
 * ends what it started. Files named `.long.test.ts` make one wait for minutes: they run with `--all`, as CI does.
 *
 * A running system would answer for the objects of the contract suites, and a definition that changes under them would fail
 * them: so they have bare parts, and what changes the definition runs after them, alone. Then come the files that bring up a
 * system of their own, one after another; without `--all` the longest of them run beside all that, since they wait more than
 * they work.
 */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { buildChanged } from '../infra/build.ts';
import { startSystem } from '../infra/local/system.ts';
import { type Asked, askedIn, complaints, logsIn, renderAsked, unseen } from './audit.ts';
import { inRepository, type Result, writeResults } from './results.ts';

const wholeSystem = /^test\/(e2e|crash|local)\/|^test\/contract\/replication\.kafka\./;
const longest = /^test\/(e2e|crash)\//;
const changesDefinition = /^test\/crds\//;

type Counts = { passed: number; failed: number };

const results: Record<string, Result[]> = {};
let audit: readonly Asked[] = [];

/** How long each test file took. */
const seconds = new Map<string, number>();
const slowest = 10;

/** Suites pass or fail with their tests, and a file that could not be run has no test of that name. */
function note(passed: boolean, event: TestEvent): void {
  const { name, file, entryFile = file, details } = event;
  if (file === undefined || details.type === 'suite') return;
  results[inRepository(entryFile ?? file)]?.push({ file: inRepository(file), name, passed });
}

/** What `node:test` says of a test; `file` is where it is written, `entryFile` who ran it. */
type TestEvent = {
  readonly name: string;
  readonly file?: string;
  readonly entryFile?: string;
  readonly details: { readonly type?: string };
};

/** @param concurrency test files at a time, each in a process of its own */
async function runFiles(
  files: readonly string[],
  concurrency: number,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const counts = { passed: 0, failed: 0 };
  for (const file of files) results[inRepository(resolve(file))] = [];
  const stream = run({
    files: files.map((file) => resolve(file)),
    concurrency,
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    testNamePatterns: patterns,
    env,
  });
  stream.on('test:pass', (event: TestEvent) => note(true, event));
  stream.on('test:fail', (event: TestEvent) => note(false, event));
  stream.on('test:summary', ({ file, counts: { passed, tests }, duration_ms }) => {
    // One summary per file, and one without a file for all of them.
    if (file !== undefined) {
      seconds.set(inRepository(file), duration_ms / 1000);
      return;
    }
    counts.passed += passed;
    counts.failed += tests - passed;
  });
  const printed = stream.compose(new spec());
  printed.on('data', (text: unknown) => print(String(text)));
  const { promise, resolve: ended, reject } = Promise.withResolvers<void>();
  printed.on('end', ended).on('error', reject);
  await promise;
  return counts;
}

/** @param work gets the environment that leads to the parts */
async function withParts<T>(work: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'topicsmith-test-'));
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const system = await startSystem({ dir, parts: ['apiserver', 'kafka', 'elasticmq'], progress });
  try {
    return await work({ ...process.env, ...system.exports });
  } finally {
    await system.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Every API server that a test starts, in whatever process, writes its audit log there. */
async function audited<T>(work: () => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'topicsmith-audit-'));
  process.env.TOPICSMITH_AUDIT_DIR = dir;
  try {
    const done = await work();
    audit = await askedIn(logsIn(dir));
    return done;
  } finally {
    delete process.env.TOPICSMITH_AUDIT_DIR;
    rmSync(dir, { recursive: true, force: true });
  }
}

const secondsOf = ([file, took]: readonly [string, number]) => `${took.toFixed(1).padStart(7)} s  ${file}\n`;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { 'test-name-pattern': { type: 'string', multiple: true }, all: { type: 'boolean', default: false } },
});
const patterns = values['test-name-pattern'] ?? [];
const found = () => globSync('test/**/*.test.ts').filter((file) => values.all || !/\.long\.test\.ts$/.test(file));
const files = (wanted.length > 0 ? wanted : found()).toSorted();
const whole = files.filter((file) => wholeSystem.test(file));
const definition = files.filter((file) => changesDefinition.test(file));
const rest = files.filter((file) => !wholeSystem.test(file) && !changesDefinition.test(file));

// hundreds of processes load the same modules: types are stripped and code is compiled by the first
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', 'node_modules', '.cache', 'compile');
await buildChanged();
const total = { passed: 0, failed: 0 };

const print = (text: string) => void process.stdout.write(text);

async function onBareParts(): Promise<readonly Counts[]> {
  if (rest.length + definition.length === 0) return [];
  return withParts(async (env) => [await runFiles(rest, 2, env, print), await runFiles(definition, 1, env, print)]);
}

const alone = (files: readonly string[], say = print) => runFiles(files, 1, process.env, say);

/** What the second of two says is kept until the first has said all. Neither is left behind when the other cannot start. */
async function atOnce(): Promise<readonly Counts[]> {
  const kept: string[] = [];
  let say = (text: string) => void kept.push(text);
  const isLong = (file: string) => longest.test(file);
  const first = async () => [...(await onBareParts()), await alone(whole.filter((file) => !isLong(file)))];
  const second = async () => [await alone(whole.filter(isLong), (text) => say(text))];
  const sayAll = () => {
    say = print;
    for (const text of kept) print(text);
  };
  const ended = await Promise.allSettled([first().finally(sayAll), second()]);
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
  return ended.flatMap((lane) => (lane.status === 'fulfilled' ? lane.value : []));
}

const oneAfterAnother = async () => [...(await onBareParts()), await alone(whole)];

const stages = await audited(values.all ? oneAfterAnother : atOnce);
for (const { passed, failed } of stages) {
  total.passed += passed;
  total.failed += failed;
}
// a part of a file is not what the file came to
if (patterns.length === 0) writeResults(results, values.all && wanted.length === 0);
if (audit.length > 0) process.stdout.write(`\n${renderAsked(audit)}\n`);
const forbidden = [...complaints(audit), ...(wanted.length === 0 ? unseen(audit) : [])];
for (const line of forbidden) process.stdout.write(`${line}\n`);
const slow = [...seconds].toSorted(([, a], [, b]) => b - a).slice(0, slowest);
if (slow.length > 1) process.stdout.write(`\nslowest files\n${slow.map(secondsOf).join('')}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 || total.passed === 0 || forbidden.length > 0 ? 1 : 0;
