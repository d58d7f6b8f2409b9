import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Events, TopicEvent } from '../../functions/core/ports.ts';
import type { Key } from '../../functions/core/topic.ts';
import { topic } from '../support/build.ts';

type Told = Omit<TopicEvent, 'occurrence'>;

/** An API server without Events, and a namespace in it. `told` are those of one object, by reason. */
export type EventsWorld = {
  events: Events;
  namespace: string;
  told(key: Key): Promise<readonly Told[]>;
  close(): Promise<void>;
};

const never = new AbortController().signal;

const created: TopicEvent = { type: 'Normal', reason: 'Created', note: 'created topic orders', occurrence: '0a1' };
const refused: TopicEvent = { type: 'Warning', reason: 'InvalidConfig', note: 'no such key', occurrence: '0a2' };
const withoutOccurrence = ({ occurrence: _, ...told }: TopicEvent): Told => told;

/** What the Events port promises. */
export function eventsContract(name: string, makeWorld: () => Promise<EventsWorld>): void {
  const fact = (title: string, run: (world: EventsWorld) => Promise<void>) =>
    test(title, async () => {
      const world = await makeWorld();
      await run(world).finally(() => world.close());
    });

  describe(`events: ${name}`, () => {
    fact('what was told is there, for its object and for no other', async ({ events, namespace, told }) => {
      const key = { namespace, name: 'orders' };
      await events.publish(topic({}, { key }), [created, refused], never);
      assert.deepEqual(await told(key), [created, refused].map(withoutOccurrence));
      assert.deepEqual(await told({ namespace, name: 'payments' }), []);
    });

    fact('K134: an occurrence that is told again is there once, another one beside it', async (world) => {
      const { events, namespace, told } = world;
      const resource = topic({}, { key: { namespace, name: 'orders' } });
      await events.publish(resource, [created], never);
      await events.publish({ ...resource, resourceVersion: '8' }, [created, { ...refused, occurrence: '0a3' }], never);
      assert.deepEqual(await told(resource.key), [created, refused].map(withoutOccurrence));
    });

    fact('nothing to tell tells nothing', async ({ events, namespace, told }) => {
      const resource = topic({}, { key: { namespace, name: 'orders' } });
      await events.publish(resource, [], never);
      assert.deepEqual(await told(resource.key), []);
    });

    fact('nothing is told once the time is over, and that is no error', async ({ events, namespace, told }) => {
      const resource = topic({}, { key: { namespace, name: 'orders' } });
      await events.publish(resource, [created], AbortSignal.abort());
      assert.deepEqual(await told(resource.key), []);
    });
  });
}
