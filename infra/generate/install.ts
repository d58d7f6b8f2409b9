/** `infra/install.yaml`: what the chart makes for a forwarder beside functions on AWS, for those who use kubectl alone. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { HELM_VERSION, helmPath } from '../local/helm.ts';
import { run } from '../local/process.ts';

const chart = join(import.meta.dirname, '..', 'chart');

/** Queues come from a ConfigMap, so that nobody has to edit the file. */
const values = ['namespace.create=true', 'sqs.configMap=topicsmith-queues', 'uninstallCheck=false'];
const args = ['template', 'topicsmith', chart, '--namespace', 'topicsmith-system', '--no-hooks'];

const comment = (
  inputs: string,
): string => `Forwarder, definition, policies and roles, for kubectl apply -f. The functions run on AWS; where their queues are it
reads from a ConfigMap, and until that is there its pod waits:

  kubectl -n topicsmith-system create configmap topicsmith-queues --from-literal=AWS_REGION=eu-west-1 \\
    --from-literal=RECONCILE_QUEUE_URL=https://... --from-literal=TICK_QUEUE_URL=https://...

Made from infra/chart with Helm ${HELM_VERSION}; inputs ${inputs}`;

/** What decides the content, as one hash: it can be compared without Helm. */
export function installInputs(): string {
  const hash = createHash('sha256').update([HELM_VERSION, ...values].join('\n'));
  for (const file of globSync('**/*', { cwd: chart, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(`\n${file.slice(chart.length)}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** Whether a text was made from what the chart is now. */
export const isCurrentInstall = (text: string): boolean => text.includes(`inputs ${installInputs()}\n`);

type Manifest = {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
  kind: string;
  spec?: { template?: Manifest };
};

/**
 * @param format documents and comment → YAML
 * @throws MissingTool without Go, when Helm has to be built
 */
export async function install(format: (documents: readonly object[], comment: string) => string): Promise<string> {
  const helm = await helmPath((line) => console.error(line));
  const out = await run(helm, [...args, ...values.flatMap((value) => ['--set', value])]);
  const manifests = parseAllDocuments(out).map((document) => document.toJS() as Manifest | null);
  const found = manifests.filter((manifest) => manifest !== null).map(withoutHelm);
  const namespaceFirst = found.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
  return format(namespaceFirst, comment(installInputs()));
}

/** What only Helm reads or may say. */
function withoutHelm(manifest: Manifest): Manifest {
  const { labels, annotations } = manifest.metadata;
  delete labels?.['helm.sh/chart'];
  delete labels?.['app.kubernetes.io/managed-by'];
  delete annotations?.['helm.sh/resource-policy'];
  if (annotations !== undefined && Object.keys(annotations).length === 0) delete manifest.metadata.annotations;
  if (manifest.spec?.template !== undefined) withoutHelm(manifest.spec.template);
  return manifest;
}
