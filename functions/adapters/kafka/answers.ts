/** From requests of many items to one outcome per item. */
import { Failure } from '../../core/outcome.ts';
import { type Answered, failureOrThrow, judge, type Operation, unmentioned } from './failure.ts';

/**
 * Sends batch after batch. When one gets no answer at all its items share that failure, and the rest is not sent: it
 * would meet the same trouble and use up the time.
 */
export async function inTurn<I, K, T>(
  batches: readonly (readonly I[])[],
  keyOf: (item: I) => K,
  operation: Operation,
  send: (batch: readonly I[]) => Promise<ReadonlyMap<K, T | Failure>>,
): Promise<Map<K, T | Failure>> {
  const outcomes = new Map<K, T | Failure>();
  let trouble: Failure | undefined;
  for (const batch of batches) {
    const sent = trouble ?? (await send(batch).catch(failureOrThrow));
    for (const item of batch) {
      const outcome = sent instanceof Failure ? sent : (sent.get(keyOf(item)) ?? unmentioned(operation));
      outcomes.set(keyOf(item), outcome);
    }
    if (sent instanceof Failure) trouble = new Failure(sent.reason, sent.message, { retryable: sent.retryable });
  }
  return outcomes;
}

/** The answer's items by their own key, never by their place: brokers answer in any order. */
export function settle<A extends Answered, K, T>(
  operation: Operation,
  throttleMs: number,
  answers: readonly A[],
  keyOf: (answer: A) => K,
  success: (answer: A) => T,
): Map<K, T | Failure> {
  return new Map(
    answers.map((answer) => {
      const verdict = judge(operation, answer, throttleMs);
      return [keyOf(answer), verdict instanceof Failure ? verdict : success(answer)];
    }),
  );
}

export const done = () => 'done' as const;
