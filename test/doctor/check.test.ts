import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Check, type Finding, failed, notChecked, ok, runChecks, warning } from '../../functions/doctor/check.ts';

const check = (name: string, run: Check['run'], needs: readonly string[] = []): Check => ({
  area: 'area',
  name,
  needs,
  run,
  mend: `mend ${name}`,
});
const gives = (finding: Finding) => async () => finding;
const never = () => new Promise<never>(() => {});
const runAll = (checks: readonly Check[], withinMs = 10_000, signal = new AbortController().signal) =>
  runChecks(checks, withinMs, signal);

describe('a list of checks', () => {
  test('is answered in its own order, whoever is done first', async () => {
    const slow = Promise.withResolvers<Finding>();
    const running = runAll([
      check('a', () => slow.promise),
      check('b', async () => {
        slow.resolve(ok('a is well'));
        return ok('b is well');
      }),
    ]);
    assert.deepEqual(await running, [
      { area: 'area', name: 'a', ...ok('a is well') },
      { area: 'area', name: 'b', ...ok('b is well') },
    ]);
  });

  for (const [finding, runs] of [
    [ok('well'), true],
    [warning('so so', 'do it'), true],
    [failed('broken', 'do it'), false],
    [notChecked('unseen', 'do it'), false],
  ] as const)
    test(`what needs another one is ${runs ? '' : 'not '}looked at when that is ${finding.verdict}`, async () => {
      let ran = false;
      const second = check('second', async () => {
        ran = true;
        return ok('well');
      }, ['first']);
      const [, found] = await runAll([check('first', gives(finding)), second]);
      assert.equal(ran, runs);
      assert.equal(found?.verdict, runs ? 'ok' : 'notChecked');
      if (!runs) assert.deepEqual([found?.says, found?.mend], ['needs: first', 'mend "first" first']);
    });

  test('one that throws has failed with that message, and the others go on', async () => {
    const broken = check('broken', async () => {
      throw new Error('it is broken');
    });
    const [first, second] = await runAll([broken, check('well', gives(ok('well')))]);
    assert.deepEqual(first, { area: 'area', name: 'broken', ...failed('it is broken', 'mend broken') });
    assert.equal(second?.verdict, 'ok');
  });

  test('one that never answers has failed when its time is up', async () => {
    const [first] = await runAll([check('silent', never)], 10);
    assert.deepEqual(first, { area: 'area', name: 'silent', ...failed('no answer within 0.01 s', 'mend silent') });
  });

  test('the time that a check may take is told to it', async () => {
    const waits = check('waits', (signal) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(new Error('told')));
      return promise;
    });
    const [first] = await runAll([waits], 10);
    assert.equal(first?.verdict, 'failed');
  });

  test('an interruption ends all of them', async () => {
    const [first, second] = await runAll(
      [check('silent', never), check('other', never)],
      10_000,
      AbortSignal.abort(new Error('interrupted')),
    );
    assert.deepEqual([first?.says, second?.says], ['interrupted', 'interrupted']);
  });
});
