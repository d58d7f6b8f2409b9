/** From what was counted to what it costs: requests of one edit, of one tick and of a month, at list prices. */

/** What some work took in all. `sqs` are billed requests, without polls that brought nothing. */
export type Work = {
  readonly apiServer: number;
  readonly kafka: number;
  readonly sqs: number;
  readonly invocations: number;
  /** of all invocations together */
  readonly ms: number;
  readonly logBytes: number;
};

/** As `infra/cost/measured.json` holds it. */
export type Measured = {
  readonly date: string;
  readonly objects: number;
  /** one edit while all is quiet */
  readonly edit: Work;
  /** all objects edited at once, in total */
  readonly edits: Work;
  /** a tick over all objects, all in sync */
  readonly tick: Work;
  /** custom metrics: those of ticks, and all that were seen */
  readonly series: { readonly tick: number; readonly all: number };
};

/** As `infra/cost/prices.json` holds it: USD, without any free tier. */
export type Prices = {
  readonly date: string;
  readonly region: string;
  readonly sources: readonly string[];
  readonly sqsFifoPerMillionRequests: number;
  readonly lambdaPerMillionRequests: number;
  readonly lambdaArmPerGigabyteSecond: number;
  readonly logsPerGigabyte: number;
  readonly customMetricPerMonth: number;
  readonly alarmPerMonth: number;
  readonly dashboardPerMonth: number;
};

/** What is deployed, and how much it is used. */
export type Installation = {
  readonly memoryMegabytes: number;
  readonly eventSourceMappings: number;
  readonly alarms: number;
  readonly dashboards: number;
  readonly editsPerMonth: number;
  readonly ticksPerMonth: number;
};

export type Line = { readonly what: string; readonly sqs: number; readonly invocations: number; readonly usd: number };

/** Lambda polls a queue with five pollers of 20 s, also while it is empty; a month has 730 hours. */
export const idlePolls = (mappings: number): number => (mappings * 5 * 730 * 3600) / 20;

/** @returns USD for the requests, the time and the log lines of some work */
export function price(work: Work, prices: Prices, memoryMegabytes: number): number {
  const gigabyteSeconds = (work.ms / 1000) * (memoryMegabytes / 1024);
  return (
    (work.sqs * prices.sqsFifoPerMillionRequests + work.invocations * prices.lambdaPerMillionRequests) / 1e6 +
    gigabyteSeconds * prices.lambdaArmPerGigabyteSecond +
    (work.logBytes / 1e9) * prices.logsPerGigabyte
  );
}

/** A month of an installation, the largest lines included that do not depend on use. The last line is their sum. */
export function monthlyBill(measured: Measured, prices: Prices, used: Installation): readonly Line[] {
  const polls = idlePolls(used.eventSourceMappings);
  const times = (work: Work, count: number, what: string): Line => ({
    what,
    sqs: work.sqs * count,
    invocations: work.invocations * count,
    usd: count * price(work, prices, used.memoryMegabytes),
  });
  const fixed = (what: string, usd: number, sqs = 0): Line => ({ what, sqs, invocations: 0, usd });
  const lines = [
    times(measured.edit, used.editsPerMonth, `${whole(used.editsPerMonth)} edits, one at a time`),
    times(measured.tick, used.ticksPerMonth, `${whole(used.ticksPerMonth)} ticks`),
    fixed(
      'Lambda polls two queues, whether or not anything is there',
      (polls * prices.sqsFifoPerMillionRequests) / 1e6,
      polls,
    ),
    fixed(`${used.alarms} alarms`, used.alarms * prices.alarmPerMonth),
    fixed(`${used.dashboards} dashboard`, used.dashboards * prices.dashboardPerMonth),
    fixed(
      `${measured.series.tick} to ${measured.series.all} custom metrics (\`METRICS_NAMESPACE=none\`: none)`,
      measured.series.all * prices.customMetricPerMonth,
    ),
  ];
  const sum = (pick: (line: Line) => number) => lines.reduce((total, line) => total + pick(line), 0);
  const all = { what: '**all**', sqs: sum((line) => line.sqs), invocations: sum((line) => line.invocations) };
  return [...lines, { ...all, usd: sum((line) => line.usd) }];
}

/** Rounded, for people. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
