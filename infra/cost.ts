/**
 * Takes over what a benchmark counted, as the base of the README's cost table:
 * `npm run bench -- --count 1000 --json > report.json`, then `node infra/cost.ts report.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Report } from '../test/bench/measure.ts';
import type { Cost } from '../test/bench/phases.ts';
import type { Measured, Work } from './cost/bill.ts';

const target = fileURLToPath(new URL('./cost/measured.json', import.meta.url));

/** Deletions of messages and looks at them are billed too; polls that brought nothing are counted elsewhere. */
const billed = ['SendMessage', 'SendMessageBatch', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'];

/** @throws Error when the benchmark left out a phase that the table needs */
export function measuredIn(report: Report, date: string): Measured {
  const { idle, resync, requests = {}, fleet, count, singles } = report;
  if (!idle || !resync || !fleet.create || !requests.idle || !requests.create || !requests.resync)
    throw new Error('the report lacks a phase: run the benchmark without --phases');
  const everything = [idle, resync, ...Object.values(fleet)];
  return {
    date,
    objects: count,
    edit: shared(work(idle, requests.idle), 3 * singles),
    edits: work(fleet.create, requests.create),
    tick: work(resync, requests.resync),
    series: {
      tick: resync.used.series.length,
      all: new Set(everything.flatMap(({ used }) => used.series)).size,
    },
  };
}

type Counted = NonNullable<NonNullable<Report['requests']>['create']>;

function work({ requests, used }: Cost, counted: Counted): Work {
  const functions = Object.values(used.functions);
  const invocations = sum(functions.map((use) => use.invocations));
  return {
    apiServer: sum(Object.values(requests).flatMap((byVerb) => Object.values(byVerb))),
    kafka: sum(Object.values(counted.kafka)),
    // each invocation is one poll that brought something
    sqs: sum(billed.map((action) => counted.sqs[action] ?? 0)) + invocations,
    invocations,
    ms: sum(functions.map((use) => use.ms)),
    logBytes: used.logBytes,
  };
}

const shared = (whole: Work, parts: number): Work =>
  Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, round(value / parts)])) as Work;

const round = (value: number): number => Math.round(100 * value) / 100;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function main(file: string | undefined): void {
  if (file === undefined) throw new Error('usage: node infra/cost.ts REPORT, the output of npm run bench -- --json');
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(target, `${JSON.stringify(measuredIn(report, today), null, 2)}\n`);
  console.log(`${target} is written; npm run generate brings it into the README`);
}

if (import.meta.main) {
  try {
    main(argv[2]);
  } catch (error) {
    console.error(`cost: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
