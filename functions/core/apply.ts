import type { Action } from './action.ts';
import { finishMoves, moveReplicas } from './apply-moves.ts';
import { asFailure, Failure, type PerItem } from './outcome.ts';
import type { Pass } from './pass.ts';
import type { ConfigChange, CreatedTopic, NewTopic } from './ports.ts';
import { queryOf } from './situation.ts';
import type { ConfigEntry, LiveTopic, TopicSpec } from './topic.ts';
import { byPlace, type Effect, mapEntry, notConfirmed, type Wave, type Work, type Writers } from './wave.ts';

/**
 * Does what is permitted, wave by wave: one request for equal actions of all passes, one outcome for each. What the rest
 * stands on comes first and ends its own pass when it fails; config and partitions do not wait for each other (K027).
 */
export async function apply(passes: readonly Pass[], writers: Writers, signal: AbortSignal): Promise<readonly Pass[]> {
  let current = passes;
  for (const wave of waves) current = await runWave(wave, current, writers, signal);
  return current;
}

const waves: readonly Wave[] = [
  {
    types: ['AddFinalizer'],
    foundation: true,
    run: (work, { resources }, signal) => setFinalizers(work, resources, true, signal),
  },
  // before anything that could give its record to another topic
  { types: ['FinishMove'], foundation: true, run: finishMoves },
  { types: ['CreateTopic'], foundation: true, run: createTopics },
  { types: ['BindTopic'], foundation: true, run: bindTopics },
  { types: ['SetConfig', 'ResetConfig'], foundation: false, run: alterConfigs },
  { types: ['MoveReplicas'], foundation: false, run: moveReplicas },
  { types: ['AddPartitions'], foundation: false, run: addPartitions },
  { types: ['DeleteTopic'], foundation: true, run: deleteTopics },
  {
    types: ['RemoveFinalizer'],
    foundation: true,
    run: (work, { resources }, signal) => setFinalizers(work, resources, false, signal),
  },
];

async function runWave(
  wave: Wave,
  passes: readonly Pass[],
  writers: Writers,
  signal: AbortSignal,
): Promise<readonly Pass[]> {
  const takes = (action: Action): boolean => wave.types.includes(action.type);
  const work = passes
    .filter(({ todo }) => todo.some(takes))
    .map((pass) => ({ pass, actions: pass.todo.filter(takes) }));
  if (work.length === 0) return passes;
  const results = await settle(wave, work, writers, signal);
  const after = new Map(work.map(({ pass, actions }, at) => [pass, step(wave, pass, actions, results.get(at))]));
  return passes.map((pass) => after.get(pass) ?? pass);
}

async function settle(
  wave: Wave,
  work: readonly Work[],
  writers: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  try {
    return await wave.run(work, writers, signal);
  } catch (error) {
    // An adapter that rejects breaks its contract; what it had sent may have taken effect.
    const { reason, message } = asFailure(error);
    return new Map(
      work.map((_, at) => [at, new Failure(reason, message, { retryable: true, unanswered: true, cause: error })]),
    );
  }
}

function step(wave: Wave, pass: Pass, actions: readonly Action[], effect: Effect | Failure | undefined): Pass {
  const rest = pass.todo.filter((action) => !actions.includes(action));
  if (typeof effect === 'function') {
    const next = effect({ ...pass, applied: [...pass.applied, ...actions], todo: rest });
    return next.gone ? { ...next, todo: [] } : next;
  }
  const failure = effect ?? notConfirmed();
  return { ...pass, failures: [...pass.failures, failure], todo: wave.foundation ? [] : rest };
}

async function setFinalizers(
  work: readonly Work[],
  resources: Writers['resources'],
  present: boolean,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const results = work.map(async ({ pass }, at): Promise<[number, Effect | Failure]> => {
    try {
      const resource = await resources.setFinalizer(pass.resource, present, signal);
      return [at, (now) => (resource === 'gone' ? { ...now, gone: true } : { ...now, resource })];
    } catch (error) {
      return [at, asFailure(error)];
    }
  });
  return new Map(await Promise.all(results));
}

async function createTopics(
  work: readonly Work[],
  { topics }: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const created = await topics.create(
    work.map(({ pass }) => newTopic(pass.resource.spec as TopicSpec)),
    signal,
  );
  return byPlace(work, (pass) => mapEntry(created.get(pass.resource.topicName), (topic) => becomeCreated(topic)));
}

const newTopic = ({ topicName, numPartitions, replicationFactor, config }: TopicSpec): NewTopic => ({
  topicName,
  config,
  ...(numPartitions !== undefined && { numPartitions }),
  ...(replicationFactor !== undefined && { replicationFactor }),
});

const becomeCreated =
  ({ id, clusterId, live }: CreatedTopic): Effect =>
  (pass) => ({
    ...pass,
    binding: { topicName: pass.resource.topicName, topicId: id, clusterId, origin: 'Created' },
    live: live ?? 'unread',
    failures: live === undefined ? [...pass.failures, settingsWithheld(pass.resource.topicName)] : pass.failures,
  });

const settingsWithheld = (topicName: string): Failure =>
  new Failure(
    'NotAuthorized',
    `topic ${topicName} was created, but its settings cannot be read: allow DescribeConfigs on it`,
    { retryable: false },
  );

/** A binding is only a fact to report: it is written with the status, in one patch. */
async function bindTopics(work: readonly Work[]): Promise<PerItem<number, Effect>> {
  return byPlace(work, ({ situation }) => {
    const observed = situation?.observed;
    if (!observed?.exists)
      return new Failure('InternalError', 'a topic that was not seen cannot be taken over', { retryable: false });
    const { id: topicId, clusterId } = observed;
    return (pass) => ({
      ...pass,
      binding: { topicName: pass.resource.topicName, topicId, clusterId, origin: 'Adopted' },
    });
  });
}

async function alterConfigs(
  work: readonly Work[],
  { topics }: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const changes = new Map(
    work.map(({ pass, actions }) => [queryOf(pass.resource).topicName, configChanges(pass, actions)]),
  );
  const altered = await topics.alterConfigs(changes, signal);
  return byPlace(work, ({ resource }) => {
    const name = queryOf(resource).topicName;
    return mapEntry(altered.get(name), () => (pass) => ({
      ...pass,
      live: withConfigs(pass.live, changes.get(name) ?? []),
    }));
  });
}

/** The value comes from the spec and not from the action, which hides it where it is sensitive. */
const configChanges = ({ resource }: Pass, actions: readonly Action[]): ConfigChange[] =>
  actions.flatMap((action): ConfigChange[] => {
    if (action.type === 'ResetConfig') return [{ key: action.key, value: null }];
    if (action.type === 'SetConfig')
      return [{ key: action.key, value: (resource.spec as TopicSpec).config.get(action.key) ?? '' }];
    return [];
  });

/** The settings after changes that the broker has confirmed, in the spelling of the spec. */
function withConfigs(live: Pass['live'], changes: readonly ConfigChange[]): Pass['live'] {
  if (live === 'absent' || live === 'unread') return live;
  const config = new Map(live.config);
  for (const { key, value } of changes) {
    const entry = config.get(key);
    if (entry !== undefined) config.set(key, value === null ? inherited(entry) : overridden(entry, value));
  }
  return { ...live, config } satisfies LiveTopic;
}

const inherited = (entry: ConfigEntry): ConfigEntry => ({ ...entry, source: 'default', value: entry.inherited });
const overridden = (entry: ConfigEntry, value: string): ConfigEntry => ({
  ...entry,
  source: 'topic',
  value: entry.sensitive ? null : value,
});

async function addPartitions(
  work: readonly Work[],
  { topics }: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const totals = new Map(
    work.map(({ pass }) => [pass.resource.topicName, (pass.resource.spec as TopicSpec).numPartitions ?? 0]),
  );
  const grown = await topics.addPartitions(totals, signal);
  return byPlace(work, ({ resource }) =>
    mapEntry(grown.get(resource.topicName), () => (pass) => ({
      ...pass,
      live: withPartitions(pass.live, totals.get(resource.topicName)),
    })),
  );
}

const withPartitions = (live: Pass['live'], numPartitions = 0): Pass['live'] =>
  live === 'absent' || live === 'unread' ? live : { ...live, numPartitions };

async function deleteTopics(
  work: readonly Work[],
  { topics }: Writers,
  signal: AbortSignal,
): Promise<PerItem<number, Effect>> {
  const idOf = (actions: readonly Action[]) =>
    actions.flatMap((action) => (action.type === 'DeleteTopic' ? [action.id] : []))[0];
  const ids = work.map(({ actions }) => idOf(actions)).filter((id) => id !== undefined);
  const deleted = await topics.delete(ids, signal);
  return byPlace(work, (_, actions) => {
    const id = idOf(actions);
    return mapEntry(id === undefined ? undefined : deleted.get(id), () => (pass) => ({ ...pass, live: 'absent' }));
  });
}
