/** What a pass leaves behind for operators: a line for each change, one for the outcome, and figures. */
import { type Action, describe } from './action.ts';
import type { Meter, PassOutcome } from './metrics.ts';
import type { Failure, Outcome } from './outcome.ts';
import type { Pass } from './pass.ts';
import type { Logger } from './ports.ts';
import type { Item } from './reconciler.ts';
import { bindingOf } from './resource.ts';
import { keyOf } from './topic.ts';

/** What every line about a pass says. `message` is the request's own id, `messageId` the queue's. */
export const named = (item: Item, { resource }: Pass) => ({
  object: keyOf(item.key),
  topic: resource.topicName,
  generation: resource.generation,
  trigger: item.trigger,
  message: item.id,
  ...(item.messageId !== undefined && { messageId: item.messageId }),
});

/**
 * One `applied` line for each change that the brokers or the API server have confirmed, then the `outcome` line. Values
 * that the brokers withhold are `***`.
 *
 * @param tookMs from the look of this pass until now
 */
export function logPass(item: Item, pass: Pass, outcome: Outcome['kind'], tookMs: number, log: Logger): void {
  const about = named(item, pass);
  for (const action of pass.applied) {
    const what = { action: action.type, what: describe(action), ...changeOf(action, pass) };
    log.info('applied', { ...about, ...what, outcome, tookMs });
  }
  const { failures } = pass;
  const failed = { reasons: failures.map(({ reason }) => reason), failed: failures };
  log.info('outcome', { ...about, outcome, tookMs, ...(failures.length > 0 && failed) });
}

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
 * @param written whether its status was written; undefined when there was nothing new to say
 * @param tookMs from the look of this pass to the end of its status write
 */
export function countPass(
  item: Item,
  pass: Pass,
  outcome: Outcome,
  { written, tookMs }: { readonly written: boolean | undefined; readonly tookMs: number },
  meter: Meter,
): void {
  // the object says something else, or nothing: that must not count as done
  const Outcome = written === false ? 'StatusNotWritten' : outcome.kind;
  countName(item, Outcome, meter);
  meter.add('TimeInPass', { Outcome }, tookMs);
  if (written !== undefined) meter.add('StatusWrites', { Result: written ? 'Written' : 'NotWritten' });
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
