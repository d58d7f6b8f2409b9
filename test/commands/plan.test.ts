import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'yaml';
import { apiVersion, kind } from '../../functions/core/api.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { temporaryFolder } from '../support/folder.ts';
import { golden } from '../support/golden.ts';
import { commandWorld, disturb, fleet } from './world.ts';

const dir = temporaryFolder('plan');

const manifest = (name: string, spec: object, metadata: object = {}) =>
  `${JSON.stringify({ apiVersion, kind, metadata: { name, ...metadata }, spec })}\n`;

function file(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function disturbed(settings = {}) {
  const world = await fleet(settings);
  disturb(world);
  return world;
}

describe('topicsmith plan', () => {
  test('a fleet as wanted has nothing to do, exit 0', async () => {
    const { run } = await fleet();
    const { code, out } = await run('plan', 'orders', 'clicks', 'customers');
    assert.equal(out, 'Plan: 0 to change, 0 refused, 3 with nothing to do.\n');
    assert.equal(code, 0);
  });

  test('changes, held ones, refusals and what is left alone are told apart, exit 2', async () => {
    const { run } = await disturbed();
    const { code, out, err } = await run('plan');
    assert.deepEqual([code, err], [2, '']);
    golden('plan.txt', out);
  });

  test('an object that changes and is refused something is counted as both, exit 2', async () => {
    const { run, apply } = await fleet();
    apply('customers', { numPartitions: 2, config: { 'segment.ms': 60000 } }, { team: 'b' });
    const { code, out } = await run('plan', 'customers', 'orders');
    assert.equal(code, 2);
    golden('plan.partly.txt', out);
    const { summary } = JSON.parse((await run('plan', 'customers', '-o', 'json')).out);
    assert.deepEqual(summary, { changes: 1, held: 0, partlyRefused: 1, refused: 0, unchanged: 0, unknown: 0 });
  });

  test('colour changes no character of the text', async () => {
    const { run } = await disturbed({ colour: true });
    const { out } = await run('plan');
    golden('plan.colour.txt', out);
    golden('plan.txt', stripVTControlCharacters(out));
  });

  test('wide lists what has nothing to do too', async () => {
    const { run } = await disturbed();
    golden('plan.wide.txt', (await run('plan', '-A', '-o', 'wide')).out);
  });

  test('JSON and YAML say the same, and names can be handed on', async () => {
    const { run } = await disturbed();
    const { out } = await run('plan', '-o', 'json');
    golden('plan.json', out);
    assert.deepEqual(parse((await run('plan', '-o', 'yaml')).out), JSON.parse(out));
    const { out: names } = await run('plan', '-o', 'name');
    assert.equal((await run('plan', ...names.trim().split('\n'), '-o', 'name')).out, names);
  });

  test('K149: equals what the worker then does, and writes nothing', async () => {
    const { run, state, pass, topics, status } = await disturbed();
    const before = state();
    const { objects } = JSON.parse((await run('plan', '-o', 'json')).out);
    assert.equal(state(), before);
    await pass(['orders', 'clicks', 'customers', 'audit', 'archive']);
    const plan = new Map<string, { changes: { field: string; to: string; held: boolean }[]; hash?: string }>(
      objects.map((object: { name: string }) => [object.name, object]),
    );
    const done = (name: string) => plan.get(name)?.changes.filter(({ held }) => !held);
    assert.deepEqual(
      done('orders')?.map(({ field, to }) => [field, to]),
      [
        ['config.segment.ms', '60000'],
        ['numPartitions', '6'],
      ],
    );
    assert.equal(topics.topics.get('orders')?.overrides.get('segment.ms'), '60000');
    assert.equal(topics.topics.get('orders')?.numPartitions, 6);
    assert.equal(plan.get('orders')?.hash, status('orders')?.plan?.hash);
    assert.equal(topics.topics.get('orders')?.overrides.get('retention.ms'), '604800000');
    assert.equal(topics.topics.get('clicks')?.overrides.get('segment.ms'), '3600000');
    assert.equal(topics.topics.get('customers')?.numPartitions, 4);
    const again = await run('plan', 'clicks');
    assert.equal(again.code, 0);
  });

  test('what is approved is no longer held', async () => {
    const { run, pass, approve } = await disturbed();
    await pass(['orders']);
    approve('orders');
    const { code, out } = await run('plan', 'orders');
    assert.equal(code, 2);
    assert.match(out, /^ {2}~ config\.retention\.ms: 604800000 -> 3600000 \(approved\)$/m);
    assert.doesNotMatch(out, /HELD/);
  });

  test('a topic that is gone is looked at twice, as the worker does', async () => {
    const { run, topics, pauses } = await fleet();
    topics.topics.delete('orders');
    const { code, out } = await run('plan', 'orders');
    assert.equal(code, 2);
    assert.deepEqual(pauses, [2_000]);
    golden('plan.missing.txt', out);
  });

  test('brokers that cannot be read are exit 1, and counted apart', async () => {
    const { run, topics } = await fleet();
    const away = new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
    topics.fault = () => ({ at: 'before', error: away });
    const { code, out } = await run('plan', '-l', 'team=a');
    assert.equal(code, 1);
    golden('plan.unknown.txt', out);
  });

  test('labels choose, and a selector that is none is one line', async () => {
    const { run } = await disturbed();
    assert.equal(
      (await run('plan', '-l', 'team in (b)', '-o', 'name')).out,
      'kafkatopic.cache.example.com/customers\n',
    );
    const { code, err } = await run('plan', '-l', 'team in b');
    assert.equal(code, 1);
    assert.match(err, /^topicsmith: --selector: "team in b" is not a requirement .*\n$/);
  });

  for (const [what, args, problem] of [
    ['an object that is not there', ['nobody'], /^topicsmith: there is no KafkaTopic shop\/nobody: .*kubectl get.*\n$/],
    ['a name in all namespaces', ['orders', '-A'], /^topicsmith: a name needs one namespace: .*\n$/],
    ['names beside a selector', ['orders', '-l', 'a=b'], /^topicsmith: names do not go together with .*\n$/],
    [
      'names beside files',
      ['orders', '-f', '-'],
      /^topicsmith: names, --selector and --all do not go together with -f.*\n$/,
    ],
    ['a file that is not there', ['-f', '/nowhere/a.yaml'], /^topicsmith: cannot read \/nowhere\/a\.yaml: ENOENT\n$/],
  ] as const)
    test(`${what} is one line that says so, exit 1`, async () => {
      const { code, out, err } = await (await fleet()).run('plan', ...args);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, problem);
    });
});

describe('topicsmith plan -f', () => {
  test('K149: files are planned as they would be applied, and nothing is written', async () => {
    const world = await fleet();
    const before = world.state();
    const path = file(
      'one/topics.yaml',
      `${manifest('orders', { numPartitions: 3, config: { 'retention.ms': 604800000 } })}---\n${manifest('fresh', { numPartitions: 2, deletionPolicy: 'Delete' })}---\n${manifest('wrong', { numPartitions: 0 })}`,
    );
    const { code, out } = await world.run('plan', '-f', path);
    assert.equal(code, 2);
    golden('plan.files.txt', out);
    assert.equal(world.state(), before);
    world.apply('orders', { numPartitions: 3, config: { 'retention.ms': 604800000 } });
    await world.pass(['orders']);
    assert.equal(world.topics.topics.get('orders')?.numPartitions, 3);
  });

  test('a directory is read with its subdirectories when that is asked for', async () => {
    file('two/a.yaml', manifest('a', {}));
    file('two/deep/b.json', manifest('b', {}));
    file('two/notes.txt', 'not: a manifest');
    const { run } = commandWorld();
    const names = async (...flags: string[]) => (await run('plan', '-f', join(dir, 'two'), '-o', 'name', ...flags)).out;
    assert.equal(await names(), 'kafkatopic.cache.example.com/a\n');
    assert.equal(await names('-R'), 'kafkatopic.cache.example.com/a\nkafkatopic.cache.example.com/b\n');
  });

  test('standard input may hold a List, and other kinds are left out', async () => {
    const items = [JSON.parse(manifest('a', {})), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }];
    const { run } = commandWorld({ input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
    const { code, out, err } = await run('plan', '-f', '-', '-o', 'name');
    assert.deepEqual([code, out], [2, 'kafkatopic.cache.example.com/a\n']);
    assert.match(err, /^1 object is no KafkaTopic of cache\.example\.com\/v1alpha1: left out\n$/);
  });

  test('a new object takes over an existing topic only when nobody else wants it', async () => {
    const { run, topics } = await fleet();
    topics.add('loose', { numPartitions: 1 });
    const input = file(
      'three.yaml',
      `${manifest('loose', { numPartitions: 1 })}---\n${manifest('second', { topicName: 'clicks' })}`,
    );
    const { out } = await run('plan', '-f', input);
    golden('plan.takeover.txt', out);
  });

  test('what is held beside a take-over has its reasons, and mode Plan is one only where there is no other', async () => {
    const { run, topics } = commandWorld();
    topics.add('found', { numPartitions: 1, recordCount: 5, config: { 'segment.ms': '1000' } });
    const input = file(
      'eight.yaml',
      `${manifest('found', { config: { 'segment.ms': 60000 } })}---\n${manifest('careful', { mode: 'Plan' })}`,
    );
    golden('plan.held.txt', (await run('plan', '-f', input)).out);
  });

  test('another topic name is refused as the API server refuses it', async () => {
    const { run } = await fleet();
    const { code, out } = await run('plan', '-f', file('four.yaml', manifest('orders', { topicName: 'other' })));
    assert.equal(code, 2);
    assert.match(out, /REFUSED InvalidSpec: .*cannot be renamed to other/);
  });

  test('the same object twice, no object at all, and text that is no YAML are one line each', async () => {
    const { run } = commandWorld();
    const a = file('five/a.yaml', manifest('a', {}));
    const again = file('five/b.yaml', manifest('a', {}));
    assert.match(
      (await run('plan', '-f', a, '-f', again)).err,
      /^topicsmith: KafkaTopic shop\/a stands in .*a\.yaml and in .*b\.yaml: .*\n$/,
    );
    assert.match(
      (await run('plan', '-f', file('six.yaml', ''))).err,
      /^topicsmith: no KafkaTopic of cache\.example\.com\/v1alpha1 in .*six\.yaml: .*\n$/,
    );
    assert.match(
      (await run('plan', '-f', file('seven.yaml', '{a'))).err,
      /^topicsmith: .*seven\.yaml is not YAML: .*\n$/,
    );
  });
});
