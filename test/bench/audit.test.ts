import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuditMark } from './audit.ts';

const line = (username: string, verb: string, subresource?: string, stage = 'ResponseComplete') =>
  `${JSON.stringify({ stage, verb, user: { username }, objectRef: { resource: 'kafkatopics', subresource } })}\n`;

test("the product's requests after the mark are counted by user, verb and resource, across a rotation", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'audit-'));
  try {
    const log = join(dir, 'audit.log');
    writeFileSync(log, line('topicsmith-reconciler', 'get'));
    const mark = new AuditMark(log);
    appendFileSync(log, line('topicsmith-reconciler', 'patch', 'status') + line('topicsmith-admin', 'create'));
    appendFileSync(log, line('topicsmith-forwarder', 'watch') + line('topicsmith-forwarder', 'list'));
    renameSync(log, join(dir, 'audit-2.log'));
    writeFileSync(log, line('topicsmith-reconciler', 'patch', 'status'));
    assert.deepEqual(await mark.requestsSince(), {
      'topicsmith-reconciler': { 'patch kafkatopics/status': 2 },
      'topicsmith-forwarder': { 'list kafkatopics': 1 },
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
