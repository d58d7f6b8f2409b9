import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Invocation, type Sent, startWorld } from './world.ts';

const messages = (count: number, group: (index: number) => string): Sent[] =>
  Array.from({ length: count }, (_, index) => ({ group: group(index), body: String(index) }));

const outcomes = (invocations: readonly Invocation[]) => invocations.map(({ outcome }) => outcome);

/** Overlapping invocations that share a message group. */
const overlaps = (invocations: readonly Invocation[]) =>
  invocations.flatMap((a, index) =>
    invocations
      .slice(index + 1)
      .filter((b) => a.startedAt < b.startedAt + b.ms && b.startedAt < a.startedAt + a.ms)
      .flatMap((b) => a.groups.filter((group) => b.groups.includes(group))),
  );

/** Polls a value that only the outside can show. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

describe('runner', { timeout: 60_000, concurrency: 8 }, () => {
  test('messages that a function answered are deleted, whatever it returns that is not a failure', async () => {
    await using world = await startWorld({ handler: 'note(event.Records.map((r) => r.body)); return undefined;' });
    await world.send(messages(3, () => 'a'));
    await world.runner.handled(3);
    await eventually(async () => (await world.left()) === 0);
    assert.deepEqual((await world.notes()).flat(), ['0', '1', '2']);
  });

  test('a record looks as it does on Lambda', async () => {
    await using world = await startWorld({ handler: 'note([event, context.awsRequestId, Object.keys(process.env)]);' });
    await world.send([{ group: 'a', body: 'hello' }]);
    await world.runner.handled(1);
    const [[event, requestId, environment]] = (await world.notes()) as [[Record<string, never>, string, string[]]];
    const [record] = event.Records as unknown as Record<string, unknown>[];
    assert.equal(record?.eventSource, 'aws:sqs');
    assert.match(String(record?.eventSourceARN), /^arn:aws:sqs:.*\.fifo$/);
    const attributes = record?.attributes as Record<string, string>;
    assert.equal(attributes.ApproximateReceiveCount, '1');
    assert.equal(attributes.MessageGroupId, 'a');
    assert.match(requestId, /^[0-9a-f-]{36}$/);
    assert.ok(!environment.includes('HOME') && !environment.includes('SQS_ENDPOINT'), environment.join());
  });

  test('only what is reported as failed comes back', async () => {
    await using world = await startWorld({
      visibilitySeconds: 3,
      handler: `note(event.Records.map((r) => r.body));
        const failed = event.Records.filter((r) => r.body === '1' && r.attributes.ApproximateReceiveCount === '1');
        return { batchItemFailures: failed.map((r) => ({ itemIdentifier: r.messageId })) };`,
    });
    await world.send(messages(2, (index) => `group-${index}`));
    await world.runner.handled(3);
    await eventually(async () => (await world.left()) === 0);
    const bodies = (await world.notes()).flat();
    assert.deepEqual(bodies.toSorted(), ['0', '1', '1']);
  });

  test('a function that hangs is killed at its timeout, and its messages come back', async () => {
    await using world = await startWorld({
      timeoutSeconds: 1,
      visibilitySeconds: 4,
      handler: `note(process.pid); if (event.Records[0].attributes.ApproximateReceiveCount === '1') for (;;);`,
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(2);
    assert.deepEqual(outcomes(world.runner.invocations), ['timeout', 'succeeded']);
    const [first, second] = (await world.notes()) as number[];
    assert.notEqual(first, second);
    assert.throws(() => process.kill(first ?? 0, 0), { code: 'ESRCH' });
  });

  for (const [how, code] of Object.entries({
    'an exception nobody catches': "setTimeout(() => { throw new Error('x') }); await wait(5000)",
    'a rejection nobody handles': "Promise.reject(new Error('x')); await wait(5000)",
    exit: 'process.exit(0)',
    'SIGKILL, as an out-of-memory kill is': "process.kill(process.pid, 'SIGKILL'); await wait(5000)",
  }))
    test(`a process that ends by ${how} loses nothing: all of its batch comes back`, async () => {
      await using world = await startWorld({
        visibilitySeconds: 3,
        handler: `if (event.Records[0].attributes.ApproximateReceiveCount === '1') { ${code} }; note(event.Records.length);`,
      });
      await world.send(messages(2, () => 'a'));
      await eventually(async () => (await world.left()) === 0);
      assert.equal(world.runner.invocations[0]?.outcome, 'crashed');
      assert.equal(
        (await world.notes()).flat().reduce((sum: number, count) => sum + Number(count), 0),
        2,
      );
    });

  test('a function that throws keeps its process, and its messages come back', async () => {
    await using world = await startWorld({
      visibilitySeconds: 3,
      handler: "if (invocations === 1) throw new Error('not today');",
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(2);
    const [first, second] = world.runner.invocations;
    assert.equal(first?.outcome, 'threw');
    assert.equal(first?.message, 'Error: not today');
    assert.equal(second?.outcome, 'succeeded');
    assert.equal(first?.pid, second?.pid);
  });

  test('a message that always fails reaches the dead-letter queue, its neighbours are done', async () => {
    await using world = await startWorld({
      visibilitySeconds: 3,
      maxReceiveCount: 2,
      handler: `const failed = event.Records.filter((r) => r.body === '1');
        return { batchItemFailures: failed.map((r) => ({ itemIdentifier: r.messageId })) };`,
    });
    await world.send(messages(3, (index) => `group-${index}`));
    assert.equal((await world.deadLetter()).body, '1');
    await eventually(async () => (await world.left()) === 0);
  });

  test('groups are worked on side by side up to the concurrency, a group never twice at a time and in order', async () => {
    await using world = await startWorld({
      batchSize: 2,
      maximumConcurrency: 3,
      handler: 'for (const r of event.Records) note([r.attributes.MessageGroupId, Number(r.body)]); await wait(30);',
      args: ['--concurrency', '8'],
    });
    for (let round = 0; round < 6; round += 1)
      await world.send(
        messages(10, (index) => `group-${index % 5}`).map((sent) => ({
          ...sent,
          body: String(round * 10 + Number(sent.body)),
        })),
      );
    await world.runner.handled(60);
    const { invocations } = world.runner;
    assert.deepEqual(overlaps(invocations), []);
    assert.equal(new Set(invocations.map(({ pid }) => pid)).size, 3);
    assert.ok(invocations.every(({ messages: count }) => count <= 2));
    const notes = (await world.notes()) as [string, number][];
    for (const group of new Set(notes.map(([name]) => name))) {
      const order = notes.filter(([name]) => name === group).map(([, body]) => body);
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      );
      assert.equal(order.length, 12);
    }
  });

  test('messages one after the other use one process, started once', async () => {
    await using world = await startWorld({ handler: 'return {};' });
    for (let sent = 1; sent <= 3; sent += 1) {
      await world.send([{ group: `group-${sent}`, body: 'x' }]);
      await world.runner.handled(sent);
    }
    const { invocations } = world.runner;
    assert.equal(new Set(invocations.map(({ pid }) => pid)).size, 1);
    assert.deepEqual(
      invocations.map(({ coldStart }) => coldStart),
      [true, false, false],
    );
  });

  test('a frozen process does nothing between invocations and goes on with the next one', async () => {
    await using world = await startWorld({
      handler: 'note("run"); setTimeout(() => note("after the answer"), 100); return {};',
      args: ['--freeze'],
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    const { pid } = world.runner.invocations[0] as Invocation;
    await eventually(async () => (await stateOf(pid)) === 'T');
    await sleep(200); // long enough for the timer to fire, were the process running
    assert.deepEqual(await world.notes(), ['run']);
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(2);
    await eventually(async () => (await stateOf(pid)) === 'T');
    assert.deepEqual(
      world.runner.invocations.map((invocation) => invocation.pid),
      [pid, pid],
    );
  });

  test('what succeeded after its visibility timeout is not deleted, and is counted', async () => {
    await using world = await startWorld({
      timeoutSeconds: 2,
      visibilitySeconds: 2,
      handler: `if (event.Records[0].attributes.ApproximateReceiveCount === '1') {
          const end = Date.now() + context.getRemainingTimeInMillis() - 1; while (Date.now() < end);
        }`,
      args: ['--concurrency', '1', '--warm', '1'],
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.until(() => world.runner.invocations.length > 0);
    // at the very limit either the timeout or the late answer comes first; both leave the message in the queue
    const [first] = world.runner.invocations;
    assert.ok(first?.late === 1 || first?.outcome === 'timeout', JSON.stringify(first));
    await eventually(async () => (await world.left()) === 0);
  });

  test('SIGTERM lets the batch under way finish, deletes its messages and ends all processes', async () => {
    await using world = await startWorld({ handler: 'note(process.pid); await wait(500); note("done");' });
    await world.send([{ group: 'a', body: 'x' }]);
    await eventually(async () => (await world.notes()).length === 1);
    assert.deepEqual(await world.runner.exit('SIGTERM'), { code: 0 });
    const [pid, done] = await world.notes();
    assert.equal(done, 'done');
    assert.equal(await world.left(), 0);
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
  });

  test('SIGTERM abandons a batch that does not finish in time: its messages stay in the queue', async () => {
    await using world = await startWorld({ handler: 'note(process.pid); await wait(2900);', args: ['--grace', '0'] });
    await world.send([{ group: 'a', body: 'x' }]);
    await eventually(async () => (await world.notes()).length === 1);
    assert.deepEqual(await world.runner.exit('SIGTERM'), { code: 0 });
    assert.equal(await world.left(), 1);
    assert.throws(() => process.kill(Number((world.runner.invocations[0] as Invocation).pid), 0), { code: 'ESRCH' });
  });
});

/** `T` is stopped. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}
