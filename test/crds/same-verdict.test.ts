import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { apiVersion, kind } from '../../functions/core/api.ts';
import { parseResource } from '../../functions/core/parse.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';
import { policyWorks, tryCreate } from './crds.ts';

const client = realApi();
let namespace = '';

before(async () => {
  namespace = await createNamespace(client);
  await policyWorks(client, namespace, { apiVersion, kind, metadata: { name: 'x' }, spec: { config: { key: null } } });
});
after(async () => {
  await removeNamespace(client, namespace);
  await client.close();
});

/** Values that a field of any type may be confused with. */
const anything = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, '', '5', [], {}, [null], { a: 1 }),
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
);

/** Mostly what a field is for; sometimes near its limits, or anything. */
const field = <T>(meant: fc.Arbitrary<T>, near: fc.Arbitrary<unknown> = anything) =>
  fc.oneof({ weight: 20, arbitrary: meant }, { weight: 2, arbitrary: near }, { weight: 1, arbitrary: anything });

const oddName = fc.oneof(
  fc.constantFrom('.', '..', '...', '__consumer_offsets', 'a b', 'a\n', 'größe', 'a'.repeat(249), 'a'.repeat(250)),
  fc.string({ unit: 'binary', maxLength: 5 }).filter((text) => text.isWellFormed()),
);
const count = (most: number) =>
  field(fc.integer({ min: 1, max: most }), fc.constantFrom(0, -1, 1.5, most, most + 1, String(most)));

const scalar = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.boolean(),
  fc.string(),
);
const oddNumber = fc.oneof(
  fc.constantFrom(2 ** 53 - 1, 2 ** 53, -(2 ** 53) + 1, -(2 ** 53), 2 ** 63, 1e20, 1e-7, 6.048e8),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const configValue = field(
  fc.oneof(scalar, fc.array(scalar, { maxLength: 4 })),
  fc.oneof(oddNumber, fc.tuple(oddNumber)),
);
const configKey = fc.constantFrom('retention.ms', 'cleanup.policy', 'a', 'constructor', '__proto__', '', 'größe');
const ignoredKey = fc.constantFrom('segment.ms', 'b', 'toString', 'größer');

const spec = fc.record(
  {
    topicName: field(fc.stringMatching(/^[a-zA-Z0-9._-]{3,30}$/), oddName),
    numPartitions: count(100_000),
    replicationFactor: count(32_767),
    config: field(fc.dictionary(configKey, configValue, { maxKeys: 3 })),
    ignoredConfigs: field(fc.uniqueArray(ignoredKey), fc.array(fc.oneof(ignoredKey, configKey), { maxLength: 3 })),
    configMode: field(fc.constantFrom('Merge', 'Exact'), fc.constant('exact')),
    deletionPolicy: field(fc.constantFrom('Retain', 'Delete'), fc.constant('delete')),
    mode: field(fc.constantFrom('Enforce', 'Observe', 'Plan', 'Paused'), fc.constant('Off')),
    unknown: anything,
  },
  { requiredKeys: [] },
);

const objectName = fc.constantFrom(
  'orders',
  'a.b',
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}`,
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}`,
);

/** Names of internal topics are stored, and refused by us alone. */
function weAccept(object: unknown): boolean {
  const { spec } = parseResource(object);
  return !('reason' in spec) || spec.reason === 'InternalTopic';
}

test('K047, T104: the API server accepts an object exactly when our parser does', async () => {
  let accepted = 0;
  const runs = 400;
  await fc.assert(
    fc.asyncProperty(objectName, field(spec), async (name, spec) => {
      // as JSON, which is all that either side ever sees
      const object = JSON.parse(JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec }));
      const outcome = await tryCreate(client, namespace, object, false);
      const verdicts = { server: 'accepted' in outcome, parser: weAccept(object) };
      assert.equal(
        verdicts.parser,
        verdicts.server,
        `${JSON.stringify(parseResource(object).spec)} ${JSON.stringify(outcome)}`,
      );
      if (!('accepted' in outcome)) return;
      accepted++;
      assert.deepEqual(parseResource(outcome.accepted).spec, parseResource(object).spec);
    }),
    { numRuns: runs },
  );
  assert.ok(
    accepted > runs / 5 && accepted < (runs * 4) / 5,
    `${accepted} of ${runs} were accepted: the cases are one-sided`,
  );
});
