/** What commands foresee: the decision of a pass, with its second look, and nothing done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foresee } from '../../functions/core/decide.ts';
import { never, world } from './world.ts';

/** Topics that are as wanted, of which these are gone at the first look; `back`: at the second they are there again. */
async function foreseen(gone: readonly string[], back: boolean) {
  const { topics, resources, ports, apply, pass } = world();
  const names = ['clicks', 'orders', 'users'];
  for (const name of names) apply(name);
  await pass(names);
  const live = new Map(topics.topics);
  for (const name of gone) topics.topics.delete(name);
  const pauses: number[] = [];
  const pause = async (ms: number) => {
    pauses.push(ms);
    if (back) for (const [name, topic] of live) topics.topics.set(name, topic);
  };
  topics.calls.length = 0;
  const { items } = await resources.page(500, undefined, never);
  const passes = await foresee(items, ports, pause, never);
  return {
    plans: passes.map(({ resource, plan }) => [resource.key.name, plan?.actions.map(({ type }) => type)]),
    looks: topics.calls.filter(({ method }) => method === 'observe').map(({ items }) => items),
    pauses,
  };
}

test('a topic that is there is looked at once', async () => {
  assert.deepEqual(await foreseen([], false), {
    plans: ['clicks', 'orders', 'users'].map((name) => [name, []]),
    looks: [['clicks', 'orders', 'users']],
    pauses: [],
  });
});

test('one that seems to be gone is looked at again, alone, and is there then', async () => {
  assert.deepEqual(await foreseen(['orders'], true), {
    plans: ['clicks', 'orders', 'users'].map((name) => [name, []]),
    looks: [['clicks', 'orders', 'users'], ['orders']],
    pauses: [2_000],
  });
});

test('one that is gone at the second look too is foreseen as that, in its place', async () => {
  const { plans, pauses } = await foreseen(['orders'], false);
  assert.deepEqual(plans, [
    ['clicks', []],
    ['orders', ['CreateTopic']],
    ['users', []],
  ]);
  assert.deepEqual(pauses, [2_000]);
});
