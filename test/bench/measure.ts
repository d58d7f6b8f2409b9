/** The whole run: the floor, then the product, then the product again behind proxies that count. */
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { KUBERNETES_VERSION } from '../../infra/local/apiserver.ts';
import type { Part, Place } from '../../infra/local/part.ts';
import type { System } from '../../infra/local/system.ts';
import { Api, json } from './api.ts';
import type { DeletionPolicy, Options, PhaseName } from './arguments.ts';
import { type MachineCost, spending } from './cost.ts';
import { type Floor, measureFloor } from './floor.ts';
import { type LoadName, loadNames, loadsFor, namesOf, parallel } from './loads.ts';
import { type Drift, drift, type Fleet, fleet, type Idle, idle, type Resync, resync, type World } from './phases.ts';
import { type Usage, usageOf } from './processes.ts';
import { startProduct } from './product.ts';
import { Profiler } from './profile.ts';
import { type CountingProxy, type Counts, kafkaCounter, sqsCounter, startProxy } from './proxy.ts';
import { Queues } from './queues.ts';
import { Brokers } from './topics.ts';
import { Watcher } from './watcher.ts';

/** request → how many */
type Requests = Readonly<Record<string, number>>;

export type Report = {
  readonly count: number;
  /** objects one after another */
  readonly singles: number;
  /** objects that go through all loads first, where a load is measured */
  readonly warmUp: number;
  readonly deletionPolicy: DeletionPolicy;
  readonly parallel: number;
  readonly machine: {
    readonly data: string;
    readonly processors: number;
    readonly node: string;
    readonly kubernetes: string;
  };
  /** absent when no load was asked for, only ticks */
  readonly floor?: Floor;
  /** of all its parts together */
  readonly floorCost?: MachineCost;
  readonly memoryAtStart: Readonly<Record<string, Usage>>;
  readonly idle?: Idle;
  readonly fleet: Readonly<Partial<Record<LoadName, Fleet>>>;
  readonly resync?: Resync;
  readonly drift?: Drift;
  readonly requests?: Readonly<Partial<Record<PhaseName, { readonly kafka: Requests; readonly sqs: Requests }>>>;
};

export type Installation = {
  readonly system: System;
  readonly place: Place;
  readonly progress: (line: string) => void;
};

const namespace = 'bench';

export async function measure(installation: Installation, options: Options): Promise<Report> {
  const { system } = installation;
  const api = new Api(system.exports.KUBECONFIG ?? '', parallel);
  const brokers = new Brokers(system.exports.KAFKA_BROKERS ?? '');
  const queues = new Queues(system.exports);
  const loads = loadsFor(options.deletionPolicy);
  try {
    await brokers.connect();
    await api.request('POST', '/api/v1/namespaces', json({ metadata: { name: namespace } }));
    const floored = hasFloor(options) ? await floorOf(installation, { api, brokers, loads }, options) : {};
    const watcher = await Watcher.start(api, namespace);
    const outside = { api, brokers, queues, loads, watcher };
    const timed = await timedRun(installation, outside, options);
    const requests = options.phases.has('requests') ? await countedRun(installation, outside, options) : undefined;
    return {
      ...about(options, dirname(installation.place.dir)),
      ...floored,
      ...timed,
      ...(requests !== undefined && { requests }),
    };
  } finally {
    queues.close();
    api.close();
    await brokers.close();
  }
}

/** Whether anything is measured that has a floor to be compared with. */
const hasFloor = ({ phases }: Options): boolean => [...phases].some((phase) => phase !== 'resync' && phase !== 'drift');

async function floorOf(
  { system, progress }: Installation,
  outside: Pick<World, 'api' | 'brokers' | 'loads'>,
  { count, warmUp }: Options,
): Promise<Pick<Report, 'floor' | 'floorCost'>> {
  progress(`floor: ${count} objects and topics without the product`);
  const parts = new Map([...partPids(system.parts), ['bench', process.pid]]);
  if (warmUp > 0) await measureFloor(outside, namespace, warmUp);
  const { result: floor, cost: floorCost } = await spending(parts, () => measureFloor(outside, namespace, count));
  return { floor, floorCost };
}

type Outside = Pick<World, 'api' | 'brokers' | 'queues' | 'loads' | 'watcher'>;

const about = ({ count, singles, warmUp, deletionPolicy }: Options, data: string) => ({
  count,
  singles,
  warmUp,
  deletionPolicy,
  parallel,
  machine: { data, processors: availableParallelism(), node: process.versions.node, kubernetes: KUBERNETES_VERSION },
});

async function timedRun(installation: Installation, outside: Outside, options: Options) {
  const { phases, count, singles, pause } = options;
  const profiler = options.profile ? new Profiler(installation.place.dir) : undefined;
  return withProduct(installation, { ...outside, profiler }, environment(installation.system), async (world) => {
    const memoryAtStart = Object.fromEntries(usageOf(world.pids));
    const idled = phases.has('idle') ? await idle(world, singles, pause) : undefined;
    if (hasLoad(options) && options.warmUp > 0) await warm(world, options.warmUp);
    const names = namesOf('topic', count);
    const done: Partial<Record<LoadName, Fleet>> = {};
    let resynced: Resync | undefined;
    let mended: Drift | undefined;
    for (const phase of upToLast(phases)) {
      if (phase === 'resync') resynced = await resync(world, count);
      else if (phase === 'drift') mended = await drift(world, names);
      else done[phase] = await fleet(world, world.loads[phase], names);
    }
    return {
      memoryAtStart,
      fleet: done,
      ...(idled !== undefined && { idle: idled }),
      ...(resynced !== undefined && { resync: resynced }),
      ...(mended !== undefined && { drift: mended }),
    };
  });
}

const hasLoad = ({ phases }: Options): boolean => loadNames.some((name) => phases.has(name));

/** Servers on a JVM and functions that have just been started compile what they run: that is not what is measured. */
async function warm(world: World, count: number): Promise<void> {
  const names = namesOf('warm', count);
  for (const load of Object.values(world.loads)) await fleet(world, load, names);
}

const onFleet = ['create', 'resync', 'drift', 'grow', 'configure', 'delete'] as const;

/** What the last wanted phase needs is done before it. Nothing needs the drift. */
const upToLast = (phases: Options['phases']) =>
  onFleet
    .slice(0, onFleet.findLastIndex((name) => phases.has(name)) + 1)
    .filter((name) => name !== 'drift' || phases.has(name));

/** Once more, now that time does not matter: brokers and queues are reached through proxies that count. */
async function countedRun(installation: Installation, outside: Outside, { count, singles, phases }: Options) {
  const env = environment(installation.system);
  const kafka = await startProxy(env.KAFKA_BROKERS ?? '', kafkaCounter);
  const sqs = await startProxy(new URL(env.SQS_ENDPOINT ?? '').host, sqsCounter);
  try {
    return await withProduct(
      installation,
      { ...outside, profiler: undefined },
      through(env, kafka, sqs),
      async (world) => {
        const names = namesOf('counted', count);
        const counted: Partial<Record<PhaseName, { kafka: Requests; sqs: Requests }>> = {};
        for (const phase of ['idle', ...onFleet.filter((name) => name !== 'drift' || phases.has(name))] as const) {
          const before = [new Map(kafka.counts), new Map(sqs.counts)] as const;
          if (phase === 'idle') await idle(world, singles, 0);
          else if (phase === 'resync') await resync(world, count);
          else if (phase === 'drift') await drift(world, names);
          else await fleet(world, world.loads[phase], names);
          counted[phase] = { kafka: since(before[0], kafka.counts), sqs: since(before[1], sqs.counts) };
        }
        return counted;
      },
    );
  } finally {
    kafka.close();
    sqs.close();
  }
}

const since = (before: Counts, after: Counts): Requests =>
  Object.fromEntries(
    [...after]
      .map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const)
      .filter(([, value]) => value > 0),
  );

/**
 * All addresses lead to the proxies. Only what asks one particular broker still goes there directly, which is reading
 * offsets: none of these phases does.
 */
function through(env: NodeJS.ProcessEnv, kafka: CountingProxy, sqs: CountingProxy): NodeJS.ProcessEnv {
  const direct = new URL(env.SQS_ENDPOINT ?? '').host;
  const queues = Object.entries(env).filter(([name]) => name.endsWith('_QUEUE_URL') || name.endsWith('_DLQ_URL'));
  return {
    ...env,
    ...Object.fromEntries(queues.map(([name, url]) => [name, url?.replace(direct, sqs.address)])),
    SQS_ENDPOINT: `http://${sqs.address}`,
    KAFKA_BROKERS: kafka.address,
  };
}

function environment({ exports, apiServer }: System): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...exports,
    KUBECONFIG_FORWARDER: apiServer?.kubeconfigs.forwarder,
    KUBECONFIG_RECONCILER: apiServer?.kubeconfigs.reconciler,
    KUBECONFIG_RESYNC: apiServer?.kubeconfigs.resync,
  };
}

async function withProduct<T>(
  { system, place, progress }: Installation,
  outside: Outside & Pick<World, 'profiler'>,
  env: NodeJS.ProcessEnv,
  work: (world: World) => Promise<T>,
): Promise<T> {
  const product = await startProduct(place, { env, extra: outside.profiler?.environment ?? {} });
  const pids = new Map([...product.pids, ...partPids(system.parts), ['bench', process.pid]]);
  try {
    await outside.queues.settled();
    const logs = { auditLog: system.apiServer?.auditLog ?? '', runnerLog: join(place.dir, 'logs', 'runner.log') };
    const world = { ...outside, namespace, pids, ...logs, progress };
    const crash = product.crashed.then((failure) => Promise.reject(failure));
    return await Promise.race([work(world), crash]);
  } finally {
    await product.stop();
  }
}

const partPids = (parts: ReadonlyMap<string, Part>) => [...parts].map(([name, { pid }]) => [name, pid ?? 0] as const);
