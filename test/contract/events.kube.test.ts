import assert from 'node:assert/strict';
import { after } from 'node:test';
import { kubeEvents } from '../../functions/adapters/kube/events.ts';
import type { Logger } from '../../functions/core/ports.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';
import { apiAs, eventsOf } from '../support/kube/real-events.ts';
import { type EventsWorld, eventsContract } from './events.contract.ts';

const admin = realApi();
const reconciler = apiAs('reconciler');
after(() => Promise.all([admin.close(), reconciler.close()]));

eventsContract('real API server, as the reconciler', async (): Promise<EventsWorld> => {
  const namespace = await createNamespace(admin);
  const refusals: unknown[] = [];
  const line = () => {};
  const log: Logger = { debug: line, info: line, error: line, warn: (_, fields) => void refusals.push(fields?.error) };
  return {
    events: kubeEvents(reconciler, log),
    namespace,
    told: async (key) => {
      const stored = await eventsOf(admin, key);
      return stored.map(({ type, reason, note }) => ({ type, reason, note }));
    },
    close: async () => {
      await removeNamespace(admin, namespace);
      const expected = ['Time ran out before the API server answered.'];
      assert.deepEqual(
        refusals.filter((text) => !expected.includes(String(text))),
        [],
      );
    },
  };
});
