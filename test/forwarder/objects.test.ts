import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { annotations, finalizer } from '../../functions/core/api.ts';
import { Failure, isWaiting } from '../../functions/core/outcome.ts';
import { reasons } from '../../functions/core/schema/reasons.ts';
import { parseSelector } from '../../functions/core/selector.ts';
import type { Reason } from '../../functions/core/topic.ts';
import { envelopeOf, Objects, type Sighting, sightingOf } from '../../functions/forwarder/objects.ts';

const base = {
  metadata: { namespace: 'shop', name: 'orders', uid: 'u-1', resourceVersion: '7', generation: 1 },
  spec: { numPartitions: 3 },
};

function sighted(metadata: object = {}, rest: object = {}): Sighting {
  const sighting = sightingOf({ ...base, ...rest, metadata: { ...base.metadata, ...metadata } });
  assert.ok(sighting);
  return sighting;
}

const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [finalizer, 'other'] };

describe('objects', () => {
  const changes: { reason: string; from?: object; to: object; rest?: object; asks: boolean }[] = [
    { reason: 'an edited spec', to: { generation: 2 }, asks: true },
    { reason: 'a requested reconcile', to: { annotations: { [annotations.reconcileRequestedAt]: 'now' } }, asks: true },
    { reason: 'an approval', to: { annotations: { [annotations.approve]: 'abc' } }, asks: true },
    {
      reason: 'an approval that is taken back',
      from: { annotations: { [annotations.approve]: 'abc' } },
      to: { annotations: {} },
      asks: true,
    },
    { reason: 'a deletion', from: { finalizers: deleting.finalizers }, to: deleting, asks: true },
    {
      reason: 'a finalizer gone while deleting',
      from: deleting,
      to: { ...deleting, finalizers: [finalizer] },
      asks: true,
    },
    { reason: 'a new object of the same name', to: { uid: 'u-2' }, asks: true },
    {
      reason: 'a status write',
      to: { resourceVersion: '8' },
      rest: { status: { observedGeneration: 1 } },
      asks: false,
    },
    { reason: 'our finalizer added', to: { finalizers: [finalizer] }, asks: false },
    { reason: 'an annotation of somebody else', to: { annotations: { 'example.com/note': 'x' } }, asks: false },
    {
      reason: 'a later deletionTimestamp',
      from: deleting,
      to: { ...deleting, deletionTimestamp: '2027-01-01T00:00:00Z' },
      asks: false,
    },
  ];
  for (const { reason, from = {}, to, rest, asks } of changes)
    test(`${reason} ${asks ? 'asks for a look' : 'asks for nothing'}`, () => {
      const objects = new Objects();
      assert.equal(objects.see(sighted(from)), true);
      assert.equal(objects.see(sighted(to, rest)), asks);
      assert.equal(objects.see(sighted(to, rest)), false);
    });

  test('K136, K137: an object concerns us while its labels are selected, or our finalizer holds it', () => {
    const selects = parseSelector('team=a');
    const seen = (metadata: object) => {
      const sighting = sightingOf({ ...base, metadata: { ...base.metadata, ...metadata } }, selects);
      return sighting ?? assert.fail('it is no object');
    };
    const [ours, held, others] = [
      seen({ labels: { team: 'a' } }),
      seen({ labels: { team: 'b' }, finalizers: [finalizer] }),
      seen({ labels: null }),
    ];
    assert.deepEqual([ours.concerns, held.concerns, others.concerns], [true, true, false]);
    assert.notEqual(ours.digest, held.digest, 'a label that goes is a change');
    assert.equal(held.digest, others.digest, 'a finalizer that we have removed is none');
  });

  test('A to B to A is two changes, each with an id of its own', () => {
    const objects = new Objects();
    const steps = [
      sighted(),
      sighted({ generation: 2, resourceVersion: '8' }),
      sighted({ generation: 3, resourceVersion: '9' }),
    ];
    assert.deepEqual(
      steps.map((step) => objects.see(step)),
      [true, true, true],
    );
    assert.equal(new Set(steps.map((step) => envelopeOf(step).deduplicationId)).size, 3);
  });

  test('the message names the object, the group comes from the physical topic', () => {
    const { request, topicName, deduplicationId, generation } = envelopeOf(
      sighted({}, { spec: { topicName: 'shop.orders' } }),
    );
    assert.deepEqual(request, { v: 1, namespace: 'shop', name: 'orders', trigger: 'change', id: 'u-1-7' });
    assert.deepEqual([topicName, deduplicationId, generation], ['shop.orders', 'u-1-7', 1]);
    assert.equal(envelopeOf(sighted()).topicName, 'orders');
  });

  test('that an object waits is read from the conditions, whatever else stands there', () => {
    const of = (conditions: unknown) => sighted({}, { status: { conditions } }).waiting;
    const wait = { type: 'Reconciling', status: 'True', reason: 'Throttled' };
    assert.equal(of([null, { type: 'Ready', status: 'False' }, wait]), true);
    const others = [
      { ...wait, status: 'False' },
      { ...wait, type: 'Stalled' },
      { ...wait, reason: undefined },
    ];
    for (const none of [undefined, null, 'x', {}, [], [null, 1], ...others.map((other) => [other])])
      assert.equal(of(none), false);
  });

  for (const reason of Object.keys(reasons) as Reason[])
    test(`an object waits for ${reason} exactly if that ends its message`, () => {
      const conditions = [{ type: 'Reconciling', status: 'True', reason }];
      const ends = isWaiting(new Failure(reason, 'm', { retryable: true }));
      assert.equal(sighted({}, { status: { conditions } }).waiting, ends);
    });

  test('a stored object with a damaged spec or status is an object all the same', () => {
    for (const rest of [{ spec: null }, { spec: 'x' }, { spec: { topicName: 5 } }, { status: null }, { status: [] }])
      assert.equal(sighted({}, rest).topicName, 'orders');
  });

  test('what has no name, uid or version is no object', () => {
    const { metadata } = base;
    const damaged = [
      null,
      undefined,
      1,
      'x',
      [],
      {},
      { metadata: null },
      { metadata: { ...metadata, uid: '' } },
      { metadata: { ...metadata, name: 1 } },
    ];
    for (const object of damaged) assert.equal(sightingOf(object), undefined);
  });

  test('keys that a list no longer has are told', () => {
    const objects = new Objects();
    for (const name of ['a', 'b', 'c']) objects.see(sighted({ name }));
    assert.deepEqual(objects.keysBut(new Set(['shop/b', 'shop/x'])), ['shop/a', 'shop/c']);
    objects.forget('shop/a');
    assert.equal(objects.size, 2);
  });
});
