import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupOf } from '../../functions/core/request.ts';
import shipped from '../../functions/doctor/shipped.generated.json' with { type: 'json' };
import { topicsmith } from '../support/e2e/cli.ts';
import { meanwhile } from '../support/e2e/faults.ts';
import { conditionOf } from '../support/e2e/kubectl.ts';
import { isSettled, leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

const { maxReceiveCount } = shipped.queues.RECONCILE_QUEUE_URL;

const request = (namespace: string, name: string): string =>
  JSON.stringify({ v: 1, namespace, name, trigger: 'change', id: randomUUID() });

export function deadLetters(world: World): void {
  const { a, broker, kafka, queues, runner } = world;
  const dlq = (...args: readonly string[]) => topicsmith(world.system.exports, world.dir, 'dlq', ...args);
  const json = async (...args: readonly string[]) => {
    const { code, out, err } = await dlq(...args, '-o', 'json');
    assert.deepEqual([code, err], [0, '']);
    return JSON.parse(out);
  };

  /** Whoever asks the broker about this topic is cut off. */
  const poisoned = (topic: string) => ({
    onRequest: ({ body }: { body: Buffer }) => {
      if (!body.includes(topic)) return 'forward' as const;
      kafka.cutAll();
      return 'drop' as const;
    },
  });

  before(() => json('drop', '--all', '--yes')); // other tests may have left some

  test('K157, K153: a poison object is found among the dead letters with its reason; mended and replayed it is Ready', async () => {
    await a.apply('k157', { numPartitions: 1 });
    await a.apply('k157-neighbour', { numPartitions: 1 });
    await a.ready('k157');
    await a.ready('k157-neighbour');
    await queues.drained();
    await runner.stop();
    await meanwhile(kafka, poisoned('k157'), async () => {
      await a.apply('k157', { numPartitions: 2 });
      await queues.useUp(maxReceiveCount - 1);
      await runner.start();
      const dead = conditionOf(await a.says('k157', 'DeadLettered'), 'Stalled');
      assert.match(dead?.message ?? '', /^gave up .*: BrokerUnavailable: Kafka closed the connection/);
      await queues.buried(1);
    });
    const { deadLetters: listed } = await json('list');
    const [letter] = listed;
    assert.deepEqual(
      [listed.length, letter.namespace, letter.name, letter.reason],
      [1, a.namespace, 'k157', 'BrokerUnavailable'],
    );
    assert.match(letter.message, /^Kafka closed the connection/);
    const { done, removed, left } = await json('replay', 'k157', '-n', a.namespace, '--yes');
    assert.deepEqual({ done, removed, left }, { done: 1, removed: 1, left: nothingLeft });
    const { status } = await a.ready('k157');
    assert.deepEqual(
      status?.conditions.map(({ type }) => type),
      ['Ready'],
    );
    assert.equal((await broker.shape('k157')).partitions, 2);
    await queues.drained();
    assert.deepEqual(await queues.counts(), { dead: 0, requests: 0 });
    await isSettled(world, a, 'k157', 'k157-neighbour');
  });

  test('K152, K157: what nobody can read is shown, left by a replay, and dropped once its bytes are in a file', async () => {
    const body = 'x \u0085\u202e ü 🦊 \t\n {"v":2}';
    await queues.request(body);
    await queues.buried(1);
    const { deadLetters: shown } = await json('show', '--reason', 'Malformed');
    assert.deepEqual([shown[0].body, shown[0].reason], [body, 'Malformed']);
    assert.doesNotMatch((await dlq('show', '--all')).out, /[^\P{Cc}\n]|\p{Cf}/u);
    const replayed = await json('replay', '--all', '--yes');
    assert.deepEqual([replayed.done, replayed.left.malformed], [0, 1]);
    const { done, removed, file } = await json('drop', '--reason', 'Malformed', '--save', 'poison.jsonl', '--yes');
    assert.deepEqual([done, removed, file], [1, 1, 'poison.jsonl']);
    assert.equal(JSON.parse(readFileSync(join(world.dir, file), 'utf8')).body, body);
    assert.deepEqual(await queues.counts(), { dead: 0, requests: 0 });
  });

  test('T145: what somebody has tampered with costs a read at most when it goes back, and what is malformed ends here again', async () => {
    const readable = [request(a.namespace, 'never-was'), request('kube-system', 'never-was')];
    const malformed = [
      request('..', 'never-was'),
      request(a.namespace, 'never-was').replace('change', 'delete'),
      request(a.namespace, 'never-was').replace('{', '{"topicName":"k157-neighbour",'),
      '['.repeat(100_000),
    ];
    const before = (await world.requests(a.namespace, 'never-was')).length;
    await leavesAlone(world, ['k157-neighbour', 'never-was'], async () => {
      await queues.bury([...readable, ...malformed].map((body, index) => ({ body, group: `group-${index}` })));
      const { done, removed } = await json('replay', '--all', '--malformed', '--yes');
      assert.deepEqual([done, removed], [6, 6]);
      await queues.buried(malformed.length);
      await queues.drained();
    });
    assert.deepEqual((await world.requests(a.namespace, 'never-was')).slice(before), ['get']);
    assert.deepEqual((await queues.deadLetters(malformed.length)).toSorted(), malformed.toSorted());
  });

  test('K157: thousands go back, more of one topic than a look shows, and none is ever in neither queue', async () => {
    await runner.stop();
    const count = 3_000;
    const names = Array.from({ length: count }, (_, index) => `gone-${index % 100}`);
    await queues.bury(names.map((name) => ({ body: request(a.namespace, name), group: groupOf(name) })));
    let running = true;
    const replay = json('replay', '--all', '--malformed', '--rate', '500', '--yes').finally(() => {
      running = false;
    });
    const fewest: number[] = [];
    while (running) {
      const { dead, requests } = await queues.counts();
      fewest.push(dead + requests);
      await sleep(20);
    }
    const { done, removed, left } = await replay;
    assert.deepEqual({ done, removed, left }, { done: count, removed: count, left: nothingLeft });
    assert.ok(fewest.length > 20, `looked ${fewest.length} times only`);
    assert.ok(Math.min(...fewest) >= count, `there were ${Math.min(...fewest)} at one time`);
    assert.deepEqual(await queues.counts(), { dead: 0, requests: count });
    await runner.start();
    await queues.drained();
    assert.deepEqual(await queues.counts(), { dead: 0, requests: 0 });
  });

  test('K157: edits keep their pace while dead letters go back', async () => {
    await a.apply('k157-edited', { numPartitions: 1, config: { 'segment.ms': 100_000 } });
    await a.ready('k157-edited');
    const names = Array.from({ length: 500 }, (_, index) => `gone-${index}`);
    await queues.bury(names.map((name) => ({ body: request(a.namespace, name), group: groupOf(name) })));
    let running = true;
    const replay = json('replay', '--all', '--yes').finally(() => {
      running = false;
    });
    const took: number[] = [];
    for (let edit = 1; running; edit++) {
      const start = performance.now();
      await a.apply('k157-edited', { numPartitions: 1, config: { 'segment.ms': 100_000 + edit } });
      await a.ready('k157-edited');
      took.push(performance.now() - start);
    }
    assert.equal((await replay).done, names.length);
    assert.ok(took.length > 10, `${took.length} edits only`);
    assert.ok(Math.max(...took) < 2_000, `an edit took ${Math.max(...took)} ms`);
    await queues.drained();
  });
}

const nothingLeft = { malformed: 0, notChosen: 0, arrivedSince: 0, failed: 0, others: 0 };
