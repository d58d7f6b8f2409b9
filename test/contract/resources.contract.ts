import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finalizer } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Resources } from '../../functions/core/ports.ts';
import type { TopicResource, TopicStatus } from '../../functions/core/resource.ts';
import { type Key, keyOf, type TopicId } from '../../functions/core/topic.ts';
import type { Manifest, StoredObject } from '../support/kube/objects.ts';

/** An API server with nothing in it. `resources` watches `a` and `b`, not `c`. The rest is what users do and see. */
export type ResourcesWorld = {
  resources: Resources;
  namespaces: { a: string; b: string; c: string };
  apply(manifest: Manifest): Promise<void>;
  annotate(key: Key, annotation: 'approve' | 'reconcileRequestedAt', value: string): Promise<void>;
  delete(key: Key): Promise<void>;
  /** sets the whole list of finalizers */
  setFinalizers(key: Key, finalizers: readonly string[]): Promise<void>;
  /** another controller writes a condition of its own */
  addForeignCondition(key: Key, type: string): Promise<void>;
  get(key: Key): Promise<StoredObject | undefined>;
  close(): Promise<void>;
};

const signal = new AbortController().signal;
const foreignFinalizer = 'example.com/other';
const at = '2026-01-02T03:04:05Z';
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ' as TopicId;

const status = (observedGeneration: number, more: Partial<TopicStatus> = {}): TopicStatus => ({
  observedGeneration,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Synced',
      message: 'As wanted.',
      lastTransitionTime: at,
      observedGeneration,
    },
  ],
  topicName: 'orders',
  topicId,
  clusterId: 'cluster',
  origin: 'Created',
  numPartitions: 3,
  config: { 'retention.ms': '1000' },
  ...more,
});

const isOutdated = (error: unknown) =>
  error instanceof Failure && error.reason === 'ObservationOutdated' && error.retryable && !error.unanswered;

/** What the Resources port promises. */
export function resourcesContract(name: string, makeWorld: () => Promise<ResourcesWorld>): void {
  const fact = (title: string, run: (world: ResourcesWorld) => Promise<void>) =>
    test(title, async () => {
      const world = await makeWorld();
      await run(world).finally(() => world.close());
    });

  describe(`resources: ${name}`, { concurrency: 4 }, () => {
    fact('an object is read as it was applied, with its defaults', async (world) => {
      const key = { namespace: world.namespaces.a, name: 'orders' };
      await world.apply({
        metadata: key,
        spec: { numPartitions: 3, config: { 'cleanup.policy': ['compact', 'delete'] } },
      });
      const { spec, topicName, generation, deleting, finalizers, status: none } = await read(world, key);
      assert.deepEqual(spec, {
        topicName: 'orders',
        numPartitions: 3,
        config: new Map([['cleanup.policy', 'compact,delete']]),
        ignoredConfigs: new Set(),
        configMode: 'Merge',
        deletionPolicy: 'Retain',
        mode: 'Enforce',
      });
      assert.deepEqual(
        { topicName, generation, deleting, finalizers, none },
        {
          topicName: 'orders',
          generation: 1,
          deleting: false,
          finalizers: [],
          none: undefined,
        },
      );
    });

    fact(
      'one read answers for every key: missing, elsewhere, and there',
      async ({ resources, namespaces, ...world }) => {
        const there = { namespace: namespaces.a, name: 'there' };
        const unwatched = { namespace: namespaces.c, name: 'there' };
        await world.apply({ metadata: there });
        await world.apply({ metadata: unwatched });
        const missing = { namespace: namespaces.a, name: 'missing' };
        const nowhere = { namespace: `${namespaces.a}-nowhere`, name: 'there' };
        const outcomes = await resources.read([missing, there, unwatched, nowhere], signal);
        assert.equal(outcomes.size, 4);
        for (const key of [missing, unwatched, nowhere]) assert.equal(outcomes.get(keyOf(key)), 'gone');
        assert.equal((outcomes.get(keyOf(there)) as TopicResource).key.name, 'there');
      },
    );

    fact('a status is read back as it was written', async (world) => {
      const object = await create(world, 'orders');
      const drift = [{ field: 'retention.ms', desired: '1', observed: '2', since: at }];
      await world.resources.writeStatus(object, status(1, { drift, lastHandledReconcileAt: 'now' }), signal);
      const { status: written } = await read(world, object.key);
      assert.deepEqual(JSON.parse(JSON.stringify(written)), status(1, { drift, lastHandledReconcileAt: 'now' }));
    });

    fact('writing the same status again changes nothing', async (world) => {
      const object = await create(world, 'orders');
      await world.resources.writeStatus(object, status(1), signal);
      const first = await read(world, object.key);
      await world.resources.writeStatus(first, status(1), signal);
      assert.equal((await read(world, object.key)).resourceVersion, first.resourceVersion);
    });

    fact('a status that must be stored is stored on exactly what was read, and comes back', async (world) => {
      const object = await create(world, 'orders');
      const stored = await world.resources.storeStatus(object, status(1), signal);
      assert.deepEqual(stored, await read(world, object.key));
      await assert.rejects(world.resources.storeStatus(object, status(1, { numPartitions: 9 }), signal), isOutdated);
      await world.apply({ metadata: object.key, spec: { numPartitions: 4 } });
      await assert.rejects(world.resources.storeStatus(stored, status(1, { numPartitions: 9 }), signal), isOutdated);
      assert.deepEqual((await read(world, object.key)).status, stored.status);
    });

    fact('a status that must be stored is refused where the object is gone', async (world) => {
      const object = await create(world, 'orders');
      await world.delete(object.key);
      await assert.rejects(world.resources.storeStatus(object, status(1), signal), isOutdated);
    });

    fact('a status write leaves the generation alone, a new spec moves it', async (world) => {
      const object = await create(world, 'orders');
      await world.resources.writeStatus(object, status(1), signal);
      assert.equal((await read(world, object.key)).generation, 1);
      await world.annotate(object.key, 'approve', 'hash');
      assert.equal((await read(world, object.key)).generation, 1);
      await world.apply({ metadata: object.key, spec: { numPartitions: 4 } });
      assert.equal((await read(world, object.key)).generation, 2);
    });

    fact('fields and conditions left out of a status are removed, conditions of others stay', async (world) => {
      const object = await create(world, 'orders');
      const stalled = { ...(status(1).conditions[0] as TopicStatus['conditions'][0]), type: 'Stalled' as const };
      await world.resources.writeStatus(object, status(1, { conditions: [...status(1).conditions, stalled] }), signal);
      await world.addForeignCondition(object.key, 'Scanned');
      const { config: _, ...less } = status(1);
      await world.resources.writeStatus(await read(world, object.key), less, signal);
      const stored = (await world.get(object.key))?.status as { config?: unknown; conditions: { type: string }[] };
      assert.equal(stored.config, undefined);
      assert.deepEqual(stored.conditions.map(({ type }) => type).sort(), ['Ready', 'Scanned']);
      assert.deepEqual(
        (await read(world, object.key)).status?.conditions.map(({ type }) => type),
        ['Ready'],
      );
    });

    fact('a status is written although the object changed since it was read', async (world) => {
      const object = await create(world, 'orders');
      await world.apply({ metadata: object.key, spec: { numPartitions: 9 } });
      await world.resources.writeStatus(object, status(1), signal);
      const now = await read(world, object.key);
      assert.equal(now.status?.observedGeneration, 1);
      assert.equal(now.generation, 2);
    });

    fact('a status about a newer generation is not overwritten (K130)', async (world) => {
      const slow = await create(world, 'orders');
      await world.apply({ metadata: slow.key, spec: { numPartitions: 9 } });
      await world.resources.writeStatus(await read(world, slow.key), status(2, { numPartitions: 9 }), signal);
      await world.resources.writeStatus(slow, status(1), signal);
      assert.equal((await read(world, slow.key)).status?.numPartitions, 9);
    });

    fact('a status is never written to another object of the same name (K130)', async (world) => {
      const old = await create(world, 'orders');
      await world.delete(old.key);
      const created = await create(world, 'orders');
      assert.notEqual(created.uid, old.uid);
      await world.resources.writeStatus(old, status(1), signal);
      assert.equal((await read(world, old.key)).status, undefined);
    });

    fact('writing the status of an object that is gone is no error', async (world) => {
      const object = await create(world, 'orders');
      await world.delete(object.key);
      await world.resources.writeStatus(object, status(1), signal);
      assert.equal(await world.get(object.key), undefined);
    });

    fact('config keys named like members of Object are plain data, in spec and status (K167)', async (world) => {
      const config = JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}');
      const key = { namespace: world.namespaces.a, name: 'orders' };
      await world.apply({ metadata: key, spec: { config } });
      const object = await read(world, key);
      assert.ok('config' in object.spec);
      assert.deepEqual([...object.spec.config].sort(), [
        ['__proto__', '1'],
        ['constructor', '2'],
        ['toString', '3'],
      ]);
      await world.resources.writeStatus(object, status(1, { config }), signal);
      const written = (await read(world, key)).status?.config ?? {};
      assert.deepEqual(Object.entries(written).sort(), [
        ['__proto__', '1'],
        ['constructor', '2'],
        ['toString', '3'],
      ]);
    });

    fact('our finalizer comes and goes, those of others stay (K084)', async (world) => {
      const { key } = await create(world, 'orders');
      await world.setFinalizers(key, [foreignFinalizer]);
      const added = await world.resources.setFinalizer(await read(world, key), true, signal);
      assert.deepEqual((await world.get(key))?.metadata.finalizers, [foreignFinalizer, finalizer]);
      assert.ok(added !== 'gone');
      await world.resources.setFinalizer(added, false, signal);
      assert.deepEqual((await world.get(key))?.metadata.finalizers, [foreignFinalizer]);
    });

    fact('the object that comes back with a finalizer is good for the next write', async (world) => {
      const object = await world.resources.setFinalizer(await create(world, 'orders'), true, signal);
      assert.ok(object !== 'gone');
      assert.deepEqual(object, await read(world, object.key));
    });

    fact('a finalizer is not written on an object that changed since it was read', async (world) => {
      const object = await create(world, 'orders');
      await world.annotate(object.key, 'reconcileRequestedAt', '1');
      await assert.rejects(world.resources.setFinalizer(object, true, signal), isOutdated);
      assert.deepEqual((await world.get(object.key))?.metadata.finalizers ?? [], []);
    });

    fact('losing the last finalizer ends a deleted object', async (world) => {
      const held = await world.resources.setFinalizer(await create(world, 'orders'), true, signal);
      assert.ok(held !== 'gone');
      await world.delete(held.key);
      const deleting = await read(world, held.key);
      assert.equal(deleting.deleting, true);
      assert.equal(deleting.generation, held.generation + 1);
      assert.equal(await world.resources.setFinalizer(deleting, false, signal), 'gone');
      assert.equal(await world.get(held.key), undefined);
      assert.equal(await world.resources.setFinalizer(deleting, false, signal), 'gone');
    });

    fact('a deleted object with a finalizer of others is still there without ours', async (world) => {
      const { key } = await create(world, 'orders');
      await world.setFinalizers(key, [foreignFinalizer, finalizer]);
      await world.delete(key);
      const left = await world.resources.setFinalizer(await read(world, key), false, signal);
      assert.deepEqual(left !== 'gone' && left.finalizers, [foreignFinalizer]);
      await world.setFinalizers(key, []);
    });

    fact('claimants are found by topicName and by name, in watched namespaces, deleted ones too', async (world) => {
      const { a, b, c } = world.namespaces;
      const byName = await create(world, 'orders');
      const spec = { topicName: 'orders', mode: 'Observe' };
      await world.apply({ metadata: { namespace: b, name: 'renamed', finalizers: [foreignFinalizer] }, spec });
      await world.apply({ metadata: { namespace: b, name: 'orders' }, spec: { topicName: 'something-else' } });
      await world.apply({ metadata: { namespace: b, name: 'look-alike' }, spec: { topicName: 'Orders' } });
      await world.apply({ metadata: { namespace: a, name: 'both' }, spec: { topicName: 'orders' } });
      await world.apply({ metadata: { namespace: c, name: 'orders' } });
      await world.resources.writeStatus(byName, status(1), signal);
      await world.delete({ namespace: b, name: 'renamed' });

      const found = await world.resources.claimants('orders', signal);
      const seen = found.map(({ key, deleting, observeOnly, boundTo }) => ({
        key: keyOf(key),
        deleting,
        observeOnly,
        boundTo,
      }));
      assert.deepEqual(
        seen.sort((x, y) => nameIn(x.key).localeCompare(nameIn(y.key))),
        [
          { key: `${a}/both`, deleting: false, observeOnly: false, boundTo: undefined },
          { key: `${a}/orders`, deleting: false, observeOnly: false, boundTo: { topicId, clusterId: 'cluster' } },
          { key: `${b}/renamed`, deleting: true, observeOnly: true, boundTo: undefined },
        ],
      );
      const claimant = found.find(({ key }) => keyOf(key) === keyOf(byName.key));
      assert.deepEqual([claimant?.uid, claimant?.createdAt], [byName.uid, byName.createdAt]);
      await world.setFinalizers({ namespace: b, name: 'renamed' }, []);
    });

    fact('an object that names its own topicName is one claimant, not two', async (world) => {
      await world.apply({ metadata: { namespace: world.namespaces.a, name: 'orders' }, spec: { topicName: 'orders' } });
      assert.equal((await world.resources.claimants('orders', signal)).length, 1);
    });

    fact('pages show every watched object once, however small they are', async (world) => {
      const { a, b, c } = world.namespaces;
      const wanted = [`${a}/t1`, `${a}/t2`, `${a}/t3`, `${b}/t1`, `${b}/t2`];
      for (const name of ['t1', 't2', 't3']) await world.apply({ metadata: { namespace: a, name } });
      for (const name of ['t1', 't2']) await world.apply({ metadata: { namespace: b, name } });
      await world.apply({ metadata: { namespace: c, name: 't1' } });
      const seen: string[] = [];
      let next: string | undefined;
      do {
        const page = await world.resources.page(2, next, signal);
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map(({ key }) => keyOf(key)));
        next = page.continue;
      } while (next !== undefined);
      assert.deepEqual(seen.sort(), wanted.sort());
    });

    fact('a token that cannot be continued asks to start again', async (world) => {
      await assert.rejects(world.resources.page(2, 'no-namespace-of-ours/token', signal), isOutdated);
    });

    fact('the pages behind a namespace leave it out', async (world) => {
      const { a, b } = world.namespaces;
      for (const name of ['t1', 't2', 't3']) await world.apply({ metadata: { namespace: a, name } });
      await world.apply({ metadata: { namespace: b, name: 't1' } });
      const inside = (await world.resources.page(1, undefined, signal)).continue;
      for (const token of [undefined, inside]) {
        const behind = world.resources.pageBehind(token);
        const { items, continue: next } = await world.resources.page(9, behind, signal);
        assert.deepEqual([items.map(({ key }) => keyOf(key)), next], [[`${b}/t1`], undefined]);
        assert.equal(world.resources.pageBehind(behind), undefined);
      }
    });

    fact('an aborted signal stops everything, retryably', async (world) => {
      const object = await create(world, 'orders');
      const aborted = AbortSignal.abort();
      const isStopped = (error: unknown) => error instanceof Failure && error.retryable && !error.unanswered;
      assert.ok(isStopped((await world.resources.read([object.key], aborted)).get(keyOf(object.key))));
      await assert.rejects(world.resources.claimants('orders', aborted), isStopped);
      await assert.rejects(world.resources.page(2, undefined, aborted), isStopped);
      await assert.rejects(world.resources.setFinalizer(object, true, aborted), isStopped);
      await assert.rejects(world.resources.writeStatus(object, status(1), aborted), isStopped);
      assert.equal((await read(world, object.key)).resourceVersion, object.resourceVersion);
    });
  });
}

const nameIn = (key: string): string => key.slice(key.indexOf('/'));

async function read({ resources }: Pick<ResourcesWorld, 'resources'>, key: Key): Promise<TopicResource> {
  const outcome = (await resources.read([key], signal)).get(keyOf(key));
  assert.ok(
    outcome !== undefined && outcome !== 'gone' && !(outcome instanceof Failure),
    `${keyOf(key)} is not readable`,
  );
  return outcome;
}

async function create(world: ResourcesWorld, name: string): Promise<TopicResource> {
  const key = { namespace: world.namespaces.a, name };
  await world.apply({ metadata: key, spec: { numPartitions: 3 } });
  return read(world, key);
}
