import { createHash } from 'node:crypto';
import { type Look, look } from './look.ts';
import { claimantOf } from './parse.ts';
import { outcomeOf, type Pass, startPass } from './pass.ts';
import type { Claimant, Resources } from './ports.ts';
import type { Ports } from './reconciler.ts';
import { conditionIn, type TopicResource, type TopicStatus } from './resource.ts';
import { sameStatus, statusOf } from './status.ts';
import { keyOf, type Reason } from './topic.ts';

/**
 * A page of objects, judged: `needed` want a pass, of `unread` ones nobody knows, `because` of what happened to the first
 * of them. The others have nothing to do.
 */
export type Judged = { readonly needed: readonly TopicResource[]; readonly unread: number; readonly because?: string };

/**
 * The objects of a page that need a pass: there is something to do, or their status is not what it would say now. What
 * could not be read is left to the next tick, so one broker that is away does not enqueue the whole fleet (T164).
 *
 * Reads only.
 *
 * @param tick its name: it decides which of those that are tried in vain have their turn
 */
export async function outOfSync(
  resources: readonly TopicResource[],
  ports: Pick<Ports, 'topics' | 'resources' | 'installation' | 'now'>,
  tick: string,
  signal: AbortSignal,
): Promise<Judged> {
  const looks = await look(resources, { ...ports, resources: fewLookups(ports.resources) }, signal);
  const now = ports.now();
  const needs = resources.map((resource) => needOf(resource, looks.get(keyOf(resource.key)), tick, now));
  const trouble = [...looks.values()].find((seen) => seen instanceof Error);
  return {
    needed: resources.filter((_, index) => needs[index] === 'pass'),
    unread: needs.filter((need) => need === 'unread').length,
    ...(trouble && { because: trouble.message }),
  };
}

/** The API server goes through all objects for each lookup, twice: from so many on, reading them all is less work. */
const lookupsPerPage = 20;
/** As large as the API server gives them without effort. */
const objectsPerListing = 500;

/**
 * Looks up the claimants of the first topics one by one; once there are many, of all others by one listing of everything.
 *
 * Pages of that listing may be of different ages, unlike the port's own lookups. That is enough to tell who needs a pass,
 * which looks for itself. When it fails all who wait for it are unread, and left to the next tick.
 */
function fewLookups(resources: Pick<Resources, 'claimants' | 'page'>): Pick<Resources, 'claimants'> {
  let lookups = 0;
  let all: Promise<ReadonlyMap<string, readonly Claimant[]>> | undefined;
  return {
    claimants: async (topicName, signal) => {
      if (lookups++ < lookupsPerPage) return resources.claimants(topicName, signal);
      all ??= allClaimants(resources, signal);
      return (await all).get(topicName) ?? [];
    },
  };
}

/** @returns by topic name; @throws Failure */
async function allClaimants(
  resources: Pick<Resources, 'page'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Claimant[]>> {
  const found = new Map<string, Claimant[]>();
  let next: string | undefined;
  do {
    const page = await resources.page(objectsPerListing, next, signal);
    for (const one of page.items) found.set(one.topicName, [...(found.get(one.topicName) ?? []), claimantOf(one)]);
    next = page.continue;
  } while (next !== undefined);
  return found;
}

function needOf(
  resource: TopicResource,
  seen: Look | undefined,
  tick: string,
  now: Date,
): 'nothing' | 'unread' | 'pass' {
  if (seen === undefined || seen instanceof Error) return 'unread';
  const pass = startPass(resource, seen);
  const status = statusOf(resource, outcomeOf(pass, false), now);
  if (pass.todo.length > 0) return isTriedInVain(pass, status) && !isDue(resource, tick, now) ? 'nothing' : 'pass';
  return status !== undefined && !sameStatus(resource.status, status) ? 'pass' : 'nothing';
}

/** What brokers say when they refuse a change for good. That they still would is only known by asking for it again. */
const refusals: ReadonlySet<Reason> = new Set<Reason>([
  'InvalidSpec',
  'InvalidTopicName',
  'InvalidReplicationFactor',
  'InvalidConfig',
  'PolicyViolation',
  'NotAuthorized',
  'UnsupportedByBroker',
  'InternalError',
]);

/** The brokers have refused what is left to do, and since then neither object nor topic have changed. */
function isTriedInVain({ resource, todo }: Pass, status: TopicStatus | undefined): boolean {
  if (resource.deleting || todo.some(({ type }) => type === 'AddFinalizer') || status === undefined) return false;
  const stalled = stalledIn(resource);
  if (stalled?.observedGeneration !== resource.generation || !refusals.has(stalled.reason)) return false;
  const before = resource.status && { ...resource.status, conditions: [] };
  return sameStatus(before, { ...status, conditions: [] });
}

const stalledIn = ({ status }: TopicResource) => conditionIn(status, 'Stalled');

/** For so long each tick tries again: people mend things, and wait for it. */
const freshMillis = 60 * 60_000;
/** Later each has its turn in one of so many ticks: with the usual interval about once an hour. */
const ticksPerTurn = 12;

function isDue(resource: TopicResource, tick: string, now: Date): boolean {
  const age = now.getTime() - Date.parse(stalledIn(resource)?.lastTransitionTime ?? '');
  return age < freshMillis || numberOf(`${tick} ${resource.uid}`) % ticksPerTurn === 0;
}

/** A number from 0 to 2^32 that looks random and is always the same for a text. */
export const numberOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();
