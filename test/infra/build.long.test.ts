import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { buildChanged, dist } from '../../infra/build.ts';

const bundle = join(dist, 'cli.cjs');
const record = join(dist, 'built.json');
const writtenAt = () => statSync(bundle).mtimeMs;

describe('bundles', () => {
  test('that were made of the same sources stay as they are', async () => {
    await buildChanged();
    const before = writtenAt();
    await buildChanged();
    assert.equal(writtenAt(), before);
  });

  test('that were made of others are made anew, with the same bytes from the same sources', async () => {
    await buildChanged();
    const [before, bytes] = [writtenAt(), readFileSync(bundle)];
    const built = JSON.parse(readFileSync(record, 'utf8'));
    assert.ok(built.files.includes('functions/cli.ts') && built.files.includes('package-lock.json'));
    writeFileSync(record, JSON.stringify({ ...built, state: 'of other sources' }));
    await buildChanged();
    assert.notEqual(writtenAt(), before);
    assert.ok(readFileSync(bundle).equals(bytes));
    assert.equal(JSON.parse(readFileSync(record, 'utf8')).state, built.state);
  });

  for (const damaged of ['', '{"files":', 'null', '{}'])
    test(`are made anew where their record is ${damaged || 'empty'}`, async () => {
      await buildChanged();
      const before = writtenAt();
      writeFileSync(record, damaged);
      await buildChanged();
      assert.notEqual(writtenAt(), before);
      assert.ok(JSON.parse(readFileSync(record, 'utf8')).files.includes('functions/cli.ts'));
    });
});
