/** Objects, topics and Events in memory, and passes over them. */

import { emfMeter } from '../../functions/adapters/emf.ts';
import type { Installation } from '../../functions/core/installation.ts';
import { type Item, type Ports, reconcile } from '../../functions/core/reconciler.ts';
import type { TopicStatus } from '../../functions/core/resource.ts';
import { installation } from '../support/build.ts';
import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { fakeEvents } from '../support/kube/fake-events.ts';
import { fakeResources } from '../support/kube/fake-resources.ts';

export const never = new AbortController().signal;

export function world(settings: Partial<Installation> = {}, brokers = 1) {
  const topics = new FakeTopics({ brokers });
  const resources = fakeResources({ now: () => new Date('2026-01-01T00:00:00Z') });
  const events = fakeEvents();
  const lines: { event: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const line = (event: string, fields?: Readonly<Record<string, unknown>>) => void lines.push({ event, fields });
  const pauses: number[] = [];
  const whilePaused = { do: () => {} };
  const metrics: string[] = [];
  const meter = emfMeter({ write: (text) => void metrics.push(text) });
  const ports: Ports = {
    topics,
    resources,
    installation: installation({ clusterId: topics.clusterId, ...settings }),
    events,
    now: () => new Date('2026-01-01T01:00:00Z'),
    pause: async (ms) => {
      pauses.push(ms);
      whilePaused.do();
    },
    log: { debug: line, info: line, warn: line, error: line },
    meter,
  };
  const apply = (name: string, spec: object = {}, labels: Readonly<Record<string, string>> = {}) =>
    resources.objects.apply({ metadata: { namespace: 'shop', name, labels }, spec: { ...spec } });
  let messages = 0;
  const pass = async (names: readonly string[], lastReceive = false) => {
    const id = `m${++messages}`;
    const items = names.map(
      (name): Item => ({ key: { namespace: 'shop', name }, groups: undefined, lastReceive, trigger: 'change', id }),
    );
    return [...(await reconcile(items, ports, never)).values()];
  };
  const ready = (name: string) => {
    const status = resources.objects.get({ namespace: 'shop', name })?.status as
      | { conditions: { type: string; status: string; reason: string; message: string }[] }
      | undefined;
    const condition = status?.conditions.find(({ type }) => type === 'Ready');
    return condition && `${condition.status} ${condition.reason}`;
  };
  const status = (name: string) =>
    resources.objects.get({ namespace: 'shop', name })?.status as TopicStatus | undefined;
  const approve = (name: string, hash = status(name)?.plan?.hash ?? '') =>
    resources.objects.annotate({ namespace: 'shop', name }, 'approve', hash);
  const told = (name: string) => events.of({ namespace: 'shop', name }).map(({ reason }) => reason);
  /** all metric lines so far */
  const metricLog = () => {
    meter.flush();
    return metrics.join('');
  };
  return {
    ...{ topics, resources, events, ports, lines, pauses, whilePaused },
    ...{ apply, approve, pass, ready, status, told, metricLog },
  };
}
