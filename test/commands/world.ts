/** Commands in a shell in memory, over objects, topics and queues in memory. */
import { type ExitCode, Problem, type Shell } from '../../functions/commands/command.ts';
import { runCli } from '../../functions/commands/program.ts';
import { annotations } from '../../functions/core/api.ts';
import type { QueueVariable } from '../../functions/core/inspection.ts';
import type { Installation } from '../../functions/core/installation.ts';
import { Failure } from '../../functions/core/outcome.ts';
import { parseResource } from '../../functions/core/parse.ts';
import type { Envelope } from '../../functions/core/ports.ts';
import { type Key, keyOf } from '../../functions/core/topic.ts';
import { world } from '../core/world.ts';
import { fakeDeadLetters, type Hooks } from '../support/sqs/fake-dead-letters.ts';
import { FakeQueue } from '../support/sqs/fake-queue.ts';
import { healthy } from './inspections.ts';

export type Ended = { readonly code: ExitCode; readonly out: string; readonly err: string };

type Settings = Partial<Installation> & {
  readonly colour?: boolean;
  readonly input?: string;
  readonly answer?: string;
  /** namespaces that the installation is for; default: all */
  readonly watched?: readonly string[];
};

export function commandWorld({ colour = false, input = '', answer, watched, ...installation }: Settings = {}) {
  const isWatched = ({ namespace }: Key) => watched?.includes(namespace) ?? true;
  const inner = world(installation);
  const { resources, topics, ports } = inner;
  const sent: Envelope[] = [];
  const { parts, inspections } = healthy();
  const progress: string[] = [];
  const asked: string[] = [];
  let elapsed = 0;
  const now = () => new Date(ports.now().getTime() + elapsed);
  const queue = () => new FakeQueue({ visibilityMs: 30_000, now: () => now().getTime() });
  const dead = { reconcile: queue(), ticks: queue() };
  const source = { reconcile: queue(), ticks: queue() };
  const letters: Partial<Hooks> = {};
  const interrupt = new AbortController();
  const depths: Partial<Record<QueueVariable, { waiting: number; inFlight: number }>> = {};
  /** replace them to make something happen, or fail, meanwhile */
  const hooks = { onAsk: async () => {}, onPause: async () => {}, onSend: async () => {}, onAnnotate: async () => {} };
  /** Strimzi's KafkaTopics at the API server; undefined: it is not installed */
  const strimzi: { topics: readonly unknown[] | undefined } = { topics: undefined };
  const connect = (): Shell['connect'] => ({
    async kube({ namespace = 'shop', allNamespaces = false }) {
      return {
        namespace: allNamespaces ? undefined : namespace,
        isWatched,
        async read(keys, signal) {
          const read = await resources.read(keys.filter(isWatched), signal);
          return new Map(keys.map((key) => [keyOf(key), read.get(keyOf(key)) ?? 'gone']));
        },
        claimants: resources.claimants,
        async page(limit, token, signal) {
          const page = await resources.page(limit, token, signal);
          const isListed = (key: Key) => (allNamespaces ? isWatched(key) : key.namespace === namespace);
          return { ...page, items: page.items.filter(({ key }) => isListed(key)) };
        },
        async strimziTopics() {
          if (strimzi.topics === undefined) throw new Problem('Strimzi is not installed');
          return strimzi.topics;
        },
        async annotate({ key, resourceVersion }, annotation, value) {
          await hooks.onAnnotate();
          const name = annotation === annotations.approve ? 'approve' : 'reconcileRequestedAt';
          if (resources.objects.get(key)?.metadata.resourceVersion !== resourceVersion)
            throw new Failure('ObservationOutdated', 'The object has changed.', { retryable: true });
          resources.objects.annotate(key, name, value);
          return parseResource(resources.objects.get(key));
        },
      };
    },
    topics: async () => topics,
    installation: async () => ports.installation,
    inspections: () => inspections,
    queues: async () => ({
      requests: () => ({
        async send(envelopes) {
          sent.push(...envelopes);
          await hooks.onSend();
          return new Map(envelopes.map(({ deduplicationId }) => [deduplicationId, 'sent' as const]));
        },
      }),
      deadLetters: (queue) => fakeDeadLetters(dead[queue], source[queue], letters),
      depth: async (queue) => depths[queue],
    }),
    close: async () => {},
  });
  const run = async (...args: readonly string[]): Promise<Ended> => {
    const texts = { out: '', err: '' };
    const ask = async (question: string) => {
      asked.push(question);
      await hooks.onAsk();
      return answer ?? '';
    };
    const code = await runCli(args, {
      out: (text) => {
        texts.out += text;
      },
      err: (text) => {
        texts.err += text;
      },
      colour,
      width: 100,
      progress: (line) => void (line !== undefined && progress.push(line)),
      ask: answer === undefined ? undefined : ask,
      input: async () => input,
      now,
      pause: async (ms, signal) => {
        elapsed += ms;
        await ports.pause(ms, signal);
        await hooks.onPause();
      },
      signal: interrupt.signal,
      strays: [],
      connect: connect(),
    });
    return { code, ...texts };
  };
  /** Everything that can be written, as text. */
  const state = (): string =>
    JSON.stringify([
      resources.objects.all(),
      [...topics.topics].map(([name, topic]) => [name, topic.id, topic.numPartitions, [...topic.overrides]]),
      sent,
    ]);
  return {
    ...inner,
    run,
    sent,
    progress,
    asked,
    depths,
    /** what `doctor` looks at */
    parts,
    strimzi,
    hooks,
    letters,
    dead,
    source,
    interrupt,
    /** lets time pass, in ms */
    wait: (ms: number) => {
      elapsed += ms;
    },
    state,
    keys: () => sent.map(({ request }) => keyOf(request)),
  };
}

/** A fleet in which each kind of thing that can be said is said once; all have been worked on once. */
export async function fleet(settings: Settings = {}) {
  const made = commandWorld(settings);
  const { apply, pass, topics } = made;
  apply('orders', { numPartitions: 2, config: { 'retention.ms': 604800000 } }, { team: 'a' });
  apply('clicks', { numPartitions: 3, config: { 'segment.ms': 3600000 } }, { team: 'a' });
  apply('customers', { numPartitions: 4 }, { team: 'b' });
  apply('audit', { numPartitions: 1, mode: 'Observe' }, { team: 'b' });
  apply('archive', { numPartitions: 1, mode: 'Paused' }, { team: 'c' });
  topics.add('audit', { numPartitions: 2, recordCount: 5 });
  await pass(['orders', 'clicks', 'customers', 'audit', 'archive']);
  for (const topic of topics.topics.values()) topic.recordCount = 5;
  return made;
}

/** By hand at the brokers, and by edits that nobody has handled yet. */
export function disturb({ topics, apply }: Awaited<ReturnType<typeof fleet>>): void {
  topics.topics.get('clicks')?.overrides.set('segment.ms', '1000');
  apply('orders', { numPartitions: 6, config: { 'retention.ms': 3600000, 'segment.ms': 60000 } }, { team: 'a' });
  apply('customers', { numPartitions: 2 }, { team: 'b' });
}
