import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measuredIn } from '../../infra/cost.ts';
import type { Report } from '../bench/measure.ts';

const used = (invocations: number, ms: number, series: readonly string[]) => ({
  functions: { reconcile: { invocations, ms, coldStarts: 0 } },
  logBytes: 60,
  series,
});
const counted = {
  kafka: { Metadata: 6, CreateTopics: 3 },
  sqs: { SendMessageBatch: 6, ReceiveMessage: 90, DeleteMessageBatch: 6 },
};
const requests = { 'topicsmith-reconciler': { 'get kafkatopics': 6, 'patch kafkatopics/status': 6 } };

/** The parts that are read. */
const report = {
  ...{ count: 2, singles: 2 },
  idle: { requests, used: used(6, 300, ['Passes Outcome=Synced']) },
  resync: { requests, used: used(2, 40, ['Ticks']) },
  fleet: { create: { requests, used: used(1, 90, ['Passes Outcome=Synced', 'Ticks']) } },
  requests: { idle: counted, create: counted, resync: counted },
} as unknown as Report;

test('one change is the share of all that were made one after another', () =>
  assert.deepEqual(measuredIn(report, '2026-01-01').edit, {
    ...{ apiServer: 2, kafka: 1.5, sqs: 3, invocations: 1, ms: 50, logBytes: 10 },
  }));

test('polls that brought nothing are not counted with the work', () =>
  assert.equal(measuredIn(report, '2026-01-01').edits.sqs, 6 + 6 + 1));

test('figures are counted once, and those of a tick apart', () =>
  assert.deepEqual(measuredIn(report, '2026-01-01').series, { tick: 1, all: 2 }));

test('a report without the counted run is refused', () =>
  assert.throws(() => measuredIn({ ...report, requests: {} }, '2026-01-01'), /run the benchmark without --phases/));
