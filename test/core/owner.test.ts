import { heirs, ownerOf } from '../../functions/core/owner.ts';
import type { Claimant } from '../../functions/core/ports.ts';
import { anotherId, claimant, rival, theCluster, theId } from '../support/build.ts';
import { table } from '../support/table.ts';

const live = { id: theId, clusterId: theCluster };
const bound = { topicId: theId, clusterId: theCluster };
const both = (one: Claimant, other: Claimant) =>
  [
    [one, other],
    [other, one],
  ] as const;

table('owner', (orders: readonly (readonly Claimant[])[]) => orders.map((claimants) => ownerOf(claimants, live)?.uid), [
  { reason: 'nobody wants it, nobody owns it', given: [[]], want: [undefined] },
  { reason: 'the older object wins (K090)', given: both(claimant(), rival()), want: ['uid-0', 'uid-0'] },
  {
    reason: 'in one second the lower uid wins (K091)',
    given: both(claimant({ uid: 'b' }), rival({ uid: 'a', createdAt: claimant().createdAt })),
    want: ['a', 'a'],
  },
  {
    reason: 'first bound outranks older (K093)',
    given: both(claimant({ boundTo: bound }), rival()),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'bound to another id still outranks unbound',
    given: both(claimant({ boundTo: { ...bound, topicId: anotherId } }), rival()),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'bound to the live id outranks bound to another one',
    given: both(claimant({ boundTo: bound }), rival({ boundTo: { ...bound, topicId: anotherId } })),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'the same id in another cluster is not the live one',
    given: both(claimant({ boundTo: bound }), rival({ boundTo: { ...bound, clusterId: 'elsewhere' } })),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'an observer never claims (K098)',
    given: both(claimant(), rival({ observeOnly: true })),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'an observer keeps what it was bound to before',
    given: both(claimant(), rival({ observeOnly: true, boundTo: bound })),
    want: ['uid-0', 'uid-0'],
  },
  {
    reason: 'an observer bound to another id does not get in the way',
    given: both(claimant(), rival({ observeOnly: true, boundTo: { ...bound, topicId: anotherId } })),
    want: ['uid-1', 'uid-1'],
  },
  {
    reason: 'an object on its way out still counts (D4)',
    given: both(claimant(), rival({ deleting: true })),
    want: ['uid-0', 'uid-0'],
  },
]);

table('heirs', (claimants: readonly Claimant[]) => heirs(claimants, 'uid-1').map(({ uid }) => uid), [
  { reason: 'nobody inherits from itself', given: [claimant()], want: [] },
  { reason: 'everybody else who stays', given: [claimant(), rival()], want: ['uid-0'] },
  {
    reason: 'two objects deleted together do not save the topic for each other (D4)',
    given: [claimant(), rival({ deleting: true })],
    want: [],
  },
  { reason: 'an observer inherits nothing', given: [claimant(), rival({ observeOnly: true })], want: [] },
]);
