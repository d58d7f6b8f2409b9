/** Figures about messages: how long they waited, and what became of them. */
import type { Dimensions, Meter } from './core/metrics.ts';

/** `sentAt`: ms since 1970; undefined when the queue does not say. */
export type Counted = { readonly receives: number; readonly sentAt: number | undefined };

export type FiguresOf = {
  /** the function, in figures */
  readonly name: Dimensions['Function'];
  readonly meter: Meter;
  /** the queue's `maxReceiveCount`, after which a message goes to the dead-letter queue */
  readonly maxReceiveCount: number;
};

const oldest = (messages: readonly Counted[]): number | undefined => {
  const sent = messages.flatMap(({ sentAt }) => sentAt ?? []);
  return sent.length > 0 ? Math.min(...sent) : undefined;
};

/** How long a name has waited for its first try; one that comes back has been counted. @param now ms since 1970 */
export function countWait({ name, meter }: FiguresOf, messages: readonly Counted[], now: number): void {
  const sentAt = oldest(messages.filter(({ receives }) => receives === 1));
  if (sentAt !== undefined) meter.add('TimeInQueue', { Function: name }, now - sentAt);
}

/** What became of the messages of an invocation. @param startedAt of the invocation, ms since 1970 */
export function countMessages<M extends Counted>(
  { name, meter, maxReceiveCount }: FiguresOf,
  messages: readonly M[],
  isDone: (message: M) => boolean,
  startedAt: number,
): void {
  for (const message of messages) {
    const comesBack = message.receives >= maxReceiveCount ? 'DeadLettered' : 'Redelivered';
    meter.add('Messages', { Function: name, Fate: isDone(message) ? 'Done' : comesBack });
  }
  const sentAt = oldest(messages);
  if (sentAt !== undefined) meter.add('OldestMessage', { Function: name }, startedAt - sentAt);
}
