import type { Reason } from './topic.ts';

/**
 * All that adapters report when something did not work.
 *
 * `retryable`: sending the same message again can help. `reason` becomes the condition's reason, `message` (one line,
 * for people, free of secrets, times, ports and ids that change) its message.
 * `observed`: false when the live state could not be read, so `Ready` is `Unknown`.
 * `unanswered`: a mutation was sent and its answer never came: it may still take effect (reliability.md X1).
 * `retryAfterMs`: the broker's own wish (THROTTLING_QUOTA_EXCEEDED), in ms.
 */
export class Failure extends Error {
  readonly reason: Reason;
  readonly retryable: boolean;
  readonly unanswered: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { retryable: boolean; unanswered?: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.reason = reason;
    this.retryable = options.retryable;
    this.unanswered = options.unanswered ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Exactly one entry per item that was asked for, whatever happened to the others. */
export type PerItem<K, T> = ReadonlyMap<K, T | Failure>;
