import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { backoffSeconds, type Settled } from '../functions/batch.ts';
import { Failure } from '../functions/core/outcome.ts';
import { context, done, event, failed, handlerOver, outcomes } from './functions/batch-world.ts';
import { figuresIn } from './support/figures.ts';
import { table } from './support/table.ts';

type Given = { messages: string[]; work?: Record<string, Settled | null> };

async function handled({ messages, work = {} }: Given) {
  const { handler, calls, delays } = handlerOver(outcomes(work));
  const { batchItemFailures } = await handler(event(messages), context());
  return {
    calls: calls.map((items) => items.map(({ key }) => key).join(' ')),
    failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    delays,
  };
}

const rows: { reason: string; given: Given; want: Awaited<ReturnType<typeof handled>> }[] = [
  {
    reason: 'names of different groups share a call',
    given: { messages: ['a:x', 'b:y', 'c:z'] },
    want: { calls: ['x y z'], failed: [], delays: {} },
  },
  {
    reason: 'names of one group follow each other',
    given: { messages: ['a:x', 'a:y', 'b:z'] },
    want: { calls: ['x z', 'y'], failed: [], delays: {} },
  },
  {
    reason: 'several messages for one name are one look',
    given: { messages: ['a:x', 'a:y', 'a:x', 'a:x'] },
    want: { calls: ['x', 'y'], failed: [], delays: {} },
  },
  {
    reason: 'several messages for one name fail together',
    given: { messages: ['a:x*2', 'a:x'], work: { x: failed() } },
    want: { calls: ['x'], failed: ['0', '1'], delays: { r0: 2, r1: 2 } },
  },
  {
    reason: 'a name with messages in two groups is one look',
    given: { messages: ['a:x', 'b:x'] },
    want: { calls: ['x'], failed: [], delays: {} },
  },
  {
    reason: 'what follows a failure in its group goes back at once and untouched, other groups go on',
    given: { messages: ['a:x', 'a:y', 'b:u', 'b:v', 'a:z'], work: { x: failed() } },
    want: { calls: ['x u', 'v'], failed: ['0', '1', '4'], delays: { r0: 1, r1: 0, r4: 0 } },
  },
  {
    reason: 'what came before a failure in its group is done',
    given: { messages: ['a:x', 'a:y', 'a:z'], work: { y: failed() } },
    want: { calls: ['x', 'y'], failed: ['1', '2'], delays: { r1: 1, r2: 0 } },
  },
  {
    reason: 'a malformed message goes on to the dead-letter queue at once and stops nobody',
    given: { messages: ['a:bad', 'a:x', 'b:bad', 'b:y'] },
    want: { calls: ['x y'], failed: ['0', '2'], delays: { r0: 0, r2: 0 } },
  },
  {
    reason: 'a batch of malformed messages does no work',
    given: { messages: ['a:bad'] },
    want: { calls: [], failed: ['0'], delays: { r0: 0 } },
  },
  {
    reason: 'each failure waits longer than the last',
    given: { messages: ['a:x', 'b:y*2'], work: { x: failed(), y: failed() } },
    want: { calls: ['x y'], failed: ['0', '1'], delays: { r0: 1, r1: 2 } },
  },
  {
    reason: 'after its last receive a message goes on to the dead-letter queue at once, not after a back-off',
    given: { messages: ['a:x*3', 'b:y*1000000'], work: { x: failed(), y: failed() } },
    want: { calls: ['x y'], failed: ['0', '1'], delays: { r0: 0, r1: 0 } },
  },
  {
    reason: 'while another message asks for the same name, the one at its last receive waits with it',
    given: { messages: ['a:x*3', 'a:x*2'], work: { x: failed() } },
    want: { calls: ['x'], failed: ['0', '1'], delays: { r0: 4, r1: 4 } },
  },
  {
    reason: 'a request that may still take effect keeps its group locked for longer',
    given: { messages: ['a:x', 'a:y', 'b:z*7'], work: { x: failed(59.2), z: failed(3) } },
    want: { calls: ['x z'], failed: ['0', '1', '2'], delays: { r0: 60, r1: 0, r2: 3 } },
  },
  {
    reason: 'without an outcome nobody knows what was sent, so the visibility timeout stays as it is',
    given: { messages: ['a:x', 'a:y', 'b:z'], work: { x: null } },
    want: { calls: ['x z'], failed: ['0', '1'], delays: { r1: 0 } },
  },
  { reason: 'an empty batch is nothing to do', given: { messages: [] }, want: { calls: [], failed: [], delays: {} } },
];

describe('batch', () => {
  for (const { reason, given, want } of rows) test(reason, async () => assert.deepEqual(await handled(given), want));

  for (const k of Array.from({ length: 10 }, (_, index) => index))
    test(`of ten names in one group the one at ${k} fails: those before are done, those after are untouched`, async () => {
      const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
      const answer = await handled({ messages: names.map((name) => `g:${name}`), work: { [`n${k}`]: failed() } });
      assert.deepEqual(answer.calls, names.slice(0, k + 1));
      assert.deepEqual(
        answer.failed,
        names.slice(k).map((name) => name.slice(1)),
      );
    });

  test('work that throws fails what was in that call, not what was done before', async () => {
    const { handler, calls, log } = handlerOver(async (items) => {
      if (calls.length === 2) throw new Error('a defect');
      return new Map(items.map(({ key }) => [key, done]));
    });
    const { batchItemFailures } = await handler(event(['a:x', 'b:y', 'a:z', 'a:w']), context());
    assert.deepEqual(batchItemFailures, [{ itemIdentifier: '2' }, { itemIdentifier: '3' }]);
    assert.equal(log.error.mock.calls[0]?.arguments[0], 'pass-failed');
  });

  test('only when all messages for a name are at their last receive is it the last', async () => {
    const { handler, calls } = handlerOver(outcomes({}));
    await handler(event(['a:x*3', 'a:x*2', 'b:y*3', 'c:z*4', 'd:w*2']), context());
    const last = calls[0]?.filter(({ lastReceive }) => lastReceive).map(({ key }) => key);
    assert.deepEqual(last, ['y', 'z']);
  });

  for (const [how, hide] of Object.entries({
    'answers with a failure': async () =>
      new Map([['r0', new Failure('InternalError', 'the queue is away', { retryable: true })]]),
    throws: async () => {
      throw new Error('the queue is away');
    },
  }))
    test(`a change of visibility that ${how} is logged and changes nothing else`, async () => {
      const { handler, log } = handlerOver(outcomes({ x: failed() }), hide);
      const { batchItemFailures } = await handler(event(['a:x', 'b:y']), context());
      assert.deepEqual(batchItemFailures, [{ itemIdentifier: '0' }]);
      const events = [...log.warn.mock.calls, ...log.error.mock.calls].map((call) => call.arguments[0]);
      assert.ok(events.includes('visibility-unchanged') || events.includes('batch-failed'), events.join());
    });

  test('any batch: each name once, one per group at a time, none after a failure, nothing lost', async () => {
    const message = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y', 'z', 'bad'));
    const outcome = fc.constantFrom(done, done, failed(), null);
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 10 }),
        fc.array(outcome, { minLength: 9, maxLength: 9 }),
        async (messages, list) => {
          // a name belongs to one topic, so names are told apart by their group
          const names = ['a', 'b', 'c'].flatMap((group) => ['x', 'y', 'z'].map((name) => `${group}${name}`));
          const work = Object.fromEntries(names.map((name, index) => [name, list[index] ?? null]));
          const bodies = messages.map(([group, body]) => (body === 'bad' ? body : `${group}${body}`));
          const batch = messages.map(([group], index) => `${group}:${bodies[index]}`);
          const answer = await handled({ messages: batch, work });

          const worked = answer.calls.flatMap((call) => call.split(' '));
          assert.equal(new Set(worked).size, worked.length, 'a name was worked on twice');
          for (const call of answer.calls) {
            const groups = call.split(' ').map((name) => name.charAt(0));
            assert.equal(new Set(groups).size, groups.length, 'a group was worked on twice at a time');
          }
          for (const group of ['a', 'b', 'c']) {
            const tried = worked.filter((name) => name.startsWith(group)).map((name) => work[name] === done);
            assert.ok(!tried.slice(0, -1).includes(false), 'work went on after a failure');
          }
          const acknowledged = bodies.map((body) => worked.includes(body) && work[body] === done);
          const expected = acknowledged.flatMap((is, index) => (is ? [] : [String(index)]));
          assert.deepEqual(answer.failed, expected);
        },
      ),
    );
  });
});

/** The metric lines of an invocation; messages as `event` has them. @param ages ms from sending to the invocation */
async function figuresOf(messages: readonly string[], work: Given['work'], ages: readonly number[]) {
  const { handler, metricLog } = handlerOver(outcomes(work ?? {}));
  const batch = event(messages);
  for (const [at, age] of ages.entries()) {
    const { attributes } = batch.Records[at] ?? assert.fail();
    attributes.SentTimestamp = String(100_000 - age);
  }
  await handler(batch, context());
  return figuresIn(metricLog.join(''));
}

describe('figures of a batch', () => {
  test('messages count by what became of them; at the last receive a failure is a dead letter', async () => {
    const messages = ['a:x', 'b:y', 'c:z*3', 'd:bad', 'e:bad*3', 'b:after'];
    const figures = await figuresOf(messages, { y: failed(), z: failed() }, []);
    assert.deepEqual(
      [...figures],
      [
        ['Messages Function=reconcile Fate=Done', [1]],
        ['Messages Function=reconcile Fate=Redelivered', [3]],
        ['Messages Function=reconcile Fate=DeadLettered', [2]],
      ],
    );
  });

  test('a name waits from its first message to its first try, and the oldest message of all is told', async () => {
    const figures = await figuresOf(['a:x', 'a:x', 'b:y*2', 'c:z'], {}, [700, 900, 5_000, -3]);
    assert.deepEqual(figures.get('TimeInQueue Function=reconcile'), [900, 0]);
    assert.deepEqual(figures.get('OldestMessage Function=reconcile'), [5_000]);
  });

  test('an answer that is forced has its figures, once', async () => {
    const late = Promise.withResolvers<ReadonlyMap<string, Settled>>();
    const { handler, metricLog } = handlerOver(() => late.promise);
    await handler(event(['a:x']), context(1_050));
    late.resolve(new Map([['x', done]]));
    await late.promise;
    await new Promise(setImmediate);
    assert.deepEqual([...figuresIn(metricLog.join(''))], [['Messages Function=reconcile Fate=Redelivered', [1]]]);
  });
});

describe('batch against the clock', () => {
  test('work that stops when told is settled before the answer', async () => {
    const { handler, delays } = handlerOver(
      (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(new Map([['x', failed(60)]])))),
    );
    const { batchItemFailures } = await handler(event(['a:x', 'a:y']), context(3_050));
    assert.deepEqual(batchItemFailures, [{ itemIdentifier: '0' }, { itemIdentifier: '1' }]);
    assert.deepEqual(delays, { r0: 60, r1: 0 });
  });

  test('work that does not stop is left behind: the answer names it, and it changes nothing later', async () => {
    const late = Promise.withResolvers<ReadonlyMap<string, Settled>>();
    let round = 0;
    const { handler, calls, delays } = handlerOver(async () => {
      round += 1;
      return round === 1 ? new Map([['x', done]]) : late.promise;
    });
    const answer = await handler(event(['a:x', 'a:y', 'a:z']), context(3_000 + 50));
    const wanted = { batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '2' }] };
    assert.deepEqual(answer, wanted);
    late.resolve(new Map([['y', done]]));
    await late.promise;
    await new Promise(setImmediate);
    assert.deepEqual(answer, wanted);
    assert.deepEqual(delays, {});
    assert.equal(calls.length, 2);
  });

  test('an answer that is forced speaks of its own batch, not of the one before', async () => {
    const { handler } = handlerOver(async ([item]) => (item?.key === 'hang' ? new Promise(() => {}) : new Map()));
    await handler(event(['a:x', 'b:y']), context(60_000));
    const { batchItemFailures } = await handler(event(['a:hang']), context(1_050));
    assert.deepEqual(batchItemFailures, [{ itemIdentifier: '0' }]);
  });

  test('a batch that arrives with no time left does no work and comes back at once', async () => {
    const { handler, calls, delays } = handlerOver(outcomes({}));
    const { batchItemFailures } = await handler(event(['a:x']), context(0));
    assert.deepEqual(batchItemFailures, [{ itemIdentifier: '0' }]);
    assert.deepEqual(delays, { r0: 0 });
    assert.deepEqual(calls, []);
  });
});

describe('backoff', () => {
  table('seconds without jitter', (receives: number) => backoffSeconds(receives, 0.5), [
    { reason: 'a first failure may be a hiccup', given: 1, want: 1 },
    { reason: 'it doubles', given: 4, want: 8 },
    { reason: 'it ends at ten seconds', given: 5, want: 10 },
    { reason: 'a huge count is ten seconds too', given: Number.MAX_SAFE_INTEGER, want: 10 },
  ]);

  test('jitter stays within a quarter, in whole seconds from 1', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (receives, random) => {
          const seconds = backoffSeconds(receives, random);
          const base = backoffSeconds(receives, 0.5);
          assert.ok(Number.isInteger(seconds) && seconds >= 1);
          assert.ok(Math.abs(seconds - base) <= base / 4 + 0.5);
        },
      ),
    );
  });
});
