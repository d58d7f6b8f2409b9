import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { golden } from '../support/golden.ts';
import { fleet } from './world.ts';

describe('topicsmith uninstall-check', () => {
  test('objects that keep their topics hold nobody up, exit 0', async () => {
    const { run } = await fleet();
    const { code, out } = await run('uninstall-check');
    assert.deepEqual([code, out], [0, 'Nothing waits for Topicsmith: it can be uninstalled.\n']);
  });

  test('objects that hold topics are named with the way out, exit 1', async () => {
    const { run, apply, pass } = await fleet();
    apply('ledger', { deletionPolicy: 'Delete' });
    await pass(['ledger']);
    const { code, out } = await run('uninstall-check');
    assert.equal(code, 1);
    golden('uninstall-check.txt', out);
  });

  test('of many the first ten are named, and how to see the others', async () => {
    const { run, apply, pass } = await fleet();
    const names = Array.from({ length: 12 }, (_, at) => `ledger-${at}`);
    for (const name of names) apply(name, { deletionPolicy: 'Delete' });
    await pass(names);
    assert.match((await run('uninstall-check')).out, /and 2 more: topicsmith uninstall-check -o name\n/);
    assert.equal((await run('uninstall-check', '-o', 'name')).out.match(/ledger-/g)?.length, 12);
  });
});
