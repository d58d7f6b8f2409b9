/** Everything that can be wrong between kubectl and brokers, in the order in which it is told. */
import type { BrokerInspection, ForwarderHealth, KubeInspection, QueueInspection } from '../core/inspection.ts';
import type { Installation } from '../core/installation.ts';
import { type Check, failed, notChecked, ok } from './check.ts';
import { kafkaChecks } from './kafka-checks.ts';
import { kubeChecks } from './kube-checks.ts';
import { queueChecks } from './queue-checks.ts';

/** Where facts come from. Each throws an Error of one line when its own settings are wrong. */
export type Inspections = {
  readonly kube: () => Promise<KubeInspection>;
  readonly queues: () => Promise<QueueInspection>;
  readonly brokers: () => Promise<BrokerInspection>;
  /** undefined when FORWARDER_URL is not set. @throws Failure */
  readonly forwarder: (signal: AbortSignal) => Promise<ForwarderHealth | undefined>;
};

/** The settings that are judged with the facts. */
export type Settings = Pick<Installation, 'clusterId' | 'moveBytesPerSecond' | 'selects'>;

export const checks = (inspections: Inspections, settings: () => Promise<Settings>): readonly Check[] => [
  {
    area: 'Installation',
    name: 'settings',
    mend: 'mend the environment variable that is named',
    run: async () => {
      await settings();
      return ok('APPROVAL_REQUIRED and the like can be read');
    },
  },
  ...kubeChecks(inspections),
  ...queueChecks(inspections),
  ...kafkaChecks(inspections, settings),
  forwarderCheck(inspections),
];

function forwarderCheck({ forwarder }: Inspections): Check {
  return {
    area: 'Forwarder',
    name: 'forwarder',
    mend: 'is it running, and does FORWARDER_URL lead to its pages (METRICS_HOST, METRICS_PORT)? kubectl proxy makes a way',
    run: async (signal) => {
      const health = await forwarder(signal);
      if (health === undefined)
        return notChecked(
          'FORWARDER_URL is not set',
          "set it to the address of the forwarder's pages, http://host:port",
        );
      const { problems, objects, keysWaiting } = health;
      return problems.length === 0
        ? ok(`ready; ${objects} objects, ${keysWaiting} names to send`)
        : failed(problems.join('; '), 'see its log; it goes on by itself once what it names works again');
    },
  };
}
