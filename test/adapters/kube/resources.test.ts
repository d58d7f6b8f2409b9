import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, type KubeClient, topicsPath } from '../../../functions/adapters/kube/client.ts';
import { kubeResources } from '../../../functions/adapters/kube/resources.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import { parseResource } from '../../../functions/core/parse.ts';
import type { TopicStatus } from '../../../functions/core/resource.ts';
import { keyOf } from '../../../functions/core/topic.ts';
import { readSettings } from '../../../functions/settings/read.ts';

/** What the contract suite cannot make a real API server do. Each row of a script answers one request. */

type Call = Parameters<KubeClient['request']>;
type Answer = (...call: Call) => unknown;

/** A client that answers from a function, and the calls it got. */
function scripted(answer: Answer) {
  const calls: Call[] = [];
  const request = async (...call: Call) => {
    calls.push(call);
    return answer(...call);
  };
  const client = { request } as Pick<KubeClient, 'request'> as KubeClient;
  return { calls, resources: (...namespaces: string[]) => kubeResources(client, namespaces) };
}

const signal = new AbortController().signal;
const key = { namespace: 'shop', name: 'orders' };
const stored = (more: { metadata?: object; status?: object } = {}) => ({
  metadata: { ...key, uid: 'u1', resourceVersion: '1', generation: 1, ...more.metadata },
  spec: {},
  ...(more.status && { status: more.status }),
});
const status: TopicStatus = { observedGeneration: 1, conditions: [] };
const refuse = (code: number, reason = 'Reason') => {
  throw new ApiError(code, reason, 'no');
};
const failsWith = (reason: string) => (error: unknown) =>
  error instanceof Failure && error.reason === reason && error.retryable;

describe('a status write', () => {
  test('reads again after each conflict, and gives up after five', async () => {
    let version = 1;
    const { calls, resources } = scripted((method) => {
      version++;
      return method === 'PATCH' ? refuse(409) : stored({ metadata: { resourceVersion: String(version) } });
    });
    await assert.rejects(
      resources().writeStatus(parseResource(stored()), status, signal),
      failsWith('ObservationOutdated'),
    );
    const versions = calls
      .filter(([method]) => method === 'PATCH')
      .map(
        ([, , options]) =>
          (options as { body: { metadata: { resourceVersion: string } } }).body.metadata.resourceVersion,
      );
    assert.deepEqual(versions, ['1', '3', '5', '7', '9']);
  });

  for (const code of [403, 422, 500])
    test(`that is refused with ${code} is a failure, not silence (K129)`, async () => {
      const { resources } = scripted(() => refuse(code));
      await assert.rejects(
        resources().writeStatus(parseResource(stored()), status, signal),
        failsWith('InternalError'),
      );
    });

  test('is one request when nobody interferes (K172)', async () => {
    const { calls, resources } = scripted(() => stored());
    await resources().writeStatus(parseResource(stored()), status, signal);
    assert.equal(calls.length, 1);
  });
});

describe('a read', () => {
  test('keeps one failure to its own key', async () => {
    const { resources } = scripted((_method, path) => (path.endsWith('/bad') ? refuse(500) : stored()));
    const bad = { namespace: 'shop', name: 'bad' };
    const outcomes = await resources().read([bad, key], signal);
    assert.ok(failsWith('InternalError')(outcomes.get(keyOf(bad))));
    assert.equal((outcomes.get(keyOf(key)) as { uid: string }).uid, 'u1');
  });

  test('does not take a missing CRD for missing objects', async () => {
    const { resources } = scripted(() => refuse(404, 'Unknown'));
    assert.ok(failsWith('InternalError')((await resources().read([key], signal)).get(keyOf(key))));
  });

  test('asks for at most sixteen objects at a time', async () => {
    let [now, most] = [0, 0];
    const { resources } = scripted(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return stored();
    });
    const keys = Array.from({ length: 100 }, (_, index) => ({ namespace: 'shop', name: `t${index}` }));
    assert.equal((await resources().read(keys, signal)).size, 100);
    assert.equal(most, 16);
  });

  test('of a namespace that is not watched sends nothing (K139)', async () => {
    const { calls, resources } = scripted(() => stored());
    assert.equal((await resources('other').read([key], signal)).get(keyOf(key)), 'gone');
    assert.equal(calls.length, 0);
  });
});

const page = (items: unknown[], next?: string) => ({ items, metadata: { ...(next && { continue: next }) } });
const claim = (index: number) => ({
  metadata: { namespace: 'shop', name: `c${index}`, uid: `u${index}` },
  spec: { topicName: 'orders' },
});

describe('the claimants of a topic (LG1-LG7)', () => {
  test('are read fresh and whole: no resourceVersion, all pages', async () => {
    const { calls, resources } = scripted((_method, _path, options) => {
      const { fieldSelector, continue: token } = options?.query ?? {};
      if (fieldSelector === 'metadata.name=orders') return page([]);
      return token === undefined ? page([claim(1)], 'more') : page([claim(2)]);
    });
    const found = await resources().claimants('orders', signal);
    assert.deepEqual(found.map(({ uid }) => uid).sort(), ['u1', 'u2']);
    assert.ok(calls.every(([, , options]) => !('resourceVersion' in (options?.query ?? {}))));
  });

  for (const code of [403, 429, 500])
    test(`are unknown when one of the lists answers ${code} (T161)`, async () => {
      const { resources } = scripted((_method, _path, options) =>
        options?.query?.fieldSelector === 'metadata.name=orders' ? refuse(code) : page([claim(1)]),
      );
      await assert.rejects(
        resources().claimants('orders', signal),
        failsWith(code === 429 ? 'Throttled' : 'InternalError'),
      );
    });

  test('are read again from the start when a token expires between pages', async () => {
    let expired = false;
    const { resources } = scripted((_method, _path, options) => {
      const { fieldSelector, continue: token } = options?.query ?? {};
      if (fieldSelector === 'metadata.name=orders') return page([]);
      if (token === undefined) return page(expired ? [claim(3)] : [claim(1)], 'more');
      if (expired) return page([claim(4)]);
      expired = true;
      return refuse(410);
    });
    const found = await resources().claimants('orders', signal);
    assert.deepEqual(found.map(({ uid }) => uid).sort(), ['u3', 'u4']);
  });

  test('are unknown when tokens go on expiring', async () => {
    const { resources } = scripted((_method, _path, options) =>
      options?.query?.continue ? refuse(410) : page([claim(1)], 'more'),
    );
    await assert.rejects(resources().claimants('orders', signal), failsWith('ObservationOutdated'));
  });

  test('are unknown when there are more than five thousand', async () => {
    let pages = 0;
    const { resources } = scripted(() =>
      page(
        Array.from({ length: 500 }, (_, index) => claim(pages * 500 + index)),
        `page ${++pages}`,
      ),
    );
    await assert.rejects(resources().claimants('orders', signal), failsWith('InternalError'));
    assert.ok(pages <= 22, `${pages} pages were read`);
  });

  test('T125: are looked for by the name as it stands, whatever characters are in it', async () => {
    const { calls, resources } = scripted(() => page([]));
    await resources().claimants('a=b,c\\d', signal);
    const selectors = calls.map(([, , options]) => options?.query?.fieldSelector);
    assert.deepEqual(selectors, ['spec.topicName=a\\=b\\,c\\\\d', 'metadata.name=a\\=b\\,c\\\\d']);
  });
});

test('a page token that has expired asks to start again', async () => {
  const { resources } = scripted(() => refuse(410));
  await assert.rejects(resources().page(10, '/old', signal), failsWith('ObservationOutdated'));
});

test('an expired page token that comes with another one goes on in the same place', async () => {
  const { calls, resources } = scripted((_method, _path, options) => {
    if (options?.query?.continue === 'old') throw new ApiError(410, 'Expired', 'no', undefined, 'rest');
    return page([claim(7)], 'more');
  });
  const { items, continue: next } = await resources(
    ...readSettings({ WATCH_NAMESPACES: 'a,a,b' }, 'cli', ['WATCH_NAMESPACES']).WATCH_NAMESPACES,
  ).page(10, 'a/old', signal);
  assert.deepEqual([items.map(({ uid }) => uid), next], [['u7'], 'a/more']);
  assert.deepEqual(
    calls.map(([, , options]) => options?.query?.continue),
    ['old', 'rest'],
  );
});

test('the pages of all watched namespaces are reached, also when the setting names one twice', async () => {
  const { calls, resources } = scripted(() => page([]));
  const watching = resources(
    ...readSettings({ WATCH_NAMESPACES: 'a,a,b' }, 'cli', ['WATCH_NAMESPACES']).WATCH_NAMESPACES,
  );
  let pages = 1;
  for (let { continue: token } = await watching.page(10, undefined, signal); token !== undefined && pages < 9; pages++)
    ({ continue: token } = await watching.page(10, token, signal));
  assert.deepEqual(
    calls.map(([, path]) => path),
    [topicsPath('a'), topicsPath('b')],
  );
});
