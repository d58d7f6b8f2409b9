import type { Labels } from './resource.ts';

/**
 * Ways to lose data, or to move in on somebody else's. Each waits for approval where the installation lists it
 * (design.md 3); those that come from a spec as it is written are the ones about which opinions differ.
 */
export const dangers = {
  ShortenRetention: 'retention.ms or retention.bytes of a topic that holds records is shortened',
  ChangeCleanupPolicy: 'cleanup.policy of a topic that holds records is changed',
  GrowCompacted: 'a compacted topic that holds records gets more partitions',
  RecreateTopic: 'a topic that had been there is gone and would be created again, empty',
  RebindTopic: 'a topic that was created again by somebody else would be taken for the old one',
  TakeOver: 'a topic that was there before and differs from the spec would be changed',
  DeleteAdopted: 'a topic that was there before its object and holds records is deleted',
  EnableUncleanElection: 'unclean.leader.election.enable is switched on',
  DisableTieredStorage: 'remote.storage.enable is switched off',
  ReduceReplicas: 'the replication factor is lowered',
  ReduceMinInsync: 'min.insync.replicas is lowered',
} as const;

export type Danger = keyof typeof dangers;

/** What waits for approval where nothing else is set. The other two keep what is acknowledged, with fewer copies. */
export const defaultApprovals: ReadonlySet<Danger> = new Set(
  (Object.keys(dangers) as Danger[]).filter((danger) => danger !== 'ReduceReplicas' && danger !== 'ReduceMinInsync'),
);

/** What is set once, for all objects of an installation. */
export type Installation = {
  /** the only cluster it is for; undefined when it pins none */
  readonly clusterId: string | undefined;
  /** what waits for approval */
  readonly approvals: ReadonlySet<Danger>;
  /** bytes per second that a broker may spend on moving replicas; undefined: no limit is set */
  readonly moveBytesPerSecond: number | undefined;
  /** whether an object with these labels is for this installation */
  readonly selects: (labels: Labels) => boolean;
};
