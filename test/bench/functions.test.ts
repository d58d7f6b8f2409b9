import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emfMeter } from '../../functions/adapters/emf.ts';
import { RunnerMark, usedIn } from './functions.ts';

const invocation = (name: string, ms: number, coldStart = false) =>
  JSON.stringify({ event: 'invocation', function: name, ms, coldStart });

test('invocations are summed up by function, only those after the mark', () => {
  const dir = mkdtempSync(join(tmpdir(), 'runner-log-'));
  try {
    const log = join(dir, 'runner.log');
    writeFileSync(log, `${invocation('reconcile', 1000)}\n`);
    const mark = new RunnerMark(log);
    appendFileSync(log, `runner: ready\n${invocation('reconcile', 30, true)}\n${invocation('reconcile', 12)}\n`);
    appendFileSync(log, `${invocation('resync', 7)}\n`);
    assert.deepEqual(mark.used().functions, {
      reconcile: { invocations: 2, ms: 42, coldStarts: 1 },
      resync: { invocations: 1, ms: 7, coldStarts: 0 },
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a figure counts once for each set of dimensions, however often it is written', () => {
  const lines: string[] = [];
  const meter = emfMeter({ write: (line) => void lines.push(line.trimEnd()) });
  for (const outcome of ['Synced', 'Synced', 'Failed'] as const) {
    meter.add('Passes', { Trigger: 'change', Outcome: outcome });
    meter.flush();
  }
  const { series, logBytes } = usedIn([...lines, invocation('reconcile', 1)]);
  assert.deepEqual(series, ['Passes Trigger=change Outcome=Failed', 'Passes Trigger=change Outcome=Synced']);
  assert.equal(logBytes, lines.join('\n').length + 1);
});
