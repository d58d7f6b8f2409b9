/**
 * `npm run verify`: makes test/CONFORMANCE.md from the rows and from what the tests of the last run came to. Ends with 1
 * when a row has no passing test, or when the table was not what the results say; it is rewritten then.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rows } from './conformance.ts';
import { readResults } from './results.ts';
import { complaints, missingRows, render, verdicts } from './verify/table.ts';

const table = join(import.meta.dirname, 'CONFORMANCE.md');
/** The list that the rows were made from; it is not part of a clone. */
const list = join(import.meta.dirname, '..', '..', 'shared', 'conformance.md');

function verify(): readonly string[] {
  const results = readResults();
  if (results === undefined) return ['there are no test results yet: run npm test -- --all first'];
  const found = verdicts(rows, results);
  const text = render(found);
  const before = existsSync(table) ? readFileSync(table, 'utf8') : undefined;
  if (before !== text) writeFileSync(table, text);
  const missing = existsSync(list) ? missingRows(rows, readFileSync(list, 'utf8')) : [];
  const stale = before === text ? [] : ['test/CONFORMANCE.md was not what the results say: it is now, commit it'];
  return [...missing, ...complaints(found), ...stale];
}

const lines = verify();
for (const line of lines) process.stderr.write(`${line}\n`);
process.exitCode = lines.length > 0 ? 1 : 0;
