import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupOf, messageVersion, parseRequest, parseTick, triggers } from '../../functions/core/request.ts';
import { table } from '../support/table.ts';

const good = { v: 1, namespace: 'shop', name: 'orders.v1', trigger: 'change', id: 'abc' };
const body = (fields: object) => JSON.stringify({ ...good, ...fields });

table('a body of the reconcile queue', (text: string) => parseRequest(text), [
  { reason: 'names an object', given: body({}), want: good as never },
  { reason: 'is JSON', given: '{', want: { malformed: 'body is not JSON' } },
  { reason: 'is an object', given: '[1]', want: { malformed: 'body is not a JSON object' } },
  { reason: 'is not null', given: 'null', want: { malformed: 'body is not a JSON object' } },
  { reason: 'is not a text', given: '"v"', want: { malformed: 'body is not a JSON object' } },
  {
    reason: 'of the next version is read as far as it is known',
    given: body({ v: 2, topic: 'x', malformed: 'y' }),
    want: { ...good, v: 2 } as never,
  },
  {
    reason: 'may then have a trigger that nobody knows yet',
    given: body({ v: 2, trigger: 'whim' }),
    want: { ...good, v: 2 } as never,
  },
  {
    reason: 'has all that is needed then too',
    given: body({ v: 2, name: undefined }),
    want: { malformed: 'name is not an object name' },
  },
  {
    reason: 'and a trigger',
    given: body({ v: 2, trigger: 7 }),
    want: { malformed: 'trigger is none of change, drift, manual, replay' },
  },
  { reason: 'is of no later version', given: body({ v: 3 }), want: { malformed: 'version is none of 1 to 2' } },
  { reason: 'nor of none', given: body({ v: undefined }), want: { malformed: 'version is none of 1 to 2' } },
  { reason: 'nor of one before the first', given: body({ v: 0 }), want: { malformed: 'version is none of 1 to 2' } },
  { reason: 'nor of one between', given: body({ v: 1.5 }), want: { malformed: 'version is none of 1 to 2' } },
  { reason: 'its version is a number', given: body({ v: '1' }), want: { malformed: 'version is none of 1 to 2' } },
  {
    reason: 'has no field that we do not know',
    given: body({ topic: 'x' }),
    want: { malformed: 'body has a field that version 1 does not know' },
  },
  {
    reason: 'has no prototype',
    given: '{"v":1,"__proto__":{}}',
    want: { malformed: 'body has a field that version 1 does not know' },
  },
  {
    reason: 'has a namespace',
    given: body({ namespace: undefined }),
    want: { malformed: 'namespace is not a namespace name' },
  },
  {
    reason: 'whose name is a DNS label',
    given: body({ namespace: 'a.b' }),
    want: { malformed: 'namespace is not a namespace name' },
  },
  {
    reason: 'of 63 characters at most',
    given: body({ namespace: 'a'.repeat(64) }),
    want: { malformed: 'namespace is not a namespace name' },
  },
  {
    reason: 'with nothing around it',
    given: body({ namespace: 'shop\n' }),
    want: { malformed: 'namespace is not a namespace name' },
  },
  {
    reason: 'nor before it',
    given: body({ namespace: '/shop' }),
    want: { malformed: 'namespace is not a namespace name' },
  },
  { reason: 'has a name', given: body({ name: 5 }), want: { malformed: 'name is not an object name' } },
  {
    reason: 'that is a DNS subdomain',
    given: body({ name: '../status' }),
    want: { malformed: 'name is not an object name' },
  },
  {
    reason: 'with no capital in it',
    given: body({ name: 'Orders' }),
    want: { malformed: 'name is not an object name' },
  },
  {
    reason: 'and nothing after it',
    given: body({ name: 'orders/status' }),
    want: { malformed: 'name is not an object name' },
  },
  { reason: 'and no empty part', given: body({ name: 'a..b' }), want: { malformed: 'name is not an object name' } },
  {
    reason: 'of 253 characters at most',
    given: body({ name: 'a'.repeat(254) }),
    want: { malformed: 'name is not an object name' },
  },
  {
    reason: 'and 253 are enough',
    given: body({ name: 'a'.repeat(253) }),
    want: { ...good, name: 'a'.repeat(253) } as never,
  },
  {
    reason: 'has a trigger',
    given: body({ trigger: 'whim' }),
    want: { malformed: 'trigger is none of change, drift, manual, replay' },
  },
  {
    reason: 'that is a text',
    given: body({ trigger: 1 }),
    want: { malformed: 'trigger is none of change, drift, manual, replay' },
  },
  { reason: 'has an id', given: body({ id: '' }), want: { malformed: 'id is not a text of 1 to 256' } },
  { reason: 'that is a text', given: body({ id: 1 }), want: { malformed: 'id is not a text of 1 to 256' } },
  {
    reason: 'of bounded length',
    given: body({ id: 'x'.repeat(257) }),
    want: { malformed: 'id is not a text of 1 to 256' },
  },
  { reason: 'up to 256', given: body({ id: 'x'.repeat(256) }), want: { ...good, id: 'x'.repeat(256) } as never },
  { reason: 'is small', given: body({ id: 'x'.repeat(2048) }), want: { malformed: 'body is longer than 2048 bytes' } },
  {
    reason: 'counted in bytes',
    given: body({ id: 'é'.repeat(1024) }),
    want: { malformed: 'body is longer than 2048 bytes' },
  },
]);

const sums = {
  startedAt: 5,
  pages: 1,
  lookedAt: 9,
  enqueued: 2,
  skipped: 1,
  unread: 0,
  unlisted: 0,
  requests: 4,
  states: { 'True Synced': 7, 'False ResourceConflict': 2 },
};
const nothing = { lookedAt: 0, enqueued: 0, skipped: 0, unread: 0, unlisted: 0, requests: 0, states: {} };
const noSums = {
  malformed:
    'sums are not states, and whole numbers of startedAt, pages, lookedAt, enqueued, skipped, unread, unlisted, requests',
};

table('a body of the tick queue', (text: string) => parseTick(text), [
  { reason: 'names a tick', given: '{"v":1,"tick":"t"}', want: { v: 1, tick: 't' } },
  {
    reason: 'and may go on from a page',
    given: '{"v":1,"tick":"t","continue":"c"}',
    want: { v: 1, tick: 't', continue: 'c' },
  },
  { reason: 'is JSON', given: 'x', want: { malformed: 'body is not JSON' } },
  { reason: 'has a tick', given: '{"v":1}', want: { malformed: 'tick is not a text of 1 to 256' } },
  { reason: 'that is not empty', given: '{"v":1,"tick":""}', want: { malformed: 'tick is not a text of 1 to 256' } },
  {
    reason: 'of bounded length',
    given: `{"v":1,"tick":"${'x'.repeat(257)}"}`,
    want: { malformed: 'tick is not a text of 1 to 256' },
  },
  { reason: 'up to 256', given: `{"v":1,"tick":"${'x'.repeat(256)}"}`, want: { v: 1, tick: 'x'.repeat(256) } },
  {
    reason: 'has a token that is a text',
    given: '{"v":1,"tick":"t","continue":1}',
    want: { malformed: 'continue is not a text' },
  },
  {
    reason: 'may be as long as tokens are',
    given: `{"v":1,"tick":"t","continue":"${'c'.repeat(9000)}"}`,
    want: { v: 1, tick: 't', continue: 'c'.repeat(9000) },
  },
  {
    reason: 'but not longer than 64 KiB',
    given: `{"v":1,"tick":"t","continue":"${'c'.repeat(66_000)}"}`,
    want: { malformed: 'body is longer than 65536 bytes' },
  },
  {
    reason: 'says what the pages before came to',
    given: JSON.stringify({ v: 1, tick: 't', continue: 'c', sums }),
    want: { v: 1, tick: 't', continue: 'c', sums },
  },
  {
    reason: 'may say less of them than we do: older senders know less',
    given: JSON.stringify({ v: 1, tick: 't', sums: { startedAt: 5, pages: 1 } }),
    want: { v: 1, tick: 't', sums: { ...nothing, startedAt: 5, pages: 1 } },
  },
  {
    reason: 'but when the tick started',
    given: JSON.stringify({ v: 1, tick: 't', sums: { ...sums, startedAt: undefined } }),
    want: noSums,
  },
  {
    reason: 'of the next version says more, which is left out',
    given: JSON.stringify({ v: 2, tick: 't', more: 1, sums: { ...sums, more: 'x' } }),
    want: { v: 2, tick: 't', sums },
  },
  {
    reason: 'may have reasons that nobody knows: a release brings new ones',
    given: JSON.stringify({
      v: 1,
      tick: 't',
      sums: { ...sums, states: { 'True Synced': 7, 'False Odd': 2, 'False Other': 1, 'False Strange thing': 1 } },
    }),
    want: { v: 1, tick: 't', sums: { ...sums, states: { 'True Synced': 7, 'False Other': 4 } } },
  },
  {
    reason: 'counts in the next version too',
    given: JSON.stringify({ v: 2, tick: 't', sums: { ...sums, states: { 'Maybe Synced': 7 } } }),
    want: noSums,
  },
  { reason: 'is of no later version', given: '{"v":3,"tick":"t"}', want: { malformed: 'version is none of 1 to 2' } },
  { reason: 'and no others', given: JSON.stringify({ v: 1, tick: 't', sums: { ...sums, more: 1 } }), want: noSums },
  { reason: 'that count', given: JSON.stringify({ v: 1, tick: 't', sums: { ...sums, pages: -1 } }), want: noSums },
  {
    reason: 'in whole numbers',
    given: JSON.stringify({ v: 1, tick: 't', sums: { ...sums, pages: 0.5 } }),
    want: noSums,
  },
  ...[null, [], { 'True Synced': -1 }, { 'True Synced': '1' }, { 'Maybe Synced': 1 }].map((states) => ({
    reason: `not with states ${JSON.stringify(states)}`,
    given: JSON.stringify({ v: 1, tick: 't', sums: { ...sums, states } }),
    want: noSums,
  })),
  { reason: 'together', given: '{"v":1,"tick":"t","sums":null}', want: noSums },
]);

test('any text is either a request or malformed, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const parsed = parseRequest(text);
      assert.ok('malformed' in parsed || triggers.includes(parsed.trigger));
      assert.ok('malformed' in parseTick(text) || true);
    }),
  );
});

test('whatever the next version adds, a name is found in it; the one after the next nobody reads', () => {
  const more = fc.dictionary(
    fc.string().filter((name) => !(name in good)),
    fc.jsonValue(),
    { maxKeys: 5 },
  );
  fc.assert(
    fc.property(more, fc.integer({ min: messageVersion + 2 }), (added, later) => {
      const next = JSON.stringify({ ...added, ...good, v: messageVersion + 1 });
      assert.deepEqual(parseRequest(next), { ...good, v: messageVersion + 1 });
      assert.ok('malformed' in parseRequest(JSON.stringify({ ...added, ...good, v: later })));
    }),
  );
});

test('a group depends on the physical topic name alone, and fits a MessageGroupId', () => {
  assert.equal(groupOf('orders'), groupOf('orders'));
  assert.notEqual(groupOf('orders'), groupOf('Orders'));
  assert.match(groupOf('x'.repeat(249)), /^[0-9a-f]{32}$/);
});
