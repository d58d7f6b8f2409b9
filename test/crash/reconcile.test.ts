/**
 * Kills the function at every call to the outside and looks at the world afterwards.
 *
 * Dying after a call is dying before the next one; after the last one it is dying before the message is done with. A read
 * changes nothing outside, so dying during it is dying before the next call.
 */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Shape } from '../support/e2e/broker.ts';
import { startCrashWorld } from '../support/e2e/crash-world.ts';
import { removeFinalizerPolicy } from '../support/e2e/finalizer-policy.ts';
import { conditionOf, type KafkaTopic } from '../support/e2e/kubectl.ts';
import type { Crash, Site } from '../support/e2e/sentry.ts';

const world = await startCrashWorld();
after(() => world.stop());
const { admin, user, broker } = world;
await removeFinalizerPolicy(admin); // one write more to die at

const spec = { numPartitions: 2, replicationFactor: 1, config: { 'segment.ms': 3600000 }, deletionPolicy: 'Delete' };

await broker.create('bystander', 1, { 'retention.ms': '86400000' });
await broker.produce('bystander', 3);
const bystander = await broker.shape('bystander');

type Flow = {
  /** Names what is to be worked on, and brings the world to where the flow begins. */
  prepare(name: string): Promise<void>;
  /** The changing calls of an undisturbed run, in order. */
  readonly writes: readonly string[];
  /** Die at reads too. They leave the world as the next write finds it, so one flow of each kind has to do. */
  readonly atReads: boolean;
  /** Judges the world afterwards. */
  check(name: string, crash: Crash | undefined, sites: readonly Site[]): Promise<void>;
};

/** Learns the calls of an undisturbed run, then dies at each of them. @returns the calls */
async function killEverywhere(t: TestContext, flow: Flow, prefix: string): Promise<readonly Site[]> {
  const run = async (name: string, crash?: Crash, learned?: readonly Site[]): Promise<readonly Site[]> => {
    await flow.prepare(name);
    await world.renew();
    const { sites, deaths } = await world.work(name, crash);
    assert.equal(deaths, crash === undefined ? 0 : 1);
    await flow.check(name, crash, learned ?? sites);
    await assertSettled(name);
    assert.deepEqual(await broker.shape('bystander'), bystander);
    return sites;
  };
  const sites = await run(`${prefix}-undisturbed`);
  assert.deepEqual(
    sites.filter(({ writes }) => writes).map(({ name }) => name),
    flow.writes,
  );
  for (const [at, crash] of plansFor(sites, flow).entries())
    await t.test(`killed ${wordsFor(crash, sites)}`, () => run(`${prefix}-${at}`, crash, sites).then(() => {}));
  return sites;
}

function plansFor(sites: readonly Site[], { atReads }: Flow): readonly Crash[] {
  const plans = sites.flatMap(({ writes }, call): Crash[] => {
    const modes: readonly Crash['mode'][] = writes ? ['before', 'during'] : atReads ? ['before'] : [];
    return modes.map((mode) => ({ call, mode }));
  });
  return [...plans, { call: sites.length, mode: 'before' }];
}

const wordsFor = ({ call, mode }: Crash, sites: readonly Site[]): string =>
  call === sites.length ? 'after the last call' : `${mode} call ${call + 1}, ${sites[call]?.name}`;

/** One more message changes nothing, neither here nor there. */
async function assertSettled(name: string): Promise<void> {
  const before = (await user.get(name))?.metadata.resourceVersion;
  const { sites } = await world.work(name);
  assert.deepEqual(
    sites.filter(({ writes }) => writes),
    [],
  );
  assert.equal((await user.get(name))?.metadata.resourceVersion, before);
}

const callOf = (sites: readonly Site[], name: string): number => sites.findIndex((site) => site.name === name);

/** Whether that crash left the topic made and its object without a word about it. */
function leavesUnbound({ call, mode }: Crash, sites: readonly Site[]): boolean {
  const [created, reported] = [callOf(sites, 'createTopics'), callOf(sites, 'PATCH status')];
  return mode === 'during' ? call === created : call > created && call <= reported;
}

async function assertInShape(name: string, want: Partial<Shape>): Promise<KafkaTopic> {
  const object = await user.get(name);
  assert.equal(conditionOf(object, 'Ready')?.status, 'True');
  const { id, partitions, overrides } = await broker.shape(name);
  assert.deepEqual({ partitions, overrides }, want);
  assert.equal(object?.status?.topicId, id);
  return object as KafkaTopic;
}

async function assertGone(name: string): Promise<void> {
  assert.equal(await user.get(name), undefined);
  await broker.vanished(name);
}

/** An object with its topic. */
async function settled(name: string): Promise<void> {
  await user.apply(name, spec);
  await world.work(name);
}

let creation: readonly Site[] = [];
let deletion: readonly Site[] = [];

test('K004, K005, T001: a creation that is killed anywhere ends in one topic, bound to its object', async (t) => {
  const flow: Flow = {
    prepare: async (name) => void (await user.apply(name, spec)),
    writes: ['PATCH object', 'createTopics', 'PATCH status', 'POST event'],
    atReads: true,
    check: async (name, crash, sites) => {
      const object = await assertInShape(name, { partitions: 2, overrides: { 'segment.ms': '3600000' } });
      assert.deepEqual(object.metadata.finalizers, ['cache.example.com/topic']);
      const adopted = crash !== undefined && leavesUnbound(crash, sites);
      assert.equal(object.status?.origin, adopted ? 'Adopted' : 'Created');
    },
  };
  creation = await killEverywhere(t, flow, 't001');
});

test('T005, T006: a change that is killed anywhere ends in the shape that is wanted', async (t) => {
  await killEverywhere(
    t,
    {
      prepare: async (name) => {
        await settled(name);
        await user.apply(name, { ...spec, numPartitions: 3, config: { 'max.message.bytes': 2000000 } });
      },
      writes: ['incrementalAlterConfigs', 'createPartitions', 'PATCH status', 'POST event', 'POST event'],
      atReads: false,
      check: async (name) =>
        void (await assertInShape(name, { partitions: 3, overrides: { 'max.message.bytes': '2000000' } })),
    },
    't005',
  );
});

test('K088, T008, T012: a deletion that is killed anywhere ends without topic and object', async (t) => {
  deletion = await killEverywhere(
    t,
    {
      prepare: async (name) => {
        await settled(name);
        await user.delete(name);
      },
      writes: ['deleteTopics', 'PATCH object', 'POST event'],
      atReads: true,
      check: assertGone,
    },
    't008',
  );
});

/** An object whose creator died between the creation and the word about it. */
async function unbound(name: string): Promise<void> {
  await user.apply(name, spec);
  await world.die(name, { call: callOf(creation, 'createTopics'), mode: 'during' });
}

test('K078, T010: an object that dies unbound is bound first, then goes with its topic', async (t) => {
  await killEverywhere(
    t,
    {
      prepare: async (name) => {
        await unbound(name);
        await user.delete(name);
      },
      writes: ['PATCH status', 'POST event', 'deleteTopics', 'PATCH object', 'POST event'],
      atReads: false,
      check: assertGone,
    },
    't010',
  );
});

test('K178, T010: an object that dies unbound does not take records with it unasked', async () => {
  await unbound('t010-records');
  await broker.produce('t010-records', 2);
  const before = await broker.shape('t010-records');
  await user.delete('t010-records');
  await world.work('t010-records');
  const held = await user.get('t010-records');
  assert.equal(conditionOf(held, 'Stalled')?.reason, 'ApprovalRequired');
  assert.deepEqual(await broker.shape('t010-records'), before);
  await assertSettled('t010-records');
});

test('K076, T011: a topic that somebody made anew between the deletion and the release is left alone', async () => {
  await settled('t011');
  await user.delete('t011');
  await world.die('t011', { call: callOf(deletion, 'PATCH object'), mode: 'before' });
  await broker.vanished('t011');
  await broker.create('t011', 1);
  await broker.produce('t011', 2);
  const before = await broker.shape('t011');
  await world.work('t011');
  assert.equal(await user.get('t011'), undefined);
  assert.deepEqual(await broker.shape('t011'), before);
});

test('in all of this no topic was deleted by its name', () => {
  assert.deepEqual(world.violations, []);
});
