import { apiVersion, fieldManager, group, kind } from '../../core/api.ts';
import { oneLine } from '../../core/harmless.ts';
import type { Events, Logger, TopicEvent } from '../../core/ports.ts';
import type { TopicResource } from '../../core/resource.ts';
import { keyOf } from '../../core/topic.ts';
import { ApiError, type KubeClient } from './client.ts';
import { failureOf } from './failure.ts';

/**
 * Events at a real API server: one object for each occurrence, so that telling it again is refused as `AlreadyExists`.
 * The server forgets them by itself (`--event-ttl`, an hour by default).
 *
 * @param log one `event-not-written` warning for each that is refused or gets no answer
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export function kubeEvents(client: KubeClient, log: Logger, now: () => Date = () => new Date()): Events {
  async function write(resource: TopicResource, event: TopicEvent, signal: AbortSignal): Promise<void> {
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(resource.key.namespace)}/events`;
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(waitMillis)]);
      await client.request('POST', path, { body: eventObject(resource, event, now()), signal: soon });
    } catch (error) {
      if (isNoLoss(error)) return;
      const { key, uid } = resource;
      log.warn('event-not-written', {
        object: keyOf(key),
        uid,
        reason: event.reason,
        error: failureOf(error).message,
      });
    }
  }
  return {
    async publish(resource, events, signal) {
      await Promise.all(events.map((event) => write(resource, event, signal)));
    },
  };
}

/** Nobody's work waits longer for something that is only told. */
const waitMillis = 2_000;

/** Told already; or the namespace is gone or going, and its Events with it (K086). */
const isNoLoss = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 409 || error.reason === 'NotFound' || isTerminating(error));

/** By the text: the cause `NamespaceTerminating` stands in details that `ApiError` does not keep. */
const isTerminating = ({ code, message }: ApiError): boolean =>
  code === 403 && message.endsWith('because it is being terminated');

/** @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/apis/core/validation/events.go for the limits */
const eventObject = ({ key, uid, resourceVersion }: TopicResource, event: TopicEvent, time: Date): object => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { namespace: key.namespace, name: nameOf(key.name, event.occurrence) },
  regarding: { apiVersion, kind, ...key, uid, resourceVersion },
  type: event.type,
  reason: event.reason,
  note: fitting(event.note),
  action: 'Reconcile',
  reportingController: `${group}/${fieldManager}`,
  // functions have no instance that anybody could look up
  reportingInstance: fieldManager,
  eventTime: microTime(time),
});

const maxName = 253;

/** A cut may end in a character that no part of a DNS name may end with. */
const nameOf = (object: string, occurrence: string): string =>
  `${object.slice(0, maxName - 1 - occurrence.length).replace(/[-.]+$/, '')}.${occurrence}`;

/** The API server takes six decimals, no more and no less. */
const microTime = (time: Date): string => time.toISOString().replace('Z', '000Z');

const maxNote = 1_024;

/** One line without characters that act, in so many bytes of UTF-8 as the API server takes. */
function fitting(note: string): string {
  const line = oneLine(note, maxNote);
  const bytes = Buffer.from(line);
  if (bytes.length <= maxNote) return line;
  const room = maxNote - Buffer.byteLength('…');
  return `${new TextDecoder().decode(bytes.subarray(0, room), { stream: true })}…`;
}
