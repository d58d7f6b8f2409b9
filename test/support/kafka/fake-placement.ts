/** Where the simulated brokers keep replicas, and how moves go (KIP-455). Knows nothing of the product's own choices. */
import type { PartitionReplicas } from '../../../functions/core/topic.ts';

export type FakeBroker = {
  rack: string | undefined;
  up: boolean;
  /** dynamic configs of this broker */
  readonly configs: Map<string, string>;
};

/** One partition: where it is, and what a running move adds and removes. */
export type Placement = Omit<PartitionReplicas, 'partition' | 'leader'>;

/** The controller's answer: a code and its text. */
type Answer = { readonly code: number; readonly message?: string };

/** A new partition's replicas: brokers that are up, in turn. */
export function place(brokers: ReadonlyMap<number, FakeBroker>, partition: number, replicationFactor: number) {
  const ids = [...brokers].filter(([, { up }]) => up).map(([id]) => id);
  const places = ids.length < replicationFactor ? [...brokers.keys()] : ids;
  if (places.length < replicationFactor) throw new Error(`${replicationFactor} replicas, ${places.length} brokers`);
  return at(Array.from({ length: replicationFactor }, (_, nth) => places[(partition + nth) % places.length] as number));
}

/** A partition at rest. */
export const at = (replicas: readonly number[]): Placement => ({ replicas, adding: [], removing: [] });

export const isMoving = ({ adding, removing }: Placement): boolean => adding.length + removing.length > 0;

/** What a move to `target` makes of a partition, or of a running move; `null` cancels. What has nothing to copy is done. */
export function redirect(
  brokers: ReadonlyMap<number, FakeBroker>,
  now: Placement,
  target: readonly number[] | null,
): Placement | Answer {
  if (target === null) return isMoving(now) ? at(now.replicas.filter((id) => !now.adding.includes(id))) : { code: 85 };
  if (target.length === 0)
    return { code: 39, message: 'The manual partition assignment includes an empty replica list.' };
  if (new Set(target).size < target.length)
    return { code: 39, message: 'The manual partition assignment includes a broker more than once.' };
  const stranger = target.find((id) => !brokers.has(id));
  if (stranger !== undefined)
    return {
      code: 39,
      message: `The manual partition assignment includes broker ${stranger}, but it is not registered.`,
    };
  const before = now.replicas.filter((id) => !now.adding.includes(id));
  const adding = target.filter((id) => !before.includes(id));
  const removing = before.filter((id) => !target.includes(id));
  return adding.length === 0 ? at(target) : { replicas: [...target, ...removing], adding, removing };
}

/** The end of a move. One that copies to a broker that is down goes on. */
export function finished(brokers: ReadonlyMap<number, FakeBroker>, now: Placement): Placement {
  if (now.adding.some((id) => !brokers.get(id)?.up)) return now;
  return at(now.replicas.filter((id) => !now.removing.includes(id)));
}
