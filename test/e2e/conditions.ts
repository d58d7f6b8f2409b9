import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopics } from '../../functions/adapters/kafka/requests.ts';
import { answering, meanwhile } from '../support/e2e/faults.ts';
import { type Condition, conditionOf, type KafkaTopic } from '../support/e2e/kubectl.ts';
import { isSettled } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';

/** Type, status and reason of all conditions. */
const inWords = ({ status }: KafkaTopic): string =>
  (status?.conditions ?? [])
    .map(({ type, status, reason }) => `${type}=${status} ${reason}`)
    .toSorted()
    .join(', ');

export function conditions(world: World): void {
  const { a, admin, broker, kafka, queues } = world;

  const one = { numPartitions: 1 };
  /** What there is when the object is applied, and what happens to it then. */
  const outcomes: readonly {
    outcome: string;
    before?: (name: string) => Promise<unknown>;
    spec: object;
    after?: (name: string) => Promise<unknown>;
    want: string;
  }[] = [
    { outcome: 'in sync', spec: one, want: 'Ready=True Synced' },
    {
      outcome: 'observed, in sync',
      before: (name) => broker.create(name, 1),
      spec: { ...one, mode: 'Observe' },
      want: 'Ready=True Observed',
    },
    { outcome: 'observed, drifted', spec: { ...one, mode: 'Observe' }, want: 'Ready=False DriftDetected' },
    {
      outcome: 'held',
      before: (name) => broker.create(name, 1),
      spec: { numPartitions: 2 },
      want: 'Ready=False ApprovalRequired, Stalled=True ApprovalRequired',
    },
    {
      outcome: 'refused',
      before: (name) => broker.create(name, 2),
      spec: one,
      want: 'Ready=False PartitionsCannotShrink, Stalled=True PartitionsCannotShrink',
    },
    {
      outcome: 'failed for good',
      spec: { config: { 'no.such.key': 1 } },
      want: 'Ready=False InvalidConfig, Stalled=True InvalidConfig',
    },
    { outcome: 'paused', spec: { ...one, mode: 'Paused' }, want: 'Ready=Unknown Paused' },
    {
      outcome: 'paused and deleted',
      before: async (name) => {
        await a.apply(name, { ...one, deletionPolicy: 'Delete' });
        await a.ready(name);
      },
      spec: { ...one, deletionPolicy: 'Delete', mode: 'Paused' },
      after: (name) => a.delete(name),
      want: 'Ready=Unknown Paused, Stalled=True Paused',
    },
  ];
  for (const [index, { outcome, before, spec, after, want }] of outcomes.entries())
    test(`K124: ${outcome} is ${want}`, async () => {
      const name = `k124-${index}`;
      await before?.(name);
      await a.apply(name, spec);
      await after?.(name);
      await a.holds(name, (object) => isJudged(object) && inWords(object) === want);
    });

  test('K124: failed for now, with the live state read, is Ready=False and Reconciling', async () => {
    const failing = answering(createTopics, 'k124-failing', (answer) => ({
      ...answer,
      topics: answer.topics.map((topic) => ({ ...topic, code: 41 })),
    }));
    const want = 'Ready=False BrokerUnavailable, Reconciling=True BrokerUnavailable';
    await meanwhile(kafka, failing, async () => {
      await a.apply('k124-failing', one);
      await a.holds('k124-failing', (object) => isJudged(object) && inWords(object) === want);
    });
    await a.ready('k124-failing');
  });

  test('K125: a condition keeps its time while only its message changes, and gets another one when it flips', async () => {
    const timeOf = (object: KafkaTopic) => conditionOf(object, 'Ready')?.lastTransitionTime;
    await a.apply('k125', { ...one, config: { 'no.such.key': 1 } });
    const refused = await a.says('k125', 'InvalidConfig');
    await sleep(1_100); // times have whole seconds
    await a.apply('k125', { ...one, config: { 'nor.this.one': 1 } });
    const refusedAgain = await a.says('k125', 'InvalidConfig');
    assert.notEqual(conditionOf(refusedAgain, 'Ready')?.message, conditionOf(refused, 'Ready')?.message);
    assert.equal(timeOf(refusedAgain), timeOf(refused));
    await a.apply('k125', one);
    assert.notEqual(timeOf(await a.ready('k125')), timeOf(refused));
  });

  test("K131: others' conditions are kept, ours are replaced by their type", async () => {
    await a.apply('k131', one);
    const { status } = await a.ready('k131');
    const theirs = {
      type: 'Audited',
      status: 'True',
      reason: 'Checked',
      message: 'by somebody else',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    };
    await admin.patchStatus('k131', { conditions: [...(status?.conditions ?? []), theirs] });
    await a.apply('k131', { ...one, config: { 'no.such.key': 1 } });
    await a.says('k131', 'InvalidConfig');
    await a.apply('k131', { numPartitions: 2 });
    const after = await a.ready('k131');
    assert.equal(inWords(after), 'Audited=True Checked, Ready=True Synced');
    assert.deepEqual(conditionOf(after, 'Audited'), theirs);
    await isSettled(world, a, 'k131');
  });

  test('K141: without a single message about a change, ticks alone do it all', async () => {
    await a.apply('k141-edited', one);
    await a.apply('k141-deleted', { ...one, deletionPolicy: 'Delete' });
    await Promise.all([a.ready('k141-edited'), a.ready('k141-deleted')]);
    await queues.drained();
    await world.forwarder.stop();
    await a.apply('k141-new', one);
    await a.apply('k141-edited', { numPartitions: 3 });
    await a.delete('k141-deleted');
    await queues.tick();
    await queues.tick();
    await Promise.all([a.ready('k141-new'), a.ready('k141-edited'), a.gone('k141-deleted')]);
    assert.equal((await broker.shape('k141-edited')).partitions, 3);
    await broker.vanished('k141-deleted');
    await world.forwarder.start();
    await queues.drained();
  });

  test('K143: objects that were deleted, or made anew, while nobody watched are found at the start', async () => {
    await a.apply('k143-deleted', { ...one, deletionPolicy: 'Delete' });
    await a.apply('k143-anew', one);
    await Promise.all([a.ready('k143-deleted'), a.ready('k143-anew')]);
    await queues.drained();
    await world.forwarder.stop();
    await a.delete('k143-deleted');
    await a.delete('k143-anew');
    await a.apply('k143-anew', { numPartitions: 1, config: { 'segment.ms': 3600000 } });
    await world.forwarder.start();
    await a.gone('k143-deleted');
    await a.says('k143-anew', 'ApprovalRequired');
    await queues.drained();
  });

  test('K148: two ticks at once, and one that goes on with an expired page token, change nothing twice', async () => {
    await a.apply('k148', { ...one, config: { 'segment.ms': 3600000 } });
    await a.ready('k148');
    await broker.setConfig('k148', { 'segment.ms': '60000' });
    const token = await admin.pageToken();
    await a.apply('k148-later', one);
    await world.compact();
    await Promise.all([queues.tick(), queues.tick(), queues.tick(token)]);
    await a.ready('k148');
    assert.deepEqual((await broker.shape('k148')).overrides, { 'segment.ms': '3600000' });
    await isSettled(world, a, 'k148');
  });
}

const isJudged = ({ metadata, status }: KafkaTopic): boolean => status?.observedGeneration === metadata.generation;

/** What every object says once it is looked after, whatever its outcome. @see kstatus in kubernetes-sigs/cli-utils */
export function assertSound({ metadata, status }: KafkaTopic): void {
  const { conditions = [], observedGeneration } = status ?? {};
  const types = conditions.map(({ type }) => type);
  const context = `${metadata.name}: ${JSON.stringify(conditions)}`;
  assert.equal(observedGeneration, metadata.generation, context);
  assert.ok(types.includes('Ready'), context);
  assert.equal(new Set(types).size, types.length, context);
  assert.ok(!(types.includes('Stalled') && types.includes('Reconciling')), context);
  const isFilled = ({ reason, message, observedGeneration: of }: Condition) =>
    reason !== '' && message !== '' && of === metadata.generation;
  assert.ok(
    conditions.every((condition) => condition.type === 'Audited' || isFilled(condition)),
    context,
  );
}
