/** What ships for the cluster and for Lambda can neither start a process nor evaluate code. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { buildBundles, sealedBundles } from '../../infra/build.ts';

const dir = mkdtempSync(join(tmpdir(), 'topicsmith-bundles-'));
before(() => buildBundles([...sealedBundles, 'cli'], dir));
after(() => rmSync(dir, { recursive: true }));

const codeOf = (name: string) => readFileSync(join(dir, `${name}.cjs`), 'utf8');
const found = (code: string, pattern: RegExp) => [...code.matchAll(pattern)].map(([text]) => text);
const required = (code: string) =>
  new Set([...code.matchAll(/(?<![.\w$])require\("([^"]+)"\)/g)].map(([, name = '']) => name));

/** Modules of Node that start processes, run text as code, open the process to a debugger, or load native code. */
const dangerous = ['child_process', 'cluster', 'vm', 'inspector', 'inspector/promises', 'repl', 'module', 'wasi'];

for (const name of sealedBundles)
  describe(name, () => {
    test('T133: it loads nothing that starts processes or evaluates code', () => {
      const modules = required(codeOf(name));
      assert.ok(modules.has('node:tls'), 'the pattern finds what is loaded');
      assert.deepEqual(
        [...modules].filter((module) => dangerous.includes(module.replace(/^node:/, ''))),
        [],
      );
    });

    test('T133: besides modules of Node it asks for one package, where that is installed', () => {
      // signing in native code
      const others = [...required(codeOf(name))].filter((module) => !isBuiltin(module));
      assert.deepEqual(others.sort(), ['@aws-sdk/signature-v4-crt']);
    });

    test('T133: it loads nothing by a name that is made up while it runs', () => {
      const code = codeOf(name);
      // a method of ours is called `require`: its definition goes on with a block
      assert.deepEqual(found(code, /(?<![.\w$])require\((?!["'])[^)]*\)(?!\{).{0,40}/g), []);
      assert.deepEqual(found(code, /(?<![.\w$])import\((?!["']).{0,40}/g), []);
      assert.deepEqual(found(code, /createRequire|process\.binding|\.dlopen\(|getBuiltinModule/g), []);
    });

    test('T133: it evaluates no text', () => {
      assert.deepEqual(found(codeOf(name), /.{0,20}(?<![.\w$])(eval|Function)\(.{0,40}/g), []);
    });
  });

describe('a kubeconfig with a command', () => {
  const marker = join(dir, 'was-run');
  const kubeconfig = join(dir, 'kubeconfig');
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    KUBECONFIG: kubeconfig,
    KAFKA_BROKERS: '127.0.0.1:1',
    RECONCILE_QUEUE_URL: 'https://127.0.0.1:1/1/reconcile.fifo',
    MAX_RECEIVE_COUNT: '5',
    AWS_REGION: 'eu-west-1',
  };
  const body = JSON.stringify({ v: 1, namespace: 'shop', name: 'orders', trigger: 'change', id: '1' });
  const event = JSON.stringify({ Records: [{ messageId: 'm', body, receiptHandle: 'r' }] });
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [...args], { env }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );

  before(() => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', `require('fs').writeFileSync(${JSON.stringify(marker)}, '')`],
      interactiveMode: 'Never',
    };
    const config = {
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'x', user: { exec } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      'current-context': 'x',
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
  });

  test('T133: is not run by a function, which says what to do instead', async () => {
    const call = `require(${JSON.stringify(join(dir, 'reconcile.cjs'))}).handler(${event}, {})`;
    const { stderr } = await run('-e', call);
    assert.match(stderr, /this program starts no processes: exec in a kubeconfig .* use a token, or the role/);
    assert.equal(existsSync(marker), false);
  });

  test('T133: is run by the command line, as kubectl runs it', async () => {
    await run(join(dir, 'cli.cjs'), 'plan');
    assert.equal(existsSync(marker), true);
  });
});
