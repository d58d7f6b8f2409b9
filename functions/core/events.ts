import { createHash } from 'node:crypto';
import type { Action } from './action.ts';
import { sameValue, throttleKeys } from './config.ts';
import { heirs } from './owner.ts';
import type { Pass } from './pass.ts';
import type { TopicEvent } from './ports.ts';
import { bindingOf, type Condition, type TopicResource, type TopicStatus } from './resource.ts';
import { reasons } from './schema/reasons.ts';
import { type EventReason, keyOf, type TopicId } from './topic.ts';

/**
 * What one pass has to tell people, each thing once: what was done, then what newly stands in the way (K134).
 *
 * A refusal is new when reason, message or generation differ from what the object said before the pass, so a tick that
 * meets it again is silent. Values that the broker withholds are `***` in actions already.
 *
 * @param status what the object says after the pass; undefined when the pass has nothing to say
 * @param message id of the request, equal for redeliveries of its message: a pass that is repeated tells the same occurrences
 * @returns in the order of the pass; notes of 2,000 characters at most, as condition messages are
 */
export function eventsOf(pass: Pass, status: TopicStatus | undefined, message: string): readonly TopicEvent[] {
  const { applied, resource } = pass;
  const told = [
    ...applied.flatMap((action) => eventOf(action, pass)),
    ...configEvents(pass),
    ...throttleWarning(pass),
    ...obstacle(resource, status),
  ];
  return told.map((event) => ({ ...event, occurrence: occurrenceOf(resource.uid, message, event) }));
}

type Told = Omit<TopicEvent, 'occurrence'>;

/** Legal in the name of an object, and short enough to leave room for the topic's. */
const occurrenceOf = (uid: string, message: string, { reason, note }: Told): string =>
  createHash('sha256')
    .update(JSON.stringify([uid, message, reason, note]))
    .digest('hex')
    .slice(0, 16);

const normal = (reason: EventReason, note: string): Told => ({ type: 'Normal', reason, note });
const warning = (reason: EventReason, note: string): Told => ({ type: 'Warning', reason, note });

function eventOf(action: Action, pass: Pass): Told[] {
  switch (action.type) {
    case 'CreateTopic':
      return [normal('Created', creation(pass))];
    case 'BindTopic':
      return [normal('Adopted', `took over ${topicOf(pass, action.id)}${insteadOf(pass)}`)];
    case 'AddPartitions':
      return [
        normal(
          'PartitionsAdded',
          `${action.from} to ${action.to}: from now on keys map to other partitions than before`,
        ),
      ];
    case 'DeleteTopic':
      return [normal('Deleted', `deleted ${topicOf(pass, action.id)}`)];
    case 'RemoveFinalizer':
      return retained(pass).map((note) => normal('Retained', note));
    case 'MoveReplicas':
      return action.resumes
        ? []
        : [normal('ReassignmentStarted', `replication factor ${action.from} to ${action.to}: replicas are moving`)];
    case 'FinishMove':
      return replicasOf(pass) === action.to
        ? [normal('ReassignmentFinished', `replication factor is ${action.to}: all replicas are in place`)]
        : [];
    case 'AddFinalizer':
    case 'SetConfig':
    case 'ResetConfig':
      return [];
  }
}

/** A move can also end because its topic is gone, or is let go. */
const replicasOf = ({ live }: Pass) => (typeof live === 'string' ? undefined : live.replicationFactor);

const nameOf = ({ binding, resource }: Pass): string => binding?.topicName ?? resource.topicName;
const topicOf = (pass: Pass, id: TopicId): string => `topic ${nameOf(pass)} with id ${id}`;

function creation(pass: Pass): string {
  const { live } = pass;
  const counts =
    typeof live === 'string' ? '' : ` (partitions ${live.numPartitions}, replication factor ${live.replicationFactor})`;
  return `created topic ${nameOf(pass)}${counts}${insteadOf(pass)}`;
}

/** What the object spoke for until now: only a topic that vanished or was replaced gives way to another one. */
function insteadOf({ resource }: Pass): string {
  const before = bindingOf(resource)?.topicId;
  return before === undefined ? '' : `, instead of the one with id ${before}`;
}

/** An object that let its topic go: why the topic stays. Nothing where it was deleted, or was gone before. */
function retained(pass: Pass): string[] {
  const { applied, resource, situation } = pass;
  if (situation?.installation.selects(resource.labels) === false)
    return [`topic ${nameOf(pass)} stays: this object is no longer selected`];
  // a finalizer that only guarded a move goes without a word
  if (!resource.deleting && applied.some(({ type }) => type === 'FinishMove')) return [];
  if (!resource.deleting)
    return [`topic ${nameOf(pass)} will stay when this object is deleted: spec.deletionPolicy is Retain`];
  const why = whyKept(pass);
  return why === undefined ? [] : [`topic ${nameOf(pass)} stays: ${why}`];
}

function whyKept({ resource, situation }: Pass): string | undefined {
  const bound = bindingOf(resource)?.topicId;
  if (resource.deletionPolicy === 'Retain') return bound && 'spec.deletionPolicy is Retain';
  if (resource.mode === 'Observe') return bound && 'spec.mode is Observe';
  const { observed, claimants } = situation ?? {};
  if (!observed?.exists) return undefined;
  if (bound === undefined) return `it has id ${observed.id}, and this object was never bound to it`;
  if (bound !== observed.id) return `its id is ${observed.id}, and this object was bound to ${bound}`;
  const [heir] = heirs(claimants ?? [], resource.uid);
  return heir && `KafkaTopic ${keyOf(heir.key)} uses it too`;
}

type ConfigAction = Extract<Action, { type: 'SetConfig' | 'ResetConfig' }>;

const isConfigAction = (action: Action): action is ConfigAction =>
  action.type === 'SetConfig' || action.type === 'ResetConfig';

function configEvents(pass: Pass): Told[] {
  const { drift = [], edits = [] } = Object.groupBy(pass.applied.filter(isConfigAction), (action) =>
    isDrift(pass, action) ? 'drift' : 'edits',
  );
  const found = drift.map((action) => `${action.key}: found ${from(action)}, wanted ${to(action)}`);
  const changed = edits.map((action) => `${action.key} from ${from(action)} to ${to(action)}`);
  return [
    ...(changed.length > 0 ? [normal('ConfigChanged', listed(changed))] : []),
    ...(found.length > 0 ? [normal('DriftCorrected', listed(found))] : []),
  ];
}

/**
 * Whether somebody else had moved the value: this generation had been in place, or this key of it. What was held, or had
 * failed until now, is an edit that takes effect late.
 */
function isDrift({ resource, live }: Pass, action: ConfigAction): boolean {
  const { status, generation } = resource;
  const ready = readyOf(status);
  if (ready?.observedGeneration !== generation) return false;
  if (ready.status === 'True') return true;
  const seen = status?.config?.[action.key];
  const entry = typeof live === 'string' ? undefined : live.config.get(action.key);
  if (action.type === 'ResetConfig' || seen === undefined || entry === undefined || entry.sensitive) return false;
  return sameValue({ ...entry, value: seen }, action.to);
}

const from = (action: ConfigAction): string => short(action.from ?? '***');
const to = (action: ConfigAction): string =>
  action.type === 'SetConfig' ? short(action.to) : `the inherited ${short(action.to ?? 'value')}`;

/** Two of these and a key always fit into one note. */
const maxValue = 200;
/** The API server takes 1,024 bytes; the rest is for the count of what was left out. */
const maxList = 980;

function short(value: string): string {
  if (value === '') return "''";
  return value.length <= maxValue ? value : `${value.slice(0, maxValue - 1)}…`;
}

/** As many whole entries as fit, and how many more there are. */
function listed(entries: readonly string[]): string {
  const end = entries.findIndex((_, at) => entries.slice(0, at + 1).join('; ').length > maxList);
  if (end === -1) return entries.join('; ');
  return `${entries.slice(0, end).join('; ')} and ${entries.length - end} more`;
}

/** Lists of throttled replicas belong to whoever moves replicas; who puts them in a spec gets them, and this (K063). */
function throttleWarning({ applied, resource }: Pass): Told[] {
  const keys = [
    ...applied.filter(isConfigAction).map(({ key }) => key),
    ...(applied.some(({ type }) => type === 'CreateTopic') && 'config' in resource.spec
      ? resource.spec.config.keys()
      : []),
  ].filter((key) => throttleKeys.has(key));
  if (keys.length === 0) return [];
  const note = `${keys.join(' and ')} set from the spec: this may disturb a rebalance; take it out of spec.config unless that is meant`;
  return [warning('ConfigChanged', note)];
}

const readyOf = (status: TopicStatus | undefined): Condition | undefined =>
  status?.conditions.find(({ type }) => type === 'Ready');

/** What waits for a person or an edit, if the object did not say so before. */
function obstacle({ status: before }: TopicResource, after: TopicStatus | undefined): Told[] {
  const [was, is] = [readyOf(before), readyOf(after)];
  if (is === undefined || !waits(is) || (was !== undefined && saysTheSame(was, is))) return [];
  return [warning(is.reason, is.message)];
}

const waits = ({ reason }: Condition): boolean => ['person', 'terminal'].includes(reasons[reason].class);

const saysTheSame = (a: Condition, b: Condition): boolean =>
  a.reason === b.reason && a.message === b.message && a.observedGeneration === b.observedGeneration;
