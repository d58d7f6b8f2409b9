import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { SettingsError } from '../../functions/settings/read.ts';
import { golden } from '../support/golden.ts';
import { commandWorld, fleet } from './world.ts';

const commands = [
  'plan',
  'drift',
  'approve',
  'reconcile',
  'status',
  'dlq',
  'doctor',
  'import',
  'uninstall-check',
  'completion',
];

describe('topicsmith', () => {
  test('--help shows every command, exit 0', async () => {
    const { code, out, err } = await commandWorld().run('--help');
    assert.deepEqual([code, err], [0, '']);
    golden('help.txt', out);
    for (const command of commands) assert.match(out, new RegExp(`^ {2}${command} `, 'm'));
  });

  for (const command of commands)
    test(`${command} --help has examples that begin with its name or feed it, exit 0`, async () => {
      const { code, out } = await commandWorld().run(command, '--help');
      assert.equal(code, 0);
      const [, given = ''] = out.split('Examples:\n');
      assert.ok(given.includes(`topicsmith ${command}`));
      golden(`help.${command}.txt`, out);
    });

  for (const command of ['list', 'show', 'replay', 'drop'])
    test(`dlq ${command} --help has examples, exit 0`, async () => {
      const { code, out } = await commandWorld().run('dlq', command, '--help');
      assert.equal(code, 0);
      assert.ok(out.split('Examples:\n')[1]?.includes(`topicsmith dlq ${command}`));
      golden(`help.dlq-${command}.txt`, out);
    });

  for (const [what, args] of [
    ['an unknown command', ['nix']],
    ['an unknown flag', ['plan', '--nix']],
    ['an unknown format', ['plan', '-o', 'xml']],
    ['a missing argument', ['approve']],
    ['a shell nobody knows', ['completion', 'tcsh']],
  ] as const)
    test(`${what} is one line that says where to look, exit 1`, async () => {
      const { code, out, err } = await commandWorld().run(...args);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^topicsmith: .*; --help shows what there is\n$/);
    });

  test('a defect is one line too', async () => {
    const { run, resources } = await fleet();
    resources.fault = () => {
      throw new TypeError('x is not\n a function');
    };
    const { code, err } = await run('plan');
    assert.deepEqual([code, err], [1, 'topicsmith: x is not a function\n']);
  });

  test('settings that are wrong are told all at once, a line each', async () => {
    const { run, resources } = await fleet();
    resources.fault = () => {
      throw new SettingsError(['KAFKA_TLS is "yes"', 'KAFKA_BROKERS is not set']);
    };
    const { code, err } = await run('plan');
    assert.deepEqual([code, err], [1, 'topicsmith: KAFKA_TLS is "yes"\ntopicsmith: KAFKA_BROKERS is not set\n']);
  });

  test('values at the brokers cannot colour or move what is shown', async () => {
    const { run, topics } = await fleet();
    topics.topics.get('clicks')?.overrides.set('segment.ms', '\x1b[31m1000');
    for (const command of ['plan', 'drift']) assert.ok(!(await run(command)).out.includes('\x1b'));
  });

  const wild = 'x\u001b]0;a\u0007\u009b31m\u202ey';
  const acts = /[^\P{Cc}\n]|\p{Cf}/u;

  test('names in files cannot colour or move what is shown, nor errors about them', async () => {
    const object = (apiVersion: string, spec = {}, labels = {}) =>
      JSON.stringify({ apiVersion, kind: 'KafkaTopic', metadata: { name: wild, labels }, spec });
    const ours = object('cache.example.com/v1alpha1');
    const theirs = (cluster: string) =>
      object('kafka.strimzi.io/v1', { topicName: 'a' }, { 'strimzi.io/cluster': cluster });
    for (const [input, ...args] of [
      [ours, 'plan', '-f', '-'],
      [ours, 'plan', '-f', '-', '-o', 'name'],
      [ours, 'plan', '-f', '-', '-o', 'json'],
      [ours, 'plan', '-f', '-', '-o', 'yaml'],
      [`${ours}\n---\n${ours}`, 'plan', '-f', '-'],
      [theirs('a'), 'import', '--from', 'strimzi', '-f', '-'],
      ['', 'plan', wild],
      ['', 'drift', `--${wild}`],
    ] as const) {
      const { out, err } = await commandWorld({ input }).run(...args);
      assert.doesNotMatch(out + err, acts, args.join(' '));
      assert.match(out + err, /x\\(u001b|U0000001b|e)/, args.join(' '));
    }
  });

  test('nor can labels in an error about several Kafka clusters', async () => {
    const topic = (name: string, cluster: string) =>
      JSON.stringify({
        apiVersion: 'kafka.strimzi.io/v1',
        kind: 'KafkaTopic',
        metadata: { name, labels: { 'strimzi.io/cluster': cluster } },
      });
    const input = `${topic('a', wild)}\n---\n${topic('b', 'b')}`;
    const { err } = await commandWorld({ input }).run('import', '--from', 'strimzi', '-f', '-');
    assert.match(err, /several Kafka clusters \(b, x\\u001b/);
    assert.doesNotMatch(err, acts);
  });

  test('completion scripts know every command and its flags', async () => {
    const { run } = commandWorld();
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const { code, out } = await run('completion', shell);
      assert.equal(code, 0);
      for (const command of commands) assert.ok(out.includes(command));
      assert.match(out, shell === 'fish' ? /-l from-file -r/ : /reconcile\).*--from-file/);
      assert.match(
        out,
        shell === 'fish' ? /-a 'list show replay drop'/ : /dlq\) words='list show replay drop --.*--rate/,
      );
    }
  });
});

test('nothing is loaded for --help but the commands and commander', () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file) || !file.endsWith('.ts')) return;
    seen.add(file);
    // imports of types are gone when it runs, and `import()` loads later
    const loaded = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm);
    for (const [, name = ''] of loaded)
      if (name.startsWith('.')) follow(normalize(join(dirname(file), name)));
      else packages.add(name);
  };
  follow('functions/cli.ts');
  assert.ok(seen.size > 10);
  assert.deepEqual(
    [...packages].filter((name) => !name.startsWith('node:')),
    ['commander'],
  );
});
