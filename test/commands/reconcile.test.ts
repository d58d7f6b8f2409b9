import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import { parseRequest } from '../../functions/core/request.ts';
import { golden } from '../support/golden.ts';
import { commandWorld, disturb, fleet } from './world.ts';

/** Whoever is asked for gets a pass, a little later. */
async function answering(settings: Parameters<typeof fleet>[0] = {}) {
  const made = await fleet(settings);
  const { hooks, sent, pass } = made;
  hooks.onPause = async () => {
    const names = sent.splice(0).map(({ request }) => request.name);
    if (names.length > 0) await pass(names);
  };
  return made;
}

describe('topicsmith reconcile', () => {
  test('K158: by name, selector and all, each is asked for as a manual request of the queue', async () => {
    const { run, keys, sent } = await fleet();
    assert.deepEqual((await run('reconcile', 'orders', 'kt/clicks')).code, 0);
    assert.deepEqual(keys(), ['shop/orders', 'shop/clicks']);
    for (const { request, topicName } of sent) {
      assert.deepEqual(parseRequest(JSON.stringify(request)), request);
      assert.deepEqual([request.trigger, topicName], ['manual', request.name]);
    }
    sent.length = 0;
    assert.equal((await run('reconcile', '-l', 'team=b')).code, 0);
    assert.deepEqual(keys(), ['shop/audit', 'shop/customers']);
    sent.length = 0;
    const { err } = await run('reconcile', '--all');
    assert.equal(err, 'Asked for 5 objects.\n');
    assert.equal(sent.length, 5);
  });

  test('K158: asked for twice, it is heard twice', async () => {
    const { run, sent } = await fleet();
    await run('reconcile', 'orders');
    await run('reconcile', 'orders');
    assert.equal(new Set(sent.map(({ deduplicationId }) => deduplicationId)).size, 2);
    assert.equal(new Set(sent.map(({ request }) => request.id)).size, 2);
  });

  test('without --wait no object is written', async () => {
    const { run, resources } = await fleet();
    const before = JSON.stringify(resources.objects.all());
    await run('reconcile', '--all');
    assert.equal(JSON.stringify(resources.objects.all()), before);
  });

  test('K158: --wait shows the outcome of each; one that is not Ready is exit 1', async () => {
    const world = await answering();
    disturb(world);
    const { code, out, err } = await world.run('reconcile', '--all', '--wait');
    assert.deepEqual([code, err], [1, '']);
    golden('reconcile.txt', out);
    assert.ok(world.progress.includes(`sent [${'#'.repeat(24)}] 5 of 5`));
  });

  test('K158: --wait on what is as wanted ends with the look that was asked for, exit 0', async () => {
    const { run, status } = await answering();
    const { code, out } = await run('reconcile', 'orders', '--wait', '-o', 'json');
    assert.equal(code, 0);
    const { objects } = JSON.parse(out);
    assert.deepEqual(objects, [
      {
        namespace: 'shop',
        name: 'orders',
        handled: true,
        ready: 'True',
        reason: 'Synced',
        message: 'the topic is as specified',
      },
    ]);
    assert.ok(status('orders')?.lastHandledReconcileAt);
  });

  test('the annotation that is waited for is there before the message', async () => {
    const { run, hooks, resources } = await answering();
    let seen: unknown;
    hooks.onSend = async () => {
      seen = resources.objects.get({ namespace: 'shop', name: 'orders' })?.metadata.annotations;
    };
    await run('reconcile', 'orders', '--wait');
    assert.ok(seen);
  });

  test('one that nobody looks at is given up at the timeout, exit 1', async () => {
    const { run } = await fleet();
    const { code, out } = await run('reconcile', 'orders', '--wait', '--timeout', '10s');
    assert.equal(code, 1);
    golden('reconcile.late.txt', out);
  });

  test('what is under way is waited for', async () => {
    const { run, topics, hooks, sent, pass, apply } = await fleet();
    apply('orders', { numPartitions: 3, config: { 'retention.ms': 604800000 } });
    let passes = 0;
    const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
    hooks.onPause = async () => {
      topics.fault = passes++ === 0 ? () => ({ at: 'before', error: away }) : undefined;
      if (sent.length > 0) await pass(['orders']);
    };
    const { code, out } = await run('reconcile', 'orders', '--wait');
    assert.equal(code, 0);
    assert.match(out, /^orders +True +Synced/m);
    assert.ok(passes >= 2);
  });

  test('somebody else who asks meanwhile does not hide the outcome', async () => {
    const { run, hooks, resources, pass } = await fleet();
    hooks.onPause = async () => {
      resources.objects.annotate({ namespace: 'shop', name: 'orders' }, 'reconcileRequestedAt', 'theirs');
      await pass(['orders']);
    };
    assert.equal((await run('reconcile', 'orders', '--wait')).code, 0);
  });

  test('an object that goes meanwhile is no failure', async () => {
    const { run, hooks, resources } = await fleet();
    hooks.onPause = async () => resources.objects.delete({ namespace: 'shop', name: 'orders' });
    const { code, out } = await run('reconcile', 'orders', '--wait');
    assert.equal(code, 0);
    assert.match(out, /^orders +Gone/m);
  });

  test('--annotate asks through the API server and needs no queue', async () => {
    const { run, sent, resources } = await fleet();
    const orders = { namespace: 'shop', name: 'orders' };
    assert.equal((await run('reconcile', 'orders', '--annotate')).code, 0);
    assert.deepEqual(sent, []);
    assert.ok(resources.objects.get(orders)?.metadata.annotations);
  });

  test('an object that is written at that moment is asked for all the same', async () => {
    const { run, hooks, resources } = await answering();
    let writes = 0;
    hooks.onAnnotate = async () => {
      if (writes++ < 2) resources.objects.annotate({ namespace: 'shop', name: 'orders' }, 'approve', `${writes}`);
    };
    assert.equal((await run('reconcile', 'orders', '--wait')).code, 0);
  });

  test('names come from a file, with or without type and namespace, each once', async () => {
    const { run, keys } = await fleet({
      input: '# a comment\norders\n\nkafkatopic.cache.example.com/clicks\nshop/audit\norders\n',
    });
    assert.equal((await run('reconcile', '--from-file', '-')).code, 0);
    assert.deepEqual(keys(), ['shop/orders', 'shop/clicks', 'shop/audit']);
  });

  /** Sixty objects: more than are read one by one. */
  function sixty() {
    const names = Array.from({ length: 60 }, (_, index) => `t-${index}`);
    const made = commandWorld({ input: names.map((name) => `shop/${name}\n`).join('') });
    const { apply, resources, hooks, sent, pass } = made;
    for (const name of names) apply(name, {});
    hooks.onPause = async () => {
      await pass(sent.splice(0).map(({ request }) => request.name));
    };
    const calls: string[] = [];
    resources.fault = ({ call, phase }) => void (phase === 'before' && calls.push(call));
    return { ...made, calls };
  }

  test('many are waited for by listing', async () => {
    const { run, calls } = sixty();
    const { code, out } = await run('reconcile', '--all', '--wait');
    assert.equal(code, 0);
    assert.match(out, /Reconcile: 60 ready, 0 not ready\.\n$/);
    assert.ok(calls.filter((call) => call === 'page').length >= 2);
  });

  test('many of another namespace than the flags name are not taken for gone', async () => {
    const { run } = sixty();
    const { code, out } = await run('reconcile', '-n', 'other', '--from-file', '-', '--wait');
    assert.equal(code, 0);
    assert.doesNotMatch(out, /Gone/);
  });

  for (const [what, args, problem] of [
    ['no object named', [], /say which objects: names, --selector, --all or --from-file/],
    ['two ways at once', ['orders', '--all'], /say which objects/],
    ['nothing chosen', ['-l', 'team=nobody'], /there is no object to ask for/],
    [
      'a timeout that is none',
      ['orders', '--timeout', 'soon'],
      /--timeout is "soon": it has to be as in 90s, 5m, 1h or 7d/,
    ],
  ] as const)
    test(`${what} is one line that says so, exit 1`, async () => {
      const { run, sent } = await fleet();
      const { code, err } = await run('reconcile', ...args);
      assert.equal(code, 1);
      assert.match(err, problem);
      assert.equal(err.trim().split('\n').length, 1);
      assert.deepEqual(sent, []);
    });

  test('objects that this installation does not select are refused: nobody would look', async () => {
    const { run, sent } = await fleet({ selects: (labels) => labels.get('team') !== 'a' });
    const { code, err } = await run('reconcile', '--all');
    assert.equal(code, 1);
    assert.match(err, /WATCH_LABEL_SELECTOR does not select shop\/clicks and 1 more/);
    assert.deepEqual(sent, []);
  });
});
