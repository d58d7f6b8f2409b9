import type { Installation } from './installation.ts';
import { asFailure, Failure } from './outcome.ts';
import { needsClaimants, needsObservation, needsRecords } from './plan.ts';
import type { Claimant, Replication, Resources, Topics } from './ports.ts';
import { needsReplicas } from './replication.ts';
import type { TopicResource } from './resource.ts';
import { queryOf, type Situation, withRecords } from './situation.ts';
import { keyOf, type ObservedTopic } from './topic.ts';

/** What was seen of one object's topic: a situation to decide from, or why there is none. */
export type Look = Situation | Failure;

/** Where to look. */
export type World = {
  readonly topics: Pick<Topics & Replication, 'observe' | 'records' | 'replicas'>;
  readonly resources: Pick<Resources, 'claimants'>;
  readonly installation: Installation;
};

/**
 * Looks at the topics of many objects in shared requests: existence and settings of all, then claimants, replicas and
 * records only where a decision needs them. A Failure stays with its own topic.
 *
 * @returns one entry per resource, by `keyOf`; objects that need no look at the brokers get their situation without one
 */
export async function look(
  resources: readonly TopicResource[],
  world: World,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Look>> {
  const { selects } = world.installation;
  const needsLook = (resource: TopicResource): boolean => selects(resource.labels) && needsObservation(resource);
  const observed = await world.topics.observe(resources.filter(needsLook).map(queryOf), signal);
  const looks = await inParallel(listingsAtOnce, resources, async (resource): Promise<[string, Look]> => {
    const seen = needsLook(resource) ? (observed.get(queryOf(resource).topicName) ?? notObserved()) : undefined;
    return [keyOf(resource.key), await situationOf(resource, seen, world, signal)];
  });
  return addRecords(await addReplicas(looks, world.topics, signal), world.topics, signal);
}

/** Listing claimants is two requests; a page of objects that nobody has bound must not send a thousand at once. */
const listingsAtOnce = 8;

async function inParallel<T, R>(lanes: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async () => {
    for (const [at, item] of queue) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

const notObserved = () => new Failure('KafkaError', 'the brokers did not answer for this topic', { retryable: true });

async function situationOf(
  resource: TopicResource,
  observed: ObservedTopic | Failure | undefined,
  { resources, installation }: World,
  signal: AbortSignal,
): Promise<Look> {
  if (observed instanceof Failure) return observed;
  try {
    const listing = observed !== undefined && needsClaimants(resource, observed);
    const claimants: readonly Claimant[] | undefined = listing
      ? await resources.claimants(queryOf(resource).topicName, signal)
      : undefined;
    return { resource, observed, claimants, replicas: undefined, installation };
  } catch (error) {
    return asFailure(error);
  }
}

type Looks = readonly (readonly [string, Look])[];

const nameOf = ({ resource }: Situation): string => queryOf(resource).topicName;

/** Not being allowed to know where replicas are stops their moves only; any other failure is a look that failed. */
async function addReplicas(looks: Looks, topics: World['topics'], signal: AbortSignal): Promise<Looks> {
  const asks = (seen: Look): seen is Situation =>
    !(seen instanceof Failure) && seen.observed?.exists === true && needsReplicas(seen.resource, seen.observed);
  const names = looks.flatMap(([, seen]) => (asks(seen) ? [nameOf(seen)] : []));
  if (names.length === 0) return looks;
  const found = await topics.replicas([...new Set(names)], signal);
  return looks.map(([key, seen]): [string, Look] => {
    if (!asks(seen)) return [key, seen];
    const replicas = found.get(nameOf(seen)) ?? notObserved();
    return [key, replicas instanceof Failure && replicas.retryable ? replicas : { ...seen, replicas }];
  });
}

async function addRecords(
  looks: Looks,
  topics: World['topics'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Look>> {
  const asking = looks.flatMap(([, seen]) => (!(seen instanceof Failure) && needsRecords(seen) ? [seen] : []));
  if (asking.length === 0) return new Map(looks);
  const records = await topics.records([...new Set(asking.map(nameOf))], signal);
  const answered = asking.map((seen): [string, Look] => [
    keyOf(seen.resource.key),
    // Only for those who asked: what an object is told must not depend on who is looked at beside it.
    withRecords(seen, records.get(nameOf(seen)) ?? 'unknown'),
  ]);
  return new Map([...looks, ...answered]);
}
