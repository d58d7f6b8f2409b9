import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultApprovals } from '../../functions/core/installation.ts';
import { installationIn } from '../../functions/installation.ts';

test('an installation of which nothing is said takes any cluster, all objects, and the usual approvals', () => {
  const { clusterId, approvals, moveBytesPerSecond, selects } = installationIn({ APPROVAL_REQUIRED: '' });
  assert.deepEqual([clusterId, moveBytesPerSecond, selects(new Map())], [undefined, undefined, true]);
  assert.deepEqual(approvals, defaultApprovals);
});

test('what is said counts', () => {
  const { clusterId, approvals, moveBytesPerSecond, selects } = installationIn({
    KAFKA_CLUSTER_ID: 'abc',
    APPROVAL_REQUIRED: 'ReduceReplicas, TakeOver',
    REASSIGNMENT_BYTES_PER_SECOND: '1000000',
    WATCH_LABEL_SELECTOR: 'team=a',
  });
  assert.deepEqual([clusterId, moveBytesPerSecond], ['abc', 1_000_000]);
  assert.deepEqual([...approvals], ['ReduceReplicas', 'TakeOver']);
  assert.deepEqual([selects(new Map([['team', 'a']])), selects(new Map())], [true, false]);
  assert.equal(installationIn({ APPROVAL_REQUIRED: 'none' }).approvals.size, 0);
});

const wrong: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
  [
    { APPROVAL_REQUIRED: 'TakeOver,Shrink' },
    /^APPROVAL_REQUIRED names "Shrink": it has to be a comma list of ShortenRetention, .*, or none$/,
  ],
  [{ APPROVAL_REQUIRED: 'constructor' }, /^APPROVAL_REQUIRED names "constructor"/],
  [
    { REASSIGNMENT_BYTES_PER_SECOND: '10MB' },
    /^REASSIGNMENT_BYTES_PER_SECOND is "10MB": it has to be a whole number from 1$/,
  ],
  [{ REASSIGNMENT_BYTES_PER_SECOND: '0' }, /^REASSIGNMENT_BYTES_PER_SECOND is "0"/],
  [{ WATCH_LABEL_SELECTOR: 'a b' }, /^WATCH_LABEL_SELECTOR: "a b" is not a requirement/],
];
for (const [env, message] of wrong)
  test(`${Object.entries(env).join()} is refused with the name of the variable`, () => {
    assert.throws(() => installationIn(env), { message });
  });
