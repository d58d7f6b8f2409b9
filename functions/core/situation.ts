import type { Installation } from './installation.ts';
import type { Failure } from './outcome.ts';
import type { Claimant, TopicQuery } from './ports.ts';
import { bindingOf, type TopicResource } from './resource.ts';
import type { ObservedTopic, Records, Replicas } from './topic.ts';

/** Everything the decision needs, so that it asks for nothing. Absent parts were not needed: see the `needs…` functions. */
export type Situation = {
  readonly resource: TopicResource;
  readonly observed: ObservedTopic | undefined;
  readonly claimants: readonly Claimant[] | undefined;
  /** where the replicas are; a Failure when we may not know */
  readonly replicas: Replicas | Failure | undefined;
  readonly installation: Installation;
};

export type LiveObservation = Extract<ObservedTopic, { exists: true }>;

/** What to ask the brokers about an object. A bound object that is being deleted asks for the topic that it is bound to. */
export function queryOf(resource: TopicResource): TopicQuery {
  const topicName = bindingOf(resource)?.topicName ?? resource.topicName;
  if ('reason' in resource.spec) return { topicName, configs: [] };
  if (resource.spec.configMode === 'Exact') return { topicName, configs: 'all' };
  const ours = [...resource.spec.config.keys(), ...Object.keys(resource.status?.config ?? {})];
  return { topicName, configs: [...new Set([...ours, 'cleanup.policy'])].sort() };
}

/** The same situation with what is now known about records. */
export const withRecords = (situation: Situation, records: Records): Situation =>
  situation.observed?.exists === true ? { ...situation, observed: { ...situation.observed, records } } : situation;
