import { annotations } from '../../functions/core/api.ts';
import { keyOf } from '../../functions/core/topic.ts';
import type { FakeTopics } from '../support/kafka/fake-topics.ts';
import type { Objects, StoredObject } from '../support/kube/objects.ts';
import {
  effective,
  isHeld,
  isOut,
  isSelected,
  physicalName,
  readyOf,
  specOf,
  statusOf,
  throttleKeys,
} from './facts.ts';
import type { Judge } from './judge.ts';

/** What is not as it has to be in a world where nobody has anything left to do. */
export function atRest(topics: FakeTopics, objects: Objects, judge: Judge): string[] {
  const wrong: string[] = [];
  for (const object of objects.all()) {
    const why = untrue(object, topics, objects, judge);
    if (why !== undefined) wrong.push(`${keyOf(object.metadata)}: ${why}`);
  }
  return [...wrong, ...limitsLeft(topics, objects, judge.keptRates)];
}

function untrue(object: StoredObject, topics: FakeTopics, objects: Objects, judge: Judge): string | undefined {
  if (!isSelected(object)) return isHeld(object) ? 'it is not selected, and held' : undefined;
  const status = statusOf(object);
  const ready = readyOf(status);
  if (ready === undefined) return 'it has no Ready condition';
  if (ready.observedGeneration !== object.metadata.generation) return 'its status is of an old generation';
  if (status.lastHandledReconcileAt !== object.metadata.annotations?.[annotations.reconcileRequestedAt])
    return 'somebody asked for a check and got none';
  if (isOut(object) && !['ApprovalRequired', 'Paused'].includes(ready.reason))
    return `it was deleted and stays: ${ready.reason}`;
  if (ready.status === 'True') return judge.isReady(object, status);
  return waitsFalsely(object, ready.reason, topics, objects);
}

/** Not ready, and nothing more comes by itself: it has to wait for a person, and for a reason that is there. */
function waitsFalsely(
  object: StoredObject,
  reason: string,
  { topics }: FakeTopics,
  objects: Objects,
): string | undefined {
  const { mode, numPartitions = 0, config } = specOf(object);
  const status = statusOf(object);
  const live = topics.get(physicalName(object));
  const holds = (() => {
    switch (reason) {
      case 'ApprovalRequired':
        return status.plan?.actions.every(
          ({ type, field = '', from, to }) =>
            type !== 'SetConfig' || (live && from === effective(live, field) && to === config[field]),
        );
      case 'TopicMissing':
        return status.topicId !== undefined && live === undefined;
      case 'IdentityChanged':
        return live !== undefined && status.topicId !== live.id;
      case 'DriftDetected':
        return mode === 'Observe' && (status.drift?.length ?? 0) > 0;
      case 'Paused':
        return mode === 'Paused';
      case 'PartitionsCannotShrink':
        return live !== undefined && live.numPartitions > numPartitions;
      case 'ResourceConflict':
        return objects.all().some((other) => other !== object && physicalName(other) === physicalName(object));
      default:
        return false;
    }
  })();
  return holds ? undefined : `it says ${reason}, and that is not so`;
}

/** Limits that nobody remembers. */
function limitsLeft({ topics, cluster }: FakeTopics, objects: Objects, kept: ReadonlySet<number>): string[] {
  const remembered = objects.all().filter((object) => statusOf(object).reassignment?.bytesPerSecond !== undefined);
  const lists = [...topics].filter(
    ([name, { overrides }]) =>
      throttleKeys.some((key) => overrides.has(key)) && !remembered.some((object) => physicalName(object) === name),
  );
  const rates = [...cluster].filter(
    ([id, { configs }]) => configs.size > 0 && remembered.length === 0 && !kept.has(id),
  );
  return [
    ...lists.map(([name]) => `topic ${name} stays limited`),
    ...rates.map(([id]) => `broker ${id} stays limited`),
  ];
}
