import type { Action } from './action.ts';
import type { DriftEntry, HeldPlan, Reassignment } from './resource.ts';
import type { Binding, LiveTopic, Reason, Refusal } from './topic.ts';

/**
 * All that adapters report when something did not work.
 *
 * `retryable`: sending the same message again can help. `reason` becomes the condition's reason, `message` (one line,
 * for people, free of secrets, times, ports and ids that change) its message.
 * `unanswered`: a mutation was sent and its answer never came: it may still take effect (reliability.md X1).
 * `retryAfterMs`: the broker's own wish (THROTTLING_QUOTA_EXCEEDED), in ms.
 * `code`: Kafka's own name of the error, of a closed list; absent when it was none of Kafka's.
 */
export class Failure extends Error {
  readonly reason: Reason;
  readonly retryable: boolean;
  readonly unanswered: boolean;
  readonly retryAfterMs: number | undefined;
  readonly code: string | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { retryable: boolean; unanswered?: boolean; retryAfterMs?: number; code?: string; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.reason = reason;
    this.retryable = options.retryable;
    this.unanswered = options.unanswered ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.code = options.code;
  }
}

/**
 * Waiting is not failing: the message ends and uses up no receives. The status says `Reconciling`, and the forwarder asks
 * for the object again after a while (design.md 5).
 */
export const isWaiting = ({ reason, unanswered }: Failure): boolean => !unanswered && waitingReasons.has(reason);

/** What only time or others can end. */
export const waitingReasons: ReadonlySet<Reason> = new Set(['Throttled', 'ReassignmentInProgress']);

/** Exactly one entry per item that was asked for, whatever happened to the others. */
export type PerItem<K, T> = ReadonlyMap<K, T | Failure>;

/** Anything thrown, as a Failure: what is not one already is a defect of ours, and worth another try. */
export const asFailure = (error: unknown): Failure =>
  error instanceof Failure
    ? error
    : new Failure('InternalError', 'an unexpected error stopped this pass: see the logs of the reconcile function', {
        retryable: true,
        cause: error,
      });

/** What one pass over one object came to. */
export type Outcome = {
  readonly applied: readonly Action[];
  /** what the object speaks for after this pass */
  readonly binding: Binding | undefined;
  /** what is live after this pass; `absent`: there is no such topic; `unread`: nobody could look, or nobody looked */
  readonly live: LiveTopic | 'absent' | 'unread';
  /** what waits for approval, or was approved and is not finished */
  readonly plan: HeldPlan | undefined;
  /** the move that is under way */
  readonly reassignment: Reassignment | undefined;
} & (
  | { readonly kind: 'Synced' | 'Observed' | 'Paused' }
  | { readonly kind: 'Drift'; readonly drift: readonly Omit<DriftEntry, 'since'>[] }
  /** final until something changes: refusals, terminal failures and held actions alike, the first gives the reason */
  | { readonly kind: 'Stopped'; readonly problems: readonly Refusal[] }
  /** comes back so soon, with nothing done, that the status stays as it is */
  | { readonly kind: 'Unsaid'; readonly failure: Failure }
  /** comes back by itself; `failure` gives the reason, `problems` are the other things to say */
  | { readonly kind: 'Failed'; readonly failure: Failure; readonly problems: readonly Refusal[] }
  /** the last receive failed: the message goes to the dead-letter queue */
  | { readonly kind: 'DeadLettered'; readonly failure: Failure }
  /** nothing to say: the object is gone, or on its way out without us */
  | { readonly kind: 'Gone' }
);
