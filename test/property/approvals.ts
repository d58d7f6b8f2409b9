import { annotations } from '../../functions/core/api.ts';
import type { HeldAction } from '../../functions/core/resource.ts';
import type { StoredObject } from '../support/kube/objects.ts';
import { statusOf } from './facts.ts';

/** What was shown on an object, to which topic it meant to do that, and which one it was bound to. */
type Shown = {
  readonly actions: readonly HeldAction[];
  readonly topicId: string | undefined;
  readonly boundTo: string | undefined;
};
type Wanted = Partial<Pick<HeldAction, 'type' | 'field' | 'from' | 'to'>>;

const placeOf = ({ metadata }: StoredObject, generation: number | undefined, hash: string): string =>
  `${metadata.uid} ${generation} ${hash}`;
const hashOn = ({ metadata }: StoredObject): string | undefined => metadata.annotations?.[annotations.approve];

/**
 * What people were shown and what they approved, as the objects say it. An approval counts for what stood with its hash in
 * the status of this very object, of this generation, about this topic.
 */
export class Approvals {
  readonly #shown = new Map<string, Shown>();
  /** every hash that was ever shown, oldest first */
  readonly hashes: string[] = [];

  /** @param liveId the topic that has the object's name now */
  watch(object: StoredObject, liveId: string | undefined): void {
    const { plan, observedGeneration, topicId } = statusOf(object);
    if (plan === undefined) return;
    const place = placeOf(object, observedGeneration, plan.hash);
    if (this.#shown.has(place)) return;
    this.#shown.set(place, { actions: plan.actions, topicId: liveId ?? topicId, boundTo: topicId });
    this.hashes.push(plan.hash);
  }

  /** Whether the hash on the object stands for this, on the topic that has this id now; undefined where there is none. */
  allow(object: StoredObject, topicId: string | 'any' | undefined, wanted: Wanted): boolean {
    const hash = hashOn(object);
    if (hash === undefined) return false;
    const shown = this.#shown.get(placeOf(object, object.metadata.generation, hash));
    const { topicId: boundTo } = statusOf(object);
    // A creation is planned where no topic is seen, also by a pass whose broker knows less than the others.
    const isCreation = wanted.type === 'CreateTopic';
    const isAboutThis = isCreation ? shown?.boundTo === boundTo : shown?.topicId === (topicId ?? boundTo);
    if (shown === undefined || !(isAboutThis || topicId === 'any')) return false;
    return shown.actions.some((action) =>
      Object.entries(wanted).every(([name, value]) => action[name as keyof HeldAction] === value),
    );
  }
}
