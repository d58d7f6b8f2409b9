import { clockSkewMs } from '../../functions/core/clock.ts';
import { table } from '../support/table.ts';

const at = Date.UTC(2026, 0, 1, 12);

table(
  "a server's clock, asked at noon and answered 2 s later",
  (date: string | undefined) => clockSkewMs(date, at, at + 2_000),
  [
    { reason: 'as ours in between', given: 'Thu, 01 Jan 2026 12:00:01 GMT', want: 500 },
    { reason: 'an hour ahead', given: 'Thu, 01 Jan 2026 13:00:01 GMT', want: 3_600_500 },
    { reason: 'behind', given: 'Thu, 01 Jan 2026 11:59:59 GMT', want: -1_500 },
    { reason: 'no header tells nothing', given: undefined, want: undefined },
    { reason: 'nor does an empty one', given: '', want: undefined },
    { reason: 'nor one that is no date', given: 'noon', want: undefined },
  ],
);
