import { type Action, guarded, harmless, refusal } from './action.ts';
import { compacts, normalForm, sameValue, shortens, throttleKeys } from './config.ts';
import type { Installation } from './installation.ts';
import { growthLimit, minInsyncRefusal } from './refusals.ts';
import { planMoves } from './replication.ts';
import type { TopicResource } from './resource.ts';
import type { LiveObservation, Situation } from './situation.ts';
import type { ConfigEntry, LiveTopic, Refusal, TopicSpec } from './topic.ts';

/** What a difference is judged by. */
type Place = Pick<Situation, 'resource' | 'installation'> & { readonly observed: LiveObservation };

/** `waitsFor`: what has to end before the rest can be done. */
type Differences = {
  readonly actions: readonly Action[];
  readonly refusals: readonly Refusal[];
  readonly waitsFor: string | undefined;
};

/** Everything of a live topic that is not as wanted: what we can do about it, and what we will not. */
export function differences(situation: Situation, spec: TopicSpec, observed: LiveObservation): Differences {
  const { resource, installation } = situation;
  const config = configDifferences({ resource, installation, observed }, spec);
  const partitions = partitionDifference(installation, spec, observed);
  const moves = planMoves(situation, spec, observed);
  const minInsync = minInsyncRefusal(spec, spec.replicationFactor ?? observed.replicationFactor);
  const refusals = [partitions.refusal, ...moves.refusals, minInsync, ...config.refusals].filter(
    (refusal) => refusal !== undefined,
  );
  const configActions = minInsync === undefined ? config.actions : [];
  const [begun, fresh] = [moves.actions.filter(goesOn), moves.actions.filter((action) => !goesOn(action))];
  // New partitions take the number of replicas that is live while they are made, so they come after a move (K035).
  const growth = moves.waitsFor === undefined ? partitions.actions : [];
  return { actions: [...begun, ...configActions, ...fresh, ...growth], refusals, waitsFor: moves.waitsFor };
}

/** What was begun comes first: no approval is needed to end it. */
const goesOn = (action: Action): boolean =>
  action.type === 'FinishMove' || (action.type === 'MoveReplicas' && action.resumes);

function partitionDifference(
  installation: Installation,
  spec: TopicSpec,
  observed: LiveObservation,
): { actions: Action[]; refusal?: Refusal } {
  const [from, to] = [observed.numPartitions, spec.numPartitions];
  if (to === undefined || to === from) return { actions: [] };
  if (to < from)
    return {
      actions: [],
      refusal: refusal(
        'PartitionsCannotShrink',
        `the topic has ${from} partitions and the spec wants ${to}: Kafka cannot remove partitions; set spec.numPartitions to ${from}`,
      ),
    };
  const limit = growthLimit(from, to);
  if (limit !== undefined) return { actions: [], refusal: limit };
  const moved = 'a compacted topic with records: keys would move to other partitions and their old values stay';
  const risky = observed.records !== 'none' && compacts(effectiveCleanupPolicy(observed));
  const danger = risky ? guarded(installation, 'GrowCompacted', moved) : harmless;
  return { actions: [{ type: 'AddPartitions', from, to, ...danger }] };
}

/**
 * What of a live topic's configuration is not as wanted, key by key.
 *
 * `Merge` owns the listed keys and resets those that were listed before. `Exact` resets every other override too.
 * Ignored keys and replication throttles are nobody's business here; values that the topic only inherits are never drift.
 */
function configDifferences(
  at: Place,
  spec: TopicSpec,
): { readonly actions: readonly Action[]; readonly refusals: readonly Refusal[] } {
  const listed = [...spec.config].filter(([key]) => !spec.ignoredConfigs.has(key));
  const wanted = listed.map(([key, value]) => wantedDifference(at, key, value));
  const resets = overridesToReset(at, spec).map((key) => reset(at, key));
  const all = [...wanted.filter((difference) => difference !== undefined), ...resets];
  return {
    actions: all.filter((difference) => 'type' in difference),
    refusals: all.filter((difference) => 'reason' in difference),
  };
}

/** The policy in force; one that the broker does not show counts as compacting. */
const effectiveCleanupPolicy = ({ config }: LiveTopic): string => config.get('cleanup.policy')?.value ?? 'compact';

/**
 * The config keys we own now: listed and live as listed, or ours before and still overridden. Only what was once
 * confirmed is ours, so a key that never worked is never reset behind somebody's back.
 *
 * @returns key → live value in its normal form, `***` where the broker withholds it
 */
export function ownedConfig(resource: TopicResource, spec: TopicSpec, live: LiveTopic): Record<string, string> {
  const before = new Set(Object.keys(resource.status?.config ?? {}));
  const owned = [...live.config].filter(([key, entry]) => {
    if (spec.ignoredConfigs.has(key) || entry.source !== 'topic') return false;
    const value = spec.config.get(key);
    return before.has(key) || (value !== undefined && (entry.sensitive || sameValue(entry, value)));
  });
  return Object.fromEntries(owned.map(([key, entry]) => [key, shown(entry)]));
}

/** One spelling whoever says it: the answer to a creation repeats values as they were sent (`TRUE`), a look does not. */
const shown = ({ type, value }: ConfigEntry): string => (value === null ? '***' : normalForm(type, value));

function wantedDifference(at: Place, key: string, value: string): Action | Refusal | undefined {
  const { resource, observed } = at;
  const entry = observed.config.get(key);
  if (entry === undefined) return { reason: 'InvalidConfig', message: `Unknown topic config name: ${key}` };
  if (entry.readOnly)
    return sameValue(entry, value)
      ? undefined
      : { reason: 'InvalidConfig', message: `${key} is read-only on this cluster and is ${entry.value ?? '***'}` };
  if (entry.sensitive ? writtenInThisGeneration(resource, key) : entry.source === 'topic' && sameValue(entry, value))
    return undefined;
  const to = entry.sensitive ? '***' : value;
  return { type: 'SetConfig', key, from: entry.value, to, ...danger(at, key, entry, value) };
}

/**
 * A withheld value cannot be compared: it is written once for each generation of the spec (K065), and until a pass over
 * that generation has gone well to the end.
 */
const writtenInThisGeneration = ({ status, generation }: TopicResource, key: string): boolean =>
  status?.config?.[key] !== undefined &&
  status.conditions.some(
    (condition) =>
      condition.type === 'Ready' && condition.status === 'True' && condition.observedGeneration === generation,
  );

function overridesToReset({ resource, observed }: Place, spec: TopicSpec): string[] {
  const before = new Set(Object.keys(resource.status?.config ?? {}));
  return [...observed.config]
    .filter(
      ([key, entry]) => entry.source === 'topic' && !entry.readOnly && (spec.configMode === 'Exact' || before.has(key)),
    )
    .map(([key]) => key)
    .filter((key) => !spec.config.has(key) && !spec.ignoredConfigs.has(key) && !throttleKeys.has(key));
}

function reset(at: Place, key: string): Action {
  const entry = at.observed.config.get(key) as ConfigEntry;
  return {
    type: 'ResetConfig',
    key,
    from: entry.value,
    to: entry.inherited,
    ...danger(at, key, entry, entry.inherited),
  };
}

/**
 * Whether giving a key another value can lose data, and how (design.md 3). Records that could not be read count as there;
 * an unknown value counts as the worst one.
 */
function danger(
  { installation, observed }: Place,
  key: string,
  { value: before, type }: ConfigEntry,
  after: string | null,
): { readonly destructive: boolean; readonly why: string } {
  const empty = observed.records === 'none';
  switch (key) {
    case 'retention.ms':
    case 'retention.bytes':
      if (empty || (before !== null && after !== null && !shortens(before, after))) return harmless;
      return guarded(installation, 'ShortenRetention', 'older records would be removed');
    case 'cleanup.policy':
      if (empty || (before !== null && after !== null && sameValue({ value: before, type } as ConfigEntry, after)))
        return harmless;
      return guarded(installation, 'ChangeCleanupPolicy', lossByPolicy(after));
    case 'unclean.leader.election.enable':
      return after?.trim().toLowerCase() === 'false' || before === 'true'
        ? harmless
        : guarded(
            installation,
            'EnableUncleanElection',
            'a broker that lags behind may become leader and lose acknowledged records',
          );
    case 'remote.storage.enable':
      return after?.trim().toLowerCase() === 'true' || before === 'false'
        ? harmless
        : guarded(installation, 'DisableTieredStorage', 'records in tiered storage would be removed');
    case 'min.insync.replicas':
      return before !== null && after !== null && Number(after) >= Number(before)
        ? harmless
        : guarded(installation, 'ReduceMinInsync', 'records are acknowledged with fewer copies');
    default:
      return harmless;
  }
}

const lossByPolicy = (after: string | null): string =>
  after !== null && compacts(after)
    ? 'older values of each key would be removed'
    : 'records older than the retention would be removed';
