/**
 * What the same work takes without any operator: the requests of the users, a write per object by whoever does the work,
 * and the changes to the topics in batches, one after the other. It is what an operator that costs nothing would take if
 * it did not overlap any of this; one that does overlap can be below.
 */
import { type Api, apiVersion, applyPatch, mergePatch, type StoredTopic, topicPath } from './api.ts';
import { inParallel, type LoadName, type Loads, namesOf } from './loads.ts';
import type { Brokers } from './topics.ts';

/** Seconds. */
export type FloorPart = { readonly requests: number; readonly statuses: number; readonly topics: number };
export type Floor = Readonly<Record<LoadName, FloorPart>>;

/** To be called while no operator runs. Leaves nothing behind. */
export async function measureFloor(
  { api, brokers, loads }: { readonly api: Api; readonly brokers: Brokers; readonly loads: Loads },
  namespace: string,
  count: number,
): Promise<Floor> {
  const names = namesOf('floor', count);
  const parts: [LoadName, FloorPart][] = [];
  for (const { name, send, direct, check, clear } of Object.values(loads)) {
    const requests = await seconds(() => inParallel(names, (object) => send(api, namespace, object)));
    const statuses = await seconds(() =>
      name === 'delete' ? release(api, namespace) : inParallel(names, (object) => report(api, namespace, object, name)),
    );
    const topics = await seconds(() => direct(brokers, names));
    await check(brokers, names);
    await clear(brokers, names);
    parts.push([name, { requests, statuses, topics }]);
  }
  // the product would work on them while it is measured
  if ((await namesIn(api, namespace)).length > 0) throw new Error('the floor has left objects behind');
  return Object.fromEntries(parts) as Floor;
}

export const totalOf = ({ requests, statuses, topics }: FloorPart): number => requests + statuses + topics;

/** A status as large as the usual one. */
function report(api: Api, namespace: string, name: string, why: string): Promise<unknown> {
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Synced',
    message: `The topic is as the spec says (${why}).`,
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const status = {
    observedGeneration: 1,
    topicName: name,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
    origin: 'Created',
    numPartitions: 1,
    replicationFactor: 1,
    config: { 'retention.ms': '3600000' },
    conditions: [condition],
  };
  const body = applyPatch({ apiVersion, kind: 'KafkaTopic', metadata: { name, namespace }, status });
  return api.request('PATCH', `${topicPath(namespace, name, 'status')}?fieldManager=floor&force=true`, body);
}

/** With `Delete` the API server gave objects a finalizer at creation; whoever has done the work takes that away. */
async function release(api: Api, namespace: string): Promise<void> {
  const names = await namesIn(api, namespace);
  const finalizers = mergePatch({ metadata: { finalizers: null } });
  await inParallel(names, (name) => api.request('PATCH', topicPath(namespace, name), finalizers));
}

async function namesIn(api: Api, namespace: string): Promise<string[]> {
  const { items } = (await api.request('GET', topicPath(namespace))) as { items: readonly StoredTopic[] };
  return items.map(({ metadata }) => metadata.name);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
