import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { type CommandLine, commandLine } from '../support/e2e/command-line.ts';
import { leavesAlone } from '../support/e2e/quiet.ts';
import type { World } from '../support/e2e/world.ts';
import { apiKeys } from '../support/kafka/proxy.ts';

const strimziFile = join(import.meta.dirname, 'strimzi.yaml');
/** Kafka's requests that change nothing, and those that open a connection. */
const reads: ReadonlySet<number> = new Set([
  apiKeys.metadata,
  apiKeys.describeConfigs,
  apiKeys.listOffsets,
  apiKeys.listPartitionReassignments,
  18,
]);

type Document = { readonly metadata: { readonly name: string }; readonly spec: Readonly<Record<string, unknown>> };

export function imports(world: World): void {
  const { a, admin, broker } = world;
  let operator: CommandLine;
  before(async () => {
    operator = await commandLine(world);
  });
  after(() => operator.close());

  /** Runs an import, which asks Kafka to change nothing. @returns each document as text, by object name */
  async function imported(...args: readonly string[]) {
    const { out, err } = await operator.run('import', ...args, '-n', a.namespace);
    assert.deepEqual(
      operator.kafka.requests.filter(({ apiKey }) => !reads.has(apiKey)),
      [],
    );
    const manifests = new Map(out.split('---\n').map((text) => [(parse(text) as Document).metadata.name, text]));
    return { manifests, err };
  }

  test('K020: imported manifests, applied unchanged, observe their topics, and nothing is written to Kafka', async () => {
    const config = { 'cleanup.policy': 'compact,delete', 'retention.ms': '604800000' };
    await broker.create('K020_Orders_V1', 2, config);
    await broker.create('k020-orders-v1', 1);
    await broker.create('k020.clicks', 3, { 'segment.ms': '3600000' });
    const topics = ['K020_Orders_V1', 'k020-orders-v1', 'k020.clicks'];
    const { manifests, err } = await imported('K020*', 'k020*');
    assert.match(err, /^With mode Enforce: 3 would stay as they are, 0 would be changed, 0 refused\.$/m);
    assert.equal(manifests.size, 3);
    await leavesAlone(world, topics, async () => {
      for (const [name, text] of manifests) await a.applyManifest(name, text);
      for (const name of manifests.keys()) await a.says(name, 'Observed');
    });
    const objects = (await a.list()).filter(({ metadata }) => manifests.has(metadata.name));
    const specs = objects.map(({ spec: { topicName, ...spec }, metadata }) => [topicName ?? metadata.name, spec]);
    const observed = { configMode: 'Merge', deletionPolicy: 'Retain', mode: 'Observe', replicationFactor: 1 };
    assert.deepEqual(Object.fromEntries(specs), {
      K020_Orders_V1: {
        ...{ numPartitions: 2, config: { 'cleanup.policy': 'compact,delete', 'retention.ms': 604800000 } },
        ...observed,
      },
      'k020-orders-v1': { numPartitions: 1, ...observed },
      'k020.clicks': { numPartitions: 3, config: { 'segment.ms': 3600000 }, ...observed },
    });
    assert.ok(objects.every(({ metadata }) => metadata.finalizers === undefined));
  });

  test('K020: of all topics of the cluster none that is Kafka’s own gets a manifest', async () => {
    await broker.create('k020-read', 1);
    await broker.produce('k020-read', 1);
    await broker.consume('k020-read', 1);
    assert.ok(await broker.exists('__consumer_offsets'));
    const { out } = await operator.run('import', '-n', a.namespace);
    const topics = parseAllDocuments(out)
      .map((document): Document => document.toJS())
      .map(({ metadata, spec }) => String(spec.topicName ?? metadata.name));
    assert.ok(topics.includes('k020-read'));
    assert.deepEqual(
      topics.filter((name) => name.startsWith('__')),
      [],
    );
  });

  test('K020: enforced later, a topic that was imported is taken over as it is', async () => {
    const id = await broker.id('k020.clicks');
    await leavesAlone(world, ['k020.clicks'], async () => {
      await a.patch('k020.clicks', { spec: { mode: 'Enforce' } });
      const { status } = await a.ready('k020.clicks');
      assert.deepEqual([status?.topicId, status?.origin], [id, 'Adopted']);
    });
  });

  test("Strimzi's manifests become objects that observe, and say what the import said of them", async () => {
    const topics = ['K020_Strimzi_Same', 'k020-strimzi-differs'];
    await broker.create('K020_Strimzi_Same', 2, {
      'retention.ms': '9223372036854775807',
      'cleanup.policy': 'compact',
    });
    await broker.create('k020-strimzi-differs', 3, { 'segment.ms': '3600000' });
    const { manifests, err } = await imported('--from', 'strimzi', '-f', strimziFile);
    assert.match(err, /^k020-strimzi-differs +config\.segment\.ms +3600000 +60000$/m);
    assert.match(err, /^k020-strimzi-differs +numPartitions +3 +4$/m);
    assert.match(
      err,
      /^label strimzi\.io\/cluster=main has no counterpart: left out +K020_Strimzi_Same, k020-strimzi-differs$/m,
    );
    await leavesAlone(world, topics, async () => {
      for (const [name, text] of manifests) await a.applyManifest(name, text);
      await a.says('k020-strimzi-same', 'Observed');
      const { status } = await a.says('k020-strimzi-differs', 'DriftDetected');
      const drift = status?.drift?.map(({ field, desired, observed }) => [field, observed, desired]);
      assert.deepEqual(drift, [
        ['numPartitions', '3', '4'],
        ['config.segment.ms', '3600000', '60000'],
      ]);
    });
  });

  test("Strimzi's objects at the API server are read as its manifests are", async () => {
    await installStrimzi(world);
    for (const document of parseAllDocuments(readFileSync(strimziFile, 'utf8'))) {
      const manifest = document.toJS();
      const body = { ...manifest, apiVersion: 'kafka.strimzi.io/v1', spec: { ...manifest.spec, config: {} } };
      await admin.call('POST', `/apis/kafka.strimzi.io/v1/namespaces/${a.namespace}/kafkatopics`, { body });
    }
    await a.delete('k020-strimzi-differs');
    await a.gone('k020-strimzi-differs');
    const { manifests, err } = await imported('--from', 'strimzi');
    assert.deepEqual([...manifests.keys()], ['k020-strimzi-differs']);
    assert.match(err, /^K020_Strimzi_Same +there is KafkaTopic of-tenant-a\/k020-strimzi-same for it$/m);
  });
}

/** A definition as wide as Strimzi's, without its rules. */
async function installStrimzi({ admin }: World): Promise<void> {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const body = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'kafkatopics.kafka.strimzi.io' },
    spec: {
      group: 'kafka.strimzi.io',
      scope: 'Namespaced',
      names: { kind: 'KafkaTopic', plural: 'kafkatopics' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
  await admin.call('POST', definitions, { body });
  await admin.serves('/apis/kafka.strimzi.io/v1/kafkatopics');
}
