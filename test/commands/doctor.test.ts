import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operation } from '../../functions/core/inspection.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { runChecks } from '../../functions/doctor/check.ts';
import { checks } from '../../functions/doctor/list.ts';
import { golden } from '../support/golden.ts';
import { everything, healthy, queueAttributes } from './inspections.ts';
import { commandWorld } from './world.ts';

const away = (message: string) => new Failure('BrokerUnavailable', message, { retryable: true });
const settings = async () => ({ clusterId: 'cluster', moveBytesPerSecond: undefined, selects: () => true });

/** Verdicts of an installation by the names of the checks. */
async function verdicts(change: (parts: ReturnType<typeof healthy>['parts']) => void) {
  const { parts, inspections } = healthy();
  change(parts);
  const found = await runChecks(checks(inspections, settings), 1_000, new AbortController().signal);
  return Object.fromEntries(found.map(({ name, verdict }) => [name, verdict]));
}

/** Several things are wrong at a time. */
function troubled(settings: { colour?: boolean } = {}) {
  const world = commandWorld({ ...settings, clusterId: 'cluster' });
  const { parts } = world;
  Object.assign(parts.kube, {
    stored: async (path: string) => (path.includes('customresource') ? 'absent' : 'forbidden'),
    rights: async (who: string) => (who === 'you' ? [{ as: 'ann', denied: [] }] : 'forbidden'),
  });
  parts.attributes = {
    ...parts.attributes,
    RECONCILE_QUEUE_URL: { ...queueAttributes('RECONCILE_QUEUE_URL'), VisibilityTimeout: '30' },
  };
  Object.assign(parts.brokers, {
    reach: async (address: string) => {
      if (address === 'broker-2:9092') throw away('Kafka cannot be reached: connection refused');
      return { clusterId: 'cluster', lacking: [] };
    },
    configs: async () => new Map([['auto.create.topics.enable', 'true']]),
  });
  parts.forwarder = async () => undefined;
  return world;
}

describe('topicsmith doctor', () => {
  test('an installation that is well, exit 0', async () => {
    const { run, state } = commandWorld({ clusterId: 'cluster' });
    const before = state();
    const { code, out, err } = await run('doctor');
    assert.deepEqual([code, err], [0, '']);
    golden('doctor.txt', out);
    assert.equal(state(), before);
  });

  test('what is broken comes with what to do, exit 1, and colour marks it', async () => {
    const { code, out } = await troubled().run('doctor');
    assert.equal(code, 1);
    golden('doctor.broken.txt', out);
    golden('doctor.colour.txt', (await troubled({ colour: true }).run('doctor')).out);
  });

  test('JSON has every check and the counts', async () => {
    const { out } = await troubled().run('doctor', '-o', 'json');
    golden('doctor.json', out);
    const { checks, summary } = JSON.parse(out);
    const counted = Object.values(summary as Record<string, number>).reduce((sum, count) => sum + count, 0);
    assert.equal(counted, checks.length);
  });

  test('K012: brokers that create topics by themselves are one warning, exit 0', async () => {
    const { run, parts } = commandWorld({ clusterId: 'cluster' });
    Object.assign(parts.brokers, { configs: async () => new Map([['auto.create.topics.enable', 'true']]) });
    const { code, out } = await run('doctor');
    assert.equal(code, 0);
    assert.equal(out.match(/auto\.create\.topics\.enable is true/g)?.length, 1);
    assert.match(out, /^Doctor: \d+ well, 1 warning, 0 broken, 0 not checked\.$/m);
  });

  test('what others call themselves cannot colour or move what is shown', async () => {
    const { run, parts } = commandWorld();
    Object.assign(parts.kube, { server: async () => ({ url: 'x', version: '\x1b[31mv1.36.0', skewMs: 0 }) });
    assert.ok(!(await run('doctor')).out.includes('\x1b'));
  });
});

describe('the checks of doctor', () => {
  test('each is there once, and all are well in an installation that is', async () => {
    const found = await verdicts(() => {});
    assert.deepEqual(new Set(Object.values(found)), new Set(['ok']));
  });

  test('without an API server the rest is looked at all the same', async () => {
    const found = await verdicts(({ kube }) => {
      Object.assign(kube, { server: async () => Promise.reject(away('no route')) });
    });
    assert.equal(found['API server'], 'failed');
    for (const name of ['definition', 'your rights', 'rights of resync', 'API server clock', 'rights on topics'])
      assert.equal(found[name], 'notChecked', name);
    for (const name of ['reconcile queue', 'brokers', 'cluster id', 'forwarder']) assert.equal(found[name], 'ok', name);
  });

  test('settings that are wrong are a failure of their own part', async () => {
    const { inspections } = healthy();
    const wrong = {
      ...inspections,
      brokers: async () => Promise.reject(new Error('KAFKA_BROKERS must list the brokers')),
    };
    const found = await runChecks(checks(wrong, settings), 1_000, new AbortController().signal);
    const broken = found.filter(({ verdict }) => verdict === 'failed');
    assert.deepEqual(
      broken.map(({ name, says }) => [name, says]),
      [['brokers', 'KAFKA_BROKERS must list the brokers']],
    );
  });

  test('settings that nobody can read keep only those checks waiting that rest on them', async () => {
    const { inspections } = healthy();
    const unreadable = () => Promise.reject(new Error('APPROVAL_REQUIRED names "x"'));
    const found = await runChecks(checks(inspections, unreadable), 1_000, new AbortController().signal);
    assert.deepEqual(
      found.filter(({ verdict }) => verdict !== 'ok').map(({ name, says }) => [name, says]),
      [
        ['settings', 'APPROVAL_REQUIRED names "x"'],
        ['cluster id', 'needs: settings'],
        ['rights on the cluster', 'needs: settings'],
        ['rights on topics', 'needs: settings'],
      ],
    );
  });

  test('requests of ours that only some brokers lack are found, also when nobody can name the brokers', async () => {
    const lacks = (address: string) => async (asked: string) => ({
      clusterId: 'cluster',
      lacking: asked === address ? ['the broker does not offer X'] : [],
    });
    const other = await verdicts(({ brokers }) => {
      Object.assign(brokers, { addresses: ['broker-1:9092'], reach: lacks('broker-2:9092') });
    });
    assert.equal(other['Kafka version'], 'failed');
    const unnamed = await verdicts(({ brokers }) => {
      const cluster = async () => Promise.reject(away('DescribeCluster is not offered'));
      Object.assign(brokers, { cluster, reach: lacks('broker-1:9092') });
    });
    assert.deepEqual([unnamed['Kafka version'], unnamed['advertised addresses']], ['failed', 'failed']);
  });

  test('a queue whose variable is not set does not keep the others from being judged', async () => {
    const found = await verdicts((parts) => {
      const { RECONCILE_QUEUE_URL, ...others } = parts.attributes;
      parts.attributes = others as typeof parts.attributes;
    });
    assert.equal(found['reconcile queue'], 'notChecked');
    for (const name of ['reconcile dead letters', 'tick queue', 'queue clock']) assert.equal(found[name], 'ok', name);
  });

  test('configs are asked of the brokers that can be reached', async () => {
    const asked: number[] = [];
    const found = await verdicts(({ brokers }) => {
      const { reach } = brokers;
      Object.assign(brokers, {
        addresses: ['broker-1:9092'],
        reach: async (address: string, signal: AbortSignal) => {
          if (address === 'broker-2:9092') throw away('no route');
          return reach(address, signal);
        },
        configs: async ({ id }: { id: number }) => {
          asked.push(id);
          return new Map();
        },
      });
    });
    assert.deepEqual([found.brokers, found['advertised addresses'], found['broker configs']], ['ok', 'failed', 'ok']);
    assert.deepEqual(asked, [1]);
  });

  test('creations are asked about for all topics that are not there, where the cluster does not allow every one', async () => {
    const asked: (readonly string[])[] = [];
    const names = Array.from({ length: 60 }, (_, index) => `topic-${index}`);
    const absent = names.slice(1);
    const world = (allowed: ReadonlySet<Operation>) => (parts: ReturnType<typeof healthy>['parts']) => {
      Object.assign(parts.kube, { topicNames: async () => names });
      Object.assign(parts.brokers, {
        cluster: async () => ({ brokers: [], allowed }),
        topics: async () => new Map(names.map((name, index) => [name, index === 0 ? everything : 'absent'])),
        mayNotCreate: async (wanted: readonly string[]) => {
          asked.push(wanted);
          return ['topic-59'];
        },
      });
    };
    assert.equal((await verdicts(world(everything)))['rights on topics'], 'ok');
    assert.deepEqual(asked, []);
    const found = await verdicts(world(new Set([...everything].filter((operation) => operation !== 'Create'))));
    assert.deepEqual([asked, found['rights on topics']], [[absent], 'failed']);
  });

  test('nothing is asked about creations where all topics are there', async () => {
    const found = await verdicts(({ brokers }) => {
      const mayNotCreate = () => assert.fail('creations were asked about');
      Object.assign(brokers, { mayNotCreate, cluster: async () => ({ brokers: [], allowed: new Set() }) });
    });
    assert.equal(found['rights on topics'], 'ok');
  });

  test('topics that nobody may list are not judged', async () => {
    const found = await verdicts(({ kube }) => {
      Object.assign(kube, { topicNames: async () => Promise.reject(away('The API server answered 403')) });
    });
    assert.equal(found['rights on topics'], 'notChecked');
  });

  test('a forwarder that is not ready has failed with what it says', async () => {
    const found = await verdicts((parts) => {
      parts.forwarder = async () => ({ problems: ['tick queue: not reached yet'], keysWaiting: 0, objects: 0 });
    });
    assert.equal(found.forwarder, 'failed');
  });
});
