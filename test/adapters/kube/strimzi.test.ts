import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError, type KubeClient } from '../../../functions/adapters/kube/client.ts';
import { strimziTopics } from '../../../functions/adapters/kube/strimzi.ts';
import { Failure } from '../../../functions/core/outcome.ts';

type Answer = (path: string, token: unknown) => unknown;

/** A client that answers from a function, and what it was asked. */
function scripted(answer: Answer) {
  const asked: string[] = [];
  const request: KubeClient['request'] = async (method, path, { query } = {}) => {
    assert.equal(method, 'GET');
    asked.push(query?.continue === undefined ? path : `${path} from ${query.continue}`);
    return answer(path, query?.continue);
  };
  return { asked, client: { request } as Pick<KubeClient, 'request'> as KubeClient };
}

const signal = new AbortController().signal;
const api = '/apis/kafka.strimzi.io';
const preferred = { preferredVersion: { version: 'v1' } };
const page = (names: readonly string[], next = '') => ({
  apiVersion: 'kafka.strimzi.io/v1',
  items: names.map((name) => ({ metadata: { name } })),
  metadata: { continue: next },
});
const topic = (name: string) => ({ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic', metadata: { name } });

describe("Strimzi's KafkaTopics at the API server", () => {
  test('are listed page by page, in the version that the API server prefers', async () => {
    const { client, asked } = scripted((path, token) =>
      path === api ? preferred : token === undefined ? page(['a'], 'more') : page(['b']),
    );
    assert.deepEqual(await strimziTopics(client, [], signal), [topic('a'), topic('b')]);
    assert.deepEqual(asked, [api, `${api}/v1/kafkatopics`, `${api}/v1/kafkatopics from more`]);
  });

  test('are looked for in the given namespaces only', async () => {
    const { client, asked } = scripted((path) => (path === api ? preferred : page([path.split('/')[5] ?? ''])));
    assert.deepEqual(await strimziTopics(client, ['one', 'two'], signal), [topic('one'), topic('two')]);
    assert.deepEqual(asked.slice(1), [`${api}/v1/namespaces/one/kafkatopics`, `${api}/v1/namespaces/two/kafkatopics`]);
  });

  test('are none where Strimzi is not installed', async () => {
    const { client } = scripted(() => {
      throw new ApiError(404, 'NotFound', 'no');
    });
    assert.equal(await strimziTopics(client, [], signal), undefined);
  });

  test('that may not be listed are a Failure', async () => {
    const { client } = scripted((path) => {
      if (path === api) return preferred;
      throw new ApiError(403, 'Forbidden', 'kafkatopics.kafka.strimzi.io is forbidden');
    });
    await assert.rejects(strimziTopics(client, [], signal), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /^The API server answered 403: kafkatopics\.kafka\.strimzi\.io is forbidden$/);
      return true;
    });
  });
});
