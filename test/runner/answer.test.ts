import { describe } from 'node:test';
import { type Ending, failedIds } from '../../functions/runner/answer.ts';
import { table } from '../support/table.ts';

const ids = new Set(['1', '2', '3']);
const all = ['1', '2', '3'];
const returned = (value: unknown): Ending => ({ kind: 'returned', value });
const failures = (...identifiers: unknown[]): Ending =>
  returned({ batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) });

describe('what an answer means', () => {
  table('failed with partial responses', (ending: Ending) => [...failedIds(ending, ids, true)], [
    { reason: 'no answer is success', given: returned(undefined), want: [] },
    { reason: 'null is success', given: returned(null), want: [] },
    { reason: 'an empty object is success', given: returned({}), want: [] },
    { reason: 'a null list is success', given: returned({ batchItemFailures: null }), want: [] },
    { reason: 'an empty list is success', given: failures(), want: [] },
    { reason: 'named messages failed', given: failures('2', '3'), want: ['2', '3'] },
    { reason: 'a message may be named twice', given: failures('2', '2'), want: ['2'] },
    { reason: 'an unknown identifier fails the batch', given: failures('2', '9'), want: all },
    { reason: 'an empty identifier fails the batch', given: failures(''), want: all },
    { reason: 'a null identifier fails the batch', given: failures(null), want: all },
    { reason: 'a wrong key fails the batch', given: returned({ batchItemFailures: [{ id: '1' }] }), want: all },
    { reason: 'a list of nulls fails the batch', given: returned({ batchItemFailures: [null] }), want: all },
    { reason: 'no list fails the batch', given: returned({ batchItemFailures: '1' }), want: all },
    { reason: 'a text fails the batch', given: returned('ok'), want: all },
    { reason: 'a throw fails the batch', given: { kind: 'threw', message: 'Error: x' }, want: all },
    { reason: 'a timeout fails the batch', given: { kind: 'timeout' }, want: all },
    { reason: 'the end of the process fails the batch', given: { kind: 'crashed', message: 'exit code 1' }, want: all },
  ]);

  table('failed without partial responses', (ending: Ending) => [...failedIds(ending, ids, false)], [
    { reason: 'whatever comes back is success', given: failures('1'), want: [] },
    { reason: 'only a throw is failure', given: { kind: 'threw', message: 'Error: x' }, want: all },
  ]);
});
