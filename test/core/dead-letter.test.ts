import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  causeIn,
  contentOf,
  type DeadMessage,
  gaveUpBecause,
  isSelected,
  type Live,
  letterOf,
  needsLive,
  type Selection,
} from '../../functions/core/dead-letter.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Condition } from '../../functions/core/resource.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { boundStatus, topic } from '../support/build.ts';
import { table } from '../support/table.ts';

const request = (name: string) => JSON.stringify({ v: 1, namespace: 'shop', name, trigger: 'drift', id: '1' });
const since = '2026-01-01T12:00:00.000Z';

const message = (body = request('orders')): DeadMessage => ({
  id: 'id-1',
  body,
  group: 'group',
  deduplicationId: 'd',
  since,
  receives: 3,
  receiptHandle: 'handle',
});

function saying(reason: Reason, text = 'why', labels: Readonly<Record<string, string>> = {}) {
  const fields = { lastTransitionTime: since, observedGeneration: 1 };
  const ready: Condition = { type: 'Ready', status: 'False', reason, message: text, ...fields };
  return topic({}, { status: boundStatus({ conditions: [ready] }), labels: new Map(Object.entries(labels)) });
}

const gaveUp = saying('DeadLettered', gaveUpBecause({ reason: 'BrokerUnavailable', message: 'no broker answers' }));
const unread = new Failure('InternalError', 'The API server does not answer', { retryable: true });

type Seen = { body?: string; queue?: 'reconcile' | 'ticks'; live?: Live };

table(
  'why a message is among the dead letters',
  ({ body = request('orders'), queue = 'reconcile', live = 'gone' }: Seen) => {
    const { reason, message: text } = letterOf(message(body), contentOf(queue, body), live);
    return `${reason}: ${text}`;
  },
  [
    {
      reason: 'the cause, where the object gave up',
      given: { live: gaveUp },
      want: 'BrokerUnavailable: no broker answers',
    },
    { reason: 'what the object says since', given: { live: saying('InvalidConfig') }, want: 'InvalidConfig: why' },
    { reason: 'nobody has looked at it', given: { live: topic() }, want: 'Unhandled: the object says nothing yet' },
    { reason: 'no object', given: {}, want: 'Gone: there is no such object any more' },
    { reason: 'it could not be read', given: { live: unread }, want: 'Unread: The API server does not answer' },
    { reason: 'a body that nobody can read', given: { body: 'x' }, want: 'Malformed: body is not JSON' },
    {
      reason: 'a tick',
      given: { body: '{"v":1,"tick":"t"}', queue: 'ticks' },
      want: 'Tick: part of a periodic look: the next one does its work',
    },
    {
      reason: 'a request is no tick',
      given: { queue: 'ticks' },
      want: 'Malformed: body has a field that version 1 does not know',
    },
  ],
);

test('a letter has everything but the body: names, trigger, counts', () => {
  assert.deepEqual(letterOf(message(), contentOf('reconcile', message().body), 'gone'), {
    id: 'id-1',
    namespace: 'shop',
    name: 'orders',
    trigger: 'drift',
    reason: 'Gone',
    message: 'there is no such object any more',
    since,
    receives: 3,
    group: 'group',
    bytes: message().body.length,
  });
  assert.equal(letterOf(message('ü'), contentOf('reconcile', 'ü'), 'unread').bytes, 2);
});

describe('the cause of giving up', () => {
  test('is found again in the message, whatever it says', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z][A-Za-z]{0,20}$/), fc.string(), (reason, text) => {
        assert.deepEqual(causeIn(gaveUpBecause({ reason, message: text })), { reason, message: text });
      }),
    );
  });

  test('of a message that reads otherwise is that message', () => {
    const long = 'gave up until the next edit, tick or replay: ';
    for (const text of [`${long}first BrokerUnavailable: no broker answers`, `${long}nothing`])
      assert.deepEqual(causeIn(text), { reason: 'DeadLettered', message: text });
    assert.deepEqual(causeIn(`${long}Gone: a\nb`), { reason: 'Gone', message: 'a\nb' });
    for (const text of ['', 'Nothing: at all', 'gave up until the next edit, tick or replay: no broker answers'])
      assert.deepEqual(causeIn(text), { reason: 'DeadLettered', message: text });
  });
});

table('whether the objects have to be read to choose', needsLive, [
  { reason: 'by label', given: { malformed: true, labels: () => true }, want: true },
  { reason: 'by what an object says', given: { malformed: true, reason: 'InvalidConfig' }, want: true },
  { reason: 'not for what names none', given: { malformed: true, reason: 'Malformed' }, want: false },
  { reason: 'nor for a tick', given: { malformed: true, reason: 'Tick' }, want: false },
  { reason: 'nor for what stands in the message', given: { malformed: true, namespace: 'shop' }, want: false },
]);

type Given = { selection: Partial<Selection>; body?: string; queue?: 'reconcile' | 'ticks'; live?: Live };
const noon = Date.parse(since);
const teamA = (labels: ReadonlyMap<string, string>) => labels.get('team') === 'a';

table(
  'chosen',
  ({ selection, body = request('orders'), queue = 'reconcile', live = 'gone' }: Given) =>
    isSelected({ malformed: true, ...selection }, message(body), contentOf(queue, body), live),
  [
    { reason: 'nothing asked for is everything', given: { selection: {} }, want: true },
    { reason: 'what nobody can read, too', given: { selection: {}, body: 'x' }, want: true },
    { reason: 'unless it is left out', given: { selection: { malformed: false }, body: 'x' }, want: false },
    { reason: 'by object', given: { selection: { objects: new Set(['shop/orders']) } }, want: true },
    { reason: 'another object', given: { selection: { objects: new Set(['shop/other']) } }, want: false },
    {
      reason: 'what names none is not that object',
      given: { selection: { objects: new Set(['shop/orders']) }, body: 'x' },
      want: false,
    },
    { reason: 'by namespace', given: { selection: { namespace: 'shop' } }, want: true },
    { reason: 'another namespace', given: { selection: { namespace: 'shops' } }, want: false },
    {
      reason: 'what names none is in no namespace',
      given: { selection: { namespace: 'shop' }, body: 'x' },
      want: false,
    },
    {
      reason: 'by label',
      given: { selection: { labels: teamA }, live: saying('Synced', '', { team: 'a' }) },
      want: true,
    },
    {
      reason: 'another label',
      given: { selection: { labels: teamA }, live: saying('Synced', '', { team: 'b' }) },
      want: false,
    },
    { reason: 'what is gone has no labels', given: { selection: { labels: () => true } }, want: false },
    {
      reason: 'nor has what could not be read',
      given: { selection: { labels: () => true }, live: unread },
      want: false,
    },
    {
      reason: 'by the reason of the cause',
      given: { selection: { reason: 'BrokerUnavailable' }, live: gaveUp },
      want: true,
    },
    { reason: 'by what the object says', given: { selection: { reason: 'DeadLettered' }, live: gaveUp }, want: true },
    { reason: 'another reason', given: { selection: { reason: 'Synced' }, live: gaveUp }, want: false },
    { reason: 'by being gone', given: { selection: { reason: 'Gone' } }, want: true },
    { reason: 'by being unreadable', given: { selection: { reason: 'Malformed' }, body: 'x' }, want: true },
    { reason: 'what can be read is not that', given: { selection: { reason: 'Malformed' } }, want: false },
    { reason: 'as old as asked for', given: { selection: { notAfter: noon, notBefore: noon } }, want: true },
    { reason: 'too young', given: { selection: { notAfter: noon - 1 } }, want: false },
    { reason: 'too old', given: { selection: { notBefore: noon + 1 } }, want: false },
    { reason: 'by id', given: { selection: { ids: new Set(['id-1']) } }, want: true },
    { reason: 'another id', given: { selection: { ids: new Set(['id-2']) } }, want: false },
    {
      reason: 'one of two does not fit',
      given: { selection: { reason: 'Gone', ids: new Set(['id-2']) } },
      want: false,
    },
    {
      reason: 'a tick',
      given: { selection: { notAfter: noon }, queue: 'ticks', body: '{"v":1,"tick":"t"}' },
      want: true,
    },
  ],
);
