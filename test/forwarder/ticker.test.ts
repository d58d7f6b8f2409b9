import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics } from '../../functions/forwarder/metrics.ts';
import { Ticker } from '../../functions/forwarder/ticker.ts';
import { FakeClock, FakeTicks, middle, testLink } from './fakes.ts';

function world(random = middle) {
  const [ticks, clock, link] = [new FakeTicks(), new FakeClock(), testLink()];
  const metrics = createMetrics();
  const ticker = new Ticker({ ticks, clock, link, random, metrics, intervalMs: 300_000 });
  return { ticks, clock, link, ticker, metrics };
}

describe('ticker', () => {
  test('no tick goes before the first is asked for, then one each interval', async () => {
    const { ticks, clock, ticker } = world();
    await clock.advance(1_000_000);
    assert.equal(ticks.sent.length, 0);
    ticker.soon();
    await clock.advance(0);
    assert.equal(ticks.sent.length, 1);
    await clock.advance(900_000);
    assert.equal(ticks.sent.length, 4);
    assert.equal(new Set(ticks.sent.map(({ tick }) => tick)).size, 4);
  });

  test('the interval is a tenth shorter or longer by chance', async () => {
    for (const [chance, ms] of [
      [0, 270_000],
      [0.999, 329_900],
    ] as const) {
      const { ticks, clock, ticker } = world(() => chance);
      ticker.soon();
      await clock.advance(ms - 500);
      assert.equal(ticks.sent.length, 1);
      await clock.advance(1_000);
      assert.equal(ticks.sent.length, 2);
    }
  });

  test('ticks that are asked for in a row keep their distance', async () => {
    const { ticks, clock, ticker } = world();
    for (let second = 0; second < 55; second++) {
      ticker.soon();
      ticker.soon();
      await clock.advance(1_000);
    }
    assert.equal(ticks.sent.length, 6);
  });

  test('a tick that is asked for while one is under way follows it', async () => {
    const { ticks, clock, ticker } = world();
    const { promise, resolve } = Promise.withResolvers<void>();
    ticks.held = promise;
    ticker.soon();
    await clock.advance(1_000);
    ticker.soon();
    resolve();
    await clock.advance(8_500);
    assert.equal(ticks.sent.length, 1);
    await clock.advance(1_000);
    assert.equal(ticks.sent.length, 2);
    await clock.advance(280_000);
    assert.equal(ticks.sent.length, 2);
  });

  test('a tick the queue does not take is tried until it does', async () => {
    const { ticks, clock, link, ticker } = world();
    ticks.away = true;
    ticker.soon();
    await clock.advance(60_000);
    assert.match(link.problem ?? '', /cannot be reached/);
    ticks.away = false;
    await clock.advance(10_000);
    assert.deepEqual([ticks.sent.length, link.problem], [1, undefined]);
  });

  test('the time of the last tick is that of one the queue took', async () => {
    const { ticks, clock, ticker, metrics } = world();
    const lastTick = async () => (await metrics.lastTick.get()).values[0]?.value ?? 0;
    ticks.away = true;
    ticker.soon();
    await clock.advance(5_000);
    assert.equal(await lastTick(), 0);
    ticks.away = false;
    const before = clock.wallSeconds();
    await clock.advance(20_000);
    const at = await lastTick();
    assert.ok(at > before && at < clock.wallSeconds(), `${at}`);
    await clock.advance(1_000);
    assert.equal(await lastTick(), at);
  });

  test('no tick goes once it is stopped', async () => {
    const { ticks, clock, ticker } = world();
    ticker.soon();
    await clock.advance(0);
    ticker.stop();
    await clock.advance(1_000_000);
    assert.equal(ticks.sent.length, 1);
  });
});
