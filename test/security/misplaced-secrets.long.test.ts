/** Secrets in places where people put them by mistake: every process that reads them says so without repeating them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildBundles } from '../../infra/build.ts';
import { selfSigned } from '../support/certificates.ts';

const dir = mkdtempSync(join(tmpdir(), 'topicsmith-misplaced-'));
before(() => buildBundles(['forwarder', 'reconcile', 'resync', 'runner-child', 'cli'], dir));
after(() => rmSync(dir, { recursive: true }));

const canary = 'canary4711';
const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

const kubeconfig = (user: string, cluster = '{server: "https://127.0.0.1:1"}'): string => `
clusters: [{name: x, cluster: ${cluster}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
current-context: x
users:
- name: x
  user:
    ${user}
`;

/** A complete environment, in which one thing at a time is wrong. */
const complete = () => ({
  PATH: process.env.PATH,
  HOME: dir,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: canary,
  AWS_SESSION_TOKEN: canary,
  KUBECONFIG: file('kubeconfig', kubeconfig(`token: ${canary}`)),
  KAFKA_BROKERS: '127.0.0.1:1',
  RECONCILE_QUEUE_URL: 'https://127.0.0.1:1/1/reconcile.fifo',
  TICK_QUEUE_URL: 'https://127.0.0.1:1/1/ticks.fifo',
  MAX_RECEIVE_COUNT: '5',
  METRICS_PORT: '0',
});

const sasl = { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'me' };
const key = () => selfSigned().key;

/** `names`: what the person is told to look at. */
const mistakes: readonly {
  readonly reason: string;
  readonly env: () => NodeJS.ProcessEnv;
  readonly names: RegExp;
  readonly kafka?: true;
}[] = [
  {
    reason: 'a kubeconfig that is cut off in the middle',
    env: () => ({ KUBECONFIG: file('cut', `${kubeconfig(`token: ${canary}`)}   client-key-data: {`) }),
    names: /cannot read the kubeconfig( \S+cut)?: it is not YAML at line/,
  },
  {
    reason: 'the kubeconfig itself in KUBECONFIG',
    env: () => ({ KUBECONFIG: kubeconfig(`token: ${canary}`) }),
    names:
      /KUBECONFIG is something else \(not shown|cannot read the kubeconfig: (no such file|ENAMETOOLONG)|the kubeconfig of KUBECONFIG, which has to be a path/,
  },
  {
    reason: 'a kubeconfig as JSON in KUBECONFIG',
    env: () => ({ KUBECONFIG: JSON.stringify({ users: [{ token: canary }] }) }),
    names:
      /KUBECONFIG is something else \(not shown|cannot read the kubeconfig: (no such file|ENAMETOOLONG)|the kubeconfig of KUBECONFIG, which has to be a path/,
  },
  {
    reason: 'a password in the address of the API server',
    env: () => ({
      KUBECONFIG: file('open', kubeconfig('{}', `{server: "http://me:${canary}@api.example.com"}`)),
    }),
    names: /would send credentials to http:\/\/api\.example\.com without checking/,
  },
  {
    reason: 'a password in the address of the queue server',
    env: () => ({ SQS_ENDPOINT: `http://me:${canary}@queue.example.com` }),
    names: /SQS_ENDPOINT has plain http to another machine: use https/,
  },
  {
    reason: 'a private key in place of its file',
    env: () => ({ KAFKA_TLS: 'true', KAFKA_CERT_FILE: file('cert', selfSigned().cert), KAFKA_KEY_FILE: key() }),
    names: /KAFKA_KEY_FILE is something else \(not shown/,
    kafka: true,
  },
  {
    reason: 'a password in place of the certificate of an authority',
    env: () => ({ KAFKA_TLS: 'true', KAFKA_CA_FILE: canary }),
    names: /KAFKA_CA_FILE has to name a PEM file: the one that is named cannot be read \(ENOENT\)/,
    kafka: true,
  },
  {
    reason: 'a password in place of its file, and no broker',
    env: () => ({ ...sasl, KAFKA_SASL_PASSWORD_FILE: canary }),
    names: /./,
    kafka: true,
  },
];

type Said = { readonly stdout: string; readonly stderr: string };

const run = (script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> =>
  promisify(execFile)(process.execPath, [script, ...args], { env, timeout: 20_000 }).catch((error: Said) => error);

/** As Lambda's runtime calls a function: what it prints, and the error that it gives back. */
const invoke = (name: 'reconcile' | 'resync', env: NodeJS.ProcessEnv): Promise<Said> => {
  const request = { v: 1, namespace: 'shop', name: 'orders', trigger: 'change', id: '1' };
  const body = JSON.stringify(name === 'reconcile' ? request : { v: 1, tick: '1' });
  const call = `require(${JSON.stringify(join(dir, `${name}.cjs`))}).handler({ Records: [{ messageId: 'm', body: ${JSON.stringify(body)} }] }, {})`;
  return run(
    file(`${name}.call.cjs`, `${call}.then(console.log, (error) => { console.log(error); process.exit(1); });`),
    [],
    env,
  );
};

const processes: Readonly<Record<string, (env: NodeJS.ProcessEnv) => Promise<Said>>> = {
  forwarder: (env) => run(join(dir, 'forwarder.cjs'), [], env),
  reconcile: (env) => invoke('reconcile', env),
  resync: (env) => invoke('resync', env),
  async 'command line'(env) {
    const commands = [['plan'], ['dlq', 'list'], ['import', '--no-report']];
    const said = await Promise.all(commands.map((args) => run(join(dir, 'cli.cjs'), args, env)));
    return { stdout: said.map(({ stdout }) => stdout).join(''), stderr: said.map(({ stderr }) => stderr).join('') };
  },
};

for (const { reason, env, names, kafka } of mistakes)
  for (const [name, start] of Object.entries(processes)) {
    // the forwarder talks to no broker
    if (kafka && name === 'forwarder') continue;
    test(`T136: ${reason}: the ${name} does not repeat it`, async () => {
      const given = env();
      const { stdout, stderr } = await start({ ...complete(), ...given });
      const said = stdout + stderr;
      assert.doesNotMatch(said, new RegExp(canary));
      assert.doesNotMatch(said, /BEGIN (EC )?PRIVATE KEY/);
      for (const line of given.KAFKA_KEY_FILE?.split('\n').filter((part) => part.length > 40) ?? [])
        assert.ok(!said.includes(line));
      assert.match(said, names);
    });
  }
