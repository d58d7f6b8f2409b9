/** What is measured while the product runs. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Api, mergePatch, topicPath } from './api.ts';
import { AuditMark, type RequestsByUser } from './audit.ts';
import { type MachineCost, spending } from './cost.ts';
import { type FunctionsUse, RunnerMark } from './functions.ts';
import { created, drifted, inParallel, type Load, type LoadName, type Loads, namesOf } from './loads.ts';
import { namesByPid, type Watched } from './processes.ts';
import type { Profile, Profiler } from './profile.ts';
import type { Queues } from './queues.ts';
import { type Summary, summarize } from './statistics.ts';
import type { Brokers } from './topics.ts';
import { isReady, type Watcher } from './watcher.ts';

/** Everything that phases need, while the product runs. */
export type World = {
  readonly api: Api;
  readonly watcher: Watcher;
  readonly brokers: Brokers;
  readonly queues: Queues;
  readonly loads: Loads;
  readonly namespace: string;
  readonly pids: Watched;
  readonly auditLog: string;
  readonly runnerLog: string;
  readonly progress: (line: string) => void;
  readonly profiler: Profiler | undefined;
};

/** What a phase cost, until nothing was left in the queues. */
export type Cost = MachineCost & {
  readonly requests: RequestsByUser;
  readonly used: FunctionsUse;
  readonly profiles?: Readonly<Record<string, Profile>>;
};

export type Fleet = Cost & { readonly count: number; readonly seconds: number; readonly latencyMs: Summary };

/** `first`: the first object of all after the start, in ms; the others are summarized without it. */
export type Idle = Cost & {
  readonly first: number;
  readonly create: Summary;
  readonly edit: Summary;
  readonly delete: Summary;
};

/** `said`: what the function says of its last tick, by its log line. */
export type Resync = Cost & { readonly count: number; readonly seconds: number; readonly said: Said };
export type Said = Readonly<Record<string, unknown>> & { readonly requests: number; readonly pages: number };

/** `count` topics changed by hand and mended by ticks; `edit`: fresh edits of other objects meanwhile → Ready, in ms. */
export type Drift = Resync & { readonly ticks: number; readonly edits: number; readonly edit: Summary };

/**
 * One load over all objects at once: from the first request until the watcher has seen the last object as wanted. The
 * latency of an object counts from its own request, so it holds the time it waits for its turn.
 */
export async function fleet(
  world: World,
  { send, wish, check, clear, name }: Load,
  names: readonly string[],
): Promise<Fleet> {
  const { api, watcher, namespace, brokers, progress } = world;
  progress(`${name}: ${names.length} objects`);
  const { result, cost } = await costing(world, async () => {
    const sentAt = new Map<string, number>();
    const start = performance.now();
    const [seenAt] = await Promise.all([
      watcher.seen(names, wish),
      inParallel(names, (object) => {
        sentAt.set(object, performance.now());
        return send(api, namespace, object);
      }),
    ]);
    const seconds = (Math.max(...seenAt.values()) - start) / 1000;
    return { seconds, latencies: names.map((object) => (seenAt.get(object) ?? 0) - (sentAt.get(object) ?? 0)) };
  });
  await check(brokers, names);
  await clear(brokers, names);
  return { ...cost, count: names.length, seconds: result.seconds, latencyMs: summarize(result.latencies) };
}

/**
 * One object after another, each only when nothing is left of the one before: created, edited, deleted.
 *
 * @param pauseSeconds silence before each request, in which connections may be closed
 */
export async function idle(world: World, count: number, pauseSeconds: number): Promise<Idle> {
  world.progress(`idle: ${count} objects, one after another`);
  const ask = async (what: LoadName, name: string) => {
    await delay(1000 * pauseSeconds);
    return single(world, world.loads[what], name);
  };
  const names = namesOf('single', count);
  const { result, cost } = await costing(world, async () => {
    const times = { create: [] as number[], edit: [] as number[], delete: [] as number[] };
    for (const name of names) {
      times.create.push(await ask('create', name));
      times.edit.push(await ask('grow', name));
      times.delete.push(await ask('delete', name));
    }
    return times;
  });
  await world.loads.delete.clear(world.brokers, names);
  const [first = 0, ...creations] = result.create;
  return {
    ...cost,
    first,
    create: summarize(creations),
    edit: summarize(result.edit.slice(1)),
    delete: summarize(result.delete.slice(1)),
  };
}

/** A tick over objects that are in sync already. @throws Error when anything was written or asked for */
export async function resync(world: World, count: number): Promise<Resync> {
  world.progress(`resync: a tick over ${count} objects in sync`);
  const { result: seconds, cost } = await costing(world, async () => {
    const start = performance.now();
    await world.queues.tick();
    await world.queues.settled();
    return (performance.now() - start) / 1000;
  });
  const requests = Object.values(cost.requests).flatMap((byVerb) => Object.keys(byVerb));
  const write = requests.find((request) => !/^(get|list|watch) /.test(request));
  if (write !== undefined) throw new Error(`a tick over objects in sync wrote: ${write}`);
  const said = lastTick(world.runnerLog);
  world.progress(`resync: ${seconds.toFixed(1)} s, ${said.requests} requests`);
  return { ...cost, count, seconds, said };
}

const lastTick = (log: string): Said =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"event":"resync"'))
    .map((line) => JSON.parse(line))
    .at(-1);

/**
 * The first half of the topics is changed by hand. Ticks mend them, as many as it takes, while somebody edits one object
 * of the other half after another.
 */
export async function drift(world: World, names: readonly string[]): Promise<Drift> {
  const { brokers, queues, progress } = world;
  const [changed, others] = [names.slice(0, names.length / 2), names.slice(names.length / 2)];
  progress(`drift: ${changed.length} topics are changed by hand`);
  await brokers.configure(changed, drifted.config);
  await unchanging(() => brokers.unlike(changed, drifted));
  const { result, cost } = await costing(world, async () => {
    const start = performance.now();
    const end = new AbortController();
    const edits = editing(world, others, end.signal);
    let ticks = 0;
    for (let left = changed.length; left > 0; left = await unchanging(() => brokers.unlike(changed, created))) {
      await queues.tick();
      ticks++;
      await queues.settled(200);
      const { enqueued, skipped } = lastTick(world.runnerLog);
      progress(`drift: tick ${ticks} asked for ${enqueued} and left ${skipped} to the next one`);
    }
    const seconds = (performance.now() - start) / 1000;
    end.abort();
    return { seconds, ticks, latencies: await edits };
  });
  const { seconds, ticks, latencies } = result;
  const said = lastTick(world.runnerLog);
  return { ...cost, count: changed.length, seconds, said, ticks, edits: latencies.length, edit: summarize(latencies) };
}

/**
 * Counts until the count stays the same for three seconds. With thousands of topics brokers show a change tens of seconds
 * after the controller has confirmed it: a tick at once would find what is mended already.
 */
async function unchanging(count: () => Promise<number>): Promise<number> {
  let last = await count();
  for (let same = 0; last > 0 && same < 3; ) {
    await delay(1_000);
    const next = await count();
    same = next === last ? same + 1 : 0;
    last = next;
  }
  return last;
}

/** Adds a config key to one object after the other, ten a second at most. @returns ms of each */
async function editing(world: World, names: readonly string[], end: AbortSignal): Promise<number[]> {
  const { api, watcher, namespace } = world;
  const latencies: number[] = [];
  for (const name of names) {
    if (end.aborted) break;
    const seen = watcher.seen([name], isReady);
    const start = performance.now();
    const spec = { config: { 'segment.ms': '3600000' } };
    const [seenAt] = await Promise.all([seen, api.request('PATCH', topicPath(namespace, name), mergePatch({ spec }))]);
    latencies.push((seenAt.get(name) ?? 0) - start);
    await delay(100);
  }
  return latencies;
}

/** @returns ms until the watcher saw it */
async function single({ api, watcher, queues, namespace }: World, { send, wish }: Load, name: string): Promise<number> {
  const seen = watcher.seen([name], wish);
  const start = performance.now();
  const [seenAt] = await Promise.all([seen, send(api, namespace, name)]);
  await queues.settled();
  return (seenAt.get(name) ?? 0) - start;
}

async function costing<T>(world: World, work: () => Promise<T>): Promise<{ result: T; cost: Cost }> {
  const ours = () => new Map([...namesByPid(world.pids)].filter(([, name]) => profiled.has(name)));
  const mark = new AuditMark(world.auditLog);
  const runnerMark = new RunnerMark(world.runnerLog);
  world.profiler?.start(ours().keys());
  const { result, cost } = await spending(world.pids, async () => {
    const done = await work();
    await world.queues.settled();
    return done;
  });
  const profiles = await world.profiler?.stop(ours());
  const requests = await mark.requestsSince();
  const used = runnerMark.used();
  return { result, cost: { ...cost, requests, used, ...(profiles !== undefined && { profiles }) } };
}

const profiled = new Set(['forwarder', 'runner', 'reconcile', 'resync']);
