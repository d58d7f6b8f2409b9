import { annotations, singular } from '../api.ts';
import type { EventReason, Reason } from '../topic.ts';

/** good: nothing to do. person: waits for a decision. terminal: waits for an edit. retryable: tried again by itself. */
export type ReasonClass = 'good' | 'person' | 'terminal' | 'retryable';

const approve = `\`kubectl annotate ${singular} NAME ${annotations.approve}=HASH --overwrite\`, with HASH from status.plan.hash`;
const soonAgain = `one of the next periodic looks tries it again, the annotation \`${annotations.reconcileRequestedAt}\` at once`;
const triedAgain = 'It is tried again by itself; if it stays Stalled, the next edit or periodic look tries once more.';

/** Every `reason` of our conditions: what it means and what to do about it. Also the table in `crds/README.md`. */
export const reasons: Readonly<Record<Reason, { class: ReasonClass; meaning: string; remedy: string }>> = {
  Synced: { class: 'good', meaning: 'The topic is as the spec says.', remedy: 'Nothing.' },
  Observed: { class: 'good', meaning: 'mode is Observe and the topic equals the spec.', remedy: 'Nothing.' },
  ApprovalRequired: {
    class: 'person',
    meaning: 'The change could lose data, or mode is Plan: it is held back, and the message lists it.',
    remedy: `Read status.plan. To let it happen: ${approve}. Or revert the edit; for a topic that was there before, edit the spec until it equals the topic.`,
  },
  TopicMissing: {
    class: 'person',
    meaning: 'The topic this object was bound to has vanished.',
    remedy: `Find out who deleted it. To have it again, empty: ${approve}.`,
  },
  IdentityChanged: {
    class: 'person',
    meaning: 'Another topic has taken the name: the topic id is not the bound one.',
    remedy: `Find out who re-created it. To take the new one: ${approve}.`,
  },
  DriftDetected: {
    class: 'person',
    meaning: 'mode is Observe and the topic differs from the spec; status.drift lists where.',
    remedy: 'Correct the topic or the spec, or set mode to Enforce.',
  },
  Paused: {
    class: 'person',
    meaning: 'mode is Paused: nothing is looked at and nothing is changed.',
    remedy: 'Set another mode. A paused object with deletionPolicy Delete waits; Retain frees it.',
  },
  DeadLettered: {
    class: 'person',
    meaning: 'Every attempt failed; the message is in the dead-letter queue.',
    remedy: 'Read the cause in the message and mend it; the next edit or periodic look tries again.',
  },
  InvalidSpec: {
    class: 'terminal',
    meaning: 'The spec cannot be carried out, whatever the brokers say.',
    remedy: 'Edit the field that the message names.',
  },
  InvalidTopicName: {
    class: 'terminal',
    meaning: "The topic name breaks Kafka's rules, or collides with one that differs only in '.' and '_'.",
    remedy: 'Create an object with another name or topicName.',
  },
  InternalTopic: {
    class: 'terminal',
    meaning: "Names that begin with '__' belong to Kafka; they are left alone.",
    remedy: 'Delete the object, or use another topic name.',
  },
  InvalidReplicationFactor: {
    class: 'terminal',
    meaning: 'Fewer brokers are up than replicas are asked for.',
    remedy: `Lower replicationFactor, or bring more brokers up; ${soonAgain}.`,
  },
  InvalidConfig: {
    class: 'terminal',
    meaning: 'The brokers refuse a config key or value; none of this edit was applied.',
    remedy: 'Correct the key that the message names.',
  },
  PartitionsCannotShrink: {
    class: 'terminal',
    meaning: 'The topic has more partitions than the spec; Kafka cannot remove any.',
    remedy: 'Raise numPartitions to the live count.',
  },
  PolicyViolation: {
    class: 'terminal',
    meaning: 'A policy of the Kafka cluster refuses the change.',
    remedy: `Follow the message, or ask whoever runs the brokers; ${soonAgain}.`,
  },
  NotAuthorized: {
    class: 'terminal',
    meaning: 'Kafka denies us the operation that the message names.',
    remedy: `Grant that right; ${soonAgain}.`,
  },
  ResourceConflict: {
    class: 'terminal',
    meaning: 'Another KafkaTopic speaks for this topic.',
    remedy: 'Delete one of the two objects.',
  },
  WrongCluster: {
    class: 'terminal',
    meaning: 'The brokers belong to another cluster than the one this installation is for.',
    remedy: 'Correct the bootstrap address; nothing is written until then.',
  },
  UnsupportedByBroker: {
    class: 'terminal',
    meaning: 'The brokers are too old or too new for a request that is needed.',
    remedy: `Upgrade the brokers or this installation; ${soonAgain}.`,
  },
  DeletionDisabled: {
    class: 'terminal',
    meaning: 'The brokers run with delete.topic.enable=false.',
    remedy: 'Set deletionPolicy to Retain to free the object, or allow deletion at the brokers.',
  },
  BrokerUnavailable: {
    class: 'retryable',
    meaning: 'The brokers cannot be reached or do not answer.',
    remedy: 'Wait; if it stays, check brokers, network and TLS settings.',
  },
  NotAuthenticated: {
    class: 'retryable',
    meaning: 'Our credentials are not accepted.',
    remedy: 'Renew the credentials; they are read again at the next attempt.',
  },
  Throttled: {
    class: 'retryable',
    meaning: 'A server asked us to slow down.',
    remedy: 'Wait; or raise the quota.',
  },
  ObservationOutdated: {
    class: 'retryable',
    meaning: 'The world moved between look and change.',
    remedy: triedAgain,
  },
  ReassignmentInProgress: {
    class: 'retryable',
    meaning:
      'Replicas of the topic are being moved: by us, for another replicationFactor, or by somebody else, whom we let finish first.',
    remedy: 'Wait; status.reassignment says how far ours is. To end ours, set replicationFactor back.',
  },
  KafkaError: {
    class: 'retryable',
    meaning: 'The brokers answered with an error that we do not know.',
    remedy: 'Read the message; it names the code.',
  },
  InternalError: {
    class: 'retryable',
    meaning: 'Something that should not happen: a defect, or the API server refused or did not answer.',
    remedy: `Read the message. ${triedAgain}`,
  },
};

/** Whether a text is one of our reasons. */
export const isReason = (text: unknown): text is Reason => typeof text === 'string' && Object.hasOwn(reasons, text);

/** Reasons of Events that tell what was done: what each means. Warnings carry the reason that `Ready` says from then on. */
export const eventReasons: Readonly<Record<Exclude<EventReason, Reason>, string>> = {
  Created: 'The topic was created.',
  Adopted: 'A topic that was there before is taken over, and this object speaks for it from now on.',
  PartitionsAdded: 'The topic has more partitions; keys map to other ones from now on.',
  ConfigChanged:
    'Config keys were set or reset as the spec says. As a Warning: they are those of replication throttles, which a rebalance sets too.',
  DriftCorrected: 'Somebody else had changed config keys; they are as the spec says again.',
  ReassignmentStarted: 'Replicas began to move, for another replication factor.',
  ReassignmentFinished: 'The replicas are where they shall be.',
  Retained: 'This object let go of its topic, which stays; the note says why.',
  Deleted: 'The topic was deleted, because this object was.',
};
