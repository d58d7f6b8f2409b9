import type { Events, TopicEvent } from '../../../functions/core/ports.ts';
import { type Key, keyOf } from '../../../functions/core/topic.ts';

export type FakeEvents = Events & {
  /** what was told of an object, each occurrence once, in the order in which it was told first */
  of(key: Key): readonly TopicEvent[];
};

/** An in-memory API server behind the Events port; one contract suite proves both. */
export function fakeEvents(): FakeEvents {
  const told = new Map<string, Map<string, TopicEvent>>();
  return {
    async publish({ key }, events, signal) {
      if (signal.aborted) return;
      const known = told.get(keyOf(key)) ?? new Map<string, TopicEvent>();
      for (const event of events) if (!known.has(event.occurrence)) known.set(event.occurrence, event);
      told.set(keyOf(key), known);
    },
    of: (key) => [...(told.get(keyOf(key))?.values() ?? [])],
  };
}
