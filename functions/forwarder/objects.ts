import { createHash } from 'node:crypto';
import { annotations, finalizer } from '../core/api.ts';
import { waitingReasons } from '../core/outcome.ts';
import type { Envelope } from '../core/ports.ts';
import { messageVersion } from '../core/request.ts';
import type { Labels } from '../core/resource.ts';
import { type Key, keyOf } from '../core/topic.ts';

/** What one look at an object tells the forwarder. */
export type Sighting = {
  readonly key: Key;
  readonly uid: string;
  readonly resourceVersion: string;
  /** the physical name: `spec.topicName`, else `metadata.name` */
  readonly topicName: string;
  /** moves with everything somebody has to act on, and stays through our own status writes */
  readonly digest: string;
  /** somebody has to look at it: it is selected, or held by our finalizer still */
  readonly concerns: boolean;
  /** its work is not done, yet its message has ended: somebody has to ask again */
  readonly waiting: boolean;
  readonly generation: number;
};

type KubeObject = {
  metadata?: {
    namespace?: unknown;
    name?: unknown;
    uid?: unknown;
    resourceVersion?: unknown;
    generation?: unknown;
    deletionTimestamp?: unknown;
    finalizers?: unknown;
    labels?: unknown;
    annotations?: Record<string, unknown> | null;
  } | null;
  spec?: { topicName?: unknown } | null;
  status?: { conditions?: unknown } | null;
};

/**
 * Reads a KafkaTopic as the API server sent it. Only the metadata has to be there: spec and status are whatever
 * somebody stored.
 *
 * @param selects whether an object with these labels is for this installation
 * @returns undefined when it is no object with namespace, name, uid and resourceVersion
 */
export function sightingOf(object: unknown, selects: Selects = () => true): Sighting | undefined {
  const { metadata, spec, status } = (object ?? {}) as KubeObject;
  const { namespace, name, uid, resourceVersion, generation } = metadata ?? {};
  if (!isText(namespace) || !isText(name) || !isText(uid) || !isText(resourceVersion)) return undefined;
  const topicName = isText(spec?.topicName) ? spec.topicName : name;
  const waiting = isWaiting(status?.conditions);
  const selected = selects(labelsOf(metadata?.labels));
  const concerns = selected || (Array.isArray(metadata?.finalizers) && metadata.finalizers.includes(finalizer));
  const digest = digestOf(metadata ?? {}, selected);
  const seen = { uid, resourceVersion, generation: Number(generation) || 0 };
  return { key: { namespace, name }, ...seen, topicName, digest, concerns, waiting };
}

/** Whether an object with these labels is for this installation. */
export type Selects = (labels: Labels) => boolean;

const labelsOf = (labels: unknown): Labels =>
  new Map(Object.entries(labels ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));

function digestOf(metadata: NonNullable<KubeObject['metadata']>, selected: boolean): string {
  const { generation, deletionTimestamp, finalizers, annotations: notes } = metadata;
  const deleting = deletionTimestamp !== undefined;
  const control = [notes?.[annotations.reconcileRequestedAt], notes?.[annotations.approve]];
  const facts = JSON.stringify([generation, deleting, deleting ? finalizers : null, selected, ...control]);
  return createHash('sha256').update(facts).digest('base64url').slice(0, 22);
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** For these the core ends a message that is not done; for all others the queue brings it back by itself. */
const endsMessages: ReadonlySet<unknown> = waitingReasons;

const isWaiting = (conditions: unknown): boolean =>
  Array.isArray(conditions) &&
  conditions.some(
    (condition) =>
      condition?.type === 'Reconciling' && condition?.status === 'True' && endsMessages.has(condition?.reason),
  );

/**
 * The message that asks for a look at an object.
 *
 * @param deduplicationId default: uid and the resourceVersion that showed the change, so that two forwarders (or a send
 *   repeated after a lost answer) make one message, and a change never looks like an earlier one
 */
export function envelopeOf(sighting: Sighting, deduplicationId = changeId(sighting)): Envelope {
  const { key, topicName, generation } = sighting;
  return {
    request: { v: messageVersion, ...key, trigger: 'change', id: deduplicationId },
    topicName,
    deduplicationId,
    generation,
  };
}

const changeId = ({ uid, resourceVersion }: Sighting): string => `${uid}-${resourceVersion}`;

/** What the forwarder remembers of the objects in one scope: two short texts each. */
export class Objects {
  readonly #known = new Map<string, { readonly uid: string; readonly digest: string }>();

  get size(): number {
    return this.#known.size;
  }

  /** Remembers the object. @returns whether it is new (its uid too) or asks for action it did not ask for before */
  see({ key, uid, digest }: Sighting): boolean {
    const known = this.#known.get(keyOf(key));
    if (known?.uid === uid && known.digest === digest) return false;
    this.#known.set(keyOf(key), { uid, digest });
    return true;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** The keys it knows that are none of these. */
  keysBut(keys: ReadonlySet<string>): string[] {
    return [...this.#known.keys()].filter((key) => !keys.has(key));
  }
}
