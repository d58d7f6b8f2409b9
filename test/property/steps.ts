/** What can happen in a history, and how often: the shape of the random worlds. */
import fc from 'fast-check';
import type { Death } from '../support/mortal.ts';
import { foreignKey } from './judge.ts';

/** The objects of a history. Which topic one names is said when it is created, and then stays. */
export const keys = [
  { namespace: 'a', name: 'one' },
  { namespace: 'a', name: 'two' },
  { namespace: 'b', name: 'three' },
] as const;
export const topicNames = ['red', 'blue'] as const;
export const brokerIds = [1, 2, 3] as const;

export type Spec = {
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly config: Readonly<Record<string, string>>;
  readonly ignoredConfigs?: readonly string[];
  readonly configMode?: string;
  readonly deletionPolicy: string;
  readonly mode: string;
};

/** An edit of one thing; a config value that is `null` goes. */
export type Patch = Partial<Omit<Spec, 'config'>> & { readonly config?: Readonly<Record<string, string | null>> };

/** `stale`: the first look of the pass is answered by a broker that does not know the topics yet. */
export type PassStep = {
  readonly do: 'pass';
  readonly objects: readonly number[];
  readonly death: Death | undefined;
  readonly stale: boolean;
  readonly lastReceive: boolean;
};

/** `then`: the message that follows is worked on at once; the process may die over it. */
export type Edit = { readonly object: number; readonly then?: { readonly death: Death | undefined } | undefined } & (
  | { readonly do: 'apply'; readonly topic: number; readonly spec: Spec }
  | { readonly do: 'edit'; readonly patch: Patch }
  | { readonly do: 'delete' | 'check' }
  | { readonly do: 'relabel'; readonly team: string }
  | { readonly do: 'approve'; readonly what: 'shown' | 'older' | 'garbage'; readonly nth: number }
);

/** What people do to topics without us. */
export type ByHand = { readonly topic: number } & (
  | { readonly do: 'produce' | 'removeTopic' | 'addTopic' | 'replaceTopic' | 'growTopic' }
  | { readonly do: 'configure'; readonly key: string; readonly value: string }
  | { readonly do: 'moveByHand'; readonly partition: number; readonly target: readonly number[] | null }
);

export type Step =
  | Edit
  | ByHand
  | PassStep
  | { readonly do: 'tick' }
  | { readonly do: 'finishMoves' }
  | { readonly do: 'broker'; readonly id: number; readonly up: boolean };

/** A history happens in one installation: moves are limited there or not, and fewer replicas need approval or not. */
export type Story = { readonly limited: boolean; readonly careful: boolean; readonly steps: readonly Step[] };

const oneIn = (times: number): fc.Arbitrary<boolean> => fc.nat(times - 1).map((nth) => nth === 0);
const object = fc.nat(keys.length - 1);
const topic = fc.nat(topicNames.length - 1);
const numPartitions = fc.integer({ min: 1, max: 4 });
const replicationFactor = fc.integer({ min: 1, max: brokerIds.length });
const mode = fc.constantFrom(...Array<string>(8).fill('Enforce'), 'Plan', 'Plan', 'Observe', 'Paused');
const deletionPolicy = fc.constantFrom('Retain', 'Delete');
const values = {
  'retention.ms': fc.constantFrom('60000', '3600000', '86400000', '-1'),
  'segment.ms': fc.constantFrom('60000', '3600000'),
  'cleanup.policy': fc.constantFrom('delete', 'compact', 'compact,delete'),
};

/** As most people write it: a topic that is there already is often just that. */
const plain: fc.Arbitrary<Spec> = fc.record({ config: fc.constant({}), deletionPolicy, mode });

const full: fc.Arbitrary<Spec> = fc
  .record(
    {
      numPartitions,
      replicationFactor,
      config: fc.record(values, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>,
      ignoredConfigs: fc.constantFrom([], [], ['segment.ms']),
      configMode: fc.constantFrom('Merge', 'Merge', 'Merge', 'Exact'),
      deletionPolicy,
      mode,
    },
    { requiredKeys: ['config', 'deletionPolicy', 'mode'] },
  )
  // the API server refuses a key that is listed and ignored
  .map((spec) => ({ ...spec, ignoredConfigs: (spec.ignoredConfigs ?? []).filter((key) => !(key in spec.config)) }));

const patches: fc.Arbitrary<Patch> = fc.oneof(
  fc.record({ numPartitions }),
  fc.record({ replicationFactor }),
  fc.record({ mode }),
  fc.record({ deletionPolicy }),
  fc.record({ config: fc.record({ 'retention.ms': fc.option(values['retention.ms']) }) }),
  fc.record({ config: fc.record({ 'cleanup.policy': fc.option(values['cleanup.policy']) }) }),
);

const calls = fc.oneof(
  fc.nat(14),
  fc.constantFrom(
    'writeStatus',
    'storeStatus',
    'setFinalizer',
    'create',
    'create',
    'delete',
    'delete',
    'delete',
    'move',
    'limit',
    'unlimit',
    'publish',
    'records',
  ),
);
const death: fc.Arbitrary<Death | undefined> = fc.option(
  fc.record({ call: calls, at: fc.constantFrom<Death['at']>('before', 'after', 'lost', 'failed') }),
  { nil: undefined, freq: 2 },
);

const target = fc.constantFrom(null, [1], [2], [3], [1, 2], [2, 3], [3, 1], [1, 2, 3]);

const then = fc.option(fc.record({ death }), { nil: undefined, freq: 3 });
const edits: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('apply' as const), object, topic, spec: fc.oneof(plain, full, full), then }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('edit' as const), object, patch: patches, then }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('approve' as const),
      object,
      what: fc.constantFrom('shown' as const, 'shown' as const, 'shown' as const, 'older' as const, 'garbage' as const),
      nth: fc.nat(9),
      then,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), object, then }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const), object, then }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('relabel' as const), object, team: fc.constantFrom('a', 'b'), then }),
  },
);

const byHand: fc.Arbitrary<ByHand> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('produce', 'produce', 'removeTopic', 'addTopic', 'addTopic', 'replaceTopic', 'growTopic'),
      topic,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      topic,
      key: fc.constantFrom('retention.ms', 'segment.ms', foreignKey),
      value: fc.constantFrom('60000', '7200000'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('moveByHand' as const), topic, partition: fc.nat(1), target }) },
);

const passes: fc.Arbitrary<PassStep> = fc.record({
  do: fc.constant('pass' as const),
  objects: fc.array(object, { minLength: 1, maxLength: 3 }),
  death,
  stale: oneIn(8),
  lastReceive: oneIn(8),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: edits },
  { weight: 8, arbitrary: passes },
  { weight: 4, arbitrary: byHand },
  { weight: 2, arbitrary: fc.constantFrom({ do: 'tick' as const }, { do: 'finishMoves' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('broker' as const), id: fc.constantFrom(...brokerIds), up: fc.boolean() }),
  },
);

export const stories = (maxSteps: number): fc.Arbitrary<Story> =>
  fc.record({
    limited: fc.boolean(),
    careful: fc.boolean(),
    steps: fc.array(step, { minLength: 5, maxLength: maxSteps, size: 'max' }),
  });
