import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { Failure } from '../../functions/core/outcome.ts';
import { temporaryFolder } from '../support/folder.ts';
import { golden } from '../support/golden.ts';
import { commandWorld } from './world.ts';

const dir = temporaryFolder('import');

type Written = { metadata: { name: string; namespace?: string }; spec: { topicName?: string; mode: string } };

const documents = (text: string): Written[] => parseAllDocuments(text).map((document) => document.toJS());
const names = (text: string) => documents(text).map(({ metadata }) => metadata.name);

/** A cluster that was there before us: five topics, one of Kafka's own, one that has an object, one that two could own. */
async function cluster(settings = {}) {
  const made = commandWorld(settings);
  const { topics, apply, pass } = made;
  topics.brokers = 3;
  const config = { 'cleanup.policy': 'compact,delete', 'retention.ms': '604800000' };
  topics.add('Orders_V1', { numPartitions: 2, replicationFactor: 3, config, recordCount: 5 });
  topics.add('orders-v1', { config: { 'leader.replication.throttled.replicas': '*' } });
  topics.add('_schemas', { config: { 'cleanup.policy': 'compact' } });
  topics.add('uneven', { replicas: [[1], [1, 2]] });
  topics.add('clicks', { numPartitions: 3 });
  topics.add('__consumer_offsets');
  topics.add('__transaction_state');
  topics.internal.add('__consumer_offsets');
  apply('clicks', { numPartitions: 3 });
  await pass(['clicks']);
  return made;
}

const strimzi = `apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata:
  name: orders
  labels: { strimzi.io/cluster: main, team: a }
  annotations: { owner: payments }
spec: { topicName: Orders_V1, partitions: 4, replicas: 3, config: { retention.ms: 3600000 } }
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: { name: uneven, labels: { strimzi.io/cluster: main }, annotations: { strimzi.io/managed: 'false' } }
spec: { partitions: 2 }
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: { name: fresh, labels: { strimzi.io/cluster: main } }
spec: { partitions: 1, replicas: 5, config: { max.message.bytes: 9223372036854775807 } }
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: { name: clicks, labels: { strimzi.io/cluster: main } }
spec: { partitions: 1 }
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: { name: consumer-offsets---84e7, labels: { strimzi.io/cluster: main } }
spec: { topicName: __consumer_offsets }
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata: { name: somebody }
`;

function file(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe('topicsmith import', () => {
  test('K020: live topics come out as manifests, and the report tells what they do not say', async () => {
    const { run } = await cluster();
    const { code, out, err } = await run('import');
    assert.equal(code, 0);
    golden('import.yaml', out);
    golden('import.report.txt', err);
  });

  test('K020: applied unchanged, each is Observed, no topic is written to, and none is Kafka’s own', async () => {
    const { run, apply, pass, topics, ready } = await cluster();
    const { out } = await run('import');
    const before = topics.calls.length;
    for (const { metadata, spec } of documents(out)) apply(metadata.name, spec);
    await pass(names(out));
    for (const name of names(out)) assert.equal(ready(name), 'True Observed');
    const methods = new Set(topics.calls.slice(before).map(({ method }) => method));
    assert.deepEqual([...methods], ['observe']);
    assert.ok(documents(out).every(({ spec }) => !spec.topicName?.startsWith('__')));
  });

  test('K020: enforced, they take their topics over as they are', async () => {
    const { run, apply, pass, topics, ready } = await cluster();
    const { out } = await run('import', '--mode', 'Enforce');
    const before = JSON.stringify([...topics.topics].map(([, topic]) => [topic.placements, [...topic.overrides]]));
    for (const { metadata, spec } of documents(out)) apply(metadata.name, spec);
    await pass(names(out));
    for (const name of names(out)) assert.equal(ready(name), 'True Synced');
    assert.equal(
      JSON.stringify([...topics.topics].map(([, topic]) => [topic.placements, [...topic.overrides]])),
      before,
    );
  });

  test('nothing is written, and what was imported once is left out the next time', async () => {
    const { run, state, apply } = await cluster();
    const before = state();
    const { out } = await run('import');
    assert.equal(state(), before);
    for (const { metadata, spec } of documents(out)) apply(metadata.name, spec);
    const again = await run('import');
    assert.deepEqual([again.code, again.out], [0, '']);
    assert.match(again.err, /^Orders_V1 +there is KafkaTopic shop\/orders-v1-[0-9a-f]{8} for it$/m);
  });

  test('patterns choose topics, and change no name', async () => {
    const { run } = await cluster();
    const all = names((await run('import')).out);
    const { out } = await run('import', 'Orders*', '?schemas');
    assert.deepEqual(names(out), [all[0], 'schemas']);
  });

  test('a name that an object of the namespace has for another topic is not given again', async () => {
    const { run, topics, apply } = commandWorld();
    topics.add('orders');
    topics.add('other');
    apply('orders', { topicName: 'other' });
    const [document] = documents((await run('import')).out);
    assert.match(document?.metadata.name ?? '', /^orders-[0-9a-f]{8}$/);
    assert.equal(document?.spec.topicName, 'orders');
  });

  test('the namespace is named only where -n names it', async () => {
    const { run } = await cluster();
    assert.ok(documents((await run('import')).out).every(({ metadata }) => metadata.namespace === undefined));
    assert.ok(documents((await run('import', '-n', 'b')).out).every(({ metadata }) => metadata.namespace === 'b'));
  });

  test('JSON has the manifests with the report, and names can be handed on', async () => {
    const { run } = await cluster();
    const { out } = await run('import', '-o', 'json');
    golden('import.json.txt', out);
    const all = (await run('import')).out;
    assert.deepEqual(
      JSON.parse(out).objects.map(({ manifest }: { manifest: unknown }) => manifest),
      documents(all),
    );
    assert.equal((await run('import', '-o', 'yaml')).out, all);
    const lines = names(all).map((name) => `kafkatopic.cache.example.com/${name}\n`);
    assert.equal((await run('import', '-o', 'name')).out, lines.join(''));
  });

  test('a text that older YAML would read as something else is quoted', async () => {
    const { run, topics } = commandWorld();
    topics.add('odd', { config: { 'compression.type': 'producer' } });
    topics.topics.get('odd')?.overrides.set('compression.type', 'on');
    const { out } = await run('import');
    assert.equal(parse(out, { version: '1.1' }).spec.config['compression.type'], 'on');
  });

  test('a topic that may not be read is left out and said, exit 1; the others are written', async () => {
    const { run, topics } = await cluster();
    const denied = new Failure('NotAuthorized', 'DescribeConfigs on the topic is missing', { retryable: false });
    topics.fault = ({ method }) => (method === 'observe' ? { items: new Map([['uneven', denied]]) } : undefined);
    const { code, out, err } = await run('import', '--no-report');
    assert.equal(code, 1);
    assert.ok(!names(out).includes('uneven') && names(out).includes('schemas'));
    assert.match(err, /^uneven +NotAuthorized: DescribeConfigs on the topic is missing$/m);
  });

  test('without a report the API server is not asked', async () => {
    const { run, resources } = await cluster();
    resources.fault = () => assert.fail('it was asked');
    const { code, out, err } = await run('import', '--no-report', 'clicks');
    assert.deepEqual([code, names(out)], [0, ['clicks']]);
    assert.equal(err, "Import: 1 object, 0 left out, 2 of Kafka's own.\n");
  });

  test('objects that an installation would not select are told', async () => {
    const { run } = await cluster({ selects: (labels: ReadonlyMap<string, string>) => labels.has('team') });
    const { err } = await run('import');
    assert.match(err, /^WATCH_LABEL_SELECTOR does not select it +Orders_V1, _schemas, orders-v1 and 1 more$/m);
  });

  for (const [what, args, problem] of [
    [
      'a pattern that matches nothing',
      ['nix*'],
      /^topicsmith: no topic matches "nix\*": there are 5 others, and Kafka's own .*\n$/,
    ],
    [
      'a pattern for Kafka’s own topics',
      ['__*'],
      /^topicsmith: no topic matches "__\*": there are 5 others, and Kafka's own .*\n$/,
    ],
    ['a pattern that can match nothing', ['a/b'], /^topicsmith: "a\/b" is no pattern for topics: .*\n$/],
    ['files without Strimzi', ['-f', 'x.yaml'], /^topicsmith: -f and --selector choose among .* --from strimzi\n$/],
    ['all namespaces', ['-A'], /^topicsmith: live topics are in no namespace: .*\n$/],
    ['an unknown mode', ['--mode', 'Nix'], /^topicsmith: .*Allowed choices are Observe, Plan, Enforce, Paused.*\n$/],
  ] as const)
    test(`${what} is one line that says so, exit 1`, async () => {
      const { code, out, err } = await (await cluster()).run('import', ...args);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, problem);
    });
});

describe('topicsmith import --to-dir', () => {
  test('each manifest is in a file of its own, which plan -f reads', async () => {
    const { run } = await cluster();
    const folder = join(dir, 'each');
    const { code, out } = await run('import', '--to-dir', folder);
    assert.equal(code, 0);
    const { out: all } = await run('import');
    assert.equal(
      out,
      names(all)
        .map((name) => `${join(folder, name)}.yaml\n`)
        .join(''),
    );
    const written = names(all).map((name) => readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    assert.equal(written.join('---\n'), all);
    const planned = await run('plan', '-f', folder);
    assert.equal(planned.code, 0, planned.out);
  });

  test('a file that is there is not overwritten, and then nothing is written', async () => {
    const { run } = await cluster();
    const folder = join(dir, 'there');
    file('there/uneven.yaml', 'mine');
    const { code, out, err } = await run('import', '--to-dir', folder);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^topicsmith: .*uneven\.yaml is there already, and nothing was written: .*\n$/);
    assert.deepEqual(readdirSync(folder), ['uneven.yaml']);
    assert.equal(readFileSync(join(folder, 'uneven.yaml'), 'utf8'), 'mine');
  });

  test('a directory that cannot be made is one line, exit 1', async () => {
    const { run } = await cluster();
    const { code, err } = await run('import', '--to-dir', join(file('a-file', ''), 'below'));
    assert.equal(code, 1);
    assert.match(err, /^topicsmith: cannot write .*: ENOTDIR; nothing was written\n$/);
  });

  test('when a file cannot be written those before it are named', async () => {
    const { run, strimzi } = commandWorld();
    strimzi.topics = ['a', 'b', 'c'].map((namespace) => ({
      metadata: { name: 'orders', namespace },
      spec: { topicName: namespace },
    }));
    file('midway/c', 'a file where a directory would be');
    const folder = join(dir, 'midway');
    const { code, out, err } = await run('import', '--from', 'strimzi', '-A', '--to-dir', folder);
    assert.deepEqual([code, out], [1, '']);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name, 'orders.yaml'));
    assert.match(err, /: E(EXIST|NOTDIR); /);
    assert.equal(err.replace(/: E\w+; /, ' '), `topicsmith: cannot write ${c} written before it: ${a}, ${b}\n`);
  });

  for (const metadata of [
    { name: '../escaped' },
    { name: '..' },
    { name: '/tmp/escaped' },
    { name: 'orders', namespace: '../escaped' },
    { name: 'orders', namespace: 'a.b' },
    { name: 'x'.repeat(254) },
  ])
    test(`nothing is written for ${JSON.stringify(metadata).slice(0, 50)}, which no object can be called`, async () => {
      const object = { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic', metadata };
      const other = { ...object, metadata: { name: 'fine', namespace: 'fine' } };
      const folder = join(dir, 'kept', 'in');
      const { code, out, err } = await commandWorld({
        input: `${JSON.stringify(other)}\n---\n${JSON.stringify(object)}\n`,
      }).run('import', '--from', 'strimzi', '-f', '-', '--no-report', '--to-dir', folder);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^topicsmith: a KafkaTopic of kafka\.strimzi\.io .*no name that Kubernetes takes.*\n$/);
      assert.ok(!existsSync(join(dir, 'kept')));
    });

  test('manifests of several namespaces are apart', async () => {
    const { run, strimzi } = commandWorld();
    const of = (namespace: string) => ({ metadata: { name: 'orders', namespace }, spec: { topicName: namespace } });
    strimzi.topics = [of('a'), of('b')];
    const { out } = await run('import', '--from', 'strimzi', '-A', '--to-dir', join(dir, 'apart'));
    assert.equal(out, ['a', 'b'].map((name) => `${join(dir, 'apart', name, 'orders.yaml')}\n`).join(''));
  });
});

describe('topicsmith import --from strimzi', () => {
  test('manifests become ours, and the report tells what has no counterpart and what would change', async () => {
    const { run, state } = await cluster({ input: strimzi });
    const before = state();
    const { code, out, err } = await run('import', '--from', 'strimzi', '-f', '-');
    assert.equal(code, 0);
    golden('import.strimzi.yaml', out);
    golden('import.strimzi.txt', err);
    assert.equal(state(), before);
  });

  test('what would change only in part is counted as that', async () => {
    const { run } = await cluster({ input: strimzi.replace('partitions: 4', 'partitions: 1') });
    const { err } = await run('import', '--from', 'strimzi', '-f', '-', 'Orders_V1');
    assert.match(err, /^Orders_V1 +PartitionsCannotShrink /m);
    assert.match(err, /would be changed \(1 after approval, 1 only in part\), 0 refused\.$/m);
  });

  test('what the report says of mode Enforce is what the worker then does', async () => {
    const { run, apply, pass, status } = await cluster({ input: strimzi });
    const { objects } = JSON.parse((await run('import', '--from', 'strimzi', '-f', '-', '-o', 'json')).out);
    const orders = objects.find(({ name }: { name: string }) => name === 'orders');
    apply('orders', { ...orders.manifest.spec, mode: 'Enforce' });
    await pass(['orders']);
    const held = status('orders')?.plan?.actions.filter(({ type }) => type !== 'BindTopic') ?? [];
    const shown = (changes: readonly { type: string; from?: string; to?: string }[]) =>
      changes.map(({ type, from, to }) => ({ type, from, to }));
    assert.equal(held.length, 2);
    assert.deepEqual(shown(orders.adoption.changes), shown(held));
  });

  test('what the API server has is read as a file is', async () => {
    const { run, strimzi: installed } = await cluster();
    installed.topics = parseAllDocuments(strimzi.replace('9223372036854775807', '1048576'))
      .map((document) => document.toJS())
      .filter(({ kind }) => kind === 'KafkaTopic');
    const { code, out } = await run('import', '--from', 'strimzi');
    assert.deepEqual([code, names(out)], [0, ['orders', 'uneven', 'fresh']]);
    assert.deepEqual(names((await run('import', '--from', 'strimzi', '-l', 'team=a')).out), ['orders']);
    assert.deepEqual(names((await run('import', '--from', 'strimzi', 'Orders_*')).out), ['orders']);
  });

  test('an object that is being deleted is left out, since its topic may go', async () => {
    const { run, strimzi: installed } = commandWorld();
    installed.topics = [{ metadata: { name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: {} }];
    const { out, err } = await run('import', '--from', 'strimzi');
    assert.equal(out, '');
    assert.match(err, /^going +Strimzi's KafkaTopic is being deleted$/m);
  });

  test('files are converted offline, into the namespace that -n names', async () => {
    const { run, resources, topics } = commandWorld({ input: strimzi });
    resources.fault = () => assert.fail('the API server was asked');
    topics.fault = () => assert.fail('the brokers were asked');
    const { code, out } = await run('import', '--from', 'strimzi', '-f', '-', '-n', 'b', '--no-report');
    assert.equal(code, 0);
    assert.deepEqual(
      documents(out).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ['b/orders', 'b/uneven', 'b/fresh', 'b/clicks'],
    );
  });

  const twice = `${strimzi}---\n${strimzi.split('---')[0]}`;
  for (const [what, input, args, problem] of [
    ['Strimzi that is not installed', '', [], /^topicsmith: Strimzi is not installed\n$/],
    [
      'files with none',
      'kind: ConfigMap',
      ['-f', '-'],
      /^1 object is no KafkaTopic of kafka\.strimzi\.io: left out\ntopicsmith: no KafkaTopic of kafka\.strimzi\.io in -: .*\n$/,
    ],
    ['a selector that is none', strimzi, ['-f', '-', '-l', 'a in b'], /topicsmith: --selector: .*\n$/],
    [
      'a selector that selects none',
      strimzi,
      ['-f', '-', '-l', 'a=b'],
      /topicsmith: no KafkaTopic of kafka\.strimzi\.io there: .*\n$/,
    ],
    ['the same object twice', twice, ['-f', '-'], /topicsmith: KafkaTopic shop\/orders comes out twice, .*\n$/],
    [
      'topics of two Kafka clusters',
      strimzi.replace('cluster: main', 'cluster: other'),
      ['-f', '-'],
      /topicsmith: these KafkaTopics are of several Kafka clusters \(main, other\): choose one with -l strimzi\.io\/cluster=main\n$/,
    ],
    [
      'an object without a name',
      'apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic',
      ['-f', '-'],
      /topicsmith: a KafkaTopic of kafka\.strimzi\.io has no metadata\.name: .*\n$/,
    ],
  ] as const)
    test(`${what} is one line that says so, exit 1`, async () => {
      const { code, out, err } = await commandWorld({ input }).run('import', '--from', 'strimzi', ...args);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, problem);
    });
});
