import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type { TopicList } from '../../functions/core/ports.ts';
import { eventually } from '../support/kafka/eventually.ts';
import type { ByHand } from '../support/kafka/real-kafka.ts';

export type ListingWorld = {
  readonly topics: TopicList;
  readonly byHand: Pick<ByHand, 'create' | 'remove'>;
  /** has the brokers make their own topic for consumer groups. @returns its name */
  makeInternal(): Promise<string>;
};

const signal = new AbortController().signal;

/** What the listing of topics promises. */
export function listingContract(name: string, makeWorld: () => Promise<ListingWorld>): void {
  describe(`listing: ${name}`, () => {
    test('topics are listed by name, each once, while they are there', async () => {
      const { topics, byHand } = await makeWorld();
      const [first = '', second = ''] = [`l-${randomUUID()}`, `l-${randomUUID()}`].toSorted();
      await byHand.create(second, 3);
      await byHand.create(first);
      const ours = async () => (await topics.list(signal)).filter(({ name }) => [first, second].includes(name));
      await eventually(async () =>
        assert.deepEqual(await ours(), [
          { name: first, internal: false },
          { name: second, internal: false },
        ]),
      );
      await byHand.remove(second);
      await eventually(async () => assert.deepEqual(await ours(), [{ name: first, internal: false }]));
    });

    test("the brokers' own topics are told apart", async () => {
      const { topics, makeInternal } = await makeWorld();
      const own = await makeInternal();
      await eventually(async () => {
        const listed = await topics.list(signal);
        assert.deepEqual(
          listed.filter(({ internal }) => internal),
          [{ name: own, internal: true }],
        );
      });
    });
  });
}
