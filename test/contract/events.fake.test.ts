import { fakeEvents } from '../support/kube/fake-events.ts';
import { type EventsWorld, eventsContract } from './events.contract.ts';

eventsContract('in memory', async (): Promise<EventsWorld> => {
  const events = fakeEvents();
  return {
    events,
    namespace: 'shop',
    told: async (key) => events.of(key).map(({ type, reason, note }) => ({ type, reason, note })),
    close: async () => {},
  };
});
