import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { annotations } from '../../functions/core/api.ts';
import { golden } from '../support/golden.ts';
import { disturb, fleet } from './world.ts';

const orders = { namespace: 'shop', name: 'orders' };

/** `orders` waits for approval of a shorter retention. */
async function waiting(settings: Parameters<typeof fleet>[0] = {}) {
  const world = await fleet(settings);
  disturb(world);
  await world.pass(['orders']);
  const annotation = () => world.resources.objects.get(orders)?.metadata.annotations?.[annotations.approve];
  return { ...world, annotation, hash: world.status('orders')?.plan?.hash };
}

describe('topicsmith approve', () => {
  test('K123: shows the plan, asks, and sets exactly that hash', async () => {
    const { run, asked, annotation, hash, pass, topics, ready } = await waiting({ answer: 'y' });
    const { code, out, err } = await run('approve', 'orders');
    assert.equal(code, 0);
    golden('approve.txt', `${out}${asked.join('')}\n${err}`);
    assert.ok(hash);
    assert.equal(annotation(), hash);
    await pass(['orders']);
    assert.equal(topics.topics.get('orders')?.overrides.get('retention.ms'), '3600000');
    assert.equal(ready('orders'), 'True Synced');
  });

  test('K123: without a terminal and without --yes nothing is changed, and it says so', async () => {
    const { run, state } = await waiting();
    const before = state();
    const { code, err } = await run('approve', 'orders');
    assert.equal(code, 1);
    assert.equal(
      err,
      'topicsmith: nothing was changed: there is no terminal to ask at; --yes approves without asking\n',
    );
    assert.equal(state(), before);
  });

  test('K123: --yes approves without asking', async () => {
    const { run, asked, annotation, hash } = await waiting({ answer: 'n' });
    assert.equal((await run('approve', 'orders', '--yes')).code, 0);
    assert.deepEqual([asked, annotation()], [[], hash]);
  });

  for (const answer of ['n', '', 'yess', 'Y\u0000'])
    test(`the answer ${JSON.stringify(answer)} changes nothing`, async () => {
      const { run, state } = await waiting({ answer });
      const before = state();
      const { code, err } = await run('approve', 'orders');
      assert.deepEqual([code, err], [1, 'topicsmith: nothing was changed: it was not approved\n']);
      assert.equal(state(), before);
    });

  test('an object that is only written meanwhile is approved all the same', async () => {
    const { run, hooks, resources, annotation, hash } = await waiting({ answer: 'y' });
    hooks.onAsk = async () => resources.objects.annotate(orders, 'reconcileRequestedAt', 'now');
    assert.equal((await run('approve', 'orders')).code, 0);
    assert.equal(annotation(), hash);
  });

  test('an edit while the question is open is not approved with it', async () => {
    const { run, hooks, apply, annotation } = await waiting({ answer: 'y' });
    hooks.onAsk = async () => void apply('orders', { numPartitions: 6, config: { 'retention.ms': 1000 } });
    const { code, err } = await run('approve', 'orders');
    assert.equal(code, 1);
    assert.match(err, /^topicsmith: nothing was changed: what waits at shop\/orders is not what was shown any more/);
    assert.equal(annotation(), undefined);
  });

  test('an object that was deleted and created again is not approved', async () => {
    const { run, hooks, resources, apply, annotation } = await waiting({ answer: 'y' });
    hooks.onAsk = async () => {
      resources.objects.delete(orders);
      apply('orders', { numPartitions: 6, config: { 'retention.ms': 3600000 } });
    };
    assert.equal((await run('approve', 'orders')).code, 1);
    assert.equal(annotation(), undefined);
  });

  test('an edit that nobody has looked at yet is waited for', async () => {
    const { run, apply } = await waiting({ answer: 'y' });
    apply('orders', { numPartitions: 7, config: { 'retention.ms': 3600000 } });
    const { code, err } = await run('approve', 'orders');
    assert.equal(code, 1);
    assert.match(err, /has been edited and not been looked at since.*try again/);
  });

  test('where nothing waits it says so, exit 1', async () => {
    const { code, err } = await (await fleet({ answer: 'y' })).run('approve', 'clicks');
    assert.equal(code, 1);
    assert.match(err, /^topicsmith: nothing waits for approval at shop\/clicks: topicsmith plan clicks -n shop/);
  });

  test('what is approved already is not asked about again', async () => {
    const { run, approve, asked } = await waiting({ answer: 'y' });
    approve('orders');
    const { code, err } = await run('approve', 'orders');
    assert.deepEqual([code, asked], [0, []]);
    assert.match(err, /approved already/);
  });
});
