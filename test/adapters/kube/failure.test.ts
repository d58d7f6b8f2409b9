import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../functions/adapters/kube/client.ts';
import { failureOf } from '../../../functions/adapters/kube/failure.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { table } from '../../support/table.ts';

const outcomeOf = (error: unknown) => {
  const { reason, retryable, unanswered, retryAfterMs } = failureOf(error);
  return [reason, retryable, unanswered, retryAfterMs];
};
const api = (code: number, retryAfterMs?: number) => new ApiError(code, 'Reason', 'message', retryAfterMs);

table('failure', outcomeOf, [
  { reason: 'credentials are read anew', given: api(401), want: ['NotAuthenticated', true, false, undefined] },
  {
    reason: 'a missing role is mended there, then the message works',
    given: api(403),
    want: ['InternalError', true, false, undefined],
  },
  { reason: 'a missing CRD too', given: api(404), want: ['InternalError', true, false, undefined] },
  { reason: 'somebody else was faster', given: api(409), want: ['ObservationOutdated', true, false, undefined] },
  { reason: 'a page token lives for minutes', given: api(410), want: ['ObservationOutdated', true, false, undefined] },
  { reason: 'a webhook or policy refuses our write', given: api(422), want: ['InternalError', true, false, undefined] },
  { reason: 'the server says when to come back', given: api(429, 2000), want: ['Throttled', true, false, 2000] },
  { reason: 'the server is ill', given: api(500), want: ['InternalError', true, false, undefined] },
  { reason: 'an overloaded server says when, too', given: api(503, 1000), want: ['InternalError', true, false, 1000] },
  {
    reason: 'a late write of ours is refused by its resourceVersion',
    given: new Error('socket'),
    want: ['InternalError', true, false, undefined],
  },
]);

test('a Failure stays what it is', () => {
  const failure = new Failure('Throttled', 'x', { retryable: true });
  assert.equal(failureOf(failure), failure);
});

table('message', (error: unknown) => failureOf(error).message, [
  { reason: 'the code and the words of the server', given: api(403), want: 'The API server answered 403: message' },
  {
    reason: 'no answer at all',
    given: new Error('connect refused'),
    want: 'The API server does not answer: connect refused',
  },
  {
    reason: 'TLS by its code: the text has an address in it that is another one each time',
    given: Object.assign(new Error('80AB:error:0A000086:SSL'), { code: 'CERT_HAS_EXPIRED' }),
    want: 'The API server does not answer: TLS fails: CERT_HAS_EXPIRED',
  },
  {
    reason: 'out of time is not the fault of the server',
    given: AbortSignal.abort().reason,
    want: 'Time ran out before the API server answered.',
  },
  {
    reason: 'one line, without characters that act',
    given: new ApiError(500, '', 'a\r\n\u001b[31mb\t c\u202e'),
    want: 'The API server answered 500: a \\u001b[31mb c\\u202e',
  },
  {
    reason: 'short',
    given: new ApiError(500, '', 'x'.repeat(10_000)),
    want: `The API server answered 500: ${'x'.repeat(299)}…`,
  },
]);
