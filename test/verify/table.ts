/** From rows and results to the table of what is shown by which test. Pure. */
import type { Row } from '../conformance.ts';
import type { Result, Results } from '../results.ts';

export type Verdict = {
  readonly id: string;
  readonly row: Exclude<Row, string>;
  /** the tests that name the row, in order of their files and names */
  readonly tests: readonly Result[];
  readonly result: 'passed' | 'failed' | 'no test' | 'later';
};

/** Only these run on a real API server, a real broker or real queues; a name in another file shows nothing. */
const real =
  /^test\/(e2e|crash|crds|local)\/|^test\/forwarder\/(process|outage)\.|^test\/commands\/process\.|\.(kafka|kube|sqs|real)(\.long)?\.test\.ts$/;
/** Ids at the beginning of a name, up to a colon: `K001, K047: config values …`. */
const idsOf = (name: string): readonly string[] => /^([A-Z]\d{3}(?:, [A-Z]\d{3})*):/.exec(name)?.[1]?.split(', ') ?? [];

/** @returns one verdict per row, in the order of their ids */
export function verdicts(rows: Readonly<Record<string, Row>>, results: Results): readonly Verdict[] {
  const tests = Object.entries(results).flatMap(([file, list]) => (real.test(file) ? list : []));
  const inOrder = tests.toSorted((a, b) => compare(a.file, b.file) || compare(a.name, b.name));
  return Object.keys(rows)
    .toSorted(compare)
    .map((id) => {
      const row = rows[id] as Row;
      const asObject = typeof row === 'string' ? { what: row } : row;
      const own = inOrder.filter(({ name }) => idsOf(name).includes(id));
      return { id, row: asObject, tests: own, result: resultOf(asObject, own) };
    });
}

function resultOf({ later }: Exclude<Row, string>, tests: readonly Result[]): Verdict['result'] {
  if (tests.some(({ passed }) => !passed)) return 'failed';
  if (tests.length > 0) return 'passed';
  return later === undefined ? 'no test' : 'later';
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One line for each row that is not shown. */
export function complaints(found: readonly Verdict[]): readonly string[] {
  return found.flatMap(({ id, row, tests, result }) => {
    if (result === 'no test') return [`${id} has no test: ${row.what}`];
    const failed = tests.filter(({ passed }) => !passed);
    return failed.map(({ file, name }) => `${id} fails: ${name} (${file})`);
  });
}

/** Rows of the list that nobody has taken over. @param list a text with one table row `| K001 | …` for each */
export function missingRows(rows: Readonly<Record<string, Row>>, list: string): readonly string[] {
  const wanted = [...list.matchAll(/^\| (K\d{3}) \|/gm)].map(([, id = '']) => id);
  return wanted.filter((id) => rows[id] === undefined).map((id) => `${id} is not in test/conformance.ts`);
}

/** The table as Markdown, the same for the same results. */
export function render(found: readonly Verdict[]): string {
  const count = (result: Verdict['result']) => found.filter((verdict) => verdict.result === result).length;
  return `# Conformance

What a KafkaTopic must do, and the tests that show it on a real API server and real brokers. \`npm run verify\` writes this
table from test/conformance.ts and the last results of \`npm test -- --all\`.

Rows: ${count('passed')} passed, ${count('failed')} failed, ${count('no test')} without a test, ${count('later')} for later.

| row | what | test | result |
|---|---|---|---|
${found.map(line).join('')}`;
}

function line({ id, row, tests, result }: Verdict): string {
  const what = row.changed === undefined ? row.what : `${row.what} (changed: ${row.changed})`;
  const shownBy = result === 'later' ? (row.later ?? '') : tests.map(link).join('<br>');
  return `| ${id} | ${cell(what)} | ${cell(shownBy)} | ${result} |\n`;
}

/** Without the ids, and by its path from this table. */
const link = ({ file, name }: Result): string =>
  `${name.replace(/^[^:]*: /, '')} ([${file.split('/').at(-1)}](${file.replace(/^test\//, '')}))`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
