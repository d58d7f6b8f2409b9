/** What the chart makes of values, judged by the real API server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { temporary } from '../local/support.ts';
import { create, remove, templateOf, tryApply, tryPod } from '../support/cluster/apply.ts';
import {
  chart,
  type Helm,
  helm,
  manifestsIn,
  onAws,
  succeeds,
  type Values,
  withoutAws,
} from '../support/cluster/helm.ts';
import type { Manifest } from '../support/cluster/types.ts';
import { realApi, removeNamespace } from '../support/kube/real-api.ts';

const api = realApi();
const home = temporary();
const namespace = `chart-${process.pid}`;
let run: Helm;

before(async () => {
  run = await helm(home.path);
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace, labels } } });
  // what a controller makes in every namespace
  await create(api, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
});
after(async () => {
  await removeNamespace(api, namespace);
  await api.close();
  home.remove();
});

const render = async (values: Values, ...args: readonly string[]): Promise<readonly Manifest[]> =>
  manifestsIn(await succeeds(run(['template', 'topicsmith', chart, '--namespace', namespace, ...args], values)));

const merge = (...parts: readonly Values[]): Values => Object.assign({}, ...parts);

const local = withoutAws('kafka-0.kafka:9092,kafka-1.kafka:9093');
const everything = merge(local, {
  watch: { namespaces: ['default', 'kube-system'] },
  image: { repository: 'registry.example/topicsmith', tag: '1.2.3', pullPolicy: 'Always', pullSecrets: ['pull'] },
  kafka: {
    brokers: ['kafka:9093'],
    clusterId: 'abc',
    clientId: 'topicsmith',
    tls: true,
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'topicsmith' },
    secret: {
      name: 'kafka',
      keys: { ca: 'ca.crt', certificate: 'tls.crt', privateKey: 'tls.key', password: 'password' },
    },
  },
  approvalRequired: ['DeleteAdopted'],
  reassignmentBytesPerSecond: 10_000_000,
  policies: { limits: true, finalizer: true },
  metrics: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    rules: { enabled: true },
    dashboard: { enabled: true },
  },
  networkPolicy: {
    apiServer: { to: [{ ipBlock: { cidr: '10.0.0.1/32' } }], ports: [6443] },
    kafka: { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kafka' } } }], ports: [9093] },
    metrics: { from: [{ namespaceSelector: {} }] },
  },
  pods: {
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    annotations: { team: 'platform' },
    priorityClassName: 'system-cluster-critical',
  },
  namespace: { create: true },
});

const matrix: ReadonlyMap<string, Values> = new Map([
  ['on AWS', onAws],
  ['on AWS with settings from objects', { sqs: { configMap: 'queues', credentialsSecret: 'aws' } }],
  [
    'on AWS with several forwarders and a role',
    merge(onAws, {
      forwarder: {
        replicas: 3,
        serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::000000000000:role/f' },
      },
    }),
  ],
  [
    'functions in the cluster, queues on AWS',
    merge(onAws, { inCluster: { enabled: true }, kafka: { brokers: ['k:9092'] } }),
  ],
  ['without AWS', local],
  ['without AWS, nothing kept', merge(local, { elasticmq: { enabled: true, persistence: { enabled: false } } })],
  ['with everything', everything],
  [
    'with nothing that can be left out',
    merge(onAws, {
      crd: { create: false },
      rbac: { create: false, aggregate: false },
      policies: { config: false, guards: false },
      networkPolicy: { enabled: false },
      uninstallCheck: false,
    }),
  ],
]);

type Selecting = {
  readonly selector?: Record<string, string> & { readonly matchLabels?: Record<string, string> };
  readonly podSelector?: { readonly matchLabels: Record<string, string> };
  readonly ports?: readonly { readonly targetPort: string }[];
  readonly ingress?: readonly { readonly ports: readonly { readonly port: string }[] }[];
};

function selectorOf({ spec }: Manifest): Record<string, string> {
  const { selector, podSelector } = spec as Selecting;
  return podSelector?.matchLabels ?? selector?.matchLabels ?? selector ?? {};
}

function portNamesOf({ spec }: Manifest): readonly string[] {
  const { ports = [], ingress = [] } = spec as Selecting;
  return [
    ...ports.map(({ targetPort }) => targetPort),
    ...ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
  ];
}

/** Kinds of the Prometheus operator, which no plain API server knows. */
const isForeign = ({ apiVersion }: Manifest): boolean => apiVersion.startsWith('monitoring.coreos.com/');

for (const [what, values] of matrix)
  describe(`the chart ${what}`, () => {
    let manifests: readonly Manifest[];
    let accounts: readonly Manifest[];
    before(async () => {
      manifests = await render(values);
      accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
      for (const account of accounts) await create(api, account);
    });
    after(async () => {
      for (const account of accounts) await remove(api, account);
    });

    test('is taken by the API server object by object, no field unknown', async () => {
      assert.ok(manifests.length > 3);
      for (const manifest of manifests.filter((manifest) => !isForeign(manifest))) await tryApply(api, manifest);
    });

    test('T142: makes pods that the pod security standard "restricted" admits', async () => {
      const templates = manifests.map(templateOf).filter((template) => template !== undefined);
      assert.ok(templates.length > 0);
      for (const template of templates) await tryPod(api, namespace, template);
    });

    test('T142: gives no pod a root file system to write to, and a token only to those that ask the API server', () => {
      for (const manifest of manifests) {
        const spec = templateOf(manifest)?.spec;
        if (spec === undefined) continue;
        assert.equal(spec.automountServiceAccountToken, !manifest.metadata.name.endsWith('elasticmq'));
        for (const { securityContext } of spec.containers) assert.equal(securityContext?.readOnlyRootFilesystem, true);
      }
    });

    test('selects only pods that it makes, and only ports that they have', () => {
      const pods = manifests.map(templateOf).filter((template) => template !== undefined);
      const selecting = manifests.filter(({ kind }) => /^(Service|NetworkPolicy|PodDisruptionBudget)$/.test(kind));
      for (const manifest of selecting) {
        const wanted = Object.entries(selectorOf(manifest));
        const found = pods.filter(({ metadata }) => wanted.every(([label, value]) => metadata.labels[label] === value));
        assert.ok(found.length > 0, `${manifest.kind} ${manifest.metadata.name}`);
        const has = new Set(
          found.flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports)).map(({ name }) => name),
        );
        for (const port of portNamesOf(manifest)) assert.ok(has.has(port), `${manifest.metadata.name}: ${port}`);
      }
    });

    test('names its namespace wherever there is one', () => {
      const scoped =
        /^(ClusterRole|ClusterRoleBinding|CustomResourceDefinition|Namespace|.*AdmissionPolicy(Binding)?)$/;
      for (const { kind, metadata } of manifests)
        if (!scoped.test(kind) && kind !== 'RoleBinding')
          assert.equal(metadata.namespace, namespace, `${kind} ${metadata.name}`);
    });

    test('passes helm lint', async () => {
      const { code, out } = await run(['lint', chart, '--strict'], values);
      assert.equal(code, 0, out);
    });
  });

/** Values, and what Helm says of them. */
const wrong: readonly (readonly [string, Values, RegExp])[] = [
  ['no queues at all', {}, /where are the queues\? Set sqs\.reconcileQueueUrl and sqs\.tickQueueUrl/],
  [
    'a knob that is not there',
    merge(onAws, { forwarder: { replica: 2 } }),
    /forwarder.*additional properties 'replica' not allowed/s,
  ],
  [
    'text for a number',
    merge(onAws, { forwarder: { replicas: 'two' } }),
    /forwarder.replicas.*got string, want integer/s,
  ],
  [
    'a queue over plain HTTP',
    { sqs: { ...(onAws.sqs as object), tickQueueUrl: 'http://queues/ticks' } },
    /sqs.tickQueueUrl.*does not match pattern/s,
  ],
  [
    'a level that is not there',
    merge(onAws, { logLevel: 'loud' }),
    /logLevel.*must be one of 'debug', 'info', 'warn', 'error'/s,
  ],
  [
    'functions in the cluster without brokers',
    merge(onAws, { inCluster: { enabled: true } }),
    /inCluster\.enabled needs brokers: set kafka\.brokers/,
  ],
  ['two queue servers', merge(local, onAws), /elasticmq\.enabled brings its own queues/],
  ['a queue server for nobody', { elasticmq: { enabled: true } }, /set inCluster\.enabled=true too/],
  [
    'keys of no Secret',
    merge(local, { kafka: { brokers: ['k:1'], secret: { keys: { ca: 'ca.crt' } } } }),
    /kafka\.secret\.keys\.ca needs kafka\.secret\.name/,
  ],
  [
    'a finalizer for objects that are not looked after',
    merge(onAws, { policies: { finalizer: true }, watch: { labelSelector: 'a=b' } }),
    /policies\.finalizer would put finalizers on objects/,
  ],
  [
    'a mechanism that is not there',
    merge(local, { kafka: { brokers: ['k:1'], sasl: { mechanism: 'GSSAPI' } } }),
    /kafka.sasl.mechanism.*must be one of/s,
  ],
  [
    'more than one can have',
    merge(local, { inCluster: { enabled: true, resync: { concurrency: 9 } } }),
    /concurrency.*maximum: got 9, want 2/s,
  ],
];

describe('the chart refuses', () => {
  for (const [what, values, message] of wrong)
    test(what, async () => {
      const { code, err } = await run(['template', 'topicsmith', chart], values);
      assert.equal(code, 1);
      assert.match(err, message);
    });
});

type Rules = readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
type Role = Manifest & {
  readonly rules: Rules;
  readonly aggregationRule?: { readonly clusterRoleSelectors: readonly { matchLabels: Record<string, string> }[] };
};

describe('the roles of a namespace', () => {
  for (const [role, verbs] of [
    ['view', ['get', 'list', 'watch']],
    ['edit', ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']],
    ['admin', ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']],
  ] as const)
    test(`${role} takes in what KafkaTopics need for it, and never the status`, async () => {
      const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role}`;
      const { aggregationRule } = (await api.request('GET', path)) as Role;
      const taken = (await render(onAws))
        .filter(({ kind }) => kind === 'ClusterRole')
        .filter(({ metadata: { labels = {} } }) =>
          aggregationRule?.clusterRoleSelectors.some(({ matchLabels }) =>
            Object.entries(matchLabels).every(([label, value]) => labels[label] === value),
          ),
        ) as Role[];
      const rules = taken.flatMap((one) => one.rules);
      assert.deepEqual(rules.flatMap((rule) => rule.verbs).sort(), [...verbs].sort());
      assert.deepEqual([...new Set(rules.flatMap(({ resources }) => resources))], ['kafkatopics']);
    });
});

const kindsOf = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((manifest) => manifest.kind === kind);

describe('the chart', () => {
  test('gives rights in the namespaces that are watched, and where none is named in all', async () => {
    const some = await render(merge(local, { watch: { namespaces: ['default', 'kube-system'] } }));
    assert.equal(kindsOf(some, 'ClusterRoleBinding').length, 0);
    assert.deepEqual(
      kindsOf(some, 'RoleBinding').map(({ metadata }) => `${metadata.name} ${metadata.namespace}`),
      ['forwarder', 'reconciler', 'resync'].flatMap((who) => [
        `topicsmith-${who} default`,
        `topicsmith-${who} kube-system`,
      ]),
    );
    assert.equal(kindsOf(await render(local), 'ClusterRoleBinding').length, 3);
  });

  test('binds functions on AWS by group, those in the cluster by account', async () => {
    const subjects = async (values: Values) =>
      kindsOf(await render(values), 'ClusterRoleBinding').map(
        (binding) => (binding.subjects as { kind: string; name: string }[])[0]?.name,
      );
    assert.deepEqual(await subjects(onAws), ['topicsmith-forwarder', 'topicsmith:reconciler', 'topicsmith:resync']);
    assert.deepEqual(await subjects(local), ['topicsmith-forwarder', 'topicsmith-reconciler', 'topicsmith-resync']);
  });

  test('lets functions out to the ports of the brokers, and the forwarder to none of them', async () => {
    const policies = kindsOf(await render(local), 'NetworkPolicy');
    const portsOf = (who: string) => {
      const policy = policies.find(({ metadata }) => metadata.name === `topicsmith-${who}`);
      const spec = policy?.spec as { egress: { ports: { port: number }[] }[] } | undefined;
      return spec?.egress.flatMap(({ ports }) => ports.map(({ port }) => port));
    };
    assert.deepEqual(portsOf('reconciler'), [53, 53, 443, 6443, 9324, 9092, 9093]);
    assert.deepEqual(portsOf('forwarder'), [53, 53, 443, 6443, 9324]);
    assert.deepEqual(portsOf('uninstall-check'), [53, 53, 443, 6443]);
  });

  test('shows Prometheus every pod that has figures', async () => {
    const manifests = await render(everything);
    const [monitor] = kindsOf(manifests, 'ServiceMonitor');
    const { selector, endpoints } = (monitor as Manifest).spec as {
      selector: { matchLabels: Record<string, string> };
      endpoints: { port: string }[];
    };
    const services = kindsOf(manifests, 'Service').filter(({ metadata: { labels = {} } }) =>
      Object.entries(selector.matchLabels).every(([label, value]) => labels[label] === value),
    );
    const shown = services.filter(({ spec }) =>
      (spec as { ports: { name: string }[] }).ports.some(({ name }) => name === endpoints[0]?.port),
    );
    assert.deepEqual(
      shown.map(({ metadata }) => metadata.name),
      ['topicsmith-forwarder', 'topicsmith-reconciler', 'topicsmith-resync'],
    );
  });

  test('has two releases beside each other: no name is the same', async () => {
    const second = { ...onAws, crd: { create: false }, policies: { config: false, guards: false } };
    const names = async (release: string, values: Values) =>
      manifestsIn(await succeeds(run(['template', release, chart, '--namespace', namespace], values))).map(
        ({ kind, metadata }) => `${kind} ${metadata.name}`,
      );
    const first = new Set(await names('topicsmith', onAws));
    assert.deepEqual(
      (await names('other', second)).filter((name) => first.has(name)),
      [],
    );
  });
});
