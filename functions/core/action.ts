import type { Danger, Installation } from './installation.ts';
import type { Assignment, Reason, Refusal, TopicId } from './topic.ts';

/** `destructive`: it waits for approval, and `why` says what for. Danger that rests on records is judged by what was observed. */
export type Action = { readonly destructive: boolean; readonly why: string } & (
  | { readonly type: 'AddFinalizer' | 'RemoveFinalizer' }
  | { readonly type: 'CreateTopic' }
  | { readonly type: 'BindTopic'; readonly id: TopicId }
  | { readonly type: 'SetConfig'; readonly key: string; readonly from: string | null; readonly to: string }
  | { readonly type: 'ResetConfig'; readonly key: string; readonly from: string | null; readonly to: string | null }
  | { readonly type: 'AddPartitions'; readonly from: number; readonly to: number }
  | ({ readonly type: 'MoveReplicas'; readonly from: number | 'mixed'; readonly to: number } & Move)
  | { readonly type: 'FinishMove'; readonly to: number }
  | { readonly type: 'DeleteTopic'; readonly id: TopicId }
);

/**
 * `assignment`: where all partitions that move shall end. `send`: what is asked of the brokers now, `null` to undo a
 * running move. `resumes`: it was begun before and is only asked for again.
 */
export type Move = {
  readonly assignment: Assignment;
  readonly send: ReadonlyMap<number, readonly number[] | null>;
  readonly resumes: boolean;
};

/**
 * What to do for one object, in order: first what the rest stands on, then harmless actions, then destructive ones.
 * `heldReason` is what a held action of this plan is reported as. `lookAgain`: a later pass has to go on from here.
 * `waitsFor`: what is under way, and has to end before the rest can be done.
 * `unsure`: it rests on a topic not being there that had been, which one look alone does not prove.
 */
export type Plan = {
  readonly actions: readonly Action[];
  readonly refusals: readonly Refusal[];
  readonly heldReason: Reason;
  readonly lookAgain: boolean;
  readonly waitsFor: string | undefined;
  readonly unsure: boolean;
};

/** What an action carries that can lose data: it waits where the installation lists that danger. */
export const guarded = (
  { approvals }: Installation,
  danger: Danger,
  why: string,
): { readonly destructive: boolean; readonly why: string } =>
  approvals.has(danger) ? { destructive: true, why } : harmless;

/** What an action carries that nobody has to be asked about. */
export const harmless = { destructive: false, why: '' } as const;

/** One line about an action, for status, logs and people. */
export function describe(action: Action): string {
  switch (action.type) {
    case 'AddFinalizer':
      return 'add the finalizer';
    case 'RemoveFinalizer':
      return 'remove the finalizer';
    case 'CreateTopic':
      return 'create the topic';
    case 'BindTopic':
      return `take over the topic with id ${action.id}`;
    case 'SetConfig':
      return `set ${action.key} from ${action.from ?? '***'} to ${action.to}`;
    case 'ResetConfig':
      return `reset ${action.key} from ${action.from ?? '***'} to the inherited ${action.to ?? 'value'}`;
    case 'AddPartitions':
      return `grow from ${action.from} to ${action.to} partitions`;
    case 'MoveReplicas':
      return action.resumes
        ? `go on with the change of the replication factor to ${action.to}`
        : `change the replication factor from ${action.from} to ${action.to}`;
    case 'FinishMove':
      return `end the change of the replication factor to ${action.to}`;
    case 'DeleteTopic':
      return `delete the topic with id ${action.id}`;
  }
}

/** A plan with its destructive actions last; the order among equals stays. */
export const planned = (
  actions: readonly Action[],
  refusals: readonly Refusal[] = [],
  options: Partial<Pick<Plan, 'heldReason' | 'lookAgain' | 'waitsFor' | 'unsure'>> = {},
): Plan => ({
  actions: [...actions].sort((a, b) => Number(a.destructive) - Number(b.destructive)),
  refusals,
  heldReason: options.heldReason ?? 'ApprovalRequired',
  lookAgain: options.lookAgain ?? false,
  waitsFor: options.waitsFor,
  unsure: options.unsure ?? false,
});

/** A plan that does nothing, and says why. */
export const refused = (refusal: Refusal): Plan => planned([], [refusal]);

export const refusal = (reason: Reason, message: string): Refusal => ({ reason, message });
