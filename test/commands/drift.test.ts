import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Failure } from '../../functions/core/outcome.ts';
import { golden } from '../support/golden.ts';
import { disturb, fleet } from './world.ts';

const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });

async function disturbed(settings = {}) {
  const world = await fleet(settings);
  disturb(world);
  return world;
}

describe('topicsmith drift', () => {
  test('a fleet as wanted is clean, exit 0; what is paused is not counted as clean', async () => {
    const { run, apply, pass } = await fleet();
    apply('audit', { numPartitions: 2, mode: 'Observe' });
    await pass(['audit']);
    const { code, out } = await run('drift');
    assert.deepEqual([code, out], [0, 'Drift: 0 drifted, 4 clean, 0 not checked, 1 left out.\n']);
  });

  test('K149: drift is shown field by field with exit 3, and nothing is written', async () => {
    const { run, state } = await disturbed();
    const before = state();
    const { code, out, err } = await run('drift');
    assert.deepEqual([code, err], [3, '']);
    golden('drift.txt', out);
    assert.equal(state(), before);
  });

  test('colour changes no character of the text', async () => {
    const { run } = await disturbed({ colour: true });
    const { out } = await run('drift');
    golden('drift.colour.txt', out);
    golden('drift.txt', stripVTControlCharacters(out));
  });

  test('JSON has since when where the object knows it, and the counts', async () => {
    const { run } = await disturbed();
    const { code, out } = await run('drift', '-A', '-o', 'json');
    assert.equal(code, 3);
    golden('drift.json', out);
  });

  test('names can be handed on', async () => {
    const { run } = await disturbed();
    const { out } = await run('drift', '-o', 'name', '-l', 'team=a');
    assert.equal(out, 'kafkatopic.cache.example.com/clicks\nkafkatopic.cache.example.com/orders\n');
  });

  test('what cannot be read is not checked and not clean, exit 1', async () => {
    const { run, topics } = await fleet();
    topics.fault = ({ method }) => (method === 'observe' ? { items: new Map([['orders', away]]) } : undefined);
    const { code, out } = await run('drift', 'orders', 'clicks');
    assert.equal(code, 1);
    golden('drift.unknown.txt', out);
  });

  test('drift beside something that cannot be read is still exit 3', async () => {
    const { run, topics } = await disturbed();
    topics.fault = ({ method }) => (method === 'observe' ? { items: new Map([['orders', away]]) } : undefined);
    const { code, out } = await run('drift', 'orders', 'clicks');
    assert.equal(code, 3);
    assert.match(out, /Drift: 1 drifted, 0 clean, 1 not checked\.\n$/);
  });

  test("a topic that belongs to another object is not checked: it is not this one's to compare", async () => {
    const { run, apply } = await fleet();
    apply('second', { topicName: 'clicks', numPartitions: 9 });
    const { code, out } = await run('drift', 'second');
    assert.equal(code, 1);
    assert.match(out, /second +ResourceConflict +topic clicks belongs to KafkaTopic shop\/clicks/);
  });

  test('a topic that waits to be taken over differs in what it holds, not in its id', async () => {
    const { run, topics, apply } = await fleet();
    topics.add('found', { numPartitions: 1, recordCount: 5 });
    apply('found', { numPartitions: 3 });
    const { code, out } = await run('drift', 'found', '-o', 'json');
    assert.equal(code, 3);
    assert.deepEqual(JSON.parse(out).objects[0].drift, [{ field: 'numPartitions', desired: '3', observed: '1' }]);
  });

  test('a topic that is gone is drift', async () => {
    const { run, topics } = await fleet();
    topics.topics.delete('orders');
    const { code, out } = await run('drift', 'orders');
    assert.equal(code, 3);
    assert.match(out, /orders +topic +present +absent/);
  });
});
