/** ElasticMQ, which speaks the SQS protocol. Its queues live in memory and end with it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endSoftly, jars, javaArgs } from './java.ts';
import { Part, type Place, startAll } from './part.ts';
import { freePorts } from './ports.ts';
import { createQueues, type QueueUrls } from './queues.ts';

/** ElasticMQ's server. */
export const elasticMqJars = jars(
  'elasticmq',
  join(import.meta.dirname, 'elasticmq', 'pom.xml'),
  async (jarDirectory, place, recording) => {
    const { parts } = await startElasticMq({ ...place, env: recording('server') }, jarDirectory);
    await endSoftly(parts);
  },
);

export type ElasticMq = {
  readonly parts: readonly Part[];
  /** as SQS_ENDPOINT wants it */
  readonly endpoint: string;
  readonly queues: QueueUrls;
};

/**
 * Starts the server and creates the queues of `infra/queues.yml`; again, empty, whenever the part is started again.
 *
 * @param jarDirectory as `obtain(elasticMqJars)` gives it
 */
export async function startElasticMq(place: Place, jarDirectory: string): Promise<ElasticMq> {
  const [port = 0] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const config = join(place.dir, 'data', 'elasticmq.conf');
  mkdirSync(join(place.dir, 'data'), { recursive: true });
  writeFileSync(config, configuration(port));
  let queues: QueueUrls | undefined;
  const part = new Part(
    {
      name: 'elasticmq',
      command: 'java',
      args: [...javaArgs(jarDirectory, 256), `-Dconfig.file=${config}`, 'org.elasticmq.server.Main'],
      log: join(place.dir, 'logs', 'elasticmq.log'),
      ready: async () => {
        if (!(await answers(endpoint))) return false;
        queues = await createQueues(endpoint);
        return true;
      },
      graceMs: 0,
    },
    place,
  );
  await startAll([part]);
  if (queues === undefined) throw new Error('elasticmq serves without queues');
  return { parts: [part], endpoint, queues };
}

/**
 * Does an HTTP server answer there?
 *
 * @param statuses the ones that count; without them any answer does
 */
export async function answers(url: string, statuses?: readonly number[]): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return statuses?.includes(answer.status) ?? true;
  } catch {
    return false;
  }
}

/** @see https://github.com/softwaremill/elasticmq, "Configuring ElasticMQ" */
const configuration = (port: number) => `include classpath("application.conf")
node-address { protocol = http, host = "127.0.0.1", port = ${port}, context-path = "" }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = ${port}, sqs-limits = strict }
rest-stats { enabled = false }
queues {}
queues-storage { enabled = false }
aws { region = us-east-1, accountId = 000000000000 }
`;
