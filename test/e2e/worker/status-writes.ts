import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingStatus } from '../../support/e2e/admission.ts';
import type { CrashWorld } from '../../support/e2e/crash-world.ts';
import { meanwhile } from '../../support/e2e/faults.ts';
import { conditionOf } from '../../support/e2e/kubectl.ts';

const one = { numPartitions: 1 };

export function statusWrites(world: CrashWorld): void {
  const { user, admin, broker, kube } = world;

  /** Somebody does something after a pass has done its work and before its status is written. */
  async function beforeTheStatus(name: string, act: () => Promise<unknown>): Promise<readonly string[]> {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isFirst = true;
    const onRequest = async ({ method, url }: { method: string; url: string }) => {
      if (method === 'PATCH' && url.includes(`/${name}/status`) && isFirst) {
        isFirst = false;
        arrived.resolve();
        await released.promise;
      }
      return 'forward' as const;
    };
    return meanwhile(kube, { onRequest }, async () => {
      const delivered = world.worker().deliver([name]);
      await arrived.promise;
      await act();
      released.resolve();
      return delivered;
    });
  }

  test('K129: a status that meets another version of the object is written to that one', async () => {
    await user.apply('k129-409', one);
    const back = await beforeTheStatus('k129-409', () =>
      user.patch('k129-409', { metadata: { annotations: { 'example.org/note': 'x' } } }),
    );
    assert.deepEqual(back, []);
    assert.equal(conditionOf(await user.get('k129-409'), 'Ready')?.reason, 'Synced');
  });

  test('K129: a status of an object that is gone is done with', async () => {
    await user.apply('k129-404', one);
    assert.deepEqual(await beforeTheStatus('k129-404', () => user.delete('k129-404')), []);
    assert.equal(await user.get('k129-404'), undefined);
  });

  for (const code of [422, 500] as const)
    test(`K129: a status that is answered with ${code} brings the message back until it is written`, async () => {
      const name = `k129-${code}`;
      await user.apply('k129-probe', one);
      await user.apply(name, one);
      const worker = world.worker();
      await refusingStatus(admin, code, 'k129-probe', async () => {
        assert.deepEqual(await worker.deliver([name]), [name]);
        assert.equal((await user.get(name))?.status, undefined);
      });
      assert.deepEqual(await worker.deliver([name]), []);
      const { status } = (await user.get(name)) ?? {};
      assert.equal(status?.topicId, await broker.id(name));
    });

  test('K130: a slow worker does not write over the status of a newer generation', async () => {
    const quick = world.worker();
    await user.apply('k130', one);
    await quick.deliver(['k130']);
    await user.apply('k130', { numPartitions: 2 });
    await beforeTheStatus('k130', async () => {
      await user.apply('k130', { numPartitions: 3 });
      assert.deepEqual(await quick.deliver(['k130']), []);
    });
    const { status, metadata } = (await user.get('k130')) ?? {};
    assert.deepEqual([status?.observedGeneration, status?.numPartitions], [metadata?.generation, 3]);
    assert.equal(metadata?.generation, 3);
  });

  test('K130: a slow worker does not write the status of an object made anew under the name', async () => {
    await user.apply('k130-anew', one);
    await beforeTheStatus('k130-anew', async () => {
      await user.delete('k130-anew');
      await user.apply('k130-anew', one);
    });
    assert.equal((await user.get('k130-anew'))?.status, undefined);
  });
}
