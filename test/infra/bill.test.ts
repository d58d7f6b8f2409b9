import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idlePolls, type Measured, monthlyBill, type Prices, price, type Work } from '../../infra/cost/bill.ts';

const nothing: Work = { apiServer: 0, kafka: 0, sqs: 0, invocations: 0, ms: 0, logBytes: 0 };
const free: Prices = {
  ...{ date: '2026-01-01', region: 'us-east-1', sources: [] },
  ...{ sqsFifoPerMillionRequests: 0, lambdaPerMillionRequests: 0, lambdaArmPerGigabyteSecond: 0 },
  ...{ logsPerGigabyte: 0, customMetricPerMonth: 0, alarmPerMonth: 0, dashboardPerMonth: 0 },
};

describe('the price of some work', () => {
  test('counts messages by the million', () =>
    assert.equal(price({ ...nothing, sqs: 3e6 }, { ...free, sqsFifoPerMillionRequests: 0.5 }, 512), 1.5));

  test('counts invocations by the million', () =>
    assert.equal(price({ ...nothing, invocations: 2e6 }, { ...free, lambdaPerMillionRequests: 0.2 }, 512), 0.4));

  test('counts time by the memory of the function', () =>
    assert.equal(price({ ...nothing, ms: 4000 }, { ...free, lambdaArmPerGigabyteSecond: 1 }, 512), 2));

  test('counts log lines by the gigabyte', () =>
    assert.equal(price({ ...nothing, logBytes: 2e9 }, { ...free, logsPerGigabyte: 0.5 }, 512), 1));
});

describe('a month', () => {
  const measured: Measured = {
    ...{ date: '2026-01-01', objects: 1000, edits: nothing, series: { tick: 2, all: 5 } },
    edit: { ...nothing, sqs: 3, invocations: 1 },
    tick: { ...nothing, sqs: 5, invocations: 2 },
  };
  const used = {
    memoryMegabytes: 512,
    eventSourceMappings: 2,
    alarms: 4,
    dashboards: 1,
    editsPerMonth: 10,
    ticksPerMonth: 100,
  };

  test('Lambda asks a queue 15 times a minute, with nothing in it too', () =>
    assert.equal(idlePolls(1), 15 * 60 * 730));

  test('adds up what is used and what is there', () => {
    const prices = {
      ...free,
      sqsFifoPerMillionRequests: 1e6,
      customMetricPerMonth: 1,
      alarmPerMonth: 10,
      dashboardPerMonth: 3,
    };
    const lines = monthlyBill(measured, prices, used);
    const [edits, ticks, polls, alarms, dashboard, series, all] = lines.map(({ usd }) => usd);
    assert.deepEqual([edits, ticks, alarms, dashboard, series], [30, 500, 40, 3, 5]);
    assert.equal(polls, idlePolls(2));
    assert.equal(all, 578 + idlePolls(2));
    assert.equal(lines.at(-1)?.sqs, 530 + idlePolls(2));
    assert.equal(lines.at(-1)?.invocations, 210);
  });
});
