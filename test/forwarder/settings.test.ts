import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsOf } from '../../functions/forwarder/settings.ts';

const queues = { RECONCILE_QUEUE_URL: 'https://sqs/1/reconcile.fifo', TICK_QUEUE_URL: 'https://sqs/1/ticks.fifo' };

describe('settings', () => {
  test('two queues are enough: all namespaces, a tick every five minutes, a free port of this machine', () => {
    const { selects, ...settings } = settingsOf({ ...queues, WATCH_NAMESPACES: '', METRICS_PORT: '' });
    assert.equal(selects(new Map()), true);
    assert.deepEqual(settings, {
      requestQueueUrl: queues.RECONCILE_QUEUE_URL,
      tickQueueUrl: queues.TICK_QUEUE_URL,
      namespaces: [],
      resyncMs: 300_000,
      metricsHost: '127.0.0.1',
      metricsPort: 0,
    });
  });

  test('namespaces are a comma list; a name that stands twice is watched once', () => {
    assert.deepEqual(settingsOf({ ...queues, WATCH_NAMESPACES: 'a, b,,a ' }).namespaces, ['a', 'b']);
  });

  const wrong: [NodeJS.ProcessEnv, RegExp][] = [
    [{ RECONCILE_QUEUE_URL: '' }, /^RECONCILE_QUEUE_URL is not set$/],
    [{ TICK_QUEUE_URL: undefined }, /^TICK_QUEUE_URL is not set$/],
    [{ RESYNC_INTERVAL_SECONDS: '0' }, /^RESYNC_INTERVAL_SECONDS is "0": it has to be a whole number from 1 to 86400$/],
    [{ RESYNC_INTERVAL_SECONDS: '5m' }, /^RESYNC_INTERVAL_SECONDS is "5m"/],
    [{ WATCH_LABEL_SELECTOR: 'team in a' }, /^WATCH_LABEL_SELECTOR: "team in a" is not a requirement/],
    [{ METRICS_PORT: '65536' }, /^METRICS_PORT is "65536"/],
    [{ METRICS_PORT: '-1' }, /^METRICS_PORT is "-1"/],
  ];
  for (const [env, message] of wrong)
    test(`${Object.entries(env).join()} is refused with the name of the variable`, () => {
      assert.throws(() => settingsOf({ ...queues, ...env }), { message });
    });
});
