/** The report as tables for people. */

import type { MachineCost } from './cost.ts';
import { type Floor, type FloorPart, totalOf } from './floor.ts';
import type { Report } from './measure.ts';
import type { Cost } from './phases.ts';
import type { Profile } from './profile.ts';
import { columns } from './table.ts';

/** @returns lines with their line ends */
export function render(report: Report): string {
  const sections = [head(report), fleet(report), floor(report), idle(report), resync(report), drift(report)];
  return [...sections, cpu(report), memory(report), requests(report), profiles(report)].join('');
}

function head({ count, deletionPolicy, parallel, machine }: Report): string {
  const { data, processors, kubernetes, node } = machine;
  return `${integer(count)} objects with deletionPolicy ${deletionPolicy}, ${parallel} requests at a time, ${processors} processors, data in ${data}, Kubernetes ${kubernetes}, Node.js ${node}\n`;
}

/** From the first request to the last object that is seen as wanted. */
function fleet({ fleet: done, floor, resync: tick, deletionPolicy }: Report): string {
  const rows = Object.entries(done).map(([name, { count, seconds, latencyMs }]) => {
    const least = floor && totalOf(floor[name as keyof Floor]);
    return [
      what(deletionPolicy)[name as keyof Floor],
      fixed(seconds, 2),
      integer(count / seconds),
      ...[latencyMs.p50, latencyMs.p99, latencyMs.max].map(integer),
      least === undefined ? '–' : fixed(least, 2),
      least === undefined ? '–' : `${fixed(seconds / least, 1)} x`,
    ];
  });
  if (tick !== undefined)
    rows.push([
      'a tick, nothing to do',
      fixed(tick.seconds, 2),
      integer(tick.count / tick.seconds),
      '',
      '',
      '',
      '',
      '',
    ]);
  const header = ['all at once', 's', 'per s', 'p50 ms', 'p99 ms', 'max ms', 'floor s', 'ratio'];
  return rows.length === 0 ? '' : `\n${columns([header, ...rows])}`;
}

const what = (deletionPolicy: Report['deletionPolicy']): Record<keyof Floor, string> => ({
  create: 'created → Ready',
  grow: 'more partitions → Ready',
  configure: 'config changed → Ready',
  delete: `deleted → gone, topic ${deletionPolicy === 'Delete' ? 'too' : 'stays'}`,
});

function floor({ floor: measured, count }: Report): string {
  if (measured === undefined) return '';
  const row = (name: keyof Floor) => {
    const part: FloorPart = measured[name];
    return [name, ...[part.requests, part.statuses, part.topics, totalOf(part)].map((value) => fixed(value, 2))];
  };
  const header = [`floor: ${integer(count)}, s`, 'user requests', 'status writes', 'topics', 'sum'];
  return `\n${columns([header, ...(['create', 'grow', 'configure', 'delete'] as const).map(row)])}`;
}

function idle({ idle: measured }: Report): string {
  if (measured === undefined) return '';
  const row = (name: string, key: 'create' | 'edit' | 'delete') => {
    const { p50, p90, p99, max } = measured[key];
    return [name, ...[p50, p90, p99, max].map((value) => fixed(value, 1))];
  };
  const header = [`one after another: ${measured.create.count}, ms`, 'p50', 'p90', 'p99', 'max'];
  const table = columns([
    header,
    row('created → Ready', 'create'),
    row('edited → Ready', 'edit'),
    row('deleted → gone', 'delete'),
  ]);
  return `\n${table}The very first object took ${integer(measured.first)} ms.\n`;
}

function resync({ resync: tick }: Report): string {
  if (tick === undefined) return '';
  const { forwarder = 0, runner = 0, resync: function_ = 0 } = tick.cpuSeconds;
  const asked = sum(Object.values(tick.requests).flatMap((byVerb) => Object.values(byVerb)));
  return `\nA tick over ${integer(tick.count)} objects in sync: ${asked} requests at the API server, no write, ${tick.said.requests} requests in all for ${tick.said.pages} pages, ${fixed(function_, 2)} CPU seconds in resync, ${fixed(forwarder + runner, 2)} in forwarder and runner.\n`;
}

function drift({ drift: mended }: Report): string {
  if (mended === undefined) return '';
  const { count, seconds, ticks, edits, edit } = mended;
  const [p50, p99, max] = [edit.p50, edit.p99, edit.max].map(integer);
  return `\n${integer(count)} topics changed by hand were mended in ${fixed(seconds, 1)} s by ${ticks} ticks; ${integer(edits)} edits meanwhile → Ready: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms.\n`;
}

/** Columns: what was measured, in the order of the run. */
function costs({ idle: measured, fleet: done, resync: tick, drift: mended }: Report): [string, Cost][] {
  const { create, ...rest } = done;
  const all: [string, Cost | undefined][] = [
    ['idle', measured],
    ['create', create],
    ['resync', tick],
    ['drift', mended],
    ...Object.entries(rest),
  ];
  return all.filter((entry): entry is [string, Cost] => entry[1] !== undefined);
}

function cpu(report: Report): string {
  const floored: [string, MachineCost][] = report.floorCost === undefined ? [] : [['floor', report.floorCost]];
  const phases: [string, MachineCost][] = [...floored, ...costs(report)];
  const names = processNames(report).filter((name) => phases.some(([, cost]) => cost.cpuSeconds[name] !== undefined));
  if (names.length === 0) return '\nCPU and memory are not known: there is no /proc here.\n';
  const rows = names.map((name) => [name, ...phases.map(([, cost]) => fixed(cost.cpuSeconds[name] ?? 0, 2))]);
  const others = [
    'everything else',
    ...phases.map(([, cost]) => (cost.othersCpuSeconds === undefined ? '–' : fixed(cost.othersCpuSeconds, 2))),
  ];
  return `\n${columns([['CPU seconds', ...phases.map(([name]) => name)], ...rows, others])}`;
}

function memory(report: Report): string {
  const phases: [string, Cost['memory']][] = [
    ['at start', report.memoryAtStart],
    ...costs(report).map(([name, cost]): [string, Cost['memory']] => [name, cost.memory]),
  ];
  const names = processNames(report);
  if (names.length === 0) return '';
  const cell = (usage: Cost['memory'][string] | undefined) =>
    usage === undefined
      ? '–'
      : `${megabytes(usage.rss)}/${megabytes(usage.pss)}${usage.processes > 1 ? ` (${usage.processes})` : ''}`;
  const rows = names.map((name) => [name, ...phases.map(([, usage]) => cell(usage[name]))]);
  return `\n${columns([['RSS/PSS MB (processes)', ...phases.map(([name]) => name)], ...rows])}`;
}

const processNames = ({ memoryAtStart }: Report): string[] => Object.keys(memoryAtStart);

/** API server: of the timed run, by its audit log. Kafka and SQS: of the second run, by the proxies. */
function requests(report: Report): string {
  const rows = costs(report)
    .filter(([name]) => name !== 'idle')
    .flatMap(([name, cost]) => {
      const api = total(Object.values(cost.requests).flatMap((byVerb) => Object.entries(byVerb)));
      const { kafka = {}, sqs = {} } = report.requests?.[name as 'create'] ?? {};
      const parts = [
        ['API server', api],
        ['Kafka', kafka],
        ['SQS', sqs],
      ] as const;
      return parts
        .filter(([, counts]) => Object.keys(counts).length > 0)
        .map(([server, counts]) => [name, server, fixed(sum(Object.values(counts)) / report.count, 2), listed(counts)]);
    });
  if (rows.length === 0) return '';
  return `\n${columns([['requests', 'to', 'per object', 'which'], ...rows], ['left', 'left', 'right', 'left'])}`;
}

function total(entries: readonly (readonly [string, number])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, count] of entries) counts[name] = (counts[name] ?? 0) + count;
  return counts;
}

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${integer(count)} ${name}`)
    .join(', ');

function profiles(report: Report): string {
  const sections = costs(report).flatMap(([phase, { profiles: byKind = {} }]) =>
    Object.entries(byKind).map(([kind, profile]) => profileOf(phase, kind, profile)),
  );
  return sections.join('');
}

const shownPackages = 8;
const shownFunctions = 12;

function profileOf(phase: string, kind: string, { busySeconds, packages, functions }: Profile): string {
  const row = ({ name, seconds }: { name: string; seconds: number }) => [
    name,
    fixed(seconds, 2),
    `${integer((100 * seconds) / busySeconds)} %`,
  ];
  const shown = [...packages.slice(0, shownPackages), ...functions.slice(0, shownFunctions)].map(row);
  return `\n${columns([[`${phase}: ${kind}`, fixed(busySeconds, 2), ''], ...shown])}`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const fixed = (value: number, digits: number): string => value.toFixed(digits);
const integer = (value: number): string => Math.round(value).toLocaleString('en-US');
const megabytes = (bytes: number): string => integer(bytes / 1e6);
