/** kube-apiserver with etcd inside (`kube-apiserver/main.go`): one process, its identities, and a kubeconfig for each. */
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { topicsPath } from '../../functions/adapters/kube/client.ts';
import { group, plural } from '../../functions/core/api.ts';
import { goPrograms } from './go.ts';
import { get } from './https.ts';
import { Part, type Place, startAll } from './part.ts';
import { freePorts } from './ports.ts';

/** Who may log in, with a token each; `admin` may do everything, what the others may do stands in `infra/rbac.yaml`. */
export const identities = {
  admin: { user: 'topicsmith-admin', group: 'system:masters' },
  forwarder: { user: 'topicsmith-forwarder', group: 'topicsmith:forwarder' },
  reconciler: { user: 'topicsmith-reconciler', group: 'topicsmith:reconciler' },
  resync: { user: 'topicsmith-resync', group: 'topicsmith:resync' },
  'tenant-a': { user: 'tenant-a', group: 'topicsmith:tenant' },
  'tenant-b': { user: 'tenant-b', group: 'topicsmith:tenant' },
} as const;

export type Identity = keyof typeof identities;

export type ApiServer = {
  readonly parts: readonly Part[];
  /** https URL */
  readonly server: string;
  /** kubeconfig files, readable by their owner only */
  readonly kubeconfigs: Readonly<Record<Identity, string>>;
  /** JSON lines: a request each; bodies for KafkaTopics only */
  readonly auditLog: string;
  /** Forgets every version of every object but the newest, as etcd's compaction does every few minutes anyway. */
  compact(): Promise<void>;
};

export const KUBERNETES_VERSION = '1.36.3';

/** The API server's name for its own version comes from the linker; kubectl refuses to talk to one without. */
const stamp = [
  `gitVersion=v${KUBERNETES_VERSION}`,
  `gitMajor=${KUBERNETES_VERSION.split('.')[0]}`,
  `gitMinor=${KUBERNETES_VERSION.split('.')[1]}`,
  'gitTreeState=clean',
].map((value) => `-X k8s.io/component-base/version.${value}`);

export const apiServerBinary = goPrograms({
  title: `Kubernetes ${KUBERNETES_VERSION}`,
  module: join(import.meta.dirname, 'kube-apiserver'),
  files: ['go.mod', 'go.sum', 'main.go'],
  flags: ['-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...stamp].join(' ')],
  output: 'kube-apiserver',
});

/**
 * Starts an empty API server and waits until it serves and has its namespace `default`.
 *
 * @param more flags beside the usual ones
 */
export async function startApiServer(
  place: Place,
  binaryDirectory: string,
  more: readonly string[] = [],
): Promise<ApiServer> {
  const [port = 0] = await freePorts(1);
  const server = `https://127.0.0.1:${port}`;
  const data = join(place.dir, 'data', 'apiserver');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  mkdirSync(join(place.dir, 'logs'), { recursive: true });
  const tokens = writeTokens(join(data, 'tokens.csv'));
  writeServiceAccountKey(join(data, 'service-account.key'));
  writeFileSync(join(data, 'audit-policy.yaml'), stringify(auditPolicy));
  const socket = socketFor(data);
  const auditLog = auditLogFor(place);
  const part = new Part(
    {
      name: 'apiserver',
      command: join(binaryDirectory, 'kube-apiserver'),
      args: [...flags(data, socket, port, auditLog), ...more],
      // a third less time in the collector, for some memory; and a tenth less by not growing the stack of each request
      env: { ...process.env, GOGC: '300', GODEBUG: 'adaptivestackstart=1' },
      log: join(place.dir, 'logs', 'apiserver.log'),
      ready: () => serves(server, certificate(data), tokens.admin),
      graceMs: 0,
    },
    place,
  );
  await startAll([part]);
  const kubeconfigs = writeKubeconfigs(place.dir, server, readFileSync(certificate(data)), tokens);
  return { parts: [part], server, kubeconfigs, auditLog, compact: () => compact(socket) };
}

/** A run of tests gathers the logs of all its API servers, which would go away with their systems. */
function auditLogFor({ dir }: Place): string {
  const { TOPICSMITH_AUDIT_DIR } = process.env;
  return TOPICSMITH_AUDIT_DIR ? join(TOPICSMITH_AUDIT_DIR, `${randomUUID()}.log`) : join(dir, 'logs', 'audit.log');
}

/** The API server makes its own certificate authority and certificate when it finds none. */
const certificate = (data: string) => join(data, 'tls', 'apiserver.crt');

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
function flags(data: string, socket: string, port: number, auditLog: string): string[] {
  return [
    `--etcd-dir=${join(data, 'etcd')}`,
    `--etcd-socket=${socket}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(data, 'tls')}`,
    `--token-auth-file=${join(data, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(data, 'service-account.key')}`,
    `--service-account-signing-key-file=${join(data, 'service-account.key')}`,
    `--audit-policy-file=${join(data, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLog}`,
    '--audit-log-maxsize=1024',
    '--audit-log-maxbackup=1',
    '--profiling=false',
    // one user on one machine: nobody to be fair to
    '--enable-priority-and-fairness=false',
  ];
}

/** Bodies of writes to our own objects, to see what was in them; of the rest, that it happened. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Request',
      verbs: ['create', 'update', 'patch', 'delete'],
      resources: [{ group, resources: [plural, `${plural}/*`] }],
    },
    { level: 'Metadata' },
  ],
};

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file */
function writeTokens(file: string): Record<Identity, string> {
  const tokens = mapIdentities(() => randomBytes(32).toString('hex'));
  const rows = mapIdentities(
    (name) => `${tokens[name]},${identities[name].user},${name},"${identities[name].group}"\n`,
  );
  writeFileSync(file, Object.values(rows).join(''), { mode: 0o600 });
  return tokens;
}

function mapIdentities<T>(make: (name: Identity) => T): Record<Identity, T> {
  const names = Object.keys(identities) as Identity[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Identity, T>;
}

function writeServiceAccountKey(file: string): void {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

function writeKubeconfigs(dir: string, server: string, authority: Buffer, tokens: Record<Identity, string>) {
  return mapIdentities((name) => {
    const file = join(dir, name === 'admin' ? 'kubeconfig' : `kubeconfig.${name}`);
    const context = { cluster: 'topicsmith', user: identities[name].user, namespace: 'default' };
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'topicsmith', cluster: { server, 'certificate-authority-data': authority.toString('base64') } },
      ],
      users: [{ name: identities[name].user, user: { token: tokens[name] } }],
      contexts: [{ name: 'topicsmith', context }],
      'current-context': 'topicsmith',
    };
    writeFileSync(file, stringify(content, { lineWidth: 0 }), { mode: 0o600 });
    return file;
  });
}

/**
 * Ready by its own account, with the namespace `default`; and KafkaTopics, if they are defined, can be read, which takes
 * a moment longer after a restart ("storage is (re)initializing").
 */
async function serves(server: string, authorityFile: string, token: string): Promise<boolean> {
  if (!existsSync(authorityFile)) return false;
  const authority = readFileSync(authorityFile);
  const status = (path: string) => get(`${server}${path}`, authority, token);
  if ((await status('/readyz')) !== 200 || (await status('/api/v1/namespaces/default')) !== 200) return false;
  return [200, 404].includes((await status(`${topicsPath()}?limit=1&resourceVersion=0`)) ?? 0);
}

/** Paths of unix sockets have room for about 100 characters, directories of checkouts have not always. */
function socketFor(data: string): string {
  const near = join(data, 'etcd.sock');
  if (near.length <= 90) return near;
  const dir = join(tmpdir(), `topicsmith-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { mode: 0o700 });
  return join(dir, 'etcd.sock');
}

/** @see https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ */
async function compact(socket: string): Promise<void> {
  const { header } = await etcd(socket, '/v3/kv/range', { key: Buffer.from('\0').toString('base64'), limit: 1 });
  await etcd(socket, '/v3/kv/compaction', { revision: header.revision, physical: true });
}

function etcd(socketPath: string, path: string, body: unknown): Promise<{ header: { revision: string } }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`etcd ${path}: ${text}`)),
      );
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
