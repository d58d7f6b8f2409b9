/** infra/install.yaml: made from the chart, and taken by a real API server as it is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporary } from '../local/support.ts';
import { create, templateOf, tryApply, tryPod } from '../support/cluster/apply.ts';
import { type Helm, helm, manifestsIn, rendered } from '../support/cluster/helm.ts';
import type { Manifest } from '../support/cluster/types.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';

const text = readFileSync(join(import.meta.dirname, '..', '..', 'infra', 'install.yaml'), 'utf8');
const manifests = manifestsIn(text);
const name = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

describe('install.yaml', () => {
  const home = temporary();
  const api = realApi();
  let run: Helm;
  let namespace: string;
  before(async () => {
    run = await helm(home.path);
    namespace = await createNamespace(api);
  });
  after(async () => {
    await removeNamespace(api, namespace);
    await api.close();
    home.remove();
  });

  test('holds what the chart makes, and nothing that only Helm understands', async () => {
    const values = { namespace: { create: true }, sqs: { configMap: 'topicsmith-queues' }, uninstallCheck: false };
    const fromChart = await rendered(run, values);
    assert.deepEqual(manifests.map(name).sort(), fromChart.map(name).sort());
    const spec = (of: readonly Manifest[], kind: string) => of.find((manifest) => manifest.kind === kind)?.spec;
    for (const kind of ['CustomResourceDefinition', 'ValidatingAdmissionPolicy', 'NetworkPolicy', 'Service'])
      assert.deepEqual(spec(manifests, kind), spec(fromChart, kind));
    assert.doesNotMatch(text, /helm\.sh|managed-by/);
  });

  test('begins with its namespace, which takes restricted pods only', () => {
    assert.equal(manifests[0]?.kind, 'Namespace');
    assert.equal(manifests[0]?.metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
  });

  test('is taken by the API server, and so are its pods', async () => {
    const moved = manifestsIn(text.replaceAll(/namespace: topicsmith-system$/gm, `namespace: ${namespace}`));
    for (const manifest of moved) {
      await tryApply(api, manifest);
      if (manifest.kind === 'ServiceAccount') await create(api, manifest);
    }
    const templates = moved.map(templateOf).filter((template) => template !== undefined);
    assert.equal(templates.length, 1);
    for (const template of templates) await tryPod(api, namespace, template);
  });
});
