import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApiError, type KubeClient } from '../../../functions/adapters/kube/client.ts';
import { kubeEvents } from '../../../functions/adapters/kube/events.ts';
import type { Logger, TopicEvent } from '../../../functions/core/ports.ts';
import type { TopicResource } from '../../../functions/core/resource.ts';
import { topic } from '../../support/build.ts';
import { createNamespace, realApi, removeNamespace } from '../../support/kube/real-api.ts';
import { apiAs, eventsOf } from '../../support/kube/real-events.ts';

const never = new AbortController().signal;
const now = () => new Date('2026-03-04T05:06:07.890Z');

const event = (fields: Partial<TopicEvent> = {}): TopicEvent => ({
  type: 'Normal',
  reason: 'Created',
  note: 'created topic orders',
  occurrence: '0123456789abcdef',
  ...fields,
});

/** Tells events and gives back what was logged about it. */
async function publish(client: KubeClient, resource: TopicResource, events: readonly TopicEvent[], signal = never) {
  const lines: unknown[] = [];
  const line = (name: string, fields?: Readonly<Record<string, unknown>>) => void lines.push({ name, ...fields });
  const log: Logger = { debug: line, info: line, warn: line, error: line };
  await kubeEvents(client, log, now).publish(resource, events, signal);
  return lines;
}

describe('events at a real API server', () => {
  const admin = realApi();
  const reconciler = apiAs('reconciler');
  let namespace = '';
  const object = (name: string) => topic({}, { key: { namespace, name }, uid: 'uid-1', resourceVersion: '7' });

  before(async () => {
    namespace = await createNamespace(admin);
  });
  after(async () => {
    await removeNamespace(admin, namespace);
    await Promise.all([admin.close(), reconciler.close()]);
  });

  test('an Event says whom it is about, who says it, and when', async () => {
    assert.deepEqual(await publish(reconciler, object('orders'), [event()]), []);
    const [stored] = await eventsOf(admin, object('orders').key);
    assert.partialDeepStrictEqual(stored, {
      metadata: { name: 'orders.0123456789abcdef' },
      regarding: {
        apiVersion: 'cache.example.com/v1alpha1',
        kind: 'KafkaTopic',
        namespace,
        name: 'orders',
        uid: 'uid-1',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'Created',
      note: 'created topic orders',
      action: 'Reconcile',
      reportingController: 'cache.example.com/topicsmith',
      reportingInstance: 'topicsmith',
      eventTime: '2026-03-04T05:06:07.890000Z',
    });
  });

  test('the longest name of an object still makes a legal name of an Event', async () => {
    assert.deepEqual(await publish(reconciler, object('x'.repeat(253)), [event()]), []);
    const cutAtDot = `${'x'.repeat(235)}.${'y'.repeat(17)}`;
    assert.deepEqual(await publish(reconciler, object(cutAtDot), [event()]), []);
    const [stored] = await eventsOf(admin, object(cutAtDot).key);
    assert.equal(stored?.metadata.name, `${'x'.repeat(235)}.0123456789abcdef`);
  });

  test('K132: a note is one line, cut to what the API server takes, in whole characters', async () => {
    const notes = ['a\n\tb\u001b[31m\u202ec', 'x'.repeat(1_024), 'x'.repeat(1_025), `x${'é'.repeat(600)}`];
    const wanted = ['a b\\u001b[31m\\u202ec', 'x'.repeat(1_024), `${'x'.repeat(1_021)}…`, `x${'é'.repeat(510)}…`];
    const events = notes.map((note, at) => event({ note, occurrence: `0${at}` }));
    assert.deepEqual(await publish(reconciler, object('notes'), events), []);
    const stored = await eventsOf(admin, object('notes').key);
    const byName = stored.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    assert.deepEqual(
      byName.map(({ note }) => note),
      wanted,
    );
  });

  test('one that the API server refuses is a line in the log, and the others are told', async () => {
    const bad = event({ reason: 'x'.repeat(129) as 'Created', occurrence: 'bad' });
    const lines = await publish(reconciler, object('refused'), [bad, event()]);
    assert.equal(lines.length, 1);
    assert.partialDeepStrictEqual(lines, [{ name: 'event-not-written', object: `${namespace}/refused`, uid: 'uid-1' }]);
    assert.match((lines[0] as { error: string }).error, /^The API server answered 422: .*reason: .*at most 128/);
    assert.equal((await eventsOf(admin, object('refused').key)).length, 1);
  });

  test('whoever has no right to tell says so in the log', async () => {
    const resync = apiAs('resync');
    const lines = await publish(resync, object('denied'), [event()]).finally(() => resync.close());
    assert.match(
      (lines[0] as { error: string }).error,
      /^The API server answered 403: .* cannot create resource "events"/,
    );
  });

  test('the reconciler may create Events, and neither read nor change them', async () => {
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    await publish(reconciler, object('rights'), [event()]);
    const one = `${path}/rights.0123456789abcdef`;
    const options = { body: { note: 'other' }, contentType: 'application/merge-patch+json' };
    const isForbidden = (error: unknown) => error instanceof ApiError && error.code === 403;
    await assert.rejects(reconciler.request('GET', path), isForbidden);
    await assert.rejects(reconciler.request('DELETE', one), isForbidden);
    await assert.rejects(reconciler.request('PATCH', one, options), isForbidden);
  });

  test('K086: in a namespace that goes, or is gone, nobody minds', async () => {
    const ending = await createNamespace(admin);
    const inside = topic({}, { key: { namespace: ending, name: 'orders' } });
    await admin.request('DELETE', `/api/v1/namespaces/${ending}`);
    assert.deepEqual(await publish(reconciler, inside, [event()]), []);
    await removeNamespace(admin, ending);
    assert.deepEqual(await publish(reconciler, inside, [event()]), []);
  });
});

test('a server that does not answer is a line for each, and no error', async () => {
  const client = { request: () => Promise.reject(new Error('connect ECONNREFUSED')) } as unknown as KubeClient;
  const lines = await publish(client, topic(), [event(), event({ reason: 'Deleted' })]);
  const error = 'The API server does not answer: connect ECONNREFUSED';
  const line = { name: 'event-not-written', object: 'shop/orders', uid: 'uid-1', error };
  assert.deepEqual(lines, [
    { ...line, reason: 'Created' },
    { ...line, reason: 'Deleted' },
  ]);
});

test('several are told at the same time', async () => {
  const both = Promise.withResolvers<void>();
  let under = 0;
  const request = () => {
    if (++under === 2) both.resolve();
    return both.promise;
  };
  const client = { request } as unknown as KubeClient;
  assert.deepEqual(await publish(client, topic(), [event(), event({ occurrence: '1' })]), []);
});
