/** A function's parts in memory, and its messages as they come from the queue. */
import { mock } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import { emfMeter } from '../../functions/adapters/emf.ts';
import type { Delay } from '../../functions/adapters/sqs.ts';
import type { Failure } from '../../functions/core/outcome.ts';
import type { Envelope } from '../../functions/core/ports.ts';
import { groupOf, type Tick } from '../../functions/core/request.ts';
import { keyOf } from '../../functions/core/topic.ts';
import { installation } from '../support/build.ts';
import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { fakeEvents } from '../support/kube/fake-events.ts';
import { fakeResources } from '../support/kube/fake-resources.ts';
import { recordOf, silent } from './batch-world.ts';

export const namespace = 'shop';

export function world() {
  const resources = fakeResources();
  const topics = new FakeTopics();
  const hidden: Delay[] = [];
  const sent: Envelope[] = [];
  const ticks: Tick[] = [];
  const refused: { by?: Failure } = {};
  /** what the reconcile queue says of its depth, look by look; the last one stays */
  const depths = [0];
  /** metric lines, an entry for each */
  const metricLog: string[] = [];
  const meter = emfMeter({ write: (line) => void metricLog.push(line) });
  const runtime = {
    ports: {
      resources,
      topics,
      events: fakeEvents(),
      installation: installation({ clusterId: topics.clusterId }),
      now: () => new Date(),
      pause: async () => {},
      log: silent,
      meter,
    },
    log: { ...silent, info: mock.fn(), error: mock.fn() },
    meter,
    maxReceiveCount: 3,
    hide: async (delays: readonly Delay[]) => {
      hidden.push(...delays);
      return new Map<string, 'done' | Failure>();
    },
    requests: {
      send: async (envelopes: readonly Envelope[]) => {
        if (refused.by === undefined) sent.push(...envelopes);
        return new Map(envelopes.map(({ deduplicationId }) => [deduplicationId, refused.by ?? ('sent' as const)]));
      },
    },
    ticks: {
      send: async (tick: Tick) => {
        ticks.push(tick);
      },
    },
    depth: async () => (depths.length > 1 ? depths.shift() : depths[0]) ?? 0,
    requestsSent: () => sent.length,
  };
  return {
    runtime,
    resources,
    topics,
    hidden,
    sent,
    ticks,
    refused,
    depths,
    metricLog,
    /** a user applies `name` */
    apply: (name: string, spec: Readonly<Record<string, unknown>> = {}) =>
      resources.objects.apply({ metadata: { namespace, name }, spec: { numPartitions: 1, ...spec } }),
    /** `Ready=True Synced`, the conditions of `name` */
    conditions(name: string): string {
      const { status } = resources.objects.get({ namespace, name }) ?? {};
      const conditions = (status?.conditions ?? []) as { type: string; status: string; reason: string }[];
      return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`).join(', ');
    },
  };
}

type Body = { readonly group: string; readonly body: string; readonly receives?: number };

export const batchOf = (bodies: readonly Body[]): SQSEvent => ({
  Records: bodies.map(({ group, body, receives = 1 }, index) =>
    recordOf({ id: `m${index}`, receiptHandle: `r${index}`, group, body, receives: String(receives) }),
  ),
});

/** A message for the object `name`, whose topic has the same name. */
export const request = (name: string, receives = 1): Body => ({
  group: groupOf(name),
  body: JSON.stringify({ v: 1, namespace, name, trigger: 'change', id: keyOf({ namespace, name }) }),
  receives,
});

export const tick = (message: Tick, receives = 1): Body => ({
  group: groupOf(message.tick),
  body: JSON.stringify(message),
  receives,
});
