import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operation } from '../../functions/core/inspection.ts';
import { Failure } from '../../functions/core/outcome.ts';
import {
  type BrokerConfigs,
  judgeAdvertised,
  judgeClusterId,
  judgeClusterRights,
  judgeConfigs,
  judgeReach,
  judgeTopicRights,
  judgeVersions,
  type Reached,
} from '../../functions/doctor/kafka.ts';
import { everything } from '../commands/inspections.ts';
import { table } from '../support/table.ts';

const reached = (address: string, clusterId = 'one', lacking: readonly string[] = []): Reached => ({
  address,
  outcome: { clusterId, lacking },
});
const away = (address: string, message = 'connection refused', reason: Failure['reason'] = 'BrokerUnavailable') => ({
  address,
  outcome: new Failure(reason, message, { retryable: true }),
});

describe('reaching brokers', () => {
  const judge = (...list: readonly Reached[]) => judgeReach(list, 'TLS, no SASL');

  test('all addresses answer', () =>
    assert.deepEqual(judge(reached('a:1'), reached('b:1')), { verdict: 'ok', says: 'a:1, b:1: TLS, no SASL' }));

  test('one that is dead beside others is a warning that names it', () => {
    const { verdict, says } = judge(reached('a:1'), away('b:1'));
    assert.deepEqual([verdict, says], ['warning', 'b:1: connection refused']);
  });

  test('with none that answers it is broken', () =>
    assert.deepEqual(judge(away('a:1'), away('b:1', 'no route')), {
      verdict: 'failed',
      says: 'a:1: connection refused; b:1: no route',
      mend: 'check KAFKA_BROKERS, and that nothing between here and there (security group, firewall, DNS) is in the way',
    }));

  test('a refused login points to the settings of SASL', () =>
    assert.match(judge(away('a:1', 'no', 'NotAuthenticated')).mend ?? '', /KAFKA_SASL_MECHANISM/));

  test('trouble with TLS points to its settings', () =>
    assert.match(judge(away('a:1', 'TLS to Kafka fails: X')).mend ?? '', /KAFKA_CA_FILE/));

  test('brokers that advertise addresses that lead nowhere are broken, though others answer', () => {
    const { verdict, says, mend = '' } = judgeAdvertised([reached('a:1'), away('inner:1')]);
    assert.deepEqual([verdict, says.endsWith('inner:1: connection refused')], ['failed', true]);
    assert.match(mend, /advertised\.listeners/);
  });

  test('a cluster that names no broker is broken', () =>
    assert.deepEqual(judgeAdvertised([]), {
      verdict: 'failed',
      says: 'the cluster names no broker that is up',
      mend: 'see whether the brokers run, and what their logs say',
    }));

  test('a request that some brokers do not offer is told once', () => {
    const lacks = ['the broker does not offer X version 3'];
    const { verdict, says } = judgeVersions([reached('a:1', 'one', lacks), reached('b:1', 'one', lacks)]);
    assert.deepEqual([verdict, says], ['failed', lacks[0]]);
    assert.equal(judgeVersions([reached('a:1')]).verdict, 'ok');
  });
});

table(
  'K019: the cluster id',
  ({ list, wanted }: { list: readonly Reached[]; wanted: string | undefined }) => {
    const { verdict, says } = judgeClusterId(list, wanted);
    return `${verdict}: ${says}`;
  },
  [
    {
      reason: 'as wanted',
      given: { list: [reached('a:1')], wanted: 'one' },
      want: 'ok: one, as KAFKA_CLUSTER_ID says',
    },
    {
      reason: 'another cluster behind the addresses',
      given: { list: [reached('a:1', 'two')], wanted: 'one' },
      want: 'failed: it is two, and KAFKA_CLUSTER_ID is one: nothing is written (WrongCluster)',
    },
    {
      reason: 'addresses of two clusters in one list',
      given: { list: [reached('a:1', 'one'), away('b:1'), reached('c:1', 'two')], wanted: 'one' },
      want: 'failed: the addresses lead to different clusters: one, two',
    },
    {
      reason: 'nobody said which one it has to be',
      given: { list: [reached('a:1')], wanted: undefined },
      want: 'warning: it is one, and any would be taken: KAFKA_CLUSTER_ID is not set',
    },
  ],
);

const broker = (id: number, creates: string, deletes = 'true'): BrokerConfigs[number] => [
  { id, address: `b${id}:1` },
  new Map([
    ['auto.create.topics.enable', creates],
    ['delete.topic.enable', deletes],
  ]),
];

describe('configs of brokers', () => {
  test('with nobody who makes topics by chance all is well', () =>
    assert.equal(judgeConfigs([broker(1, 'false'), broker(2, 'false')]).verdict, 'ok'));

  test('K012: automatic creation is one warning for all brokers together', () => {
    const { verdict, says } = judgeConfigs([broker(1, 'true'), broker(2, 'false'), broker(3, 'true')]);
    assert.equal(verdict, 'warning');
    assert.match(says, /^auto\.create\.topics\.enable is true at broker 1, 3: /);
  });

  test('brokers that delete nothing are a warning', () =>
    assert.match(judgeConfigs([broker(1, 'false', 'false')]).says, /^delete\.topic\.enable is false at broker 1: /));

  test('what is seen at one broker counts, though another does not let us look', () =>
    assert.equal(judgeConfigs([[{ id: 2, address: 'b:1' }, 'forbidden'], broker(1, 'true')]).verdict, 'warning'));

  test('without the right, or without a broker, nothing is claimed', () => {
    assert.equal(judgeConfigs([broker(1, 'false'), [{ id: 2, address: 'b:1' }, 'forbidden']]).verdict, 'notChecked');
    assert.equal(judgeConfigs([]).verdict, 'notChecked');
  });
});

const but = (...denied: readonly Operation[]): ReadonlySet<Operation> =>
  new Set([...everything].filter((operation) => !denied.includes(operation)));

table(
  'rights on the cluster',
  ({ allowed, limited }: { allowed: ReadonlySet<Operation>; limited: boolean }) => {
    const { verdict, mend } = judgeClusterRights(allowed, limited, 'me');
    return { verdict, mend };
  },
  [
    { reason: 'all', given: { allowed: everything, limited: true }, want: { verdict: 'ok', mend: undefined } },
    {
      reason: 'rates are only set where there is a limit',
      given: { allowed: but('DescribeConfigs', 'AlterConfigs', 'Create'), limited: false },
      want: { verdict: 'ok', mend: undefined },
    },
    {
      reason: 'with a limit they are',
      given: { allowed: but('AlterConfigs'), limited: true },
      want: {
        verdict: 'warning',
        mend: 'kafka-acls --add --allow-principal User:me --operation AlterConfigs --cluster',
      },
    },
    {
      reason: 'only moves need them, so all else works without',
      given: { allowed: new Set<Operation>(), limited: false },
      want: {
        verdict: 'warning',
        mend: 'kafka-acls --add --allow-principal User:me --operation Describe --operation Alter --cluster',
      },
    },
  ],
);

describe('rights on topics', () => {
  type Facts = Parameters<typeof judgeTopicRights>[0];
  const judge = (found: Record<string, ReadonlySet<Operation> | 'absent' | 'hidden'>, createDenied: string[] = []) =>
    judgeTopicRights({ found: new Map(Object.entries(found)), createDenied } satisfies Facts, undefined);

  const says = (found: Parameters<typeof judge>[0]) => {
    const { verdict, says } = judge(found);
    return `${verdict}: ${says}`;
  };

  test('all of them, on the topics that are there; of others only the creation was asked about', () => {
    assert.equal(says({ a: everything, b: everything }), 'ok: all that is needed, on 2 topics');
    assert.equal(
      says({ a: everything, b: 'absent', c: 'absent' }),
      'ok: all that is needed, on 1 topic; 2 are not there yet, and may be created',
    );
    assert.equal(says({ a: 'absent' }), 'ok: no topic is there yet; 1 may be created');
  });

  test('nobody names a topic yet', () => assert.equal(judge({}).verdict, 'ok'));

  test('the right to create comes from the cluster or by name, and not from the topic', () =>
    assert.equal(judge({ a: but('Create') }).verdict, 'ok'));

  test('a creation that would be denied', () => {
    const { verdict, says, mend } = judge({ a: 'absent' }, ['a']);
    assert.deepEqual([verdict, says], ['failed', 'no right to Create topic a']);
    assert.equal(mend, 'kafka-acls --add --allow-principal User:NAME --operation Create --topic a');
  });

  test('what is missing is told by right, with how many topics it concerns', () => {
    const { verdict, says, mend } = judge({ a: but('Alter'), b: but('Alter', 'AlterConfigs'), c: 'hidden' });
    assert.equal(verdict, 'failed');
    assert.equal(
      says,
      'no right to Alter topic a and 1 more; no right to AlterConfigs topic b; no right to Describe topic c',
    );
    assert.match(mend ?? '', /--operation Alter --operation AlterConfigs --operation Describe --topic '\*'$/);
  });

  test('without Delete only deletionPolicy Delete does not work', () =>
    assert.equal(judge({ a: but('Delete') }).verdict, 'warning'));
});
