import { isDeepStrictEqual } from 'node:util';
import { annotations, apiVersion, kind } from '../../../functions/core/api.ts';
import { parseResource } from '../../../functions/core/parse.ts';
import { type Key, keyOf } from '../../../functions/core/topic.ts';

/** What a user hands to `kubectl apply`. */
export type Manifest = {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
};

type Metadata = Manifest['metadata'] & {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
};
export type StoredObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
};

const defaults = { configMode: 'Merge', deletionPolicy: 'Retain', mode: 'Enforce' };

/**
 * KafkaTopics as an API server keeps them: a resourceVersion that moves with every change and only then, a generation
 * that moves with the spec, finalizers that hold a deletion. Uids and versions count up, so histories repeat exactly.
 */
export class Objects {
  readonly #stored = new Map<string, StoredObject>();
  readonly #now: () => Date;
  #version = 0;
  #uids = 0;

  /** @param now clock for creation and deletion timestamps (whole seconds) */
  constructor(now: () => Date) {
    this.#now = now;
  }

  get(key: Key): StoredObject | undefined {
    return this.#stored.get(keyOf(key));
  }

  /** By namespace and name, as a list comes from the API server. */
  all(): readonly StoredObject[] {
    return [...this.#stored.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /**
   * A user creates an object or replaces its spec.
   *
   * @param unchecked stores it as under an older schema, whatever it holds
   * @throws Error with our message where the API server refuses
   */
  apply(manifest: Manifest, { unchecked = false } = {}): StoredObject {
    const old = this.get(manifest.metadata);
    const spec = { ...defaults, ...manifest.spec };
    if (!unchecked) refuseInvalid(manifest, spec, old);
    if (old === undefined) return this.#create(manifest, spec);
    return this.change(manifest.metadata, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, ...manifest.metadata },
      spec,
    })) as StoredObject;
  }

  /** An object that was stored before, as it is. */
  restore(object: StoredObject): void {
    this.#put(object);
  }

  /** Any other edit, e.g. of annotations or finalizers. @returns undefined when it ended the object, or there is none */
  change(key: Key, edit: (object: StoredObject) => StoredObject): StoredObject | undefined {
    const old = this.get(key);
    if (old === undefined) return undefined;
    const edited = edit(old);
    if (isDeepStrictEqual(edited, old)) return old;
    const generation = old.metadata.generation + (isDeepStrictEqual(edited.spec, old.spec) ? 0 : 1);
    return this.#put({ ...edited, metadata: { ...edited.metadata, generation } });
  }

  annotate(key: Key, name: keyof typeof annotations, value: string): void {
    this.change(key, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [annotations[name]]: value } },
    }));
  }

  /** A user deletes: the object goes, or waits for its finalizers. */
  delete(key: Key): void {
    const object = this.get(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const { metadata } = object;
    this.#put({
      ...object,
      metadata: { ...metadata, deletionTimestamp: this.#time(), generation: metadata.generation + 1 },
    });
  }

  #create({ metadata }: Manifest, spec: StoredObject['spec']): StoredObject {
    this.#uids++;
    const uid = `00000000-0000-4000-8000-${String(this.#uids).padStart(12, '0')}`;
    const server = { uid, resourceVersion: '', generation: 1, creationTimestamp: this.#time() };
    return this.#put({ apiVersion, kind, metadata: { ...metadata, ...server }, spec }) as StoredObject;
  }

  #put(object: StoredObject): StoredObject | undefined {
    this.#version++;
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0) {
      this.#stored.delete(keyOf(object.metadata));
      return undefined;
    }
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#stored.set(keyOf(object.metadata), stored);
    return stored;
  }

  #time(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}

function refuseInvalid(manifest: Manifest, spec: StoredObject['spec'], old: StoredObject | undefined): void {
  const { spec: parsed, topicName } = parseResource({ ...manifest, spec });
  if ('reason' in parsed && parsed.reason !== 'InternalTopic') throw new Error(parsed.message);
  if (old && parseResource(old).topicName !== topicName) throw new Error('spec.topicName cannot be changed or removed');
  if (old?.spec.topicName !== undefined && spec.topicName === undefined)
    throw new Error('spec.topicName cannot be changed or removed');
}
