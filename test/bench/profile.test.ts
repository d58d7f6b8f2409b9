import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../support/table.ts';
import { packageOf, summarizeProfiles } from './profile.ts';

const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0, columnNumber: 0 });

test('the self time of a function is the time from each of its samples to the next one', () => {
  const nodes = ['(idle)', 'parse', 'send'].map((name, id) => ({ id, callFrame: frame(name) }));
  const profile = { nodes, samples: [1, 2, 1, 0, 1], timeDeltas: [7, 1_000_000, 2_000_000, 3_000_000, 4_000_000] };
  const summary = summarizeProfiles([profile, profile], ({ functionName }) => ({ functionName, packageName: 'p' }));
  assert.deepEqual(summary, {
    busySeconds: 12,
    packages: [{ name: 'p', seconds: 12 }],
    functions: [
      { name: 'parse [p]', seconds: 8 },
      { name: 'send [p]', seconds: 4 },
    ],
  });
});

table('the package of a source', packageOf, [
  { reason: 'a package has its name', given: '../node_modules/undici/lib/api.js', want: 'undici' },
  { reason: 'a scope belongs to the name', given: '../node_modules/@smithy/core/x.js', want: '@smithy/core' },
  { reason: 'the innermost package counts', given: '../node_modules/a/node_modules/b/x.js', want: 'b' },
  { reason: 'what is in no package is ours', given: '../functions/core/plan.ts', want: 'topicsmith' },
]);
