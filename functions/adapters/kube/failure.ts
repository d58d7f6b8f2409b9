import { oneLine } from '../../core/harmless.ts';
import { Failure } from '../../core/outcome.ts';
import { isTlsTrouble } from '../../core/tls.ts';
import type { Reason } from '../../core/topic.ts';
import { ApiError } from './client.ts';

/**
 * API status → reason, in one place. All are retryable: what the API server refuses, it refuses to us and not to the
 * owner of the object, so it is mended there (a role, a policy, a webhook), and then the same message succeeds.
 * 403 is therefore not `NotAuthorized`, which is terminal and means Kafka.
 *
 * 404 on one object, 409 on a status and 410 on a page have a meaning of their own where they occur.
 */
const reasonOf: Readonly<Record<number, Reason>> = {
  401: 'NotAuthenticated',
  409: 'ObservationOutdated',
  410: 'ObservationOutdated',
  429: 'Throttled',
};

/**
 * Whatever a request to the API server ended with, as a Failure.
 *
 * Never `unanswered`: our writes there name the resourceVersion they rest on, so a late one is refused by itself.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof ApiError))
    return new Failure('InternalError', noAnswer(error as Error), { retryable: true, cause: error });
  return new Failure(
    reasonOf[error.code] ?? 'InternalError',
    `The API server answered ${error.code}: ${oneLine(error.message)}`,
    {
      retryable: true,
      cause: error,
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    },
  );
}

const noAnswer = ({ name, message, code }: Error & { code?: unknown }): string => {
  if (name === 'AbortError') return 'Time ran out before the API server answered.';
  // OpenSSL's own text has an address in it that is another one each time
  return `The API server does not answer: ${isTlsTrouble(code) ? `TLS fails: ${oneLine(code)}` : oneLine(message)}`;
};
