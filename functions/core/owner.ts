import type { Claimant } from './ports.ts';
import type { TopicId } from './topic.ts';

/**
 * Who may bind an existing topic: a total order over everybody who wants it, so that all see the same winner.
 *
 * 1. bound to the live id: first bound wins, whatever the age;
 * 2. bound to another id: its topic was re-created behind its back, and a person decides before anybody else moves in;
 * 3. unbound: the older one, by `creationTimestamp`, then by uid (the timestamp has whole seconds only).
 *
 * Objects that are being deleted count: they may still be acting. An `Observe` object claims nothing, but keeps what it
 * was bound to before it began to observe, or two objects would be bound when it enforces again (reliability.md 1.2).
 */
export function ownerOf(
  claimants: readonly Claimant[],
  live: { readonly id: TopicId; readonly clusterId: string },
): Claimant | undefined {
  const rank = ({ boundTo }: Claimant): number => {
    if (boundTo === undefined) return 2;
    return boundTo.topicId === live.id && boundTo.clusterId === live.clusterId ? 0 : 1;
  };
  return claimants
    .filter((claimant) => !claimant.observeOnly || rank(claimant) === 0)
    .sort((a, b) => rank(a) - rank(b) || compareText(a.createdAt, b.createdAt) || compareText(a.uid, b.uid))[0];
}

/** Who would lose the topic if it went now: everybody else who wants it and stays (rules D1, D4). */
export const heirs = (claimants: readonly Claimant[], uid: string): readonly Claimant[] =>
  claimants.filter((claimant) => claimant.uid !== uid && !claimant.deleting && !claimant.observeOnly);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
