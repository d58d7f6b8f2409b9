import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Invocation, type Sent, startWorld } from './world.ts';

const messages = (count: number, group: (index: number) => string): Sent[] =>
  Array.from({ length: count }, (_, index) => ({ group: group(index), body: String(index) }));

const outcomes = (invocations: readonly Invocation[]) => invocations.map(({ outcome }) => outcome);

const bodies = async (world: Awaited<ReturnType<typeof startWorld>>) => (await world.records()).map(({ body }) => body);

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

describe('runner', { timeout: 180_000, concurrency: 4 }, () => {
  test('messages that a function answered are deleted, whatever it returns that is not a failure', async () => {
    await using world = await startWorld({ handler: 'return undefined;' });
    await world.send(messages(3, () => 'a'));
    await world.runner.handled(3);
    await eventually(async () => (await world.left()) === 0);
    assert.deepEqual(await bodies(world), ['0', '1', '2']);
  });

  test('a function sees records as on Lambda, and only the environment that its service lists', async () => {
    await using world = await startWorld({
      environment: { LISTED: 'yes' },
      handler: 'note([context.awsRequestId, context.getRemainingTimeInMillis(), process.env]);',
    });
    await world.send([{ group: 'a', body: 'hello' }]);
    await world.runner.handled(1);
    const [record] = await world.records();
    assert.equal(record?.eventSource, 'aws:sqs');
    assert.match(record?.eventSourceARN ?? '', /^arn:aws:sqs:.*\.fifo$/);
    assert.equal(record?.attributes.ApproximateReceiveCount, '1');
    assert.equal(record?.attributes.MessageGroupId, 'a');
    const [[requestId, remaining, environment]] = (await world.notes()) as [[string, number, NodeJS.ProcessEnv]];
    assert.match(requestId, /^[0-9a-f-]{36}$/);
    assert.ok(remaining > 0 && remaining <= 60_000, String(remaining));
    assert.equal(environment.LISTED, 'yes');
    assert.equal(environment.AWS_LAMBDA_FUNCTION_NAME, 'work');
    assert.equal(environment.SQS_ENDPOINT, undefined);
  });

  test('warm processes have loaded the function before the first message is taken', async () => {
    await using world = await startWorld({ loading: 'note(process.pid);', handler: '', args: ['--warm', '2'] });
    const warm = await world.notes();
    assert.equal(new Set(warm).size, 2);
    await world.send(messages(1, () => 'a'));
    await world.runner.handled(1);
    assert.ok(warm.includes(world.runner.invocations[0]?.pid));
  });

  test('what the first invocation has compiled stays beside the bundle, for the processes that follow', async () => {
    await using world = await startWorld({ handler: '' });
    await world.send(messages(1, () => 'a'));
    await world.runner.handled(1);
    const kept = () => readdir(join(world.folder, '.compile-cache'), { recursive: true, withFileTypes: true });
    await eventually(async () => (await kept()).some((entry) => entry.isFile()));
  });

  test('only what is reported as failed comes back', async () => {
    await using world = await startWorld({
      handler: `const failed = event.Records.filter((r) => r.body === '1' && !again);
        return { batchItemFailures: failed.map((r) => ({ itemIdentifier: r.messageId })) };`,
      waiting: messages(3, () => 'a'),
    });
    await world.runner.handled(3);
    await eventually(async () => (await world.left()) === 1);
    await world.redeliver('1');
    await world.runner.handled(4);
    await eventually(async () => (await world.left()) === 0);
    assert.deepEqual(await bodies(world), ['0', '1', '2', '1']);
    assert.deepEqual(outcomes(world.runner.invocations), ['failures', 'succeeded']);
  });

  test('a function that hangs is killed at its timeout, and its messages come back to a new process', async () => {
    await using world = await startWorld({ timeoutSeconds: 1, handler: 'note(process.pid); if (!again) for (;;);' });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    const [pid] = (await world.notes()) as number[];
    assert.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' });
    await world.redeliver('x');
    await world.runner.handled(2);
    assert.deepEqual(outcomes(world.runner.invocations), ['timeout', 'succeeded']);
    assert.notEqual((await world.notes())[1], pid);
  });

  for (const [how, code] of Object.entries({
    'an exception nobody catches': "setTimeout(() => { throw new Error('x') }); await wait(60_000)",
    'a rejection nobody handles': "Promise.reject(new Error('x')); await wait(60_000)",
    exit: 'process.exit(0)',
    'SIGKILL, as an out-of-memory kill is': "process.kill(process.pid, 'SIGKILL'); await wait(60_000)",
    'running out of heap': 'for (const all = []; ; ) all.push(new Array(1_000_000).fill(Math.random()))',
  }))
    test(`a process that ends by ${how} loses nothing: all of its batch comes back`, async () => {
      await using world = await startWorld({ handler: `if (!again) { ${code} }`, waiting: messages(2, () => 'a') });
      await world.runner.handled(2);
      assert.deepEqual(outcomes(world.runner.invocations), ['crashed']);
      assert.equal(await world.left(), 2);
      await world.redeliver('0', '1');
      await world.runner.handled(4);
      await eventually(async () => (await world.left()) === 0);
    });

  test('a function that throws keeps its process, and its messages come back', async () => {
    await using world = await startWorld({ handler: "if (!again) throw new Error('not today');" });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    await world.redeliver('x');
    await world.runner.handled(2);
    const [first, second] = world.runner.invocations;
    assert.equal(first?.outcome, 'threw');
    assert.equal(first?.message, 'Error: not today');
    assert.equal(second?.outcome, 'succeeded');
    assert.equal(first?.pid, second?.pid);
  });

  test('a message that always fails reaches the dead-letter queue, its neighbours are done', async () => {
    await using world = await startWorld({
      maxReceiveCount: 2,
      handler: `const failed = event.Records.filter((r) => r.body === '1');
        return { batchItemFailures: failed.map((r) => ({ itemIdentifier: r.messageId })) };`,
      waiting: messages(3, (index) => `group-${index}`),
    });
    await world.runner.handled(3);
    await world.redeliver('1');
    await world.runner.handled(4);
    await world.redeliver('1');
    assert.equal((await world.deadLetter()).body, '1');
    await eventually(async () => (await world.left()) === 0);
    assert.deepEqual((await bodies(world)).toSorted(), ['0', '1', '1', '2']);
  });

  test('a bundle that does not load is a crash with its reason, and the next message tries again', async () => {
    await using world = await startWorld({ handler: '}; throw new Error("broken bundle"); {' });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    assert.equal(world.runner.invocations[0]?.message, 'did not start: exit code 1');
    assert.match(world.runner.errors, /the function did not start: broken bundle/);
    assert.equal(await world.left(), 1);
  });

  test('groups are worked on side by side up to the concurrency, a group never twice at a time and in order', async () => {
    await using world = await startWorld({
      batchSize: 2,
      maximumConcurrency: 3,
      handler: 'await wait(30);',
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
    const records = await world.records();
    for (const group of new Set(records.map(({ attributes }) => attributes.MessageGroupId))) {
      const order = records
        .filter(({ attributes }) => attributes.MessageGroupId === group)
        .map(({ body }) => Number(body));
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
      handler: 'note("run"); setTimeout(() => note("after the answer"), 1_500); return {};',
      args: ['--freeze'],
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    const { pid } = world.runner.invocations[0] as Invocation;
    await eventually(async () => (await stateOf(pid)) === 'T');
    await sleep(2_000); // long enough for the timer to fire, were the process running
    assert.deepEqual(await world.notes(), ['run']);
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(2);
    await eventually(async () => (await stateOf(pid)) === 'T');
    assert.deepEqual(
      world.runner.invocations.map((invocation) => invocation.pid),
      [pid, pid],
    );
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
    await using world = await startWorld({ handler: 'note(process.pid); await wait(59_000);', args: ['--grace', '0'] });
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
