/** What a pass leaves behind for operators: a line for each change, one for the outcome, lines of its stages, and figures. */
import { type Action, describe } from './action.ts';
import type { Look } from './look.ts';
import type { Meter, PassOutcome } from './metrics.ts';
import { Failure, type Outcome, type PerItem } from './outcome.ts';
import type { Pass } from './pass.ts';
import type { Logger } from './ports.ts';
import type { Item } from './reconciler.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import type { StageLines } from './stages.ts';
import { keyOf } from './topic.ts';

/**
 * What every line about a request says. `message` is the request's own id, `messageId` the queue's, `otherMessageIds` those
 * of the messages that asked for the same look, `requestId` that of the function's invocation.
 */
export const asked = ({ key, trigger, id, messageIds: [messageId, ...others] = [], requestId }: Item) => ({
  object: keyOf(key),
  trigger,
  message: id,
  ...(messageId !== undefined && { messageId }),
  ...(others.length > 0 && { otherMessageIds: others }),
  ...(requestId !== undefined && { requestId }),
});

/** What every line about a pass says. */
export const named = (item: Item, { resource: { topicName, generation } }: Pass) => {
  const { object, ...rest } = asked(item);
  return { object, topic: topicName, generation, ...rest };
};

/**
 * One `applied` line for each change that the brokers or the API server have confirmed. Values that the brokers withhold are
 * `***`.
 *
 * @param tookMs from the look of this pass until now
 */
export function logChanges(item: Item, pass: Pass, outcome: Outcome['kind'], tookMs: number, log: Logger): void {
  for (const action of pass.applied) {
    const what = { action: action.type, what: describe(action), ...changeOf(action, pass) };
    log.info('applied', { ...named(item, pass), ...what, outcome, tookMs });
  }
}

/** What became of the status: `unchanged` had nothing new to say. */
export type StatusWrite = 'written' | 'unchanged' | 'not-written';

/** The one `outcome` line of a pass. @param tookMs from its look to the end of its status write */
export function logOutcome(
  item: Item,
  pass: Pass,
  { outcome, status, tookMs }: { outcome: Outcome['kind']; status: StatusWrite; tookMs: number },
  log: Logger,
): void {
  const { failures, plan, waiting } = pass;
  const held = waiting !== undefined && { held: waiting.hash };
  const failed = failures.length > 0 && { reasons: failures.map(({ reason }) => reason), failed: failures };
  log.info('outcome', {
    ...named(item, pass),
    plan: types(plan?.actions),
    ...held,
    outcome,
    status,
    tookMs,
    ...failed,
  });
}

const types = (actions: readonly Action[] = []): readonly string[] => actions.map(({ type }) => type);
const outcomeIn = (entry: unknown, otherwise: string): string => (entry instanceof Failure ? entry.reason : otherwise);

/** What the stages say of each object. */
export const readLines = (read: PerItem<string, TopicResource | 'gone'>): StageLines =>
  [...read].map(([key, entry]) => [key, { outcome: outcomeIn(entry, entry === 'gone' ? 'Gone' : 'read') }]);

export const lookLines = (looks: ReadonlyMap<string, Look>): StageLines =>
  [...looks].map(([key, seen]) => [key, { outcome: outcomeIn(seen, 'seen') }]);

export const planLines = (passes: readonly Pass[]): StageLines =>
  passes.map(({ resource, plan, todo, problems }) => [
    keyOf(resource.key),
    { plan: types(plan?.actions), permitted: types(todo), problems: problems.map(({ reason }) => reason) },
  ]);

export const applyLines = (passes: readonly Pass[]): StageLines =>
  passes.map(({ resource, applied, failures }) => [
    keyOf(resource.key),
    { applied: types(applied), failed: failures.map(({ reason }) => reason) },
  ]);

type Change = { readonly field: string; readonly before: string; readonly after: string };

/** An action as a field that had another value before. */
function changeOf(action: Action, { resource, binding }: Pass): Change {
  switch (action.type) {
    case 'AddFinalizer':
      return { field: 'finalizer', before: 'none', after: 'present' };
    case 'RemoveFinalizer':
      return { field: 'finalizer', before: 'present', after: 'none' };
    case 'CreateTopic':
      return { field: 'topic', before: 'none', after: binding?.topicId ?? 'present' };
    case 'BindTopic':
      return { field: 'topicId', before: bindingOf(resource)?.topicId ?? 'none', after: action.id };
    case 'SetConfig':
      return { field: `config.${action.key}`, before: action.from ?? '***', after: action.to };
    case 'ResetConfig':
      return { field: `config.${action.key}`, before: action.from ?? '***', after: action.to ?? 'inherited' };
    case 'AddPartitions':
      return { field: 'numPartitions', before: String(action.from), after: String(action.to) };
    case 'MoveReplicas':
      return { field: 'replicationFactor', before: String(action.from), after: String(action.to) };
    case 'FinishMove':
      return { field: 'reassignment', before: 'under way', after: 'none' };
    case 'DeleteTopic':
      return { field: 'topic', before: action.id, after: 'none' };
  }
}

/**
 * The figures of a pass.
 *
 * @param tookMs from the look of this pass to the end of its status write
 */
export function countPass(
  item: Item,
  pass: Pass,
  outcome: Outcome,
  { status, tookMs }: { readonly status: StatusWrite; readonly tookMs: number },
  meter: Meter,
): void {
  // the object says something else, or nothing: that must not count as done
  const Outcome = status === 'not-written' ? 'StatusNotWritten' : outcome.kind;
  countName(item, Outcome, meter);
  meter.add('TimeInPass', { Outcome }, tookMs);
  if (status !== 'unchanged') meter.add('StatusWrites', { Result: status === 'written' ? 'Written' : 'NotWritten' });
  for (const { type } of pass.applied) meter.add('Changes', { Action: type });
  const failures = new Set<Failure>([...pass.failures, ...('failure' in outcome ? [outcome.failure] : [])]);
  for (const Reason of new Set([...failures, ...pass.problems].map(({ reason }) => reason)))
    meter.add('Problems', { Reason });
  for (const { code } of failures) if (code !== undefined) meter.add('KafkaErrors', { Code: code });
  const { waiting, resource } = pass;
  if (waiting !== undefined && waiting.hash !== resource.status?.plan?.hash) meter.add('PlansHeld', {});
}

/** Counts a name that was worked on, with or without a pass. */
export const countName = ({ trigger }: Item, Outcome: PassOutcome, meter: Meter): void =>
  meter.add('Passes', { Trigger: trigger, Outcome });
