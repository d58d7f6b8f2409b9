import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeleteQueueCommand } from '@aws-sdk/client-sqs';
import { eventually } from '../support/kafka/eventually.ts';
import { testClient } from '../support/sqs/real-queues.ts';
import { startWorld } from './world.ts';

type World = Awaited<ReturnType<typeof startWorld>>;

/** Series of a page by their text, as `name{labels}`. */
async function series({ runner }: World): Promise<ReadonlyMap<string, number>> {
  const { status, text } = await runner.get('/metrics');
  assert.equal(status, 200);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const own = (name: string, labels = '') => `topicsmith_runner_${name}{function="work"${labels && `,${labels}`}}`;

/** A line of figures, as a function prints it. */
const passes = (count: number) =>
  JSON.stringify({
    event: 'metrics',
    Trigger: 'change',
    Outcome: 'Synced',
    Passes: count,
    _aws: {
      Timestamp: 1,
      CloudWatchMetrics: [
        { Namespace: 'T', Dimensions: [['Trigger', 'Outcome']], Metrics: [{ Name: 'Passes', Unit: 'Count' }] },
      ],
    },
  });
const synced = 'topicsmith_passes_total{trigger="change",outcome="Synced"}';
const print = (text: string) => `process.stdout.write(${JSON.stringify(text)});`;

describe('pages of the runner', { timeout: 180_000, concurrency: 4 }, () => {
  test('they are there only where a port is named', async () => {
    await using world = await startWorld({ handler: '' });
    assert.equal(world.runner.port, undefined);
  });

  test('a runner that works is well and ready, and counts its invocations', async () => {
    await using world = await startWorld({
      pages: true,
      handler: 'return { batchItemFailures: [{ itemIdentifier: event.Records[1].messageId }] };',
      waiting: ['0', '1', '2'].map((body) => ({ group: 'a', body })),
    });
    await world.runner.handled(3);
    assert.deepEqual(await world.runner.get('/healthz'), { status: 200, text: 'ok\n' });
    assert.deepEqual(await world.runner.get('/readyz'), { status: 200, text: 'ok\n' });
    const page = await series(world);
    for (const [name, value] of [
      [own('invocations_total', 'ending="failures"'), 1],
      [own('invocations_total', 'ending="timeout"'), 0],
      [own('invocation_seconds_count'), 1],
      [own('cold_starts_total'), 1],
      [own('messages_received_total'), 3],
      [own('messages_failed_total'), 1],
      [own('batches_in_work'), 0],
      [own('queue_messages', 'state="dead"'), 0],
    ] as const)
      assert.equal(page.get(name), value, name);
  });

  test('figures that a function prints are on its page, and everything it prints is where it was without one', async () => {
    await using world = await startWorld({
      pages: true,
      handler: `${print(`${passes(2)}\n{"event":"other"}\nplain\n{"_aws":1}\n`)} process.stderr.write('an error\\n');`,
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    await eventually(async () => assert.equal((await series(world)).get(own('lines_unread_total')), 1));
    assert.equal((await series(world)).get(synced), 2);
    for (const line of [passes(2), '{"event":"other"}', 'plain', '{"_aws":1}', 'an error'])
      assert.ok(world.runner.errors.includes(`${line}\n`), line);
  });

  test('a process that is killed within a line loses that line only', async () => {
    await using world = await startWorld({
      pages: true,
      timeoutSeconds: 1,
      handler: `${print(`${passes(3)}\n${passes(40).slice(0, 30)}`)} for (;;);`,
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    await eventually(async () => assert.equal((await series(world)).get(synced), 3));
    await world.runner.until(() => world.runner.errors.includes(`${passes(40).slice(0, 30)}\n`));
    const page = await series(world);
    assert.equal(page.get(own('invocations_total', 'ending="timeout"')), 1);
    assert.equal(page.get(own('batches_in_work')), 0);
    assert.equal(page.get(own('lines_unread_total')), 0);
  });

  test('a function that prints megabytes is not held up, and its figures are found among them', async () => {
    await using world = await startWorld({
      pages: true,
      handler: `for (let i = 0; i < 50; i++) process.stdout.write('y'.repeat(100_000) + '\\n'); ${print(`${passes(1)}\n`)}`,
    });
    await world.send([{ group: 'a', body: 'x' }]);
    await world.runner.handled(1);
    await eventually(async () => assert.equal((await series(world)).get(synced), 1));
    assert.equal(world.runner.invocations[0]?.outcome, 'succeeded');
    assert.ok(world.runner.errors.length > 5_000_000);
  });

  test('figures of a process that is stopped between invocations are all there', async () => {
    await using world = await startWorld({ pages: true, args: ['--freeze'], handler: print(`${passes(1)}\n`) });
    for (const [index, body] of ['0', '1', '2'].entries()) {
      await world.send([{ group: 'a', body }]);
      await world.runner.handled(index + 1);
    }
    await eventually(async () => assert.equal((await series(world)).get(synced), 3));
    assert.equal((await series(world)).get(own('cold_starts_total')), 1);
  });

  test('a queue that cannot be used is said, and counted; restarting would not help', async () => {
    await using world = await startWorld({ pages: true, handler: '' });
    const sqs = testClient();
    await sqs.send(new DeleteQueueCommand({ QueueUrl: world.queueUrl }));
    sqs.destroy();
    await eventually(async () => {
      const { status, text } = await world.runner.get('/readyz');
      assert.equal(status, 503);
      assert.match(text, /^queue of work: QueueDoesNotExist$/m);
    }, 30_000);
    assert.ok(((await series(world)).get(own('queue_failures_total')) ?? 0) > 0);
    assert.equal((await world.runner.get('/healthz')).status, 200);
  });

  test('a bundle that cannot be loaded any more is said', async () => {
    await using world = await startWorld({
      pages: true,
      loading:
        "if (require('node:fs').readFileSync(__filename + '.bad', { flag: 'a+' }).length) throw new Error('no');",
      handler: "require('node:fs').writeFileSync(__filename + '.bad', 'x'); process.exit(0);",
      waiting: ['0', '1'].map((body) => ({ group: body, body })),
      batchSize: 1,
      maximumConcurrency: 1,
    });
    await world.runner.handled(2);
    await eventually(async () =>
      assert.equal((await world.runner.get('/readyz')).text, 'function work: its bundle cannot be loaded\n'),
    );
  });
});
