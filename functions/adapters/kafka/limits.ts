/**
 * What the brokers may spend on copying replicas: which replicas are limited stands at the topic, how much at each broker.
 *
 * @see https://kafka.apache.org/documentation/#rep-throttle
 */
import { Failure, type PerItem } from '../../core/outcome.ts';
import type { ConfigChange } from '../../core/ports.ts';
import { slices } from '../../core/slices.ts';
import type { LiveTopic } from '../../core/topic.ts';
import { alterBroker, alterConfigs } from './alter-configs.ts';
import { topicsPerLook } from './batches.ts';
import type { Cluster } from './cluster.ts';
import { failureOrThrow, judge, unmentioned } from './failure.ts';
import { describe, type LiveBroker, lookUp } from './look.ts';
import { movesUnderWay } from './replication.ts';
import { brokerResource, describeConfigs } from './requests.ts';

const lists = ['leader.replication.throttled.replicas', 'follower.replication.throttled.replicas'] as const;
const rates = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate'] as const;
const allReplicas = '*';

/** `Replication.limit`. */
export async function limit(
  cluster: Cluster,
  names: readonly string[],
  bytesPerSecond: number,
  signal: AbortSignal,
): Promise<PerItem<string, 'limited' | 'left'>> {
  const outcomes = await setLists(cluster, names, signal);
  if (![...outcomes.values()].includes('limited')) return outcomes;
  const value = String(bytesPerSecond);
  const trouble = await changeBrokers(cluster, signal, (set) =>
    rates.filter((key) => !set.has(key)).map((key) => ({ key, value })),
  );
  const limited = trouble ?? 'limited';
  return new Map([...outcomes].map(([name, outcome]) => [name, outcome === 'limited' ? limited : outcome]));
}

/** `Replication.unlimit`. */
export async function unlimit(
  cluster: Cluster,
  names: readonly string[],
  bytesPerSecond: number,
  signal: AbortSignal,
): Promise<PerItem<string, 'done'>> {
  const outcomes = await clearLists(cluster, names, signal);
  if (outcomes.size === 0) return outcomes;
  const trouble = await clearRates(cluster, new Set(names), String(bytesPerSecond), signal).catch(failureOrThrow);
  if (trouble === undefined) return outcomes;
  return new Map([...outcomes].map(([name, outcome]) => [name, outcome === 'done' ? trouble : outcome]));
}

async function setLists(cluster: Cluster, names: readonly string[], signal: AbortSignal) {
  const looked = await overriddenLists(cluster, names, signal);
  const free = succeeded(looked).filter(([, set]) => [...set.values()].every((value) => value === allReplicas));
  const change = lists.map((key) => ({ key, value: allReplicas }));
  const unset = free.filter(([, set]) => set.size < lists.length).map(([name]) => [name, change] as const);
  const altered = await alterConfigs(cluster, new Map(unset), signal);
  const mayBe = new Set(free.map(([name]) => name));
  const outcomeOf = (name: string, found: Overridden | Failure): 'limited' | 'left' | Failure => {
    if (found instanceof Failure) return found;
    const outcome = altered.get(name);
    if (outcome instanceof Failure) return outcome;
    return mayBe.has(name) ? 'limited' : 'left';
  };
  return new Map([...looked].map(([name, found]) => [name, outcomeOf(name, found)]));
}

async function clearLists(cluster: Cluster, names: readonly string[], signal: AbortSignal) {
  const looked = await overriddenLists(cluster, names, signal);
  const ours = succeeded(looked)
    .map(([name, set]) => [name, lists.filter((key) => set.get(key) === allReplicas)] as const)
    .filter(([, keys]) => keys.length > 0)
    .map(([name, keys]) => [name, keys.map((key) => ({ key, value: null }))] as const);
  const altered = await alterConfigs(cluster, new Map(ours), signal);
  const outcomeOf = (name: string, found: Overridden | Failure): 'done' | Failure => {
    const outcome = found instanceof Failure ? found : (altered.get(name) ?? 'done');
    return outcome instanceof Failure && outcome.reason !== 'ObservationOutdated' ? outcome : 'done';
  };
  return new Map([...looked].map(([name, found]) => [name, outcomeOf(name, found)]));
}

/** The lists that are set on a topic. */
type Overridden = ReadonlyMap<string, string | null>;

const succeeded = (looked: PerItem<string, Overridden>): (readonly [string, Overridden])[] =>
  [...looked].flatMap(([name, found]) => (found instanceof Failure ? [] : [[name, found] as const]));

/** A topic that is gone is an `ObservationOutdated`. */
async function overriddenLists(cluster: Cluster, names: readonly string[], signal: AbortSignal) {
  const outcomes = new Map<string, Overridden | Failure>();
  for (const part of slices([...new Set(names)], topicsPerLook)) {
    const wanted = new Map(part.map((name) => [name, lists]));
    const found = await describe(cluster, wanted, signal).catch(failureOrThrow);
    for (const name of part) {
      const config = found instanceof Failure ? found : (found.get(name) ?? unmentioned('configs'));
      outcomes.set(name, config instanceof Failure ? config : overrides(config));
    }
  }
  return outcomes;
}

const overrides = (config: LiveTopic['config']): Overridden =>
  new Map([...config].filter(([, { source }]) => source === 'topic').map(([key, { value }]) => [key, value]));

/** Others may still be copying at these rates. @throws Failure */
async function clearRates(
  cluster: Cluster,
  ours: ReadonlySet<string>,
  value: string,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const moving = await movesUnderWay(cluster, signal);
  if ([...moving.keys()].some((name) => !ours.has(name))) return undefined;
  return changeBrokers(cluster, signal, (set) =>
    rates.filter((key) => set.get(key) === value).map((key) => ({ key, value: null })),
  );
}

/** By key, also what is set for all brokers together. To remove that at one of them changes nothing. */
type Rates = ReadonlyMap<string, string | null>;

/** @returns the first trouble; the other brokers are changed all the same */
async function changeBrokers(
  cluster: Cluster,
  signal: AbortSignal,
  changesFor: (rates: Rates) => readonly ConfigChange[],
): Promise<Failure | undefined> {
  const look = await lookUp(cluster, [], signal).catch(failureOrThrow);
  if (look instanceof Failure) return look;
  const outcomes = await Promise.all(
    [...look.brokers.values()].map(async (broker) => {
      const found = await ratesOf(cluster, broker, signal).catch(failureOrThrow);
      return found instanceof Failure ? found : alterBroker(cluster, broker, changesFor(found), signal);
    }),
  );
  return outcomes.find((outcome) => outcome instanceof Failure);
}

/** The rates that hold at a broker, which tells its configs only itself. @throws Failure */
async function ratesOf(cluster: Cluster, { id, address }: LiveBroker, signal: AbortSignal): Promise<Rates> {
  const resources = [{ type: brokerResource, name: String(id), keys: rates }];
  const request = { resources, includeSynonyms: false, includeDocumentation: false };
  const answer = await cluster.read(describeConfigs, request, signal, address);
  const [described] = answer.resources;
  if (described === undefined) throw unmentioned('rates');
  const verdict = judge('rates', described);
  if (verdict instanceof Failure) throw verdict;
  return new Map(described.configs.map(({ name, value }) => [name, value]));
}
