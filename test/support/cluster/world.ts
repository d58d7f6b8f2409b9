/** A cluster: the real API server, a kubelet made of processes, a real broker, and Helm. Nothing is installed in it. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { apiServerBinary, startApiServer } from '../../../infra/local/apiserver.ts';
import { obtain } from '../../../infra/local/artifacts.ts';
import { elasticMqJars } from '../../../infra/local/elasticmq.ts';
import { javaArgs } from '../../../infra/local/java.ts';
import { type ProcessId, signalGroup } from '../../../infra/local/process.ts';
import { Broker } from '../e2e/broker.ts';
import { Kubectl } from '../e2e/kubectl.ts';
import { scratchDirectory, startParts } from '../e2e/world.ts';
import { helm, namespace } from './helm.ts';
import { buildImage } from './image.ts';
import { type Foreign, Kubelet } from './kubelet.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const progress = (line: string) => void process.stderr.write(`${line}\n`);

/** Brings it up. The release's namespace is there, with the pod security standard `restricted`. */
export async function startCluster() {
  const dir = scratchDirectory();
  const spawned: ProcessId[] = [];
  process.once('exit', () => {
    for (const { pid } of spawned) signalGroup(pid, 'SIGKILL');
  });
  const place = { dir, onSpawn: (_: string, id: ProcessId) => void spawned.push(id) };
  const api = await startApiServer(place, await obtain(apiServerBinary, progress));
  const kafka = await startParts(join(dir, 'kafka'), ['kafka']);
  const admin = new Kubectl(api.kubeconfigs.admin, 'default');
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await admin.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace, labels } } });
  const broker = new Broker(kafka.exports.KAFKA_BROKERS ?? '', join(dir, 'kafka', 'data', 'kafka-1', 'data'));
  await broker.connect();
  const kubelet = new Kubelet({
    admin,
    server: api.server,
    authority: authorityIn(api.kubeconfigs.admin),
    place,
    image: buildImage(join(root, 'infra', 'Containerfile'), root, emptyDirectory(join(dir, 'image'))),
    foreign: new Map([['softwaremill/elasticmq', await elasticMq()]]),
  });
  return {
    dir,
    admin,
    broker,
    kubelet,
    brokers: kafka.exports.KAFKA_BROKERS ?? '',
    helm: await helm(join(dir, 'helm'), api.kubeconfigs.admin),
    auditLog: api.auditLog,
    async stop() {
      await kubelet.stopAll();
      await broker.close();
      admin.close();
      await kafka.stop();
      await Promise.all(api.parts.map((part) => part.stop()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>;

function emptyDirectory(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

const authorityIn = (kubeconfig: string): string => {
  const [{ cluster }] = parse(readFileSync(kubeconfig, 'utf8')).clusters;
  return Buffer.from(cluster['certificate-authority-data'], 'base64').toString();
};

/** Reads its configuration where the image would, and keeps its data where the volume is. */
async function elasticMq(): Promise<Foreign> {
  const jars = await obtain(elasticMqJars, progress);
  return (mounts, podIp) => ({
    command: 'java',
    args: [
      ...javaArgs(jars, 256),
      `-Dconfig.file=${mounts.get('/opt/elasticmq.conf')}`,
      `-Drest-sqs.bind-hostname=${podIp}`,
      `-Dmessages-storage.uri=jdbc:h2:${mounts.get('/data')}/elasticmq`,
      'org.elasticmq.server.Main',
    ],
  });
}
