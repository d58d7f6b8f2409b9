import { type Finding, failed, ok, warning } from './check.ts';

const worthAWordMs = 30_000;
/** Signatures of AWS are good for 5 minutes. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const refusedMs = 5 * 60_000;

/** @param skewMs how far the other clock is ahead of ours; undefined when it told no time */
export function judgeClock(whose: string, skewMs: number | undefined): Finding {
  const mend = 'synchronise the clocks (NTP); nothing of ours decides by them, but signatures and tokens do';
  if (skewMs === undefined) return warning(`${whose} tells no time`, mend);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const says = `the clock of ${whose} is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`;
  if (Math.abs(skewMs) >= refusedMs) return failed(`${says}: AWS refuses signatures from 5 minutes on`, mend);
  if (Math.abs(skewMs) >= worthAWordMs) return warning(says, mend);
  return ok(`${whose} and this machine agree on the time`);
}
