/** How many objects are in which state, small enough to travel in a message. */
import type { Dimensions } from './metrics.ts';
import { conditionIn, type TopicResource } from './resource.ts';
import { reasons } from './schema/reasons.ts';

/** Number of objects by `Ready reason`, as `False ResourceConflict`. Both words are of closed lists. */
export type States = Readonly<Record<string, number>>;
type State = Pick<Dimensions, 'Ready' | 'Reason'>;

const readies: readonly string[] = ['True', 'False', 'Unknown'] satisfies Dimensions['Ready'][];
const isReason = (text: string): boolean => Object.hasOwn(reasons, text) || text === 'Pending' || text === 'Other';

/** What an object says of itself now; `Unknown Pending` before its first status. */
function stateOf({ status }: TopicResource): string {
  const ready = conditionIn(status, 'Ready');
  if (ready === undefined) return 'Unknown Pending';
  return `${readies.includes(ready.status) ? ready.status : 'Unknown'} ${isReason(ready.reason) ? ready.reason : 'Other'}`;
}

/** Each object counts once, whatever its mode. */
export function statesOf(resources: readonly TopicResource[]): States {
  const counts = new Map<string, number>();
  for (const state of resources.map(stateOf)) counts.set(state, (counts.get(state) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** The sum of two countings. */
export const plusStates = (a: States, b: States): States =>
  Object.fromEntries([...Object.keys(a), ...Object.keys(b)].map((state) => [state, (a[state] ?? 0) + (b[state] ?? 0)]));

/** The two words of each state, and how many there are; `True Synced` always, so that no objects is a reading, too. */
export const statesIn = (states: States): readonly (readonly [State, number])[] =>
  Object.entries({ 'True Synced': 0, ...states }).map(([state, count]) => {
    const [Ready, Reason] = state.split(' ');
    return [{ Ready, Reason } as State, count];
  });

/**
 * States that came in a message. A reason that nobody knows counts as `Other`: a release may bring new ones, and so many
 * states there are at most.
 *
 * @returns undefined for what is none
 */
export function readStates(value: unknown): States | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  let states: States = {};
  for (const [state, count] of Object.entries(value)) {
    const [ready = '', reason = '', ...more] = state.split(' ');
    if (!readies.includes(ready) || !Number.isSafeInteger(count) || count < 0) return undefined;
    const known = isReason(reason) && more.length === 0;
    states = plusStates(states, { [`${ready} ${known ? reason : 'Other'}`]: count });
  }
  return states;
}
