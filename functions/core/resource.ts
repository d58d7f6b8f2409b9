import type { Binding, Key, Mode, Reason, Refusal, TopicSpec } from './topic.ts';

/** One entry of `status.conditions` (metav1.Condition). `status` of `Reconciling` and `Stalled` is always `True`. */
export type Condition = {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
  /** RFC 3339, whole seconds; moves only when `status` flips */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
};

export type DriftEntry = {
  readonly field: string;
  readonly desired: string;
  readonly observed: string;
  /** RFC 3339, whole seconds: first seen */
  readonly since: string;
};

/** `metadata.labels` */
export type Labels = ReadonlyMap<string, string>;

/** An action of a plan that waits, as the status shows it. */
export type HeldAction = {
  readonly type: string;
  /** what it is done to; absent for the topic as a whole */
  readonly field?: string;
  readonly from?: string;
  readonly to?: string;
  readonly destructive: boolean;
  readonly why: string;
};

/** What waits for approval, or was approved and is not finished. */
export type HeldPlan = {
  readonly hash: string;
  readonly destructive: boolean;
  readonly actions: readonly HeldAction[];
  readonly refusals: readonly Refusal[];
  /** actions left out of the list because it would be too long */
  readonly omitted?: number;
};

/** A change of the replication factor that is under way. */
export type Reassignment = {
  /** the last step that is finished: the assignment is stored, or the move asked for */
  readonly step: 'planned' | 'submitted';
  readonly replicationFactor: number;
  /** bytes per second of the limit on its traffic; absent when there is none */
  readonly bytesPerSecond?: number;
  /** partitions that are where they shall be, of those that move */
  readonly partitionsDone: number;
  readonly partitionsTotal: number;
  /** partition to broker ids, joined by commas */
  readonly assignment: Readonly<Record<string, string>>;
  /** while `planned`: where a partition may still be on its way to, lists as in `assignment`, separated by `;` */
  readonly replaces?: Readonly<Record<string, string>>;
};

/** The whole status we write, from scratch each time: fields left out are removed (server-side apply). */
export type TopicStatus = Partial<Binding> & {
  readonly observedGeneration: number;
  /** ours only: conditions of others live beside them */
  readonly conditions: readonly Condition[];
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  /** live values of the keys we own; its keys are the memory of what we own */
  readonly config?: Readonly<Record<string, string>>;
  readonly drift?: readonly DriftEntry[];
  readonly plan?: HeldPlan;
  readonly reassignment?: Reassignment;
  readonly lastHandledReconcileAt?: string;
};

/** A KafkaTopic object as it was read. */
export type TopicResource = {
  readonly key: Key;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAt: string;
  /** `metadata.deletionTimestamp` is present: it counts by presence, never by its value */
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
  readonly labels: Labels;
  readonly reconcileRequestedAt: string | undefined;
  /** hash in the annotation `<group>/approve` */
  readonly approvedHash: string | undefined;
  /** physical name, also when the rest of the spec is not valid */
  readonly topicName: string;
  /** read apart from the rest of the spec, so that a deletion never depends on the rest being valid */
  readonly deletionPolicy: 'Retain' | 'Delete';
  /** read apart too; one that nobody knows counts as `Paused`: hands off until a person has looked */
  readonly mode: Mode;
  readonly spec: TopicSpec | Refusal;
  /** read leniently: a part that does not look like ours is left out */
  readonly status: TopicStatus | undefined;
};

/** The topic an object speaks for. A status that does not say all of it (damaged, or of another version) binds nothing. */
export const bindingOf = ({ status }: TopicResource): Binding | undefined =>
  status?.topicId === undefined || status.clusterId === undefined || status.topicName === undefined
    ? undefined
    : {
        topicName: status.topicName,
        topicId: status.topicId,
        clusterId: status.clusterId,
        origin: status.origin ?? 'Adopted',
      };

/** What an object says of one type; undefined when it says nothing of it. */
export const conditionIn = (status: Pick<TopicStatus, 'conditions'> | undefined, type: Condition['type']) =>
  status?.conditions.find((condition) => condition.type === type);
