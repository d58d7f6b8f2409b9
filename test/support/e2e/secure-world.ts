/** The whole system on brokers with TLS, logins and ACLs, where each function has a user of its own. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildChanged } from '../../../infra/build.ts';
import { forwarderPart, runnerPart } from '../../../infra/local/functions.ts';
import { writeKafkaTools } from '../../../infra/local/kafka-tools.ts';
import { startAll } from '../../../infra/local/part.ts';
import { run, signalGroup } from '../../../infra/local/process.ts';
import { root } from '../../../infra/local/state.ts';
import { type AclBrokers, startAclBrokers } from '../kafka/acl-brokers.ts';
import { Broker } from './broker.ts';
import { Kubectl } from './kubectl.ts';
import { Queues } from './queues.ts';
import { scratchDirectory, startParts } from './world.ts';

export type SecureWorld = {
  readonly user: Kubectl;
  readonly broker: Broker;
  readonly queues: Queues;
  readonly kafka: AclBrokers;
  /** `infra/kafka-acls.sh`, by somebody who may do everything. @param settings what it reads from its environment */
  grant(settings: Readonly<Record<string, string>>): Promise<void>;
  /** A command line, as somebody would type it who has Kafka's tools and may do everything. */
  shell(command: string): Promise<void>;
  /** How a function logs in to the brokers. */
  login(user: 'reconciler' | 'resync'): Readonly<Record<string, string>>;
  /** what the functions have logged so far */
  log(): string;
  stop(): Promise<void>;
};

export async function startSecureWorld(): Promise<SecureWorld> {
  const dir = scratchDirectory();
  await buildChanged();
  const kafka = await startAclBrokers(['reconciler', 'resync']);
  const system = await startParts(dir, ['apiserver', 'elasticmq']);
  const { apiServer } = system;
  if (apiServer === undefined) throw new Error('the system has no API server');
  const tools = join(dir, 'bin');
  writeKafkaTools(tools, kafka.inner);
  const password = join(dir, 'password');
  writeFileSync(password, 'right');
  const login = (user: string) => ({
    KAFKA_BROKERS: kafka.address,
    KAFKA_TLS: 'true',
    KAFKA_CA_FILE: kafka.caFile,
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD_FILE: password,
  });
  const { PATH = '', HOME = '' } = process.env;
  const { kubeconfigs } = apiServer;
  const functions = {
    ...login('reconciler'),
    KAFKA_SASL_USERNAME_RESYNC: 'resync',
    REASSIGNMENT_BYTES_PER_SECOND: '100000000',
    KUBECONFIG_RECONCILER: kubeconfigs.reconciler,
    KUBECONFIG_RESYNC: kubeconfigs.resync,
  };
  const place = {
    dir,
    onSpawn: (_: string, { pid }: { pid: number }) => process.once('exit', () => signalGroup(pid, 'SIGKILL')),
  };
  const common = { PATH, HOME, ...system.exports };
  const forwarder = await forwarderPart(place, { ...common, KUBECONFIG: kubeconfigs.forwarder });
  const parts = [forwarder.part, runnerPart(place, { ...common, ...functions })];
  await startAll(parts);
  const broker = new Broker(kafka.inner, kafka.data);
  await broker.connect();
  const user = new Kubectl(kubeconfigs['tenant-a']);
  await user.canApply();
  const queues = new Queues(system.exports);
  const env = { ...process.env, PATH: `${tools}:${PATH}` };
  return {
    user,
    broker,
    queues,
    kafka,
    grant: async (settings) => {
      await run(join(root, 'infra', 'kafka-acls.sh'), [], { env: { ...env, ...settings } });
    },
    shell: async (command) => {
      await run('sh', ['-c', command], { env });
    },
    login,
    log: () => readFileSync(join(dir, 'logs', 'runner.log'), 'utf8'),
    stop: async () => {
      user.close();
      await Promise.all([broker.close(), queues.close()]);
      await Promise.all(parts.map((part) => part.stop()));
      await system.stop();
      await kafka.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
