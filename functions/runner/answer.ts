/** What a function's answer means for its batch. */

/** How an invocation ended. `crashed` and `timeout` also end the process. */
export type Ending =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly message: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'crashed'; readonly message: string };

/**
 * The messages that count as failed, by Lambda's rules for `ReportBatchItemFailures`: an empty answer, or an empty list,
 * is complete success; anything that cannot be read, and an identifier that is empty or not of this batch, is complete
 * failure.
 *
 * @param ids message ids of the batch
 * @param partialResponses whether the mapping asks for them; without, whatever is returned is success
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function failedIds(ending: Ending, ids: ReadonlySet<string>, partialResponses: boolean): ReadonlySet<string> {
  if (ending.kind !== 'returned') return ids;
  if (!partialResponses || ending.value === null || ending.value === undefined) return new Set();
  if (typeof ending.value !== 'object') return ids;
  const { batchItemFailures = null } = ending.value as { batchItemFailures?: unknown };
  if (batchItemFailures === null) return new Set();
  if (!Array.isArray(batchItemFailures)) return ids;
  const failed = batchItemFailures.map(
    (failure: unknown) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier,
  );
  return failed.every((id): id is string => typeof id === 'string' && ids.has(id)) ? new Set(failed) : ids;
}
