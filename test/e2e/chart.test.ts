/** The chart from its installation to its end, on a real API server and broker, with a process for each container. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chart, namespace, succeeds, withoutAws } from '../support/cluster/helm.ts';
import { type Cluster, startCluster } from '../support/cluster/world.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster.stop());

const pods = ['topicsmith-elasticmq', 'topicsmith-reconciler', 'topicsmith-resync', 'topicsmith-forwarder'];

describe('a cluster without AWS', () => {
  test('an installed chart brings a topic to Ready, under the identities of its pods', async () => {
    const { helm, kubelet, admin, brokers, broker } = cluster;
    await succeeds(helm(['install', 'topicsmith', chart, '--namespace', namespace], withoutAws(brokers)));
    for (const pod of pods) await kubelet.deploy(namespace, pod);
    await admin.apply('orders', { numPartitions: 3 });
    await admin.ready('orders');
    assert.equal((await broker.shape('orders')).partitions, 3);
  });
});
