/**
 * Why a list or a watch ended. `lost`: no answer, or the connection broke. `silent`: not a byte for too long. `expired`:
 * the server no longer (or not yet) knows that version. `garbled`: what came cannot be read. The others are HTTP's.
 */
export type InterruptionReason =
  | 'lost'
  | 'silent'
  | 'expired'
  | 'garbled'
  | 'unauthenticated'
  | 'forbidden'
  | 'missing'
  | 'throttled'
  | 'refused';

export class Interrupted extends Error {
  readonly reason: InterruptionReason;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: InterruptionReason,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'Interrupted';
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}
