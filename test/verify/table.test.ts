import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Row } from '../conformance.ts';
import type { Result } from '../results.ts';
import { complaints, missingRows, render, verdicts } from './table.ts';

const ran = (name: string, passed = true): Result => ({ file: 'test/e2e/creation.ts', name, passed });
const judged = (rows: Readonly<Record<string, Row>>, tests: readonly Result[], file = 'test/e2e/system.test.ts') =>
  verdicts(rows, { [file]: tests });
const results = (...judgement: Parameters<typeof judged>) =>
  judged(...judgement).map(({ id, result }) => `${id} ${result}`);

describe('verdicts', () => {
  const rows = { K002: 'the second', K001: 'the first' };

  test('a row has passed when all tests have that begin with its id', () => {
    assert.deepEqual(results(rows, [ran('K001: one'), ran('K001, K002: both')]), ['K001 passed', 'K002 passed']);
  });
  test('one test that fails is enough to fail its rows', () => {
    const tests = [ran('K001: one'), ran('K001, K002: both', false)];
    assert.deepEqual(results(rows, tests), ['K001 failed', 'K002 failed']);
    assert.deepEqual(complaints(judged(rows, tests)), [
      'K001 fails: K001, K002: both (test/e2e/creation.ts)',
      'K002 fails: K001, K002: both (test/e2e/creation.ts)',
    ]);
  });
  test('a row that no name begins with has no test, and is complained of', () => {
    const tests = [ran('K001: one'), ran('as K002 has it'), ran('K0022: another row')];
    assert.deepEqual(results(rows, tests), ['K001 passed', 'K002 no test']);
    assert.deepEqual(complaints(judged(rows, tests)), ['K002 has no test: the second']);
  });
  test('a test on simulated parts shows nothing', () => {
    assert.deepEqual(results({ K001: 'the first' }, [ran('K001: one')], 'test/core/plan.test.ts'), ['K001 no test']);
  });
  test('a row for later needs no test, and passes when it has one', () => {
    const later = { K001: { what: 'the first', later: 'not built' } };
    assert.deepEqual(results(later, []), ['K001 later']);
    assert.deepEqual(complaints(judged(later, [])), []);
    assert.deepEqual(results(later, [ran('K001: one')]), ['K001 passed']);
  });
});

test('rows of the list that nobody has taken over are named', () => {
  const list = '| id | given |\n|---|---|\n| K001 | a |\n| K002 | b; as K009 |\n';
  assert.deepEqual(missingRows({ K001: 'the first' }, list), ['K002 is not in test/conformance.ts']);
});

test('the table says what, by which test, and why a row is changed; in the same order whatever ran first', () => {
  const rows = { K001: { what: 'a | b', changed: 'in half' }, K002: { what: 'the second', later: 'not built' } };
  const tests = [ran('K001: z'), ran('K001: y')];
  const text = render(judged(rows, tests));
  assert.equal(render(judged(rows, tests.toReversed())), text);
  const lines = text.split('\n').filter((line) => line.startsWith('| K'));
  assert.deepEqual(lines, [
    '| K001 | a \\| b (changed: in half) | y ([creation.ts](e2e/creation.ts))<br>z ([creation.ts](e2e/creation.ts)) | passed |',
    '| K002 | the second | not built | later |',
  ]);
  assert.match(text, /^Rows: 1 passed, 0 failed, 0 without a test, 1 for later\.$/m);
});
