import type { Reason, Refusal, TopicId } from './topic.ts';

/** `destructive`: it can lose data, and `why` says how. Danger that rests on records is judged by what was observed. */
export type Action = { readonly destructive: boolean; readonly why: string } & (
  | { readonly type: 'AddFinalizer' | 'RemoveFinalizer' }
  | { readonly type: 'CreateTopic' }
  | { readonly type: 'BindTopic'; readonly id: TopicId }
  | { readonly type: 'SetConfig'; readonly key: string; readonly from: string | null; readonly to: string }
  | { readonly type: 'ResetConfig'; readonly key: string; readonly from: string | null; readonly to: string | null }
  | { readonly type: 'AddPartitions'; readonly from: number; readonly to: number }
  | { readonly type: 'DeleteTopic'; readonly id: TopicId }
);

/**
 * What to do for one object, in order: first what the rest stands on, then harmless actions, then destructive ones.
 * `heldReason` is what a held action of this plan is reported as. `lookAgain`: a later pass has to go on from here.
 * `unsure`: it rests on a topic not being there that had been, which one look alone does not prove.
 */
export type Plan = {
  readonly actions: readonly Action[];
  readonly refusals: readonly Refusal[];
  readonly heldReason: Reason;
  readonly lookAgain: boolean;
  readonly unsure: boolean;
};

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
    case 'DeleteTopic':
      return `delete the topic with id ${action.id}`;
  }
}

/** A plan with its destructive actions last; the order among equals stays. */
export const planned = (
  actions: readonly Action[],
  refusals: readonly Refusal[] = [],
  options: Partial<Pick<Plan, 'heldReason' | 'lookAgain' | 'unsure'>> = {},
): Plan => ({
  actions: [...actions].sort((a, b) => Number(a.destructive) - Number(b.destructive)),
  refusals,
  heldReason: options.heldReason ?? 'ApprovalRequired',
  lookAgain: options.lookAgain ?? false,
  unsure: options.unsure ?? false,
});

/** A plan that does nothing, and says why. */
export const refused = (refusal: Refusal): Plan => planned([], [refusal]);

export const refusal = (reason: Reason, message: string): Refusal => ({ reason, message });
