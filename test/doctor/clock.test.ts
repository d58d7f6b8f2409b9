import { judgeClock } from '../../functions/doctor/clock.ts';
import { table } from '../support/table.ts';

const verdict = (skewMs: number | undefined) => {
  const { verdict, says } = judgeClock('the server', skewMs);
  return { verdict, says };
};

table('clocks', verdict, [
  {
    reason: 'a second is as exact as the Date header',
    given: 1_000,
    want: { verdict: 'ok', says: 'the server and this machine agree on the time' },
  },
  {
    reason: 'half a minute ahead is worth a word',
    given: 30_000,
    want: { verdict: 'warning', says: 'the clock of the server is 30 s ahead of ours' },
  },
  {
    reason: 'behind is as bad as ahead',
    given: -45_000,
    want: { verdict: 'warning', says: 'the clock of the server is 45 s behind ours' },
  },
  {
    reason: 'from five minutes on signatures are refused',
    given: -300_000,
    want: {
      verdict: 'failed',
      says: 'the clock of the server is 300 s behind ours: AWS refuses signatures from 5 minutes on',
    },
  },
  {
    reason: 'a server without a Date header cannot be compared',
    given: undefined,
    want: { verdict: 'warning', says: 'the server tells no time' },
  },
]);
