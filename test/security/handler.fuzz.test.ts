/**
 * Events that no queue would send. `FUZZ_SECONDS=600 node --test test/security/handler.fuzz.test.ts` goes on for ten
 * minutes; without it each property runs a few hundred times.
 */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../functions/core/outcome.ts';
import { reconcileHandler } from '../../functions/reconcile.ts';
import { resyncHandler } from '../../functions/resync.ts';
import { context } from '../functions/batch-world.ts';
import { batchOf, request, tick, world } from '../functions/world.ts';
import { hostile } from '../support/hostile.ts';

const seconds = Number(env.FUZZ_SECONDS ?? 0);
const effort =
  seconds > 0
    ? {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: (seconds / 2) * 1_000,
        markInterruptAsFailure: false,
      }
    : { numRuns: 300 };

const brokerAway = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
const anything = fc.anything({ maxDepth: 3 });
const broken = fc.constantFrom(undefined, brokerAway, new Error('a defect'), new TypeError(hostile));

/** Almost a body: JSON with one field more, less, or of another type. */
const almost = (fields: Readonly<Record<string, unknown>>) =>
  fc
    .tuple(fc.constantFrom(...Object.keys(fields), '__proto__', 'constructor', 'toString'), fc.jsonValue())
    .map(([name, value]) => JSON.stringify(Object.fromEntries([...Object.entries(fields), [name, value]])));

const requestFields = { v: 1, namespace: 'shop', name: 'orders', trigger: 'change', id: '1' };
const sums = {
  startedAt: 1,
  pages: 1,
  lookedAt: 1,
  enqueued: 0,
  skipped: 0,
  unread: 0,
  unlisted: 0,
  requests: 1,
  states: {},
};
const tickFields = { v: 1, tick: 't', continue: 'token', sums };
const body = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary' }),
  almost(requestFields),
  almost(tickFields),
  fc.constant(hostile),
);

const real = fc
  .constantFrom(request('orders'), request('payments'), tick({ v: 1, tick: 't' }))
  .map((one) => ({ ...batchOf([one]).Records[0] }));
const odd = fc.dictionary(fc.constantFrom('attributes', 'messageId', 'receiptHandle', 'eventSourceARN'), anything);
const record = fc.oneof(
  anything,
  real,
  fc.tuple(real, body).map(([base, text]) => ({ ...base, body: text })),
  fc.tuple(real, odd).map(([base, more]) => ({ ...base, ...more })),
);
const event = fc.oneof(anything, fc.record({ Records: fc.oneof(anything, fc.array(record, { maxLength: 10 })) }));

const handlers = { reconcile: reconcileHandler, resync: resyncHandler } as const;

for (const [name, handlerOf] of Object.entries(handlers))
  test(`T147: whatever comes in and whatever breaks, ${name} answers with messages of its batch and throws nothing`, async () => {
    await fc.assert(
      fc.asyncProperty(event, broken, broken, async (input, kafkaError, kubeError) => {
        const { runtime, topics, resources, apply } = world();
        for (const object of ['orders', 'payments']) apply(object);
        topics.fault = () => (kafkaError === undefined ? undefined : { at: 'before', error: kafkaError });
        resources.fault = () => {
          if (kubeError !== undefined) throw kubeError;
        };
        const answer: unknown = await handlerOf(runtime)(input as never, context(30_000));
        assertValid(answer, input);
      }),
      effort,
    );
  });

/** @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting */
function assertValid(answer: unknown, input: unknown): void {
  assert.deepEqual(Object.keys(answer as object), ['batchItemFailures']);
  const { batchItemFailures } = answer as { batchItemFailures: readonly { itemIdentifier: string }[] };
  const records = (input as { Records?: unknown } | null | undefined)?.Records;
  const ids = (Array.isArray(records) ? records : []).map((one) => one?.messageId);
  const named = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  assert.equal(new Set(named).size, named.length);
  // a record without an id is named by the empty text, which Lambda takes as a failure of the whole batch
  for (const id of named) assert.ok(ids.includes(id) || (id === '' && ids.some((one) => typeof one !== 'string')));
}
