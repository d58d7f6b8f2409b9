/** A whole system as a newcomer gets it, with the sample objects and Kafka's own tools. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import type { KafkaTopic } from '../../functions/core/schema/types.generated.ts';
import { temporary } from './support.ts';

const folder = join(import.meta.dirname, '..', '..', 'infra', 'local');
const dir = temporary();
const { KUBECONFIG, KAFKA_BROKERS, SQS_ENDPOINT, ...env } = process.env;
const launch = (program: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(folder, program), '--dir', dir.path, ...args], { env, encoding: 'utf8' });
const shell = (script: string) => spawnSync('sh', ['-ec', `. '${dir.path}/env'\n${script}`], { env, encoding: 'utf8' });

describe('npm start -- --topics samples', () => {
  before(() => {
    const { status, stderr } = launch('start.ts', '--detach', '--topics', 'samples');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^samples: \d KafkaTopics applied$/m);
  });
  after(() => {
    launch('stop.ts');
    dir.remove();
  });

  test('has looked after each when it is ready: all are Ready, but for the one that says in its name why not', async () => {
    const kube = kubeClient({ KUBECONFIG: join(dir.path, 'kubeconfig') });
    const { items } = (await kube.request('GET', topicsPath('default'))) as { items: KafkaTopic[] };
    await kube.close();
    const reasons = items.map(({ metadata, status }) => [
      metadata.name,
      status?.conditions?.find(({ type }) => type === 'Ready')?.reason,
    ]);
    assert.deepEqual(Object.fromEntries(reasons), {
      clicks: 'Synced',
      customers: 'Synced',
      defaults: 'Synced',
      'held-by-mode-plan': 'ApprovalRequired',
      orders: 'Synced',
    });
  });

  test("puts Kafka's tools on the PATH, pointed at its broker and quiet", () => {
    const { stdout, stderr } = shell('kafka-topics --list');
    assert.deepEqual([stdout, stderr], ['Orders_V1\nclicks\ncustomers\ndefaults\n', '']);
    assert.match(
      shell('kafka-configs --entity-type topics --entity-name clicks --describe').stdout,
      /retention\.ms=86400000/,
    );
    assert.match(
      shell(
        'echo it | kafka-console-producer --topic clicks && kafka-console-consumer --topic clicks --from-beginning --max-messages 1',
      ).stdout,
      /^it$/m,
    );
    assert.match(shell('kafka-reassign-partitions --list').stdout, /No partition reassignments found/);
  });

  test('puts them there once, however often a shell reads the file', () => {
    const { stdout } = shell(`. '${dir.path}/env'\necho "$PATH"`);
    assert.equal(stdout.split(':').filter((entry) => entry === join(dir.path, 'bin')).length, 1);
  });
});
