/** The README's cost tables, from what was counted and from list prices. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Installation, type Measured, monthlyBill, type Prices, price, type Work, whole } from '../cost/bill.ts';
import { row } from './markdown.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** A team with a thousand topics that changes each of them once a month; the forwarder's own interval of ticks. */
const use = { editsPerMonth: 1000, ticksPerMonth: (730 * 60) / 5 };

/** @returns Markdown for the place between the README's marks */
export function costTables(): string {
  const measured: Measured = JSON.parse(read('infra/cost/measured.json'));
  const prices: Prices = JSON.parse(read('infra/cost/prices.json'));
  const installed = { ...use, ...deployed() };
  return `${workTable(measured, prices, installed.memoryMegabytes)}
${monthTable(measured, prices, installed)}`;
}

function deployed(): Omit<Installation, keyof typeof use> {
  const service = parse(read('serverless.yml'));
  const functions: { events?: readonly unknown[] }[] = Object.values(service.functions);
  return {
    memoryMegabytes: service.provider.memorySize,
    eventSourceMappings: functions.flatMap(({ events = [] }) => events).length,
    alarms: resourcesIn('infra/alarms.yml', 'AWS::CloudWatch::Alarm'),
    dashboards: resourcesIn('infra/dashboard.yml', 'AWS::CloudWatch::Dashboard'),
  };
}

function resourcesIn(path: string, type: string): number {
  const resources = Object.values(parse(read(path)).Resources as Record<string, { Type: string }>);
  return resources.filter(({ Type }) => Type === type).length;
}

function workTable({ edit, edits, tick, objects, date }: Measured, prices: Prices, memory: number): string {
  const workRow = (what: string, work: Work) =>
    row(
      what,
      ...[work.apiServer, work.kafka, work.sqs, work.invocations, work.ms].map(short),
      dollars(price(work, prices, memory)),
    );
  return `| counted on ${date} | API server | Kafka | SQS | invocations | their time, ms | USD |
|---|---|---|---|---|---|---|
${workRow('one change while all is quiet', edit)}
${workRow(`${whole(objects)} objects created at once`, edits)}
${workRow(`a tick over ${whole(objects)} objects in sync`, tick)}
`;
}

const monthTable = (measured: Measured, prices: Prices, used: Installation): string =>
  `| a month, ${prices.region}, list prices noted on ${prices.date} without free tiers | SQS requests | invocations | USD |
|---|---|---|---|
${monthlyBill(measured, prices, used)
  .map(({ what, sqs, invocations, usd }) => row(what, whole(sqs), whole(invocations), usd.toFixed(2)))
  .join('\n')}
`;

const short = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });
const dollars = (value: number): string => (value < 0.01 ? value.toPrecision(2) : value.toFixed(2));
