import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TopicStatus } from '../../../functions/core/resource.ts';
import { status as statusSchema } from '../../../functions/core/schema/kafkatopic.ts';
import { reasons } from '../../../functions/core/schema/reasons.ts';
import type { KafkaTopicStatus } from '../../../functions/core/schema/types.generated.ts';
import { validate } from '../../../functions/core/schema/validate.ts';

const generate = fileURLToPath(new URL('../../../infra/generate.ts', import.meta.url));

test('the generated files are what the schema says', () =>
  promisify(execFile)(process.execPath, [generate, '--check']).then(({ stderr }) => assert.equal(stderr, '')));

const written: TopicStatus = {
  observedGeneration: 1,
  conditions: [
    { type: 'Ready', status: 'False', reason: 'Synced', message: 'm', lastTransitionTime: 't', observedGeneration: 1 },
  ],
  topicName: 'orders',
  numPartitions: 3,
  replicationFactor: 1,
  config: { a: '1' },
  drift: [{ field: 'a', desired: '1', observed: '2', since: 't' }],
  lastHandledReconcileAt: 'x',
};

test('a status as we write it fits the schema, by its type and by its values', () => {
  const stored: KafkaTopicStatus = written;
  assert.equal(validate(statusSchema, stored, 'status'), undefined);
});

test('every reason is one that the schema allows in a condition', () => {
  for (const reason of Object.keys(reasons)) {
    const conditions = [{ ...written.conditions[0], reason }];
    assert.equal(validate(statusSchema, { ...written, conditions }, 'status'), undefined);
  }
});
