import type { Action, Plan } from './action.ts';
import type { DriftEntry, TopicResource } from './resource.ts';
import type { ObservedTopic } from './topic.ts';

type Difference = Omit<DriftEntry, 'since'>;

/**
 * What differs from the spec, field by field: for objects that only observe, and for reports.
 *
 * @returns empty when live is as wanted; `topic` as the field when there is none
 */
export function driftOf(resource: TopicResource, observed: ObservedTopic, { actions }: Plan): readonly Difference[] {
  if (!observed.exists) return [{ field: 'topic', desired: 'present', observed: 'absent' }];
  return [...counts(resource, observed), ...actions.flatMap(difference)];
}

function counts({ spec }: TopicResource, observed: Extract<ObservedTopic, { exists: true }>): Difference[] {
  if ('reason' in spec) return [];
  return (['numPartitions', 'replicationFactor'] as const).flatMap((field) => {
    const [desired, live] = [spec[field], observed[field]];
    return desired === undefined || desired === live
      ? []
      : [{ field, desired: String(desired), observed: String(live) }];
  });
}

function difference(action: Action): Difference[] {
  switch (action.type) {
    case 'SetConfig':
    case 'ResetConfig':
      return [{ field: `config.${action.key}`, desired: action.to ?? 'inherited', observed: action.from ?? '***' }];
    case 'BindTopic':
      return action.destructive ? [{ field: 'topicId', desired: 'the bound id', observed: action.id }] : [];
    default:
      return [];
  }
}
