import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOutside, withMarker } from '../../infra/local/outside.ts';

const local = { KUBECONFIG: '/s/kubeconfig', KAFKA_BROKERS: '127.0.0.1:1', SQS_ENDPOINT: 'http://127.0.0.1:2' };

describe('parts from outside', () => {
  test('are those whose address the user has set', () => {
    assert.deepEqual(readOutside({ KAFKA_BROKERS: 'kafka:9092', SQS_ENDPOINT: '' }), { KAFKA_BROKERS: 'kafka:9092' });
    assert.deepEqual(readOutside({}), {});
  });

  test('are not the addresses of a local system that the shell has read', () => {
    assert.deepEqual(readOutside(withMarker(local, {})), {});
  });

  test('are those the user has set after reading the addresses of a local system', () => {
    const shell = { ...withMarker(local, {}), KAFKA_BROKERS: 'kafka:9092' };
    assert.deepEqual(readOutside(shell), { KAFKA_BROKERS: 'kafka:9092' });
  });

  test('stay from outside when they pass through the exports of a system that uses them', () => {
    const outside = { KAFKA_BROKERS: 'kafka:9092' };
    assert.deepEqual(readOutside(withMarker({ ...local, ...outside }, outside)), outside);
  });
});
