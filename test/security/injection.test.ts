/** Text of others in logs, statuses, Events and on terminals. The oracle is what a terminal or a parser would make of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { judge } from '../../functions/adapters/kafka/failure.ts';
import { ApiError, type KubeClient } from '../../functions/adapters/kube/client.ts';
import { kubeEvents } from '../../functions/adapters/kube/events.ts';
import { failureOf } from '../../functions/adapters/kube/failure.ts';
import { createLogger } from '../../functions/adapters/log.ts';
import type { Failure } from '../../functions/core/outcome.ts';
import { type Ports, reconcile } from '../../functions/core/reconciler.ts';
import { commandWorld } from '../commands/world.ts';
import { never, world } from '../core/world.ts';
import { acts, escaped, hostile } from '../support/hostile.ts';

/** What a broker says of a topic, in its own words. */
const said = judge('create', { code: 40, message: hostile.repeat(200) }) as Failure;

/** A world whose Events go through the adapter, with all that is logged. */
function logged() {
  const lines: string[] = [];
  const notes: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => void lines.push(line) });
  const client = {
    request: async (_method: string, _path: string, { body }: { body: { note: string } }) => {
      notes.push(body.note);
      throw new ApiError(500, 'InternalError', hostile);
    },
  } as unknown as KubeClient;
  const made = world();
  const ports: Ports = { ...made.ports, log, events: kubeEvents(client, log) };
  const pass = async (name: string) => {
    const key = { namespace: 'shop', name };
    const item = { key, groups: undefined, lastReceive: false, trigger: 'change' as const, id: hostile };
    await reconcile([{ ...item, messageIds: [hostile] }], ports, never);
  };
  return { ...made, lines, notes, pass };
}

const parsed = (line: string) => JSON.parse(line) as Record<string, unknown>;

describe('logs', () => {
  test('T137: names, values and broker messages that break out stay in one JSON object a line', async () => {
    const { apply, topics, pass, lines, resources } = logged();
    apply('refused');
    topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['refused', said]]) } : undefined);
    await pass('refused');
    topics.fault = undefined;
    apply('changed', { config: { 'segment.ms': 60_000 } });
    await pass('changed');
    topics.topics.get('changed')?.overrides.set('segment.ms', hostile);
    await pass('changed');
    resources.objects.apply({ metadata: { namespace: 'shop', name: hostile }, spec: {} }, { unchecked: true });
    await pass(hostile);
    assert.ok(lines.length >= 6, String(lines.length));
    for (const line of lines) {
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.doesNotMatch(line, acts);
      assert.notEqual(parsed(line).event, 'forged');
    }
    const applied = lines.map(parsed).find(({ event, before }) => event === 'applied' && before === hostile);
    assert.ok(applied, 'who parses a line has the value as it was');
    assert.ok(lines.some((line) => parsed(line).object === `shop/${hostile}`));
  });

  test('T137: whatever the text, a line is one line, does not act, and means that text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const lines: string[] = [];
        createLogger({ write: (line) => void lines.push(line) }).info(text, { text, list: [text] });
        const [line = ''] = lines;
        assert.doesNotMatch(line.slice(0, -1), /\n/);
        assert.doesNotMatch(line, acts);
        assert.partialDeepStrictEqual(parsed(line), { event: text, text, list: [text] });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('statuses and Events', () => {
  test('T138: the text of a broker is one line in the condition and the Event, cut and escaped', async () => {
    const { apply, topics, pass, status, notes } = logged();
    apply('orders');
    topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['orders', said]]) } : undefined);
    await pass('orders');
    const texts = [...(status('orders')?.conditions ?? []).map(({ message }) => message), ...notes];
    assert.equal(texts.length, 3);
    for (const text of texts) {
      assert.match(text, escaped);
      assert.doesNotMatch(text, /\n/);
      assert.doesNotMatch(text, acts);
      assert.ok(text.length < 500, String(text.length));
    }
  });

  test('T138: values that somebody set at the brokers are one line in drift, cut and escaped', async () => {
    const { apply, topics, pass, status } = logged();
    topics.add('orders').overrides.set('segment.ms', hostile.repeat(10_000));
    apply('orders', { mode: 'Observe', configMode: 'Exact', config: { 'retention.ms': 1 } });
    await pass('orders');
    const { drift = [], conditions = [] } = status('orders') ?? {};
    assert.ok(drift.some(({ observed }) => escaped.test(observed)));
    for (const text of [...drift.flatMap((entry) => Object.values(entry)), ...conditions.map((one) => one.message)]) {
      assert.doesNotMatch(text, acts);
      assert.doesNotMatch(text, /\n/);
      assert.ok(text.length <= 2_000, String(text.length));
    }
  });

  test('T138: the text of the API server is one line too, and names no more of it than fits', () => {
    const { message } = failureOf(new ApiError(500, '', hostile.repeat(10_000)));
    assert.match(message, escaped);
    assert.doesNotMatch(message, acts);
    assert.ok(message.length < 400);
  });
});

/** A fleet in which every text that others choose is hostile. */
async function hostileFleet() {
  const made = commandWorld({ answer: 'y' });
  const { apply, pass, topics, resources, dead, depths, parts, strimzi } = made;
  const key = { namespace: 'shop', name: 'orders' };
  apply('orders', { numPartitions: 1, config: { 'retention.ms': 60_000 } }, { team: hostile });
  apply('refused', { numPartitions: 1 });
  topics.add('watched').overrides.set('segment.ms', hostile);
  apply('watched', { mode: 'Observe', config: { 'segment.ms': 60_000 } });
  topics.fault = ({ method }) => (method === 'create' ? { items: new Map([['refused', said]]) } : undefined);
  await pass(['orders', 'refused', 'watched']);
  topics.topics.get('orders')?.overrides.set('retention.ms', hostile);
  topics.produce('orders', 5);
  apply('orders', { numPartitions: 1, config: { 'retention.ms': 1 } }, { team: hostile });
  resources.objects.annotate(key, 'approve', hostile);
  resources.objects.annotate(key, 'reconcileRequestedAt', hostile);
  await pass(['orders']);
  resources.objects.apply(
    { metadata: { namespace: 'shop', name: hostile }, spec: { topicName: hostile } },
    { unchecked: true },
  );
  for (const [at, body] of [hostile, `"${hostile}"`, JSON.stringify({ v: 1, name: hostile })].entries())
    dead.reconcile.send({ body, group: hostile, deduplicationId: `${at}` });
  depths.RECONCILE_QUEUE_URL = { waiting: 1, inFlight: 0 };
  parts.forwarder = async () => ({ problems: [hostile], keysWaiting: 1, objects: 1, lastTick: hostile });
  parts.kube.server = async () => ({ url: hostile, version: hostile, skewMs: 0 });
  Object.assign(parts.brokers, { login: hostile });
  strimzi.topics = [
    {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'KafkaTopic',
      metadata: { name: 's', annotations: { [hostile]: '' } },
      spec: { topicName: 's', [hostile]: 1, config: { [hostile]: hostile } },
    },
  ];
  return made;
}

const commands = [
  ['plan'],
  ['plan', '-A'],
  ['drift'],
  ['status'],
  ['approve', 'orders'],
  ['reconcile', 'orders', '--wait', '--timeout', '1s'],
  ['reconcile', '--all', '--annotate'],
  ['dlq', 'list'],
  ['dlq', 'show', '--all'],
  ['dlq', 'replay', '--malformed'],
  ['doctor'],
  ['import'],
  ['import', '--from', 'strimzi'],
];

describe('terminals', () => {
  for (const command of commands)
    for (const format of ['table', 'wide', 'json', 'yaml', 'name'])
      test(`T137: topicsmith ${command.join(' ')} -o ${format} lets no text of others act`, async () => {
        const { run, progress, asked } = await hostileFleet();
        const { out, err } = await run(...command, '-o', format);
        for (const text of [out, err, ...progress, ...asked]) {
          assert.doesNotMatch(text, acts);
          assert.doesNotMatch(text, /^\{"level":"error","event":"forged"\}/m);
        }
        // names of what has none, e.g. of messages that nobody can read, are nothing at all
        if (format !== 'name') assert.notEqual(out + err, '');
      });

  test('T137: in all of this the hostile texts were there to be shown', async () => {
    const { run } = await hostileFleet();
    for (const command of [
      ['plan'],
      ['drift'],
      ['approve', 'orders'],
      ['dlq', 'show', '--all'],
      ['doctor'],
      ['import', '--from', 'strimzi'],
    ]) {
      const { out, err } = await run(...command);
      assert.match(out + err, escaped, command.join(' '));
    }
  });
});
