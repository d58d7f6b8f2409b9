import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openSave } from '../../functions/commands/dlq-save.ts';

const folder = mkdtempSync(join(tmpdir(), 'dlq-save-'));
after(() => rmSync(folder, { recursive: true }));

const message = (id: string) => ({
  id,
  body: 'x'.repeat(900),
  group: 'g',
  deduplicationId: id,
  since: '',
  receives: 1,
  receiptHandle: '',
});

/** What became of saving two messages, then ten more, each of about 1 kB, where a file has no room for more than 4 kB. */
function saveOnFullDisk(file: string): readonly string[] {
  const from = (...path: string[]) => JSON.stringify(join(import.meta.dirname, ...path));
  const module = `
    import { openSave } from ${from('..', '..', 'functions', 'commands', 'dlq-save.ts')};
    const save = openSave(${JSON.stringify(file)}, 'reconcile', new Date());
    for (const count of [2, 10])
      try {
        save.write(Array(count).fill(${JSON.stringify(message('m'))}));
        console.log('saved');
      } catch (error) {
        console.log(error.message);
      }`;
  const limited = 'ulimit -f 4 && exec "$0" --input-type=module -e "$1"';
  const { stdout, stderr, status } = spawnSync('bash', ['-c', limited, process.execPath, module], { encoding: 'utf8' });
  assert.deepEqual([stderr, status], ['', 0]);
  return stdout.trimEnd().split('\n');
}

describe('the file of what is dropped', () => {
  test('K157: a write that the disk takes only in part is a failure: write(2) does not call it one', () => {
    const file = join(folder, 'short.jsonl');
    assert.deepEqual(saveOnFullDisk(file), ['saved', `cannot write ${file}: EFBIG`]);
    assert.equal(readFileSync(file, 'utf8').length, 4_096);
  });

  test('after a write that failed no other one succeeds: it could stand behind half a line', () => {
    const file = join(folder, 'there.jsonl');
    writeFileSync(file, 'mine');
    const save = openSave(file, 'reconcile', new Date());
    const problem = /it is there already: --save names another one/;
    assert.throws(() => save.write([message('first')]), problem);
    rmSync(file);
    assert.throws(() => save.write([message('second')]), problem);
  });
});
