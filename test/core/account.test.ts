/** What operators find in the log and in the figures about what was done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, describe as inWords } from '../../functions/core/action.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { TopicId } from '../../functions/core/topic.ts';
import { sums } from '../support/figures.ts';
import { world } from './world.ts';

type World = ReturnType<typeof world>;
const key = { namespace: 'shop', name: 'orders' };
const denied = new Failure('NotAuthorized', 'no', { retryable: false, code: 'TOPIC_AUTHORIZATION_FAILED' });

/** The changes of one pass as the log tells them: action, field, values before and after. */
async function changes({ lines, pass }: World): Promise<unknown[]> {
  lines.length = 0;
  await pass(['orders']);
  return lines
    .filter(({ event }) => event === 'applied')
    .map(({ fields = {} }) => [fields.action, fields.field, fields.before, fields.after]);
}
const idIn = ({ topics }: World) => topics.topics.get('orders')?.id;

test('a topic that is created, changed and deleted: each change is a line with the value before and after', async () => {
  const made = world();
  made.apply('orders', { deletionPolicy: 'Delete', config: { 'segment.ms': 600000 } });
  const created = await changes(made);
  const id = idIn(made);
  assert.deepEqual(created, [
    ['AddFinalizer', 'finalizer', 'none', 'present'],
    ['CreateTopic', 'topic', 'none', id],
  ]);
  made.apply('orders', { deletionPolicy: 'Delete', numPartitions: 3, config: { 'max.message.bytes': 100 } });
  assert.deepEqual(await changes(made), [
    ['SetConfig', 'config.max.message.bytes', '1048588', '100'],
    ['ResetConfig', 'config.segment.ms', '600000', 'inherited'],
    ['AddPartitions', 'numPartitions', '1', '3'],
  ]);
  made.resources.objects.delete(key);
  assert.deepEqual(await changes(made), [
    ['DeleteTopic', 'topic', id, 'none'],
    ['RemoveFinalizer', 'finalizer', 'present', 'none'],
  ]);
});

test('a topic that was there is bound; one made anew by somebody is bound anew, and the log has both ids', async () => {
  const made = world();
  made.topics.add('orders');
  made.apply('orders');
  const before = idIn(made);
  assert.deepEqual(await changes(made), [['BindTopic', 'topicId', 'none', before]]);
  made.topics.topics.delete('orders');
  made.topics.add('orders');
  await made.pass(['orders']);
  made.approve('orders');
  assert.deepEqual(await changes(made), [['BindTopic', 'topicId', before, idIn(made)]]);
});

test('a move is a line as it begins and as it ends', async () => {
  const made = world({}, 3);
  made.topics.holdMoves = true;
  made.apply('orders', { replicationFactor: 1 });
  await made.pass(['orders']);
  made.apply('orders', { replicationFactor: 3 });
  assert.deepEqual(await changes(made), [['MoveReplicas', 'replicationFactor', '1', '3']]);
  made.topics.finishMoves();
  assert.deepEqual(await changes(made), [['FinishMove', 'reassignment', 'under way', 'none']]);
});

test('the outcome names what failed', async () => {
  const { topics, apply, pass, lines } = world();
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['orders', denied]]) } : undefined);
  apply('orders');
  await pass(['orders']);
  const { fields } = lines.find(({ event }) => event === 'outcome') ?? {};
  assert.deepEqual([fields?.plan, fields?.reasons, fields?.failed], [['CreateTopic'], ['NotAuthorized'], [denied]]);
});

const safe = { destructive: false, why: '' };
const actions: readonly (readonly [Action, string])[] = [
  [{ type: 'BindTopic', id: 'abc' as TopicId, ...safe }, 'take over the topic with id abc'],
  [{ type: 'SetConfig', key: 'k', from: '1', to: '2', ...safe }, 'set k from 1 to 2'],
  [{ type: 'SetConfig', key: 'k', from: null, to: '2', ...safe }, 'set k from *** to 2'],
  [{ type: 'ResetConfig', key: 'k', from: null, to: null, ...safe }, 'reset k from *** to the inherited value'],
  [{ type: 'ResetConfig', key: 'k', from: '1', to: '2', ...safe }, 'reset k from 1 to the inherited 2'],
  [{ type: 'FinishMove', to: 3, ...safe }, 'end the change of the replication factor to 3'],
];
const move = { type: 'MoveReplicas', from: 1, to: 3, assignment: new Map(), send: new Map(), ...safe } as const;

test('people read an action as a phrase; a value that the brokers withhold is ***', () => {
  for (const [action, words] of actions) assert.equal(inWords(action), words);
  assert.equal(inWords({ ...move, resumes: false }), 'change the replication factor from 1 to 3');
  assert.equal(inWords({ ...move, resumes: true }), 'go on with the change of the replication factor to 3');
});

test('changes are counted by what they did, failures by reason and by Kafka’s code', async () => {
  const { topics, apply, pass, metricLog } = world();
  apply('orders', { deletionPolicy: 'Delete' });
  apply('clicks');
  apply('denied');
  const away = new Failure('BrokerUnavailable', 'x', { retryable: true });
  topics.fault = ({ method }) =>
    method === 'create'
      ? {
          items: new Map([
            ['denied', denied],
            ['clicks', away],
          ]),
        }
      : undefined;
  await pass(['orders', 'clicks', 'denied']);
  const text = metricLog();
  assert.deepEqual(sums(text, 'Changes'), { 'Action=AddFinalizer': 1, 'Action=CreateTopic': 1 });
  assert.deepEqual(sums(text, 'Problems'), { 'Reason=NotAuthorized': 1, 'Reason=BrokerUnavailable': 1 });
  assert.deepEqual(sums(text, 'KafkaErrors'), { 'Code=TOPIC_AUTHORIZATION_FAILED': 1 });
  assert.deepEqual(sums(text, 'StatusWrites'), { 'Result=Written': 3 });
});

test('a plan that is held counts once, not at each look', async () => {
  const { topics, apply, pass, metricLog } = world();
  apply('orders', { numPartitions: 2 });
  apply('clicks');
  topics.add('orders', { numPartitions: 1 });
  for (let looks = 0; looks < 3; looks++) await pass(['orders', 'clicks']);
  assert.deepEqual(sums(metricLog(), 'PlansHeld'), { '': 1 });
});

test('the time of passes is kept apart by outcome', async () => {
  const { apply, pass, metricLog } = world();
  apply('orders');
  apply('later', { mode: 'Paused' });
  await pass(['orders', 'later']);
  assert.deepEqual(Object.keys(sums(metricLog(), 'TimeInPass')).sort(), ['Outcome=Paused', 'Outcome=Synced']);
});
